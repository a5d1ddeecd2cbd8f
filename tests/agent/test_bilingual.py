"""Our own sentences follow the person's language turn by turn; names and quoted text stay byte for byte."""

from __future__ import annotations

import re

import httpx
import pytest
from fake_nemo import CITY, MUSIC, cut, edit, say
from world import World

from agent.events import Event
from agent.state import LocalPath
from agent.turn import Agent, turn

NAMED = {"tt": 7, "sg": [{"id": "t1", "s": 0, "d": 3000, "m": {"text": "都市之梦 Urban"}}]}
CONVERSATION = [
    ("make a picture of a city", [edit(CITY)], "en"),
    ("加上轻快的背景音乐", [edit(MUSIC)], "zh"),
    ("show me the status", [], "en"),
    ("还有多少积分", [], "zh"),
    ('put "都市之梦 Urban" at the start', [say("标题已加入。点击导出。"), edit(NAMED)], "en"),
    ("导出", [], "zh"),
    ("make it brighter", [cut], "en"),
    ("把它变亮一点", [cut], "zh"),
    ("export it as a gif", [], "en"),
    ("好看一点", [say("Sure, say more.")], "zh"),
    ("please undo that", [], "en"),
    ("撤销", [], "zh"),
]
QUOTED = re.compile(r"[“\"].*?[”\"]|\S*/\S*|Lo-fi|city|都市之梦 Urban|MP4|GIF|PNG|mp4|gif|png|lo-fi")
THEIRS = ("标题已加入。", "Sure, say more.")


def ours(events: list[Event]) -> list[str]:
    """What we said, without names, quotations and the backend's own words."""
    said = [event.text for event in events if getattr(event, "text", "")]
    return [QUOTED.sub("", text) for text in said if not text.strip().startswith(THEIRS)]


@pytest.mark.parametrize("fails", [False, True])
def test_every_sentence_of_ours_is_in_the_language_of_its_turn(world: World, fails: bool) -> None:
    async def scenario(agent: Agent) -> list[tuple[str, list[Event]]]:
        found = []
        for text, acts, lang in CONVERSATION:
            world.nemo.scripts.append(acts) if acts else None
            if fails:
                world.nemo.answer("GET /api/state", httpx.Response(502), httpx.Response(200, text="<html>"))
            found.append((lang, [event async for event in turn(agent, "t", text)]))
            world.nemo.scripts.clear()
        return found

    for lang, events in world.run(scenario):
        assert ours(events)
        for text in ours(events):
            chinese, latin = re.findall("[一-鿿]", text), re.findall("[A-Za-z]{4,}", text)
            assert not (chinese if lang == "en" else latin), (lang, text)


def test_a_title_is_shown_byte_for_byte_in_either_language(world: World) -> None:
    world.nemo.draft = {"t": [CITY, NAMED]}
    for text in ("status", "状态"):
        line = next(event.text for event in world.say(text) if event.kind == "timeline")
        assert "都市之梦 Urban" in line


def test_a_files_name_is_told_as_it_was_written(world: World) -> None:
    async def scenario(agent: Agent) -> list[Event]:
        return [event async for event in turn(agent, "t", "上传", [LocalPath("Ünïcode 照片.jpg")])]

    assert any("“Ünïcode 照片.jpg”" in event.text for event in world.run(scenario) if event.kind == "error")
