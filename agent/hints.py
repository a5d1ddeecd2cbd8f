"""What could come next: sentences a person could say that fit the draft and the persona."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Literal

from agent.draft import Change, Draft, Segment, Track
from prompts import Lang, table

__all__ = ["by_itself", "next_steps", "vague"]

MOST = 3
LONG_MS = 60_000
LOUD = 0.6
"""Gain from which music under a film is a matter to speak of."""


def next_steps(draft: Draft, persona: str, lang: Lang, *, unclear: bool = False) -> list[str]:
    """Two or three suggestions: the persona's first, then the others in their order; an export comes last.

    Beside an unclear wish an export is no answer.
    """
    hints = table("hints")
    true = _facts(draft)
    fits = {hint["name"]: hint[lang] for hint in hints["next"] if hint["when"] in true}
    export = fits.pop("export", None)
    order = [name for name in hints["personas"].get(persona, []) if name in fits]
    order += [name for name in fits if name not in order and name != "png"]
    chosen = [fits[name] for name in order]
    return chosen[:MOST] if unclear or not export else [*chosen[: MOST - 1], export]


def vague(words: str) -> bool:
    """Whether a wish names no direction: "make it better"."""
    said = words.strip().strip(".!。！~～?？ ").casefold().replace("’", "'")
    return any(_rx(table("hints")["vague"][lang]).fullmatch(said) for lang in ("en", "zh"))


def by_itself(found: list[Change], words: str) -> list[tuple[Track, Segment]]:
    """Music and titles among the changes that `words` do not ask for."""
    asked = table("hints")["asked"]
    return [
        (change.track, change.after)
        for change in found
        if change.kind == "added"
        and change.track
        and change.after
        and change.track.label in ("bgm", "title")
        and not _rx(asked["audio" if change.track.kind == "audio" else "text"]).search(words)
    ]


Fact = Literal["filled", "still", "picture", "silent", "loud", "untitled", "hard cuts", "wide", "long"]


def _facts(draft: Draft) -> set[Fact]:
    """What is true of a draft. An empty one has no facts: nothing comes next but a description."""
    video, audio, text = (
        [piece for track in draft.tracks if track.kind == kind for piece in track.segments]
        for kind in ("video", "audio", "text")
    )
    facts: dict[Fact, bool] = {
        "filled": draft.exportable,
        "picture": draft.is_still,
        "still": len(video) == 1 and video[0].is_picture,
        "silent": bool(video) and not audio,
        "loud": any((s.volume or 0.0) > LOUD for t in draft.tracks if t.label == "bgm" for s in t.segments),
        "untitled": bool(video) and not text,
        "hard cuts": any(b.transition is None for _, b in pairwise(video)),
        "wide": draft.size is not None and draft.size[0] > draft.size[1] and bool(video),
        "long": (draft.duration_ms or 0) > LONG_MS,
    }
    return {fact for fact, is_so in facts.items() if is_so}


@cache
def _rx(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)
