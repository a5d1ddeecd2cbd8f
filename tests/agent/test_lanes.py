"""Where bars and marks of a timeline's picture are."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from three_timelines import CHINESE, DRAFTS, FORTY, PLAIN, segment, track

from agent.draft import Draft
from agent.lanes import MOST_LANES, MOST_ROWS, Bar, Lanes, lanes, ruler
from agent.summarizer import timeline


def laid(raw: Any, lang: Any = "en", changed: Any = ()) -> Lanes:
    return lanes(Draft.read(raw), lang, changed)


def one(*segments: Any) -> Lanes:
    return laid({"t": [track(0, "Video", *segments)]})


def test_a_lane_has_the_label_and_the_number_of_the_line() -> None:
    found = laid(CHINESE, "zh")
    assert [(lane.number, lane.label, lane.kind) for lane in found.lanes] == [
        (1, "视频", "video"),
        (2, "配乐", "audio"),
        (3, "配音", "audio"),
        (4, "标题", "text"),
    ]
    assert found.line == timeline(Draft.read(CHINESE), "zh")


def test_a_bar_says_when_what_and_how_loud() -> None:
    lane = laid(PLAIN, changed=["sg_Lo-fi"]).lanes[1]
    assert lane.rows == ((Bar(0, 10_000, "Lo-fi", "0-10s", ("35%",), changed=True),),)
    assert lane.rows[0][0].text == "Lo-fi · 35%"


def test_the_length_is_where_the_last_segment_ends() -> None:
    assert [laid(raw).length_ms for raw in (PLAIN, CHINESE, FORTY, {}, None)] == [10_000, 75_000, 80_000, 0, 0]


def test_what_plays_at_the_same_time_is_in_different_rows() -> None:
    rows = laid(FORTY).lanes[1].rows
    assert [[bar.name for bar in row] for row in rows] == [["Cinematic"], ["Upbeat"]]


def test_a_segment_of_unknown_length_is_shown_where_it_begins() -> None:
    found = one(segment("a", 0), segment("b", 4000, 2000))
    assert [(bar.start_ms, bar.end_ms) for bar in found.lanes[0].rows[0]] == [(0, None), (4000, 6000)]


def test_a_segment_without_a_place_is_named_without_one() -> None:
    lane = one(segment("a", 0), segment("b", None, 5000), {"m": {}}).lanes[0]
    assert lane.unplaced == ("b (5s)", "?")
    assert [bar.name for bar in lane.rows[0]] == ["a"]


def test_many_without_a_place_are_counted() -> None:
    lane = one(segment("a", 0), *(segment(f"n{n}") for n in range(30))).lanes[0]
    assert len(lane.unplaced) == 9 and lane.unplaced[-1] == "+22"


def test_too_many_tracks_fold_with_a_count() -> None:
    found = laid({"t": [track(0, "Video", segment("a", 0, 1000))] * 15})
    assert (len(found.lanes), found.folded) == (MOST_LANES, 3)


def test_too_many_at_the_same_time_are_counted() -> None:
    lane = one(*(segment(f"n{n}", 0, 1000) for n in range(10))).lanes[0]
    assert (len(lane.rows), lane.hidden, lane.count) == (MOST_ROWS, 6, 10)


@pytest.mark.parametrize(
    ("length_ms", "labels"),
    [
        (300, ["0s", "0.1s", "0.2s", "0.3s"]),
        (10_000, [f"{n}s" for n in range(11)]),
        (12_000, ["0s", "2s", "4s", "6s", "8s", "10s", "12s"]),
        (59_000, ["0s", "10s", "20s", "30s", "40s", "50s"]),
        (75_000, ["0:00", "0:10", "0:20", "0:30", "0:40", "0:50", "1:00", "1:10"]),
        (3_600_000, ["0:00", "10:00", "20:00", "30:00", "40:00", "50:00", "1:00:00"]),
    ],
)
def test_the_ruler_has_round_marks(length_ms: int, labels: list[str]) -> None:
    assert [tick.label for tick in ruler(length_ms, "en")] == labels


@pytest.mark.parametrize("most", [1, 3, 10])
@pytest.mark.parametrize("length_ms", [0, 1, 99, 61_000, 10**8, 2 * 10**12])
def test_a_ruler_is_never_crowded(length_ms: int, most: int) -> None:
    assert len(ruler(length_ms, "en", most)) <= most + 1


@given(DRAFTS)
@settings(max_examples=200, deadline=None)
def test_nothing_in_a_draft_raises_and_no_segment_is_lost(raw: Any) -> None:
    draft = Draft.read(raw)
    found = lanes(draft, "en", ["sg_"])
    shown = [part for part in draft.tracks if part.segments]
    assert len(found.lanes) + found.folded == len(shown)
    for lane, part in zip(found.lanes, shown, strict=False):
        lost = sum(piece.start_ms is None for piece in part.segments)
        assert sum(bar.count for row in lane.rows for bar in row) + lane.hidden + lost == len(part.segments)
        for row in lane.rows:
            for bar, following in pairwise(row):
                assert (bar.end_ms or bar.start_ms) <= following.start_ms
            assert all(0 <= bar.start_ms <= (bar.end_ms or bar.start_ms) <= found.length_ms for bar in row)


@pytest.mark.parametrize("lasts", [100, 3_000_000])
def test_twenty_thousand_segments_are_laid_out_in_a_tenth_of_a_second(lasts: int) -> None:
    draft = Draft.read({"t": [track(0, "Video", *(segment(f"n{n}", n * 100, lasts) for n in range(20_000)))]})
    took = []
    for _ in range(3):
        began = time.process_time()
        found = lanes(draft, "en", ["sg_n1"])
        took.append(time.process_time() - began)
    assert min(took) < 0.1
    assert sum(len(row) for row in found.lanes[0].rows) <= 1200
    assert found.changed
