"""The draft's lanes: reading them, putting segments back, and settling so that everything fits."""

from __future__ import annotations

import copy
import secrets
from typing import Any

from studio.edits import Trim

__all__ = [
    "AUDIO",
    "MIN_MS",
    "TEXT",
    "VIDEO",
    "Cannot",
    "Draft",
    "Segment",
    "Track",
    "beds",
    "cut",
    "drop",
    "empty",
    "index",
    "keep",
    "lane",
    "of",
    "put",
    "seconds",
    "segment",
    "settle",
    "shift_titles",
    "stretch",
    "total_ms",
]

Draft = dict[str, Any]
Track = dict[str, Any]
Segment = dict[str, Any]

VIDEO, AUDIO, TEXT = 0, 1, 7
MIN_MS = 100
MAX_MS = 10 * 60 * 1000
_ORDER = {(VIDEO, "Video"): 0, (AUDIO, "BGM"): 1, (AUDIO, "Voice"): 2, (TEXT, "Title"): 3}


class Cannot(Exception):
    """There is nothing to do it to. `key` names a sentence in words.py."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def empty(width: int = 1920, height: int = 1080) -> Draft:
    """A draft without a track."""
    return {"m": {"title": "", "width": width, "height": height, "fps": 30}, "t": []}


def segment(start_ms: int, duration_ms: int, meta: dict[str, Any]) -> Segment:
    """A new segment with an id of its own."""
    return {"id": f"sg_{secrets.token_hex(4)}", "s": start_ms, "d": duration_ms, "m": meta}


def of(draft: Draft, kind: int, name: str | None = None) -> list[Track]:
    """The tracks of one kind, by name if given."""
    return [t for t in draft["t"] if t["tt"] == kind and (name is None or t["m"].get("name") == name)]


def lane(draft: Draft, kind: int, name: str | None = None) -> list[Segment]:
    """The segments of the first such track; the draft's own, not copies."""
    found = of(draft, kind, name)
    return list(found[0]["sg"]) if found else []


def beds(draft: Draft) -> list[Segment]:
    """Background music."""
    return lane(draft, AUDIO, "BGM")


def put(draft: Draft, kind: int, name: str, segments: list[Segment]) -> None:
    """These segments are the lane from here on."""
    found = of(draft, kind, name)
    if found:
        found[0]["sg"] = segments
    else:
        draft["t"].append({"tt": kind, "m": {"name": name}, "sg": segments})


def drop(draft: Draft, kind: int, name: str | None = None) -> bool:
    """Takes the lanes out; False if there were none."""
    gone = of(draft, kind, name)
    draft["t"] = [track for track in draft["t"] if all(track is not other for other in gone)]
    return bool(gone)


def total_ms(draft: Draft) -> int:
    """Length of the film: the picture track, else whatever ends last."""
    pictures = sum(s["d"] for s in lane(draft, VIDEO))
    return pictures or max((s["s"] + s["d"] for track in draft["t"] for s in track["sg"]), default=0)


def seconds(milliseconds: int) -> str:
    """ "8" or "2.5"."""
    return f"{milliseconds / 1000:g}"


def index(segments: list[Segment], number: int) -> int:
    """List index of a 1-based number, -1 for the last. Raises Cannot when there is no such segment."""
    if not segments:
        raise Cannot("no_video")
    if number == -1:
        return len(segments) - 1
    if not 1 <= number <= len(segments):
        raise Cannot("no_segment", number=number, count=len(segments))
    return number - 1


def keep(segments: list[Segment], edit: Trim) -> int:
    """Milliseconds left after the trim. Raises Cannot when nothing would be cut, or nothing left."""
    now = sum(s["d"] for s in segments)
    left: int = min(now - edit.head_ms - edit.tail_ms, edit.to_ms if edit.to_ms is not None else now)
    if left < MIN_MS:
        raise Cannot("nothing_left", seconds=seconds(now))
    if left == now:
        raise Cannot("already_shorter", seconds=seconds(now))
    return left


def cut(segments: list[Segment], head_ms: int, left_ms: int) -> list[Segment]:
    """The window of `left_ms` that starts `head_ms` in; a clip's way into its source moves along."""
    kept, at = [], 0
    for piece in segments:
        start, end = max(head_ms, at), min(head_ms + left_ms, at + piece["d"])
        if end - start > 0:
            fresh = copy.deepcopy(piece)
            if piece["m"].get("kind") == "clip":
                fresh["m"]["in"] = round(piece["m"].get("in", 0) + (start - at) * piece["m"].get("speed", 1.0))
            kept.append(fresh | {"d": end - start})
        at += piece["d"]
    return kept


def stretch(segments: list[Segment], more_ms: int) -> None:
    """Stills take `more_ms` between them. Raises Cannot when there is none: a clip has no more to show."""
    stills = [s for s in segments if s["m"].get("kind") == "image"]
    if not stills:
        raise Cannot("no_longer")
    share = more_ms // len(stills)
    for still in stills:
        still["d"] += share
    stills[-1]["d"] += more_ms - share * len(stills)


def shift_titles(draft: Draft, head_ms: int) -> None:
    """Titles move with the picture they stand on; one at the very start stays at the start."""
    for track in of(draft, TEXT):
        for title in track["sg"]:
            title["s"] = max(0, title["s"] - head_ms)


def settle(draft: Draft) -> None:
    """Pictures abut, music follows the film's length, voice and titles end with it, empty tracks go."""
    at = 0
    for position, piece in enumerate(lane(draft, VIDEO)):
        piece["s"] = at
        at += piece["d"]
        _settle_transition(piece, position)
    if at > MAX_MS:
        raise Cannot("too_long", minutes=MAX_MS // 60_000)
    if at:
        _fit_sound(draft, at)
        _fit_titles(draft, at)
    draft["t"] = [track for track in draft["t"] if track["sg"]]
    draft["t"].sort(key=lambda track: _ORDER.get((track["tt"], track["m"].get("name")), 9))


def _settle_transition(piece: Segment, position: int) -> None:
    blend = piece["m"].get("transition")
    if blend:
        blend["d"] = min(blend["d"], piece["d"] // 2)
        if not position or not blend["d"]:
            del piece["m"]["transition"]


def _fit_sound(draft: Draft, total: int) -> None:
    for track in of(draft, AUDIO):
        for piece in track["sg"]:
            meta = piece["m"]
            source = total if meta.get("kind") == "music" else meta.get("length", piece["d"]) - meta.get("in", 0)
            piece["d"] = min(source, total - piece["s"])
        track["sg"] = [piece for piece in track["sg"] if piece["d"] > 0]


def _fit_titles(draft: Draft, total: int) -> None:
    for track in of(draft, TEXT):
        for title in track["sg"]:
            title["d"] = min(title["d"], total)
            if title["m"].get("anchor") == "end":
                title["s"] = total - title["d"]
            title["d"] = min(title["d"], total - title["s"])
        track["sg"] = sorted((t for t in track["sg"] if t["d"] > 0), key=lambda t: t["s"])
