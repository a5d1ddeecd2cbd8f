"""What of the backend's words a person is owed: its sentences, without those that assume a screen."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache

from evals.invariants import LEXICON, leaks
from evals.reading import bare

__all__ = ["facts"]

SHORTEST = 12
"""Letters and digits. Less is an "OK." that may go with what stood beside it."""
_SENTENCE = re.compile(r"(?<=[.!?。！？])(?=\s|[^\x00-\x7f])|\n+")


def facts(heard: Iterable[str]) -> list[str]:
    """The sentences of `heard` that hold something: no talk of a screen, no apology, nothing too short to matter."""
    sentences = (sentence.strip() for text in heard for sentence in _SENTENCE.split(text))
    return [each for each in sentences if len(bare(each)) >= SHORTEST and not leaks(each) and not _noise().search(each)]


@cache
def _noise() -> re.Pattern[str]:
    known = tomllib.loads((LEXICON / "gui.toml").read_text(encoding="utf-8"))
    return re.compile("|".join(known["noise"]["words"]), re.I)
