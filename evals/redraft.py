"""What an `edit` of a script does to a draft."""

from __future__ import annotations

import copy
from typing import Any

from evals.acts import Step

__all__ = ["LABELS", "complete", "redraft", "whole"]

LABELS = {0: "Video", 1: "BGM", 7: "Title"}
"""What a track is called that has no name of its own."""

Draft = dict[str, Any]


def redraft(draft: Draft, step: Step) -> Draft:
    """The draft after it; the one that is given stays as it is. `undo` is the caller's affair."""
    made = copy.deepcopy(draft)
    if step.draft is not None:
        return whole(step.draft, draft)
    if step.track is not None:
        _put(made, copy.deepcopy(step.track))
    if step.remove is not None:
        _remove(made, step.remove)
    for label, fields in (step.set or {}).items():
        for part in _called(made, label):
            _merge(part, fields)
    return made


def whole(given: Draft, canvas: Draft) -> Draft:
    """A draft of a dialogue with the canvas that every session has."""
    return {"t": [], **copy.deepcopy(given), "m": {**canvas["m"], **given.get("m", {})}}


def complete(draft: Draft) -> Draft:
    """A copy with all that the studio's own edits count on: names of tracks, ids and starts of segments."""
    made = copy.deepcopy(draft)
    for number, track in enumerate(made["t"]):
        track.setdefault("m", {}).setdefault("name", _label(track))
        at = 0
        for place, segment in enumerate(track.setdefault("sg", [])):
            segment.setdefault("id", f"sg_{number}_{place}")
            segment.setdefault("s", at)
            segment.setdefault("m", {})
            at = segment["s"] + segment.setdefault("d", 0)
    return made


def _label(track: Draft) -> str:
    return str(track.get("m", {}).get("name") or LABELS.get(track.get("tt", -1), ""))


def _put(draft: Draft, track: Draft) -> None:
    """In the place of the track of the same kind and name, else behind all others."""
    track.setdefault("m", {"name": _label(track)})
    for number, other in enumerate(draft["t"]):
        if (other.get("tt"), _label(other)) == (track.get("tt"), _label(track)):
            draft["t"][number] = track
            return
    draft["t"].append(track)


def _remove(draft: Draft, label: str) -> None:
    """A track of that label, or segments of that name; a track that is empty then goes too."""
    kept = [track for track in draft["t"] if _label(track).casefold() != label.casefold()]
    if len(kept) == len(draft["t"]):
        for track in kept:
            track["sg"] = [segment for segment in track.get("sg", []) if not _named(segment, label)]
        kept = [track for track in kept if track["sg"]]
    draft["t"] = kept


def _named(segment: Draft, name: str) -> bool:
    known = segment.get("m", {})
    return name.casefold() in (str(known.get(key, "")).casefold() for key in ("name", "text", "title"))


def _called(draft: Draft, label: str) -> list[Draft]:
    """The draft itself for `m`; the segments of a track with that label, or those of that name."""
    if label == "m":
        return [draft["m"]]
    tracks = [track for track in draft["t"] if _label(track).casefold() == label.casefold()]
    if tracks:
        return [segment for track in tracks for segment in track.get("sg", [])]
    return [segment for track in draft["t"] for segment in track.get("sg", []) if _named(segment, label)]


def _merge(into: Draft, fields: Draft) -> None:
    for key, value in fields.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)
