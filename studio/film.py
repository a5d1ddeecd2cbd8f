"""A draft read as a film: shots, sounds and titles on one clock, each with the file it needs; reads tolerantly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from studio.media import MAX_FILM_MS, MAX_SIDE, BadMedia
from studio.text import Place

__all__ = ["Asset", "Film", "Motion", "Shot", "Sound", "Title", "Transition", "read"]

Motion = Literal["zoom-in", "zoom-out", "pan-left", "pan-right", "none"]
Transition = Literal["crossfade", "fade-black", "slide"]

_VIDEO, _AUDIO, _TEXT = 0, 1, 7
_MOTIONS: tuple[Motion, ...] = ("zoom-in", "zoom-out", "pan-left", "pan-right", "none")
_TRANSITIONS: tuple[Transition, ...] = ("crossfade", "fade-black", "slide")
_PLACES: tuple[Place, ...] = ("center", "top", "bottom")


class Asset(NamedTuple):
    """A media file under the id by which the draft names it."""

    id: str
    path: Path
    kind: str


class Shot(NamedTuple):
    """One picture segment. Times in ms; `tail_ms` is how long the next shot's transition still shows this one."""

    asset: Asset
    start_ms: int
    duration_ms: int
    is_clip: bool
    in_ms: int
    speed: float
    motion: Motion
    transition: Transition | None
    transition_ms: int
    tail_ms: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms


class Sound(NamedTuple):
    """One audible segment: a bed (`mood`, `seed`) or a file; `volume` is a linear gain."""

    asset: Asset | None
    mood: str
    seed: int
    start_ms: int
    duration_ms: int
    in_ms: int
    speed: float
    volume: float
    fade_ms: int


class Title(NamedTuple):
    """Words over the picture."""

    text: str
    place: Place
    start_ms: int
    duration_ms: int


class Film(NamedTuple):
    """What is to be rendered. `shots` are in painting order: where two overlap the later one is seen."""

    width: int
    height: int
    fps: int
    duration_ms: int
    shots: list[Shot]
    sounds: list[Sound]
    titles: list[Title]

    @property
    def is_still(self) -> bool:
        """One silent picture: as an image it is delivered whole, not as a frame of a moving film."""
        return len(self.shots) == 1 and not self.shots[0].is_clip and not self.sounds


def read(draft: Mapping[str, Any], assets: Mapping[str, Mapping[str, Any]]) -> Film:
    """The film of a draft. BadMedia: nothing to show (empty), too long, or an asset that is not there (missing)."""
    head = _dict(draft.get("m"))
    shots: list[Shot] = []
    sounds: list[Sound] = []
    titles: list[Title] = []
    for track in _list(draft.get("t")):
        rows = [row for row in map(_Row, _list(track.get("sg"))) if row.duration_ms > 0]
        if track.get("tt") == _VIDEO:
            shots += _shots(rows, assets)
            sounds += [_own_sound(row, assets) for row in rows if row.word("kind", "image") == "clip"]
        elif track.get("tt") == _AUDIO:
            sounds += [_sound(row, assets) for row in rows]
        elif track.get("tt") == _TEXT:
            titles += [_title(row) for row in rows]
    parts: list[Shot | Sound | Title] = [*shots, *sounds, *titles]
    duration = max((part.start_ms + part.duration_ms for part in parts), default=0)
    if duration <= 0:
        raise BadMedia("empty", "the timeline is empty")
    if duration > MAX_FILM_MS:
        raise BadMedia("too_long", f"the film is longer than {MAX_FILM_MS // 60_000} minutes")
    audible = [sound for sound in sounds if sound.volume > 0]
    width, height = _side(head.get("width"), 1920), _side(head.get("height"), 1080)
    fps = round(min(60.0, max(1.0, _number(head.get("fps"), 30.0))))
    return Film(width, height, fps, duration, shots, audible, titles)


class _Row:
    """One raw segment with every value made safe."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._m = _dict(raw.get("m"))
        self.start_ms = max(0, round(_number(raw.get("s"), 0.0)))
        self.duration_ms = round(_number(raw.get("d"), 0.0))
        self.in_ms = max(0, round(self.number("in", 0.0)))
        self.speed = min(8.0, max(0.125, self.number("speed", 1.0) or 1.0))
        self.volume = min(4.0, max(0.0, self.number("volume", 1.0)))

    def number(self, key: str, default: float) -> float:
        return _number(self._m.get(key), default)

    def word(self, key: str, default: str = "") -> str:
        value = self._m.get(key)
        return value if isinstance(value, str) else default

    def transition(self) -> tuple[Transition | None, int]:
        raw = _dict(self._m.get("transition"))
        name = next((known for known in _TRANSITIONS if known == raw.get("name")), None)
        length = min(self.duration_ms, max(0, round(_number(raw.get("d"), 0.0))))
        return (name, length) if name and length else (None, 0)

    def motion(self) -> Motion:
        return next((known for known in _MOTIONS if known == self._m.get("motion")), "none")


def _shots(rows: list[_Row], assets: Mapping[str, Mapping[str, Any]]) -> list[Shot]:
    rows = sorted(rows, key=lambda row: row.start_ms)
    shots: list[Shot] = []
    for index, row in enumerate(rows):
        name, length = row.transition()
        after = rows[index + 1] if index + 1 < len(rows) else None
        abuts = after is not None and abs(after.start_ms - row.start_ms - row.duration_ms) <= 40
        tail = after.transition()[1] if after is not None and abuts else 0
        asset = _asset(row.word("src"), assets)
        is_clip = row.word("kind", asset.kind) == "clip"
        times = (row.start_ms, row.duration_ms, is_clip, row.in_ms, row.speed)
        shots.append(Shot(asset, *times, row.motion(), name, length, tail))
    return shots


def _own_sound(row: _Row, assets: Mapping[str, Mapping[str, Any]]) -> Sound:
    asset = _asset(row.word("src"), assets)
    return Sound(asset, "", 0, row.start_ms, row.duration_ms, row.in_ms, row.speed, row.volume, 0)


def _sound(row: _Row, assets: Mapping[str, Mapping[str, Any]]) -> Sound:
    source = row.word("src")
    is_bed = source.startswith("music:")
    mood, _, seed = source.removeprefix("music:").partition(":") if is_bed else ("", "", "0")
    fade = min(1000, row.duration_ms // 3, max(0, round(row.number("fade", 1000.0 if is_bed else 0.0))))
    asset = None if is_bed else _asset(source, assets)
    number = int(seed) if seed.isdecimal() and len(seed) < 19 else 0
    times = (row.start_ms, row.duration_ms, row.in_ms, row.speed)
    return Sound(asset, mood, number, *times, row.volume, fade)


def _title(row: _Row) -> Title:
    place: Place = next((known for known in _PLACES if known == row.word("place")), "center")
    return Title(row.word("text") or row.word("name"), place, row.start_ms, row.duration_ms)


def _asset(key: str, assets: Mapping[str, Mapping[str, Any]]) -> Asset:
    raw = assets.get(key)
    path = raw.get("path") if raw else None
    if raw is None or not isinstance(path, str):
        raise BadMedia("missing", "a file of the timeline is not in the library", key or None)
    return Asset(key, Path(path), str(raw.get("kind") or "image"))


def _side(value: object, default: int) -> int:
    return 2 * round(min(MAX_SIDE, max(16.0, _number(value, default) or default)) / 2)


def _number(value: object, default: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return default
    return float(value)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
