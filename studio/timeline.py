"""Edits on a draft: pure, the draft handed in is never changed, and what comes out always abuts."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable
from typing import Any

from studio import tracks
from studio.edits import (
    Asset,
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
    Volume,
)
from studio.tracks import AUDIO, TEXT, VIDEO, Cannot, Draft, Segment

__all__ = ["Cannot", "Draft", "apply", "empty", "total_ms"]

MUSIC_VOLUME = 0.35
STILL_MS, SHOW_MS = 10_000, 5_000  # one picture alone; one of several
MOTIONS = ("zoom-in", "pan-right", "zoom-out", "pan-left")

empty = tracks.empty
total_ms = tracks.total_ms


def apply(draft: Draft, edit: Edit) -> Draft:
    """The draft after `edit`. Raises Cannot where there is nothing to do it to."""
    after = copy.deepcopy(draft)
    _HANDLERS[type(edit)](after, edit)
    tracks.settle(after)
    return after


def _place(draft: Draft, edit: Place) -> None:
    if edit.alone:
        draft["t"] = []
    if edit.fresh:
        tracks.drop(draft, VIDEO)
    segments = tracks.lane(draft, VIDEO)
    if edit.instead is not None:
        return _replace(segments, edit.media[0], edit)
    sound_ms = edit.sound.duration_ms if edit.sound else None
    wanted = edit.total_ms or (sound_ms if edit.sound_kind == "voice" else None)
    for index, (asset, length) in enumerate(zip(edit.media, _shares(edit, wanted), strict=True), len(segments)):
        segments.append(tracks.segment(0, length, _shown(asset, MOTIONS[index % 4])))
    tracks.put(draft, VIDEO, "Video", segments)
    if edit.sound:
        _lay_sound(draft, edit)


def _shown(asset: Asset, motion: str) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": asset.name, "src": asset.id, "kind": asset.kind, "in": 0, "speed": 1.0}
    meta |= {"volume": 1.0, "motion": motion if asset.kind == "image" else "none"}
    if asset.duration_ms and asset.kind == "clip":
        meta["length"] = asset.duration_ms
    return meta


def _replace(segments: list[Segment], asset: Asset, edit: Place) -> None:
    """Another picture where one was: as long, moving and coming in as that one did."""
    old = segments[tracks.index(segments, edit.instead or -1)]
    length = edit.total_ms or old["d"]
    if asset.kind == "clip" and asset.duration_ms:
        length = min(length, asset.duration_ms)
    motion = old["m"].get("motion") if old["m"].get("kind") == "image" else MOTIONS[0]
    before = {"transition": old["m"]["transition"]} if "transition" in old["m"] else {}
    old |= tracks.segment(0, length, _shown(asset, motion or MOTIONS[0]) | before)


def _shares(edit: Place, wanted: int | None) -> list[int]:
    """How long each medium stays: clips at most their own length, stills share what is left."""
    natural = [asset.duration_ms if asset.kind == "clip" else None for asset in edit.media]
    if not wanted:
        still = STILL_MS if len(edit.media) == 1 else SHOW_MS
        return [length or still for length in natural]
    shares: list[int] = [0] * len(natural)
    left, open_ = wanted, list(range(len(natural)))
    # Short clips first: what they cannot fill is shared by the rest.
    for index in sorted(open_, key=lambda i: natural[i] or wanted * 2):
        share = left // len(open_)
        shares[index] = max(tracks.MIN_MS, min(share, natural[index] or share))
        left -= shares[index]
        open_.remove(index)
    spare = wanted - sum(shares)
    last_still = next((i for i in reversed(range(len(natural))) if natural[i] is None), None)
    if last_still is not None:
        shares[last_still] = max(tracks.MIN_MS, shares[last_still] + spare)
    return shares


def _lay_sound(draft: Draft, edit: Place) -> None:
    asset = edit.sound
    assert asset is not None
    voice = edit.sound_kind == "voice"
    length = asset.duration_ms or total_ms(draft) or STILL_MS
    meta: dict[str, Any] = {
        "name": asset.name,
        "src": asset.id,
        "kind": "voice" if voice else "audio",
        "in": 0,
        "length": length,
    }
    meta |= {"volume": 1.0 if voice else MUSIC_VOLUME, "fade": 0 if voice else 1_000}
    tracks.put(draft, AUDIO, "Voice" if voice else "BGM", [tracks.segment(0, length, meta)])


def _title(draft: Draft, edit: Title) -> None:
    total = total_ms(draft)
    length = edit.duration_ms or total or STILL_MS
    start = max(0, total - length) if edit.at_end else edit.start_ms
    if total and start >= total:
        raise Cannot("after_end", seconds=tracks.seconds(total))
    meta = {"text": edit.text, "name": edit.text, "place": edit.place}
    if edit.at_end:
        meta["anchor"] = "end"
    new = tracks.segment(start, length, meta)
    for track in tracks.of(draft, TEXT):
        same = [s for s in track["sg"] if s["s"] == start and s["m"].get("place") == edit.place]
        if same:  # the same spot again is a correction
            track["sg"][track["sg"].index(same[0])] = new | {"id": same[0]["id"]}
            return
        if all(s["s"] + s["d"] <= start or start + length <= s["s"] for s in track["sg"]):
            track["sg"].append(new)
            return
    draft["t"].append({"tt": TEXT, "m": {"name": "Title"}, "sg": [new]})


def _retitle(draft: Draft, edit: Retitle) -> None:
    titles = [s for track in tracks.of(draft, TEXT) for s in track["sg"]]
    if not titles:
        raise Cannot("no_title")
    titles[-1]["m"] |= {"text": edit.text, "name": edit.text}


def _music(draft: Draft, edit: Music) -> None:
    old = next((s["m"] for s in tracks.beds(draft) if s["m"].get("kind") == "music"), None)
    mood, name = edit.mood or "lofi", edit.name or "Lo-fi"
    seed = zlib.crc32(mood.encode()) % 10_000
    if old and not edit.mood:  # another piece of the same kind
        _, mood, last = str(old["src"]).split(":")
        name, seed = old["name"], int(last) + 1
    volume = edit.volume if edit.volume is not None else old["volume"] if old else MUSIC_VOLUME
    meta = {"name": name, "src": f"music:{mood}:{seed}", "kind": "music", "volume": volume, "in": 0, "fade": 1_000}
    tracks.put(draft, AUDIO, "BGM", [tracks.segment(0, total_ms(draft) or STILL_MS, meta)])


def _volume(draft: Draft, edit: Volume) -> None:
    lanes: dict[str | None, list[Segment]] = {
        "music": tracks.beds(draft),
        "voice": tracks.lane(draft, AUDIO, "Voice"),
        "clips": [s for s in tracks.lane(draft, VIDEO) if s["m"].get("kind") == "clip"],
    }
    what: str = edit.what or next((str(name) for name, segments in lanes.items() if segments), "music")
    if not lanes[what]:
        raise Cannot(f"no_{what}")
    for segment in lanes[what]:
        level = edit.to if edit.to is not None else float(segment["m"].get("volume", 1.0)) + edit.by
        segment["m"]["volume"] = round(min(1.0, max(0.0, level)), 3)


def _delete(draft: Draft, edit: Delete) -> None:
    if edit.what == "segment":
        segments = tracks.lane(draft, VIDEO)
        del segments[tracks.index(segments, edit.segment)]
        tracks.put(draft, VIDEO, "Video", segments)
    elif edit.what == "transition":
        if not sum(s["m"].pop("transition", None) is not None for s in tracks.lane(draft, VIDEO)):
            raise Cannot("no_transition")
    elif edit.what == "all":
        draft["t"] = []
    else:
        names = {"title": (TEXT, None), "music": (AUDIO, "BGM"), "voice": (AUDIO, "Voice")}
        if not tracks.drop(draft, *names[edit.what]):
            raise Cannot(f"no_{edit.what}")


def _move(draft: Draft, edit: Move) -> None:
    segments = tracks.lane(draft, VIDEO)
    piece = segments.pop(tracks.index(segments, edit.segment))
    segments.insert(len(segments) if edit.to == -1 else min(edit.to - 1, len(segments)), piece)
    tracks.put(draft, VIDEO, "Video", segments)


def _swap(draft: Draft, edit: Swap) -> None:
    segments = tracks.lane(draft, VIDEO)
    one, other = tracks.index(segments, edit.one), tracks.index(segments, edit.other)
    segments[one], segments[other] = segments[other], segments[one]
    tracks.put(draft, VIDEO, "Video", segments)


def _trim(draft: Draft, edit: Trim) -> None:
    segments = tracks.lane(draft, VIDEO)
    if not segments:
        raise Cannot("no_video")
    if edit.segment is None:
        tracks.put(draft, VIDEO, "Video", tracks.cut(segments, edit.head_ms, tracks.keep(segments, edit)))
        tracks.shift_titles(draft, edit.head_ms)
        return
    place = tracks.index(segments, edit.segment)
    segments[place : place + 1] = tracks.cut([segments[place]], edit.head_ms, tracks.keep([segments[place]], edit))
    tracks.put(draft, VIDEO, "Video", segments)


def _length(draft: Draft, edit: Length) -> None:
    segments = tracks.lane(draft, VIDEO)
    if not segments:
        raise Cannot("no_video")
    chosen = segments if edit.segment is None else [segments[tracks.index(segments, edit.segment)]]
    now = sum(s["d"] for s in chosen)
    wanted = edit.total_ms or round(now * edit.factor)
    if wanted < now:
        _trim(draft, Trim(to_ms=wanted, segment=edit.segment))
    elif wanted > now:
        tracks.stretch(chosen, wanted - now)


def _speed(draft: Draft, edit: Speed) -> None:
    segments = tracks.lane(draft, VIDEO)
    if not segments:
        raise Cannot("no_video")
    for segment in segments if edit.segment is None else [segments[tracks.index(segments, edit.segment)]]:
        before = float(segment["m"].get("speed", 1.0))
        after = min(4.0, max(0.25, before * edit.factor))
        segment["d"] = max(tracks.MIN_MS, round(segment["d"] * before / after))
        segment["m"]["speed"] = round(after, 3)


def _ratio(draft: Draft, edit: Ratio) -> None:
    draft["m"] |= {"width": edit.width, "height": edit.height}


def _transition(draft: Draft, edit: Transition) -> None:
    segments = tracks.lane(draft, VIDEO)
    if len(segments) < 2:
        raise Cannot("one_segment")
    for segment in segments[1:]:
        segment["m"]["transition"] = {"name": edit.name, "d": edit.duration_ms}


def _motion(draft: Draft, edit: Motion) -> None:
    stills = [s for s in tracks.lane(draft, VIDEO) if s["m"].get("kind") == "image"]
    if not stills:
        raise Cannot("no_still")
    for index, segment in enumerate(stills):
        segment["m"]["motion"] = MOTIONS[index % 4] if edit.name == "auto" else edit.name


_HANDLERS: dict[type, Callable[[Draft, Any], None]] = {
    Place: _place,
    Title: _title,
    Retitle: _retitle,
    Music: _music,
    Volume: _volume,
    Delete: _delete,
    Move: _move,
    Swap: _swap,
    Trim: _trim,
    Length: _length,
    Speed: _speed,
    Ratio: _ratio,
    Transition: _transition,
    Motion: _motion,
}
