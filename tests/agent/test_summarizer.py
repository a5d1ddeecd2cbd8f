"""The summarizer: the documents' line exactly, less where less is known, and changes in the person's language."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.draft import Draft, changes
from agent.summarizer import describe, file_size, length, media, news, timeline
from prompts import Lang

VIDEO = {"tt": 0, "m": {"name": "Video"}, "sg": [{"id": "v", "s": 0, "d": 10000, "m": {"name": "city timelapse"}}]}
BGM = {"tt": 1, "m": {"name": "BGM"}, "sg": [{"id": "b", "s": 0, "d": 10000, "m": {"name": "Lo-fi", "volume": 0.35}}]}
TITLE = {"tt": 7, "m": {"name": "Title"}, "sg": [{"id": "t", "s": 0, "d": 3000, "m": {"text": "Urban Dreams"}}]}


def film(*tracks: Any, **meta: Any) -> Draft:
    return Draft.read({"m": {"width": 1920, "height": 1080} | meta, "t": list(tracks)})


def video(*pieces: Any) -> dict[str, Any]:
    return {"tt": 0, "sg": list(pieces)}


def told(before: Draft, after: Draft, lang: Lang = "en") -> list[str]:
    return describe(changes(before, after), lang)


def test_the_documents_line_is_given_exactly() -> None:
    assert timeline(film(VIDEO, BGM, TITLE), "en") == (
        "Timeline (3 tracks): 1. Video: city timelapse (0-10s) "
        '2. BGM: Lo-fi (0-10s, 35%) 3. Title: "Urban Dreams" (0-3s)'
    )


def test_the_chinese_line_is_its_counterpart() -> None:
    assert timeline(film(VIDEO, BGM, TITLE), "zh") == (
        "时间线（3 条轨道）：1. 视频：city timelapse (0-10秒) "
        "2. 配乐：Lo-fi (0-10秒，35%) 3. 标题：“Urban Dreams” (0-3秒)"
    )


def test_one_track_is_one_track() -> None:
    assert timeline(film(VIDEO), "en") == "Timeline (1 track): 1. Video: city timelapse (0-10s)"
    assert timeline(film(VIDEO), "zh") == "时间线（1 条轨道）：1. 视频：city timelapse (0-10秒)"


def test_an_empty_draft_has_its_own_sentence() -> None:
    assert timeline(Draft.read(None), "en").startswith("The timeline is empty.")
    assert timeline(film({"tt": 0, "sg": []}), "zh").startswith("时间线还是空的。")


@pytest.mark.parametrize(
    ("piece", "says"),
    [
        ({"d": 2500, "m": {"name": "a"}}, "Video: a (0-2.5s)"),
        ({"s": 5000, "d": 60000, "m": {"name": "a"}}, "Video: a (0:05-1:05)"),
        ({"s": 0, "d": 3_725_500, "m": {"name": "a"}}, "Video: a (0:00-1:02:05.5)"),
        ({"s": 3000, "m": {"name": "a"}}, "Video: a (from 3s)"),
        ({"m": {"name": "a"}}, "Video: a"),
        ({"d": 4000}, "Video (0-4s)"),
        ({}, "Video"),
        ({"d": 4000, "m": {"name": "a", "volume": 0.2}}, "Video: a (0-4s)"),
        ({"d": -4000, "m": {"name": ["a"]}}, "Video"),
    ],
)
def test_what_is_missing_is_not_said(piece: dict[str, Any], says: str) -> None:
    assert timeline(film(video(piece)), "en") == f"Timeline (1 track): 1. {says}"


@pytest.mark.parametrize(
    ("volume", "says"), [(1.0, "(0-1s)"), (0, "(0-1s, 0%)"), (0.125, "(0-1s, 12.5%)"), ("x", "(0-1s)")]
)
def test_a_volume_is_said_where_it_is_known_and_not_full(volume: Any, says: str) -> None:
    lane = {"tt": 1, "sg": [{"d": 1000, "m": {"name": "a", "volume": volume}}]}
    assert timeline(film(lane), "en") == f"Timeline (1 track): 1. BGM: a {says}"


def test_segments_of_a_track_stand_side_by_side() -> None:
    lane = video({"d": 1000, "m": {"name": "a"}}, {"d": 2000}, {"d": 500, "m": {"name": "c"}})
    assert timeline(film(lane), "en") == "Timeline (1 track): 1. Video: a (0-1s), (1-3s), c (3-3.5s)"
    assert timeline(film(lane), "zh") == "时间线（1 条轨道）：1. 视频：a (0-1秒)、(1-3秒)、c (3-3.5秒)"


def test_a_long_track_is_folded() -> None:
    lane = video(*({"d": 1000, "m": {"name": f"p{n}"}} for n in range(20)))
    assert timeline(film(lane), "en").endswith("p7 (7-8s) and 12 more")
    assert timeline(film(lane), "zh").endswith("p7 (7-8秒)，另有 12 段")


def test_a_track_of_an_unknown_type_keeps_the_name_it_came_with() -> None:
    lanes = (
        {"tt": 9, "m": {"name": "Stickers"}, "sg": [{"d": 1000}]},
        {"tt": 4, "sg": [{"d": 1000, "m": {"name": "x"}}]},
    )
    assert timeline(film(*lanes), "en") == "Timeline (2 tracks): 1. Stickers (0-1s) 2. Track: x (0-1s)"


def test_braces_in_a_title_are_only_braces() -> None:
    lane = {"tt": 7, "sg": [{"d": 1000, "m": {"text": "{lang} {0}"}}]}
    assert timeline(film(lane), "en") == 'Timeline (1 track): 1. Title: "{lang} {0}" (0-1s)'


CHANGES: list[tuple[Draft, Draft, str, str]] = [
    (film(VIDEO), film(VIDEO, BGM), "Added BGM: Lo-fi (0-10s, 35%)", "已添加配乐：Lo-fi (0-10秒，35%)"),
    (film(VIDEO, TITLE), film(VIDEO), 'Removed Title: "Urban Dreams" (0-3s)', "已移除标题：“Urban Dreams” (0-3秒)"),
    (
        film(TITLE),
        film({**TITLE, "sg": [{**TITLE["sg"][0], "s": 5000}]}),  # type: ignore[index]
        'Moved Title "Urban Dreams": 0-3s → 5-8s',
        "已移动标题“Urban Dreams”：0-3秒 → 5-8秒",
    ),
    (
        film(video({"id": "v", "d": 10000, "m": {"name": "a"}})),
        film(video({"id": "v", "d": 8000, "m": {"name": "a"}})),
        'Shortened Video "a": 10s → 8s',
        "已缩短视频“a”：10秒 → 8秒",
    ),
    (
        film(video({"id": "v", "d": 8000})),
        film(video({"id": "v", "d": 8000, "m": {"in": 2000}})),
        "Video (0-8s) begins at 2s of its source, was 0s",
        "视频（0-8秒）改从素材的 2秒 处开始，原为 0秒",
    ),
    (
        film(video({"id": "v", "m": {"name": "a"}})),
        film(video({"id": "v", "m": {"name": "b"}})),
        'Renamed Video: "a" → "b"',
        "视频已改名：“a” → “b”",
    ),
    (
        film(video({"id": "v", "m": {"name": "a", "volume": 1}})),
        film(video({"id": "v", "m": {"name": "a", "volume": 0.5}})),
        'Volume of Video "a": 100% → 50%',
        "视频“a”的音量：100% → 50%",
    ),
    (
        film(video({"id": "v", "m": {"name": "a"}})),
        film(video({"id": "v", "m": {"name": "a", "speed": 1.5}})),
        'Speed of Video "a": 1.5x',
        "视频“a”的速度：1.5倍",
    ),
    (
        film(video({"id": "v", "m": {"name": "a"}})),
        film(video({"id": "v", "m": {"name": "a", "transition": {"name": "crossfade", "d": 600}}})),
        'Transition into Video "a": crossfade (0.6s)',
        "视频“a”的转场：叠化（0.6秒）",
    ),
    (
        film(video({"id": "1", "d": 1000, "m": {"name": "a"}}, {"id": "2", "d": 1000, "m": {"name": "b"}})),
        film(video({"id": "2", "d": 1000, "m": {"name": "b"}}, {"id": "1", "d": 1000, "m": {"name": "a"}})),
        "New order of Video: b, a",
        "视频的新顺序：b、a",
    ),
    (
        film(VIDEO),
        film(VIDEO, width=1080, height=1920),
        "Aspect ratio: 16:9 → 9:16 (1080x1920)",
        "画面比例：16:9 → 9:16（1080x1920）",
    ),
    (
        film(video({"id": "v", "m": {"name": "a", "motion": "none"}})),
        film(video({"id": "v", "m": {"name": "a", "motion": "zoom-in"}})),
        'Adjusted Video "a"',
        "已调整视频“a”",
    ),
]


@pytest.mark.parametrize(("before", "after", "english", "chinese"), CHANGES)
def test_each_change_is_a_line_in_the_persons_language(before: Draft, after: Draft, english: str, chinese: str) -> None:
    assert told(before, after) == [english]
    assert told(before, after, "zh") == [chinese]
    assert told(after, after) == []


def test_many_changes_are_folded() -> None:
    lines = told(film(), film(video(*({"id": str(n), "d": 1000} for n in range(30)))))
    assert len(lines) == 13
    assert lines[-1] == "and 18 more changes"


def test_news_are_the_changes_and_the_timeline_or_nothing() -> None:
    assert news(film(VIDEO), film(VIDEO), "en") == []
    assert news(film(), film(VIDEO), "en") == [
        "- Added Video: city timelapse (0-10s)",
        "Timeline (1 track): 1. Video: city timelapse (0-10s)",
    ]


@given(st.lists(st.tuples(st.integers(0, 90_000), st.integers(1, 90_000)), min_size=1, max_size=8))
def test_the_times_of_a_timeline_are_the_drafts(times: list[tuple[int, int]]) -> None:
    lane = video(*({"s": start, "d": long} for start, long in times))
    line = timeline(film(lane), "en")
    read = [tuple(map(_ms, span.rstrip("s").split("-"))) for span in re.findall(r"\((\d[\d:.]*-[\d:.]+s?)\)", line)]
    assert read == [(start, start + long) for start, long in times]


def _ms(text: str) -> int:
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return round(seconds * 1000)


def test_material_is_listed_by_name_and_what_has_none_is_counted() -> None:
    files = [
        {"name": "a.jpg", "kind": "image", "width": 3000, "height": 2000, "url": "https://x/secret"},
        {"filename": "b.mp4", "file_type": "video/mp4", "duration_ms": 12000, "duration": 12},
    ]
    assert media(files, [{"name": "city"}], "en") == [
        "Files (2): a.jpg (picture, 3000x2000), b.mp4 (clip, 12s)",
        "Generated (1): city",
    ]
    assert media(files, {}, "zh") == ["文件（2 个）：a.jpg (图片，3000x2000)、b.mp4 (片段，12秒)"]
    assert media({"id1": {}, "id2": {}}, "junk", "en") == ["Files: 2"]
    assert media(None, None, "en") == []


@pytest.mark.parametrize(("size", "says"), [(0, "0 B"), (999, "999 B"), (2_400_000, "2.4 MB"), (123_456_789, "123 MB")])
def test_a_file_size_is_said_in_the_unit_that_fits(size: int, says: str) -> None:
    assert file_size(size) == says


@pytest.mark.parametrize(
    ("ms", "says"), [(0, "0s"), (1500, "1.5s"), (59_999, "59.999s"), (60_000, "1:00"), (3_600_000, "1:00:00")]
)
def test_a_length_is_said_in_seconds_and_from_a_minute_on_as_a_clock(ms: int, says: str) -> None:
    assert length(ms, "en") == says


def test_twenty_thousand_segments_are_summed_up_at_once() -> None:
    pieces = [{"id": f"s{n}", "s": n * 100, "d": 100, "m": {"name": f"p{n}"}} for n in range(20_000)]
    draft, begun = film(video(*pieces)), time.perf_counter()
    assert timeline(draft, "en").endswith("and 19992 more")
    assert time.perf_counter() - begun < 0.5
