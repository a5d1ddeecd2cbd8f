"""Hints fit the draft and the persona, are sentences that work, and additions nobody asked for are noticed."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from agent.draft import Draft, changes
from agent.hints import by_itself, next_steps, vague
from prompts import Lang, table
from router import decide

STILL = {"tt": 0, "sg": [{"id": "v", "s": 0, "d": 10000, "m": {"name": "city", "kind": "image"}}]}
BGM = {"tt": 1, "m": {"name": "BGM"}, "sg": [{"id": "b", "s": 0, "d": 10000, "m": {"name": "Lo-fi", "volume": 0.35}}]}
TITLE = {"tt": 7, "m": {"name": "Title"}, "sg": [{"id": "t", "s": 0, "d": 3000, "m": {"text": "City"}}]}
HINTS = [(hint[lang], lang) for hint in table("hints")["next"] for lang in get_args(Lang)]


def film(*tracks: Any) -> Draft:
    return Draft.read({"m": {"width": 1920, "height": 1080}, "t": list(tracks)})


@pytest.mark.parametrize(("words", "lang"), HINTS)
def test_every_suggestion_is_one_plain_step(words: str, lang: Lang) -> None:
    decisions = decide(words)
    assert len(decisions) == 1
    assert not decisions[0].ask
    assert decisions[0].route == ("export" if words.casefold().startswith(("export", "导出")) else "sse")


def test_a_picture_may_move_get_music_or_leave_as_a_picture() -> None:
    assert next_steps(film(STILL), "generator-image", "en") == [
        "add lo-fi background music at 35%",
        'put a title "My film" at the start for 3 seconds',
        "export",
    ]
    assert next_steps(film(STILL), "photo-generator", "en")[0] == "export as PNG"
    assert next_steps(film(STILL), "ai-video-generator-from-image", "zh")[0] == "把它做成 10 秒的视频，慢慢推近"


def test_what_is_there_is_not_suggested() -> None:
    steps = next_steps(film(STILL, BGM, TITLE), "generator-image", "en")
    assert not any("music" in step or "title" in step for step in steps)


def test_an_empty_timeline_has_no_next_step() -> None:
    assert next_steps(Draft.read(None), "generator-image", "en") == []


def test_an_unclear_wish_is_not_answered_with_an_export() -> None:
    steps = next_steps(film(STILL), "generator-image", "en", unclear=True)
    assert len(steps) == 3
    assert "export" not in steps


@pytest.mark.parametrize(
    "words",
    [
        "make it better",
        "Make it more professional!",
        "can you improve it",
        "好看一点",
        "让它更高级一些",
        "优化一下",
        "make it pop",
    ],
)
def test_a_wish_without_a_direction_is_unclear(words: str) -> None:
    assert vague(words)


@pytest.mark.parametrize(
    "words", ["make it shorter", "make the title better readable in red", "better call Saul", "加点音乐", "export", ""]
)
def test_a_wish_with_a_direction_is_clear(words: str) -> None:
    assert not vague(words)


def test_music_and_titles_nobody_asked_for_came_by_themselves() -> None:
    found = changes(film(), film(STILL, BGM, TITLE))
    assert [track.label for track, _ in by_itself(found, "make a video about coffee")] == ["bgm", "title"]
    assert [track.label for track, _ in by_itself(found, "make a coffee video with lo-fi music")] == ["title"]
    assert by_itself(found, "做一个咖啡视频，配乐轻快，标题“咖啡”") == []
