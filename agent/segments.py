"""Tracks and their segments, read from a draft's short names whatever shape they come in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

__all__ = ["Kind", "Label", "Segment", "Track", "duration", "first", "mapping", "sequence", "words"]

Kind = Literal["video", "audio", "text", "unknown"]
"""A track type: `tt` 0, 1 and 7, and every other."""
Label = Literal["video", "bgm", "voice", "audio", "title", "track"]
"""What a person calls a track. A key of [timeline] in the replies."""

KINDS: dict[float | None, Kind] = {0: "video", 1: "audio", 7: "text"}
_START, _VOLUME = ("s", "st", "start"), ("volume", "vol", "v")
_NAMES, _BARE_NAMES = ("name", "title", "text"), ("name", "text", "n")
_VOICE = re.compile(r"voice|narrat|speech|dub|vo\b|配音|旁白|人声|口播|解说|解說", re.I)
_MUSIC = re.compile(r"bgm|music|soundtrack|score|配乐|配樂|音乐|音樂", re.I)
_SOUND = re.compile(r"audio|sound|sfx|effect|音效|音频|音頻|声音|聲音", re.I)
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_LONGEST_MS = 10**12
"""Thirty years. More is no duration."""
T = TypeVar("T")
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|heic|bmp)(?:[?#]|$)", re.I)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece on a track. None is "the draft does not say"."""

    kind: Kind
    raw: Mapping[str, Any]
    """As the backend gave it. The rest is read from it when asked for: tracks can be long."""
    start_ms: int | None
    duration_ms: int | None

    @property
    def id(self) -> str | None:
        """The backend's name for it."""
        return words(self.raw.get("id"))

    @property
    def name(self) -> str | None:
        """On a text track the words that are seen; elsewhere what the piece is called."""
        if self.kind == "text" and (seen := words(self._meta.get("text")) or words(self.raw.get("text"))):
            return seen
        return first(self._meta, _NAMES, words) or first(self.raw, _BARE_NAMES, words)

    @property
    def volume(self) -> float | None:
        """Gain, 1.0 is 100 %."""
        inner = first(self._meta, ("volume",), _gain)
        return first(self.raw, _VOLUME, _gain) if inner is None else inner

    @property
    def end_ms(self) -> int | None:
        """Where it ends on the timeline."""
        return None if self.start_ms is None or self.duration_ms is None else self.start_ms + self.duration_ms

    @property
    def source(self) -> str | None:
        """What it plays: a media id or an address."""
        return first(self._meta, ("src", "url"), words)

    @property
    def into_ms(self) -> int | None:
        """How far into its source it begins."""
        return first(self._meta, ("in",), duration)

    @property
    def speed(self) -> float | None:
        """How fast its source plays, 1.0 is as it was recorded."""
        return first(self._meta, ("speed",), _number)

    @property
    def transition(self) -> tuple[str, int | None] | None:
        """How it takes over from the piece before: a name, and milliseconds."""
        found = self._meta.get("transition")
        inner = mapping(found)
        name = words(inner.get("name")) if inner else words(found)
        return (name, duration(inner.get("d"))) if name and name != "none" else None

    @property
    def is_picture(self) -> bool:
        """Whether the draft says that this is a picture which does not move."""
        moving = words(self._meta.get("motion")) not in (None, "none")
        kind = first(self._meta, ("kind", "type", "mime"), words) or ""
        named = any(_PICTURE.search(text) for text in (self.source, self.name) if text)
        return not moving and (kind.lower().startswith(("image", "photo", "picture")) or (not kind and named))

    @property
    def _meta(self) -> Mapping[str, Any]:
        return mapping(self.raw.get("m"))


@dataclass(frozen=True, slots=True)
class Track:
    """A lane of the timeline."""

    kind: Kind
    label: Label
    name: str | None
    """What the backend calls it."""
    segments: tuple[Segment, ...]

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Track:
        """One element of `t`. Pieces that are no object are left out."""
        kind = KINDS.get(_number(raw.get("tt")), "unknown")
        pieces: list[Segment] = []
        for piece in sequence(raw.get("sg")):
            if isinstance(piece, dict):
                pieces.append(_segment(piece, kind, pieces[-1].end_ms if pieces else 0))
        name = first(mapping(raw.get("m")), ("name",), words)
        return cls(kind, _label(kind, name, pieces), name, tuple(pieces))


def mapping(value: Any) -> Mapping[str, Any]:
    """The object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The list, or an empty one where something else stands."""
    return value if isinstance(value, list) else []


def words(value: Any) -> str | None:
    """A text on one line without control characters, or None where there is none."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LONGEST_MS:
        value = str(value)
    return (" ".join(_UNPRINTABLE.sub("", value).split()) or None) if isinstance(value, str) else None


def duration(value: Any) -> int | None:
    """Whole milliseconds from 0, or None."""
    number = _number(value)
    return round(number) if number is not None and 0 <= number <= _LONGEST_MS else None


def first(where: Mapping[str, Any], keys: tuple[str, ...], read: Callable[[Any], T | None]) -> T | None:
    """What `read` makes of the first key that it can make something of."""
    for key in keys:
        if key in where and (found := read(where[key])) is not None:
            return found
    return None


def _segment(raw: Mapping[str, Any], kind: Kind, follows: int | None) -> Segment:
    start = first(raw, _START, duration)
    return Segment(kind, raw, follows if start is None else start, duration(raw.get("d")))


def _label(kind: Kind, name: str | None, pieces: list[Segment]) -> Label:
    """An audio track without evidence is background music, as in the documents' example."""
    if kind != "audio":
        by_kind: dict[Kind, Label] = {"video": "video", "text": "title"}
        return by_kind.get(kind, "track")
    kinds = {words(mapping(piece.raw.get("m")).get("kind")) or "" for piece in pieces}
    for evidence in (name or "", " ".join(sorted(kinds))):
        if _MUSIC.search(evidence):
            return "bgm"
        if _VOICE.search(evidence):
            return "voice"
        if _SOUND.search(evidence):
            return "audio"
    return "bgm"


def _gain(value: Any) -> float | None:
    """0 to 1 as it is, 2 to 100 as per cent. What lies between could be either, so it stays unknown."""
    number = _number(value)
    if number is None or not 0 <= number <= 100 or 1 < number < 2:
        return None
    per_cent = number > 1 or (isinstance(value, str) and "%" in value)
    return number / 100 if per_cent else number


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip().removesuffix("%")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
