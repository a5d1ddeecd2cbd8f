"""Whether files whose upload broke off are there after all: what the session's state showed before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from agent.backend import Snapshot

__all__ = ["missing"]


def missing(names: Sequence[str], before: Snapshot, after: Snapshot) -> list[str]:
    """Those of `names` that the state does not show more often than it did before."""
    had, has = list(_words(before.model_dump())), list(_words(after.model_dump()))
    wanted = Counter(names)
    lacking = [name for name, count in wanted.items() if _told(name, has) - _told(name, had) < count]
    unnamed = not any(_told(name, has) for name in lacking)
    if lacking and unnamed and _files(after) - _files(before) >= len(names):
        return []  # A backend that gives files names of its own is believed by their number.
    return lacking


def _told(name: str, words: list[str]) -> int:
    """How many files of that name: in an address or a path it stands last."""
    return sum(word == name for word in words) or sum(word.endswith(f"/{name}") for word in words)


def _words(value: Any) -> Iterator[str]:
    """Every text in what the backend told, without what comes and goes in a signed address."""
    if isinstance(value, str):
        yield unquote(value.partition("?")[0])
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _words(part)


def _files(snapshot: Snapshot) -> int:
    found = snapshot.video_infos
    return len(found) if isinstance(found, dict | list) else 0
