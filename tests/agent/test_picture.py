"""The timeline as an SVG and as a page, and the commands that write them."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fake_nemo import CITY, edit
from hypothesis import given, settings
from hypothesis import strategies as st
from three_timelines import CHINESE, DRAFTS, FORTY, NAMES, PLAIN, segment, track
from through import Through
from world import World

import agent
from agent import cli
from agent.draft import Draft
from agent.lanes import Lanes, lanes
from agent.picture import html, svg
from agent.repl.oneshot import Script, play
from agent.repl.threads import remember_thread
from agent.repl.timeline import show_timeline
from agent.repl.view import PlainView
from agent.settings import Settings
from agent.skills import load_skill

SVG = "{http://www.w3.org/2000/svg}"


def laid(raw: Any, lang: Any = "en", changed: Any = ()) -> Lanes:
    return lanes(Draft.read(raw), lang, changed)


def texts(drawing: str) -> list[str]:
    return ["".join(found.itertext()) for found in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("raw", "lang", "seen"),
    [
        (PLAIN, "en", ["1  Video", "futuristic city at night", "● Lo-fi · 35%", "10s", "● changed"]),
        (CHINESE, "zh", ["1  视频", "日出时的天际线 🌇", "低保真节拍 · 35%", "1:10"]),
        (FORTY, "en", ["1  Video ×40", "Upbeat", "The end", "1:00"]),
    ],
)
def test_a_drawing_has_labels_names_and_a_ruler(raw: Any, lang: Any, seen: list[str]) -> None:
    found = texts(svg(laid(raw, lang, ["sg_Lo-fi"]), "mine"))
    assert found[0] == "mine" and set(seen) <= set(found)


def test_a_drawing_is_told_to_those_who_do_not_see_it() -> None:
    root = ElementTree.fromstring(svg(laid(PLAIN), "Urban Dreams"))
    assert root.get("role") == "img"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and desc is not None and title.text == "Urban Dreams"
    assert desc.text == laid(PLAIN).line
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"


def test_every_bar_tells_its_whole_name_and_time() -> None:
    name = "a very long name " * 9
    root = ElementTree.fromstring(
        svg(laid({"t": [track(0, "Video", segment(name, 0, 1000), segment("b", 1000, 9))]}), "")
    )
    assert [group.findtext(f"{SVG}title") for group in root.iter(f"{SVG}g")] == [
        f"{name.strip()} · 0-1s",
        "b · 1-1.009s",
    ]


def test_bars_stand_where_the_ruler_says() -> None:
    root = ElementTree.fromstring(svg(laid(PLAIN), ""))
    bars = [
        (float(b.get("x", 0)), float(b.get("width", 0))) for b in root.iter(f"{SVG}rect") if b.get("class") == "video"
    ]
    marks = [float(line.get("x1", 0)) for line in root.iter(f"{SVG}line")]
    assert (bars[0][0], bars[1][0]) == (marks[0], marks[6])


@given(DRAFTS, NAMES, st.sampled_from(["en", "zh"]))
@settings(max_examples=150, deadline=None)
def test_any_draft_and_title_make_valid_xml_with_nothing_of_theirs_in_it(raw: Any, title: str, lang: Any) -> None:
    found = laid(raw, lang, ["sg_"])
    root = ElementTree.fromstring(svg(found, title).encode())
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {
        *("svg", "title", "desc", "style", "rect", "text", "tspan", "line", "g", "clipPath")
    }
    assert "<script" not in html(found, title).lower()


def test_nothing_is_drawn_outside_the_sheet() -> None:
    many = {"t": [track(0, "Video", *(segment(f"n{n}", 10_000, 0) for n in range(3)), segment("z", None, 7))] * 15}
    for raw in (PLAIN, CHINESE, FORTY, many):
        root = ElementTree.fromstring(svg(laid(raw), "x"))
        width, height = (float(root.get(side, 0)) for side in ("width", "height"))
        for rect in root.iter(f"{SVG}rect"):
            assert float(rect.get("x", 0)) + float(rect.get("width", 0)) <= width
            assert float(rect.get("y", 0)) + float(rect.get("height", 0)) <= height


def test_a_page_has_the_drawing_the_line_and_a_table() -> None:
    page = html(laid(CHINESE, "zh", ["sg_低保真节拍"]), "都市之梦")
    assert page.startswith('<!DOCTYPE html>\n<html lang="zh-CN">')
    assert f'<p class="line">{laid(CHINESE, "zh").line}</p>' in page
    assert "<td>2. 配乐</td>" in page and ">35%，有更改</td>" in page and page.count("<tr><td>") == 5
    assert not re.search(r"(?:src|href)=|url\(http|@import", page)


def test_a_page_of_an_empty_timeline_is_its_line() -> None:
    page = html(laid({}), "Timeline")
    assert "<svg" not in page and "<table" not in page and "The timeline is empty." in page


# The commands


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: Any) -> Path:
    """A machine with one conversation, `mine`, and the fake in the place of the core."""
    for name in ("LC_ALL", "LC_MESSAGES", "NEMO_TOKEN", "NEMO_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("REELCHAT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(agent, "turn", fake, raising=False)
    fake.drafts = {"mine": PLAIN, "empty": {}}
    return tmp_path / "home" / "studio"


def test_without_a_file_the_last_conversations_line_is_printed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remember_thread(home, "mine")
    assert cli.main(["timeline"]) == 0
    assert capsys.readouterr().out == laid(PLAIN).line + "\n"


def test_files_are_drawn_and_named(home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["timeline", "--svg", "a.svg", "--html", "b.html", "--thread", "mine", "--lang", "zh"]) == 0
    assert capsys.readouterr().out == "时间线已画成图：a.svg\n时间线已画成图：b.html\n"
    assert Path("a.svg").read_text(encoding="utf-8") == svg(laid(PLAIN, "zh"), "Urban Dreams")
    assert Path("b.html").read_text(encoding="utf-8") == html(laid(PLAIN, "zh"), "Urban Dreams")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["a.svg", "b.html"]


@pytest.mark.parametrize(
    ("args", "code", "english", "chinese"),
    [
        ([], 1, "There is no timeline to draw: no conversation", "没有可画的时间线"),
        (["--thread", "nosuch"], 1, "There is no conversation “nosuch” here", "这里没有名为“nosuch”的对话"),
        (["--thread", "empty"], 1, "There is nothing to draw: the timeline is empty.", "没有可画的内容"),
        (
            ["--thread", "mine", "--svg", "no/a.svg"],
            1,
            "“no/a.svg” could not be written (No such",
            "无法写入“no/a.svg”",
        ),
        (["--svg", "a.png"], 2, "“a.png” is no name for this picture: use one that ends in .svg.", "“a.png”不能"),
        (["--html", "a"], 2, "“a” is no name for this picture: use one that ends in .html.", "“a”不能"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    args: list[str], code: int, english: str, chinese: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = [arg.replace("/", os.sep) for arg in args]
    for lang, begins in (("en", english), ("zh", chinese)):
        assert cli.main(["timeline", *args, "--lang", lang]) == code
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert said.err.startswith(begins.replace("no/", f"no{os.sep}"))


@pytest.mark.skipif(sys.platform == "win32", reason="folders are replaced differently there")
def test_a_folder_of_that_name_is_not_overwritten(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.svg").mkdir()
    assert cli.main(["timeline", "--thread", "mine", "--svg", "a.svg"]) == 1
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def scripted(fake: Any, settings: Settings, capsys: pytest.CaptureFixture[str], *turns: str) -> tuple[int, str, str]:
    """Plays slash commands on the conversation `mine`."""
    code = asyncio.run(play(settings, load_skill("generator-image"), Script(turns, "mine"), load=fake.load))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_slash_command_shows_or_draws(
    fake: Any, settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fake.drafts = {"mine": PLAIN}
    path = tmp_path / "my picture.svg"
    code, out, _ = scripted(fake, settings, capsys, "/timeline", f'/timeline "{path}"')
    assert (code, out) == (0, f"{laid(PLAIN).line}\nThe timeline as a picture: {path}\n")
    assert path.exists()


@pytest.mark.parametrize(
    ("draft", "argument", "told"),
    [
        (PLAIN, "city.png", "“city.png” is no name for a picture of the timeline. Use one that ends in .svg, .html.\n"),
        ({}, "", "There is nothing to draw: the timeline is empty."),
        (None, "", "There is nothing to draw: the timeline is empty."),
    ],
)
def test_a_slash_command_that_cannot_draw_says_so(
    draft: Any, argument: str, told: str, fake: Any, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.drafts = {} if draft is None else {"mine": draft}
    code, out, err = scripted(fake, settings, capsys, f"/timeline {argument}")
    assert (code, out) == (1, "") and err.startswith(told)


def test_the_timeline_of_a_real_conversation_is_drawn(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world.nemo.scripts.append([edit(CITY)])
    core, skill = Through(world), load_skill("generator-image")
    turns = Script(["generate a city at night"], "mine")
    assert asyncio.run(play(world.settings(), skill, turns, load=core.load, view=PlainView())) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("Timeline ("))
    path = tmp_path / "city.svg"
    for files in ([], [path]):
        view = PlainView()
        assert asyncio.run(show_timeline(world.settings(), skill, "mine", files, load=core.load, view=view)) == 0
    assert capsys.readouterr().out.startswith(line + "\n")
    assert line in path.read_text(encoding="utf-8").replace("&quot;", '"')
