"""One sentence for each edit that was done."""

from __future__ import annotations

from typing import Any

from studio import tracks
from studio.edits import (
    Delete,
    Edit,
    Length,
    Motion,
    Move,
    Music,
    Place,
    Ratio,
    Retitle,
    Speed,
    Swap,
    Title,
    Transition,
    Trim,
    Undo,
    Volume,
)
from studio.words import Lang, listing, say

__all__ = ["report"]

_KEYS: dict[type, str] = {
    Title: "title",
    Retitle: "retitle",
    Music: "music",
    Volume: "volume",
    Trim: "trim",
    Length: "length",
    Delete: "delete",
    Move: "order",
    Swap: "order",
    Speed: "speed",
    Ratio: "ratio",
    Transition: "transition",
    Motion: "motion",
    Undo: "undo",
}


def report(lang: Lang, edit: Edit, draft: tracks.Draft) -> str:
    """What was done, in the figures of the draft it led to."""
    if isinstance(edit, Place):
        said = [say(lang, "placed", count=len(edit.media))] if edit.media else []
        return listing(lang, said + ([say(lang, "sound")] if edit.sound else []))
    return say(lang, _KEYS[type(edit)], **_values(edit, draft))


def _values(edit: Edit, draft: tracks.Draft) -> dict[str, Any]:
    values: dict[str, Any] = {"seconds": tracks.seconds(tracks.total_ms(draft))}
    if isinstance(edit, Title | Retitle):
        values["text"] = edit.text
    elif isinstance(edit, Music):
        bed = tracks.beds(draft)[0]["m"]
        values |= {"name": bed["name"], "percent": round(bed["volume"] * 100)}
    elif isinstance(edit, Ratio):
        values |= {"width": edit.width, "height": edit.height}
    return values
