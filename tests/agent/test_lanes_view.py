"""The timeline drawn on a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from three_timelines import CHINESE, DRAFTS, FORTY, NAMES, PLAIN, segment, track

from agent.draft import Draft
from agent.events import Timeline
from agent.lanes import lanes
from agent.repl.lanes import Drawing
from agent.repl.live import LiveView
from agent.summarizer import timeline


def drawn(raw: Any, width: int, lang: Any = "en", changed: Any = (), encoding: str = "utf-8") -> list[str]:
    """The rows as they are written to a terminal of this encoding."""
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=screen, width=width, color_system=None, legacy_windows=False)
    console.print(Drawing(lanes(Draft.read(raw), lang, changed)))
    screen.flush()
    return screen.buffer.getvalue().decode(encoding).splitlines()  # type: ignore[attr-defined]


def bare(raw: Any, width: int, lang: Any = "en", changed: Any = (), encoding: str = "utf-8") -> list[str]:
    return [row.rstrip() for row in drawn(raw, width, lang, changed, encoding)]


def test_a_plain_timeline() -> None:
    assert bare(PLAIN, 60, changed=["sg_Lo-fi"]) == [
        "         0s        2s        4s        6s        8s      10s",
        "         ╷─────────╷─────────╷─────────╷─────────╷─────────╷",
        "1 Video  █ futuristic city at night ██▊█ rain on glass ███▊",
        "2 BGM    █ * Lo-fi · 35% █████████████████████████████████▊",
        "3 Title  ██████████████▊ Urban Dreams",
        "         * changed",
    ]


def test_a_chinese_timeline() -> None:
    assert bare(CHINESE, 60, "zh", ["sg_都市之梦"]) == [
        "        0:00      0:15      0:30      0:45      1:00    1:15",
        "        ╷─────────╷─────────╷─────────╷─────────╷──────────╷",
        "1 视频  █ 未来… █▊█ 日出时的天际线 🌇 ████████████████████▊",
        "2 配乐  █ 低保真节拍 · 35% ███████████████████████████████▊",
        "3 配音          █ 旁白：一座城市的一天 ███▊",
        "4 标题  ██▊ * 都市之梦",
        "        * 有更改",
    ]


def test_forty_segments_stay_readable_on_sixty_columns() -> None:
    rows = bare(FORTY, 60, changed=["sg_7"])
    assert rows[2].startswith("1 Video ×40  ")
    assert set(rows[2][13:]) == {"█", "▊", "*"} and rows[2].count("*") == 1
    assert rows[2].count("▊") == 39


def test_ascii_terminals_get_ascii() -> None:
    assert bare(PLAIN, 60, changed=["sg_Lo-fi"], encoding="ascii")[1:4] == [
        "         |---------|---------|---------|---------|---------|",
        "1 Video  = futuristic city at night ==|= rain on glass ===|",
        "2 BGM    = * Lo-fi, 35% ==================================|",
    ]
    assert "????" in "\n".join(drawn(CHINESE, 60, encoding="ascii"))


def test_an_encoding_with_chinese_keeps_it() -> None:
    assert "未来城市夜景" in "\n".join(drawn(CHINESE, 120, "zh", encoding="gb18030"))


@pytest.mark.parametrize("width", [1, 20, 39])
def test_a_narrow_terminal_gets_the_line_only(width: int) -> None:
    assert drawn(PLAIN, width) == []


@given(DRAFTS, st.integers(40, 300), st.sampled_from(["utf-8", "ascii"]))
@settings(max_examples=150, deadline=None)
def test_every_row_is_as_wide_as_the_terminal(raw: Any, width: int, encoding: str) -> None:
    assert {cell_len(row) for row in drawn(raw, width, changed=["sg_"], encoding=encoding)} <= {width}


@given(st.lists(NAMES, min_size=1, max_size=6), NAMES, st.integers(40, 300))
@settings(max_examples=150, deadline=None)
def test_any_names_leave_the_rows_aligned(names: list[str], label: str, width: int) -> None:
    pieces = [segment(name, n * 1000, 1000, id="x") for n, name in enumerate(names)]
    raw = {"t": [track(0, "Video", *pieces), track(99, label, *pieces)]}
    rows = drawn(raw, width, changed=["x"])
    assert {cell_len(row) for row in rows} == {width}


def test_the_view_draws_under_the_line_and_in_its_language() -> None:
    screen = io.StringIO()
    view = LiveView(Console(file=screen, width=80, color_system=None, legacy_windows=False))
    view.show(Timeline(text=timeline(Draft.read(PLAIN), "zh"), draft=PLAIN, changed=["sg_Lo-fi"]))
    lines = screen.getvalue().splitlines()
    assert lines[0].startswith("时间线（3 条轨道）：1. 视频：")
    assert any(line.startswith("2 配乐") for line in lines) and "* 有更改" in screen.getvalue()


def test_an_empty_timeline_is_its_line() -> None:
    screen = io.StringIO()
    LiveView(Console(file=screen, width=80)).show(Timeline(text="The timeline is empty.", draft={}))
    assert screen.getvalue() == "The timeline is empty.\n"
