"""The edit inside a snapshot: decoded from its short names, compared with another, known by a fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agent.segments import Kind, Label, Segment, Track, duration, first, mapping, sequence, words

__all__ = ["Change", "ChangeKind", "Draft", "Kind", "Label", "Segment", "Track", "changes", "fingerprint"]

ChangeKind = Literal[
    "added",
    "removed",
    "moved",
    "trimmed",
    "renamed",
    "volume",
    "speed",
    "transition",
    "adjusted",
    "order",
    "aspect",
]
Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as far as it can be read. What it does not say is None or empty; nothing in it raises."""

    raw: dict[str, Any]
    """The very object that was read, unknown keys and all; {} where it was no object."""
    tracks: tuple[Track, ...]
    title: str | None
    size: Size | None

    @classmethod
    def read(cls, raw: Any) -> Draft:
        """Decodes what the backend calls a draft: None, a list or a string are an empty one."""
        draft = raw if isinstance(raw, dict) else {}
        meta = mapping(draft.get("m"))
        width, height = first(meta, ("width",), duration), first(meta, ("height",), duration)
        lanes = (Track.read(track) for track in sequence(draft.get("t")) if isinstance(track, Mapping))
        return cls(
            raw=draft,
            tracks=tuple(lanes),
            title=words(meta.get("title")),
            size=(width, height) if width and height else None,
        )

    @property
    def exportable(self) -> bool:
        """Whether some track has a segment."""
        return any(track.segments for track in self.tracks)

    @property
    def is_still(self) -> bool:
        """Whether it is one picture without sound or motion; titles may stand on it."""
        video = [piece for track in self.tracks if track.kind == "video" for piece in track.segments]
        others = any(track.segments for track in self.tracks if track.kind in ("audio", "unknown"))
        return len(video) == 1 and video[0].is_picture and not others

    @property
    def duration_ms(self) -> int | None:
        """Where the last segment ends, as far as the draft says."""
        ends = [piece.end_ms for track in self.tracks for piece in track.segments if piece.end_ms is not None]
        return max(ends, default=None)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two drafts."""

    kind: ChangeKind
    track: Track | None = None
    """Where the segment is, or was when it is gone. None where the whole draft is meant."""
    before: Segment | None = None
    after: Segment | None = None
    order: tuple[Segment, ...] = ()
    """The track's segments in their new order."""
    sizes: tuple[Size | None, Size | None] = (None, None)
    """The canvas before and after."""

    @property
    def id(self) -> str | None:
        """The segment's id."""
        segment = self.after or self.before
        return segment.id if segment else None


@dataclass(frozen=True, slots=True)
class _Place:
    """A segment and where it stands."""

    track: int
    position: int
    """Among the segments of its kind."""
    segment: Segment
    lane: Track
    gap: int | None
    """Milliseconds since the end of the segment before it."""


def fingerprint(raw: Any) -> str:
    """Equal for two drafts with the same JSON values, whatever the order of their keys."""
    return hashlib.sha256(_canonical(raw).encode()).hexdigest()


def changes(before: Draft, after: Draft) -> list[Change]:
    """What is different in `after`, in its order, what is gone at the end. Equal drafts have none."""
    was, now = list(_places(before)), list(_places(after))
    partner = _matched(was, now)
    found = [Change("aspect", sizes=(before.size, after.size))] if _resized(before, after) else []
    for place in now:
        old = partner.get(id(place))
        if old is None:
            found.append(Change("added", place.lane, after=place.segment))
        else:
            found += [Change(kind, place.lane, old.segment, place.segment) for kind in _kinds(old, place)]
    found += _reordered(now, partner, {id(c.track) for c in found if c.kind == "moved"})
    kept = {id(old) for old in partner.values()}
    return found + [Change("removed", old.lane, before=old.segment) for old in was if id(old) not in kept]


def _places(draft: Draft) -> Iterator[_Place]:
    counts: dict[Kind, int] = defaultdict(int)
    for index, track in enumerate(draft.tracks):
        end: int | None = 0
        for segment in track.segments:
            gap = None if segment.start_ms is None or end is None else segment.start_ms - end
            yield _Place(index, counts[segment.kind], segment, track, gap)
            counts[segment.kind] += 1
            end = segment.end_ms


def _resized(before: Draft, after: Draft) -> bool:
    """A draft that had nothing on it is not resized: it is new."""
    return before.size != after.size and bool(before.size and after.size) and before.exportable


# A segment is the same by its id; where ids are missing or were made anew, by what it is and where it is.
_KEYS: tuple[Callable[[_Place], Hashable | None], ...] = (
    lambda p: p.segment.id and (p.segment.kind, p.segment.id),
    lambda p: (p.segment.kind, p.segment.name, p.segment.source, p.position),
    lambda p: p.segment.name and (p.segment.kind, p.segment.name, p.segment.source),
    lambda p: None if p.segment.id else (p.segment.kind, p.track, p.position, p.segment.start_ms),
)


def _matched(was: list[_Place], now: list[_Place]) -> dict[int, _Place]:
    """For each place in `now`, by its identity, the one in `was` that holds the same segment."""
    partner: dict[int, _Place] = {}
    taken: set[int] = set()
    for key in _KEYS:
        waiting: dict[Hashable, deque[_Place]] = defaultdict(deque)
        for old in was:
            if id(old) not in taken and (name := key(old)):
                waiting[name].append(old)
        for place in now:
            if id(place) not in partner and (name := key(place)) and waiting.get(name):
                partner[id(place)] = waiting[name].popleft()
                taken.add(id(partner[id(place)]))
    return partner


def _kinds(old: _Place, new: _Place) -> Iterator[ChangeKind]:
    a, b = old.segment, new.segment
    if a.raw is b.raw or (a.raw == b.raw and a.start_ms == b.start_ms):
        return
    told: dict[ChangeKind, bool] = {
        "renamed": a.name != b.name,
        "moved": _moved(old, new),
        "trimmed": a.duration_ms != b.duration_ms or (a.into_ms or 0) != (b.into_ms or 0),
        "volume": _gain(a) != _gain(b),
        "speed": (a.speed or 1.0) != (b.speed or 1.0),
        "transition": a.transition != b.transition,
    }
    if any(told.values()):
        yield from (kind for kind, is_so in told.items() if is_so)
    elif _canonical(_rest(a)) != _canonical(_rest(b)):
        yield "adjusted"


def _moved(old: _Place, new: _Place) -> bool:
    """On the video track a segment that only follows its neighbours has not been moved."""
    if old.segment.start_ms == new.segment.start_ms:
        return False
    return new.segment.kind != "video" or old.gap != new.gap


def _gain(segment: Segment) -> float:
    return 1.0 if segment.volume is None else segment.volume


def _rest(segment: Segment) -> dict[str, Any]:
    """What is left of a segment beside its name tag, its place and what was compared with its default."""
    rest = {key: value for key, value in segment.raw.items() if key not in _COMPARED}
    return rest | {"m": {key: value for key, value in mapping(rest.get("m")).items() if key not in _COMPARED}}


_COMPARED = ("id", "s", "st", "start", "volume", "vol", "v", "speed", "in")


def _reordered(now: list[_Place], partner: dict[int, _Place], moved: set[int]) -> Iterator[Change]:
    """A track whose segments stand in another order, unless moves have said it."""
    lanes: dict[int, list[_Place]] = defaultdict(list)
    for place in now:
        lanes[id(place.lane)].append(place)
    for lane, places in lanes.items():
        ranks = [_rank(old) for place in places if (old := partner.get(id(place)))]
        if lane not in moved and ranks != sorted(ranks):
            yield Change("order", places[0].lane, order=places[0].lane.segments)


def _rank(place: _Place) -> tuple[int, int]:
    return place.track, place.position


def _canonical(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=repr)
    except RecursionError:
        return "too deep to compare"
    except (TypeError, ValueError):  # keys of mixed types, a loop: nothing that came from JSON
        return repr(value)
