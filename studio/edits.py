"""The vocabulary of edits: what a message may do to a draft, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Asset",
    "Brief",
    "Delete",
    "Edit",
    "Generate",
    "Kind",
    "Length",
    "Motion",
    "Move",
    "Music",
    "Place",
    "Ratio",
    "Retitle",
    "Speed",
    "Swap",
    "Title",
    "Transition",
    "Trim",
    "Undo",
    "Volume",
]

Kind = Literal["image", "clip", "audio"]


@dataclass(frozen=True)
class Asset:
    """A media file the studio keeps. `name` is for showing; `path` is ours, never a person's."""

    id: str
    kind: Kind
    name: str
    path: str = ""
    mime: str = ""
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    fps: float | None = None
    sha256: str = ""
    origin: Literal["upload", "generated"] = "upload"


@dataclass(frozen=True)
class Generate:
    """Draw pictures and append them. `total_ms` None: 10 s for one picture, 5 s each for several.
    `instead`: one picture in the place of that segment (1-based, -1 last), for as long as it lasted."""

    subject: str
    scenes: int = 1
    total_ms: int | None = None
    instead: int | None = None


@dataclass(frozen=True)
class Brief:
    """A whole film from a topic: raw pictures first, then music and a title by itself."""

    subject: str
    total_ms: int = 20_000
    mood: str = "upbeat"


@dataclass(frozen=True)
class Place:
    """Media onto the timeline. `fresh` starts the picture track anew; `alone` the whole timeline;
    `sound` is laid under it from 0; `instead`: in the place of that segment (1-based, -1 last)."""

    media: tuple[Asset, ...]
    total_ms: int | None = None
    fresh: bool = False
    sound: Asset | None = None
    sound_kind: Literal["voice", "music"] = "voice"
    alone: bool = False
    instead: int | None = None


@dataclass(frozen=True)
class Title:
    """Words on screen. `start_ms` None with `at_end`: the last `duration_ms`; `duration_ms` None: to the end."""

    text: str
    start_ms: int = 0
    duration_ms: int | None = 3_000
    place: Literal["center", "top", "bottom"] = "center"
    at_end: bool = False


@dataclass(frozen=True)
class Retitle:
    """The last title says something else."""

    text: str


@dataclass(frozen=True)
class Music:
    """A synthesised bed under the whole film; replaces the one there is. None keeps what is there."""

    mood: str | None = None
    name: str | None = None
    volume: float | None = None


@dataclass(frozen=True)
class Volume:
    """`to` sets (0-1), `by` adds; `what` None: whatever sounds."""

    what: Literal["music", "voice", "clips"] | None = None
    to: float | None = None
    by: float = 0.0


@dataclass(frozen=True)
class Trim:
    """Cut to a length, or a piece off the head or the tail; of one segment (1-based, -1 last) or of the film."""

    to_ms: int | None = None
    head_ms: int = 0
    tail_ms: int = 0
    segment: int | None = None


@dataclass(frozen=True)
class Length:
    """Make the film (or one segment) exactly this long: stills stretch, the tail is cut. `factor` is relative."""

    total_ms: int | None = None
    factor: float = 1.0
    segment: int | None = None


@dataclass(frozen=True)
class Delete:
    """Take out titles, music, voice, transitions, one segment of the picture track, or everything."""

    what: Literal["title", "music", "voice", "transition", "segment", "all"]
    segment: int = -1


@dataclass(frozen=True)
class Move:
    """One segment of the picture track to another position (both 1-based, -1 last)."""

    segment: int
    to: int


@dataclass(frozen=True)
class Swap:
    """Two segments of the picture track change places."""

    one: int
    other: int


@dataclass(frozen=True)
class Speed:
    """Faster above 1, slower below; of one segment or of the film."""

    factor: float
    segment: int | None = None


@dataclass(frozen=True)
class Ratio:
    """The canvas, in pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Transition:
    """Between all neighbours on the picture track."""

    name: Literal["crossfade", "fade-black", "slide"] = "crossfade"
    duration_ms: int = 600


@dataclass(frozen=True)
class Motion:
    """How stills move; "auto" gives each its own."""

    name: Literal["auto", "none", "zoom-in", "zoom-out", "pan-left", "pan-right"] = "auto"


@dataclass(frozen=True)
class Undo:
    """Back to the draft before the last edit."""


Edit = (
    Generate
    | Brief
    | Place
    | Title
    | Retitle
    | Music
    | Volume
    | Trim
    | Length
    | Delete
    | Move
    | Swap
    | Speed
    | Ratio
    | Transition
    | Motion
    | Undo
)
