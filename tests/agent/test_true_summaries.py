"""Every line of a timeline and of a change list, read back, is true of the drafts it was made from."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.draft import Draft, Segment, changes
from agent.summarizer import describe, timeline

LABELS = {0: "Video", 1: "BGM", 7: "Title"}
TENTHS = st.integers(0, 400)
NAMES = st.sampled_from(["city", "harbour", "Lo-fi", "都市之梦", "Urban Dreams", "a (b), c", "50% off", "x → y"])
VOLUMES = st.sampled_from([0.0, 0.2, 0.35, 0.5, 1.0])
Fact = tuple[str, str, str]
"""Label, name and when: what a line says of a segment."""


@st.composite
def segments(draw: st.DrawFn, kind: int) -> dict[str, Any]:
    start, lasts = draw(TENTHS) * 100, (draw(TENTHS) + 1) * 100
    meta: dict[str, Any] = {"text" if kind == 7 else "name": draw(NAMES)}
    if kind == 1:
        meta["volume"] = draw(VOLUMES)
    return {"id": draw(st.sampled_from("abcdef")) + str(kind), "s": start, "d": lasts, "m": meta}


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    tracks = []
    for kind, label in LABELS.items():
        pieces = draw(st.lists(segments(kind), max_size=4, unique_by=lambda piece: str(piece["id"])))
        tracks.append({"tt": kind, "m": {"name": label}, "sg": pieces})
    return Draft.read({"m": {"width": 1920, "height": 1080}, "t": tracks})


def pieces(draft: Draft) -> list[tuple[str, Segment]]:
    return [(LABELS[{"video": 0, "audio": 1, "text": 7}[t.kind]], s) for t in draft.tracks for s in t.segments]


def when(segment: Segment) -> str:
    assert segment.start_ms is not None and segment.end_ms is not None
    if segment.end_ms < 60_000:
        return f"{segment.start_ms / 1000:g}-{segment.end_ms / 1000:g}s"
    return "-".join(clock(ms) for ms in (segment.start_ms, segment.end_ms))


def clock(ms: int) -> str:
    seconds = f"{ms % 60_000 / 1000:04.1f}".removesuffix(".0")
    return f"{ms // 60_000}:{seconds}"


def lasts(segment: Segment) -> str:
    ms = segment.duration_ms or 0
    return f"{ms / 1000:g}s" if ms < 60_000 else clock(ms)


def loud(segment: Segment) -> str:
    return f"{100 * (1.0 if segment.volume is None else segment.volume):g}%"


def facts(draft: Draft) -> list[str]:
    """What may be said of each segment where it came or went."""
    said = []
    for label, piece in pieces(draft):
        name = f'"{piece.name}"' if label == "Title" else str(piece.name)
        level = f", {loud(piece)}" if label == "BGM" and piece.volume != 1.0 else ""
        said.append(f"{label}: {name} ({when(piece)}{level})")
    return said


def said_of(draft: Draft, label: str, name: str, tell: Any) -> set[str]:
    return {tell(piece) for its, piece in pieces(draft) if its == label and piece.name == name}


TWO_SIDED = {"Moved": when, "Shortened": lasts, "Lengthened": lasts, "Volume of": loud}


def is_true(line: str, before: Draft, after: Draft) -> bool:
    if line.startswith(("Added ", "Removed ")):
        word, said = line.split(" ", 1)
        return said in facts(after if word == "Added" else before)
    if found := re.fullmatch(r'(Moved|Shortened|Lengthened|Volume of) (\w+) "(.*)": (\S+) → (\S+)', line):
        tell = TWO_SIDED[found[1]]
        new = said_of(after, found[2], found[3], tell)
        old = {tell(piece) for label, piece in pieces(before) if label == found[2]}
        shorter = found[1] in ("Shortened", "Lengthened")
        return found[5] in new and found[4] in old and (not shorter or found[4] != found[5])
    if found := re.fullmatch(r'(?:Renamed|Changed the text of) (\w+): "(.*)" → "(.*)"', line):
        names = [{piece.name for label, piece in pieces(draft) if label == found[1]} for draft in (before, after)]
        return any(f'{a}" → "{b}' == f'{found[2]}" → "{found[3]}' for a in names[0] for b in names[1])
    if found := re.fullmatch(r"New order of (\w+): (.*)", line):
        order = [f'"{p.name}"' if label == "Title" else str(p.name) for label, p in pieces(after) if label == found[1]]
        return found[2] == ", ".join(order)
    return False


@given(drafts(), drafts())
def test_every_change_that_is_told_is_so(before: Draft, after: Draft) -> None:
    found = changes(before, after)
    for line in describe(found[:12], "en"):
        assert is_true(line, before, after), line


@given(drafts())
def test_a_timeline_names_every_segment_and_nothing_else(draft: Draft) -> None:
    line = timeline(draft, "en")
    for label in LABELS.values():
        told = [fact.removeprefix(f"{label}: ") for fact in facts(draft) if fact.startswith(f"{label}: ")]
        assert not told or f"{label}: {', '.join(told)}" in line


@given(drafts())
def test_a_draft_has_no_changes_to_itself(draft: Draft) -> None:
    assert changes(draft, Draft.read(draft.raw)) == []
