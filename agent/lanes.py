"""A draft as lanes of bars under a ruler: what every picture of a timeline is drawn from."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from agent.draft import Draft, Kind, Segment, Track
from agent.summarizer import plays_when, timeline, track_label
from agent.units import length, percent
from prompts import Lang, say

__all__ = ["Bar", "Lane", "Lanes", "Tick", "lanes", "ruler"]

MOST_LANES = 12
"""As many tracks as the timeline's line shows."""
MOST_ROWS = 4
"""A lane in which more segments than this play at a time leaves the others out, and says how many."""
SLOTS = 300
"""Segments of a long track that are shorter than this part of the timeline are drawn as one."""
CROWD = 2 * SLOTS
"""A track with fewer segments than this is drawn as it is."""
MOST_NOTES = 8
LONGEST_NAME = 200
"""Characters. A longer name is cut: no picture has room for it."""
TICKS = 10
_SECOND, _MINUTE, _HOUR = 1000, 60_000, 3_600_000
_STEPS = (
    *(100, 200, 500),
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the ruler."""

    at_ms: int
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A segment whose start is known, or a run of short ones."""

    start_ms: int
    end_ms: int | None
    """None where the draft does not say how long it plays."""
    name: str = ""
    when: str = ""
    """From when to when, in words."""
    facts: tuple[str, ...] = ()
    """What else is worth a word: "35%"."""
    changed: bool = False
    count: int = 1
    """How many segments it stands for."""

    @property
    def text(self) -> str:
        """What is written on it: the name and the facts."""
        return " · ".join(filter(None, (self.name, *self.facts)))


@dataclass(frozen=True, slots=True)
class Lane:
    """A track: bars that play at the same time are in different rows."""

    number: int
    label: str
    kind: Kind
    rows: tuple[tuple[Bar, ...], ...]
    count: int
    """Segments in all."""
    hidden: int = 0
    """Segments that no row had room for."""
    unplaced: tuple[str, ...] = ()
    """Segments that the draft gives no start, as words."""

    @property
    def long(self) -> bool:
        """Whether the number of its segments is worth telling."""
        return self.count > MOST_NOTES


@dataclass(frozen=True, slots=True)
class Lanes:
    """A timeline as it is drawn."""

    lang: Lang
    line: str
    """The same in one line."""
    length_ms: int
    """The last moment that the draft speaks of; 0 where it speaks of none."""
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    folded: int = 0
    """Tracks that are not drawn."""

    @property
    def changed(self) -> bool:
        """Whether some bar is marked."""
        return any(bar.changed for lane in self.lanes for row in lane.rows for bar in row)


def lanes(draft: Draft, lang: Lang, changed: Collection[str] = ()) -> Lanes:
    """Lays `draft` out; the segments whose ids are in `changed` are marked. Nothing in a draft raises."""
    tracks = [track for track in draft.tracks if track.segments]
    ends = (_end(piece) for track in tracks for piece in track.segments if piece.start_ms is not None)
    total = max(ends, default=0)
    shown = tracks[:MOST_LANES]
    marked = frozenset(changed)
    return Lanes(
        lang=lang,
        line=timeline(draft, lang),
        length_ms=total,
        ticks=ruler(total, lang),
        lanes=tuple(_lane(number, track, total, lang, marked) for number, track in enumerate(shown, 1)),
        folded=len(tracks) - len(shown),
    )


def ruler(length_ms: int, lang: Lang, most: int = TICKS) -> tuple[Tick, ...]:
    """At most `most` + 1 marks at round times from 0 on; none where there is no length."""
    if length_ms <= 0 or most < 1:
        return ()
    step = next((step for step in _STEPS if length_ms // step <= most), 0)
    hours = 1
    while not step:
        step = next((n * hours * _HOUR for n in (1, 2, 5) if length_ms // (n * hours * _HOUR) <= most), 0)
        hours *= 10
    return tuple(Tick(at, _moment(at, length_ms, lang)) for at in range(0, length_ms + 1, step))


def _moment(at_ms: int, length_ms: int, lang: Lang) -> str:
    """All marks of a ruler are written alike: "0:30" where "1:00" follows."""
    if at_ms < _MINUTE <= length_ms:
        return f"0:{at_ms // _SECOND:02}"
    return length(at_ms, lang)


def _lane(number: int, track: Track, total: int, lang: Lang, changed: frozenset[str]) -> Lane:
    placed = [piece for piece in track.segments if piece.start_ms is not None]
    runs = _runs(placed, total) if len(placed) > CROWD else [[piece] for piece in placed]
    rows, hidden = _packed(runs)
    lost = [piece for piece in track.segments if piece.start_ms is None]
    return Lane(
        number=number,
        label=track_label(track, lang),
        kind=track.kind,
        rows=tuple(tuple(_bar(run, lang, changed) for run in row) for row in rows),
        count=len(track.segments),
        hidden=sum(map(len, hidden)),
        unplaced=_notes(lost, lang),
    )


def _runs(pieces: Iterable[Segment], total: int) -> list[list[Segment]]:
    """Segments too short to be seen by themselves are one run for each slot that they begin in."""
    found: list[list[Segment]] = []
    slots: dict[int, list[Segment]] = {}
    for piece in pieces:
        if (_end(piece) - (piece.start_ms or 0)) * SLOTS >= total > 0:
            found.append([piece])
            continue
        slot = (piece.start_ms or 0) * SLOTS // total if total else 0
        if slot not in slots:
            slots[slot] = []
            found.append(slots[slot])
        slots[slot].append(piece)
    return found


def _packed(runs: list[list[Segment]]) -> tuple[list[list[list[Segment]]], list[list[Segment]]]:
    """Puts each run into the first row that is free by then. Returns the rows, and what found none."""
    rows: list[list[list[Segment]]] = []
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    hidden = []
    for start, end, run in sorted(((*_extent(run), run) for run in runs), key=lambda found: found[0]):
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            row = heapq.heappop(free)
        elif len(rows) < MOST_ROWS:
            row = len(rows)
            rows.append([])
        else:
            hidden.append(run)
            continue
        rows[row].append(run)
        heapq.heappush(busy, (end, row))
    return rows, hidden


def _extent(run: Sequence[Segment]) -> tuple[int, int]:
    """From when to when; a segment of unknown length takes no time from others."""
    return min(piece.start_ms or 0 for piece in run), max(map(_end, run))


def _end(piece: Segment) -> int:
    start = piece.start_ms or 0
    return start if piece.end_ms is None else piece.end_ms


def _bar(run: Sequence[Segment], lang: Lang, changed: frozenset[str]) -> Bar:
    start, end = _extent(run)
    marked = bool(changed) and any(piece.id in changed for piece in run)
    if len(run) > 1:
        joined = replace(run[0], start_ms=start, duration_ms=end - start)
        name = say(lang, "timeline.segments", count=len(run))
        return Bar(start, end, name, plays_when(joined, lang), (), marked, len(run))
    piece = run[0]
    known = piece.duration_ms is not None
    return Bar(start, end if known else None, _name(piece), plays_when(piece, lang), _facts(piece, lang), marked)


def _name(piece: Segment) -> str:
    name = piece.name or ""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def _facts(piece: Segment, lang: Lang) -> tuple[str, ...]:
    """How loud, for sound that was turned down or up."""
    if piece.kind != "audio" or piece.volume in (None, 1.0):
        return ()
    return (percent(piece.volume or 0.0, lang),)


def _notes(pieces: list[Segment], lang: Lang) -> tuple[str, ...]:
    """The first segments that have no place, as words, and how many more there are."""
    kept = pieces if len(pieces) <= MOST_NOTES + 1 else pieces[:MOST_NOTES]
    notes = [" ".join(filter(None, (_name(piece), *_lasting(piece, lang)))) or "?" for piece in kept]
    if len(kept) < len(pieces):
        notes.append(f"+{len(pieces) - len(kept)}")
    return tuple(notes)


def _lasting(piece: Segment, lang: Lang) -> tuple[str, ...]:
    return (f"({said})",) if (said := plays_when(piece, lang)) else ()
