"""Versions: every draft is kept once, listed, compared, known again after an undo, and exported as it was."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fake_nemo import CITY, MUSIC, Act, FakeNemo, code, cut, edit, say
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite.aio import AsyncSqliteStore
from through import Through, keep_rendering
from world import World

from agent import cli
from agent.entries import Ledger, Version
from agent.events import Delivered, Error, Event
from agent.journal import Journal
from agent.repl.oneshot import Script, play
from agent.repl.versions import compared, listed, look, split_export
from agent.repl.view import PlainView
from agent.skills import load_skill
from agent.turn import Agent, collect, turn, versions
from agent.versions import Kept, keep
from evals.screen import shown
from evals.stage import FAST, agent_on, studio

ODD: dict[str, Any] = {"a": 1.0, "t": [{**CITY, "zz": [None, {"y": 1e-7, "b": "标题"}]}], "0": False}


def kept(world: World) -> list[Version]:
    async def read(agent: Agent) -> list[Version]:
        return await versions(agent, "t")

    found: list[Version] = world.run(read)
    return found


def put_back(draft: Any) -> Act:
    def act(nemo: FakeNemo) -> None:
        nemo.draft = copy.deepcopy(draft)

    return act


@pytest.fixture
def edited(world: World) -> World:
    """Two versions: a city, then music on it."""
    world.nemo.scripts += [[edit(CITY)], [edit(MUSIC)]]
    world.say("make a film of a city", "add lo-fi at 35%")
    return world


def printed(world: World, tell: Any, thread: str | None = "t", lang: Any = "en") -> tuple[int, str]:
    """Exit code and what was printed, of `reelchat versions` or `reelchat diff`."""
    screen = io.StringIO()
    settings = replace(world.settings(), lang=lang)
    through: Any = Through(world)
    made = look(
        settings, load_skill("generator-image"), thread, tell, load=lambda: through, view=PlainView(screen, screen)
    )
    return asyncio.run(made), screen.getvalue()


# Keeping


def test_each_edit_is_a_version_with_the_words_that_made_it(edited: World) -> None:
    assert [(one.number, one.words, one.by) for one in kept(edited)] == [
        (1, "make a film of a city", "person"),
        (2, "add lo-fi at 35%", "person"),
    ]
    assert kept(edited)[0].draft == {"t": [CITY]}
    assert kept(edited)[1].draft == {"t": [CITY, MUSIC]}


def test_looking_and_exporting_make_no_version(edited: World) -> None:
    edited.say("status", "credits", "export", "make it pop", "")
    assert len(kept(edited)) == 2


def test_an_empty_draft_before_anything_was_made_is_no_version(world: World) -> None:
    world.say("status", "hello there", "status")
    assert kept(world) == []


def test_a_draft_that_was_emptied_is_a_version(edited: World) -> None:
    edited.nemo.scripts.append([put_back({"t": []})])
    edited.say("remove everything")
    assert [one.draft for one in kept(edited)][2:] == [{"t": []}]


@pytest.mark.parametrize("look_with", ["", "status", "export", "make it pop"])
def test_what_the_backend_changed_by_itself_is_a_version_without_words(edited: World, look_with: str) -> None:
    edited.nemo.draft["t"][0]["m"] = {"name": "Video"}
    edited.say(look_with)
    assert [(one.words, one.by) for one in kept(edited)[2:]] == [("", "backend")]


def test_an_edit_that_a_crash_cut_off_is_kept_with_its_words(world: World) -> None:
    world.nemo.scripts.append([edit(CITY), cut])

    async def stopped(agent: Agent) -> None:
        async def first() -> None:
            async for _ in turn(agent, "t", "make a film of a city"):
                if world.nemo.sends:
                    raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await first()

    world.run(stopped)
    assert kept(world) == []
    world.nemo.draft = {"t": [CITY]}
    world.say("")
    assert [(one.words, one.by) for one in kept(world)] == [("make a film of a city", "person")]


def test_a_new_session_goes_on_numbering_and_says_nothing_wrong(edited: World) -> None:
    edited.nemo.answer("GET /api/state", code(1002))
    edited.nemo.draft = {"t": []}
    edited.say("status")
    events = edited.say("status")
    assert "again" not in shown(events)
    assert len(kept(edited)) == 2, "nothing was made in the new session yet"
    edited.nemo.scripts.append([edit(MUSIC)])
    events = edited.say("make some music")
    assert "version" not in shown(events)
    assert [(one.number, one.session_id) for one in kept(edited)][1:] == [(2, "ses-secret-1"), (3, "ses-secret-2")]


def test_unknown_keys_their_order_and_numbers_are_kept(world: World) -> None:
    world.nemo.draft = {"z": 1, **ODD}
    world.say("status")
    assert json.dumps(kept(world)[0].draft) == json.dumps({"z": 1, **ODD})


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_what_only_json_can_hold_is_kept_too(kind: str, tmp_path: Path) -> None:
    strange = {**ODD, "big": 2**70, "half": "\ud83d", "nan": float("inf")}

    async def scenario() -> list[Version]:
        async with stored(kind, tmp_path) as store:
            await keep(Journal(store, "me"), replace(seen(1), draft=strange))
            return await Journal(store, "me").versions("t")

    assert json.dumps(asyncio.run(scenario())[0].draft) == json.dumps(strange)


# The journal


@asynccontextmanager
async def stored(kind: str, folder: Path) -> AsyncIterator[BaseStore]:
    if kind == "memory":
        yield InMemoryStore()
        return
    async with AsyncSqliteStore.from_conn_string(str(folder / "j.db")) as store:
        await store.setup()
        yield store


def draft(number: int) -> Any:
    return {"t": [{"tt": 0, "sg": [{"id": "v", "s": 0, "d": 1000 + number, "m": {"name": "city"}}]}]}


def seen(number: int, thread: str = "t") -> Version:
    return Version(0, thread, "2026-01-01T00:00:00+00:00", f"edit {number}", draft(number), "person", "s")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("count", [11, 51, 130])
def test_more_versions_than_a_page_are_all_there_in_order(kind: str, count: int, tmp_path: Path) -> None:
    async def scenario() -> tuple[list[Version], Version | None]:
        async with stored(kind, tmp_path) as store:
            book = Journal(store, "me")
            for number in range(1, count + 1):
                await keep(book, seen(number))
                await keep(book, seen(number, "t2"))
            return await book.versions("t"), await book.version("t", count)

    found, last = asyncio.run(scenario())
    assert [one.number for one in found] == list(range(1, count + 1))
    assert [one.words for one in found] == [f"edit {number}" for number in range(1, count + 1)]
    assert last == found[-1]


def test_a_version_kept_just_before_a_kill_is_never_overwritten() -> None:
    async def scenario() -> tuple[list[Version], Kept | None, Ledger]:
        book = Journal(InMemoryStore(), "me")
        await keep(book, seen(1))
        early = await book.ledger("t")
        await keep(book, seen(2))
        await keep(book, seen(3))
        await book.keep_ledger("t", early)  # as if the process had died before it was written
        again = await keep(book, seen(1))
        return await book.versions("t"), again, await book.ledger("t")

    found, again, ledger = asyncio.run(scenario())
    assert [one.words for one in found] == ["edit 1", "edit 2", "edit 3", "edit 1"]
    assert again == Kept(4, fresh=True, same_as=1)
    assert len(ledger.marks) == 4


def test_a_version_whose_ledger_was_lost_is_not_kept_twice() -> None:
    async def scenario() -> tuple[Kept | None, int]:
        book = Journal(InMemoryStore(), "me")
        await keep(book, seen(1))
        await book.keep_ledger("t", Ledger())
        return await keep(book, seen(1)), len(await book.versions("t"))

    assert asyncio.run(scenario()) == (Kept(1, fresh=False), 1)


KILLED = """
import asyncio, sys
sys.path[:0] = [sys.argv[2]]
from test_versions import seen, stored, keep, Journal, Path
async def main():
    async with stored("sqlite", Path(sys.argv[1])) as store:
        for number in range(100000):
            kept = await keep(Journal(store, "me"), seen(number + int(sys.argv[3])))
            print(kept.number, flush=True)
asyncio.run(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_numbers_survive_a_kill_in_the_middle(tmp_path: Path) -> None:
    said: list[int] = []
    for start in (0, 10**6, 2 * 10**6):
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent), str(start)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            for _ in range(7):
                said.append(int(process.stdout.readline()))
            process.kill()
            said += [int(line) for line in process.stdout if line.endswith("\n")]

    async def read() -> list[Version]:
        async with stored("sqlite", tmp_path) as store:
            return await Journal(store, "me").versions("t")

    found = asyncio.run(read())
    assert said == sorted(set(said)), "no number was given twice"
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert len({one.words for one in found}) == len(found) >= 21


def test_five_hundred_versions_cost_a_turn_next_to_nothing(tmp_path: Path) -> None:
    big = {"t": [{"tt": 0, "sg": [{"id": f"v{n}", "s": n * 1000, "d": 1000, "m": {"name": "x"}} for n in range(40)]}]}

    async def scenario() -> tuple[float, list[str]]:
        async with stored("sqlite", tmp_path) as store:
            book, asked = Journal(store, "me"), []
            for number in range(500):
                await keep(book, replace(seen(number), draft={**big, "n": number}))
            usual = store.abatch

            async def counted(ops: Any) -> Any:
                asked.extend(type(op).__name__ for op in ops)
                return await usual(ops)

            store.abatch = counted  # type: ignore[method-assign]
            began = time.perf_counter()
            for number in range(500, 510):
                await keep(book, replace(seen(number), draft={**big, "n": number}))
            return (time.perf_counter() - began) / 10, asked

    each, asked = asyncio.run(scenario())
    assert "SearchOp" not in asked, "no version is read back at an edit"
    assert each < 0.1


# After an undo


def test_an_undo_that_worked_names_the_version_it_led_to(edited: World) -> None:
    edited.nemo.scripts.append([say("Done."), put_back({"t": [CITY]})])
    events = edited.say("undo")
    assert edited.nemo.sends[-1] == "undo"
    assert "That is version 1 again." in shown(events)
    assert [one.number for one in kept(edited)] == [1, 2, 3]


@pytest.mark.parametrize("words", ["undo", "revert that", "please undo the last change"])
def test_an_undo_that_did_nothing_is_said_with_what_can_be_done(edited: World, words: str) -> None:
    edited.nemo.scripts.append([say("I have undone your change.")])
    said = shown(edited.say(words))
    assert "The backend did not undo anything" in said and "“export version 1”" in said
    assert len(edited.nemo.sends) == 3, "it is asked once"


@pytest.mark.parametrize("words", ["go back to version 1", "回到第1版"])
def test_the_version_that_was_named_is_the_one_offered(edited: World, words: str) -> None:
    edited.nemo.scripts += [[edit(MUSIC)], [say("Sorry, I can't.")]]
    edited.say("add more music")
    said = shown(edited.say(words))
    assert "“export version 1”" in said or "“导出第 1 版”" in said


def test_an_undo_before_an_export_is_checked_and_the_present_draft_is_exported(edited: World) -> None:
    edited.nemo.scripts.append([put_back({"t": [CITY]})])
    events = edited.say("undo that and then export")
    assert "That is version 1 again." in shown(events)
    assert submitted(edited)[0]["draft"] == {"t": [CITY]}


def test_an_undo_in_chinese_is_checked_in_chinese(edited: World) -> None:
    edited.nemo.scripts += [[], [put_back({"t": [CITY]})]]
    assert "后端没有撤销任何内容" in shown(edited.say("撤销"))
    assert "现在又是第 1 版的样子了。" in shown(edited.say("撤销刚才的修改"))


def test_an_undo_button_of_the_backend_is_checked_too(edited: World) -> None:
    edited.nemo.scripts += [[say("Click the Undo button to go back.")], [put_back({"t": [CITY]})]]
    events = edited.say("I don't like the music")
    assert edited.nemo.sends[-1] == "undo"
    assert "That is version 1 again." in shown(events)


def test_any_edit_that_leads_back_is_said_so_and_others_are_not(edited: World) -> None:
    edited.nemo.scripts += [[put_back({"t": [CITY]})], [edit(MUSIC, MUSIC)]]
    assert "That is version 1 again." in shown(edited.say("remove the music"))
    assert "again" not in shown(edited.say("add the music twice"))


def test_an_undo_that_led_elsewhere_is_no_earlier_version(edited: World) -> None:
    edited.nemo.scripts.append([put_back({"t": [MUSIC]})])
    said = shown(edited.say("undo"))
    assert "none of its earlier versions" in said and "“export version 1”" in said


def test_an_undo_of_the_first_thing_made_is_no_surprise_and_an_empty_version_is_never_offered(world: World) -> None:
    world.nemo.scripts += [[edit(CITY)], [put_back({"t": []})], [edit(MUSIC)], []]
    world.say("make a film of a city")
    said = shown(world.say("undo"))
    assert "version" not in said and "The timeline is empty." in said
    assert "“export version 1”" in shown(world.say("make some music", "undo"))


def test_an_undo_before_anything_was_made_offers_no_version(world: World) -> None:
    said = shown(world.say("undo"))
    assert "did not undo anything" in said and "export" not in said


# Lists and differences


def test_the_list_has_a_line_each_and_marks_the_present_one(edited: World) -> None:
    edited.nemo.scripts.append([put_back({"t": [CITY]})])
    edited.say("undo")
    status, said = printed(edited, listed)
    lines = said.splitlines()
    assert status == 0 and len(lines) == 3
    assert lines[0].startswith("  1. 20") and lines[0].endswith("“make a film of a city”  10s, 1 segment")
    assert lines[1].endswith("“add lo-fi at 35%”  10s, 2 segments")
    assert lines[2].startswith("* 3. ") and lines[2].endswith("“undo”  10s, 1 segment, the same as version 1")


def test_long_words_are_cut_and_changes_without_words_say_so(world: World) -> None:
    world.nemo.scripts.append([edit(CITY)])
    world.say("生成一段城市夜景的视频" * 9)
    world.nemo.draft["t"].append(MUSIC)
    world.say("")
    first, second = printed(world, listed, lang="zh")[1].splitlines()
    assert "…”" in first and len(first) < 70
    assert "（自行变化）" in second and second.endswith("10秒，2 个片段")


@pytest.mark.parametrize(("numbers", "head"), [("", "1 to version 2"), ("1 2", "1 to version 2"), ("v1", "1 to ")])
def test_the_difference_of_two_versions_is_a_list_of_changes(edited: World, numbers: str, head: str) -> None:
    status, said = printed(edited, compared(numbers))
    assert status == 0 and said.startswith(f"From version {head}")
    assert said.endswith("- Added BGM: Lo-fi (0-10s, 35%)\n")


def test_the_difference_backwards_and_in_chinese(edited: World) -> None:
    assert "- Removed BGM" in printed(edited, compared("2 1"))[1]
    assert printed(edited, compared("1 2"), lang="zh")[1].startswith("从第 1 版到第 2 版：")
    assert printed(edited, compared("2 2")) == (0, "On the timeline, versions 2 and 2 are the same.\n")


@pytest.mark.parametrize(
    ("numbers", "status", "sentence"),
    [
        ("2 4", 2, "There is no version 4; there are 1 to 2.\n"),
        ("0 1", 2, "There is no version 0; there are 1 to 2.\n"),
        ("a b", 2, "Which versions? "),
        ("1 2 3", 2, "Which versions? "),
        ("９９ 1", 2, "Which versions? "),
    ],
)
def test_wrong_numbers_say_which_there_are(edited: World, numbers: str, status: int, sentence: str) -> None:
    found, said = printed(edited, compared(numbers))
    assert found == status and said.startswith(sentence)


def test_where_nothing_is_there_the_exit_code_says_so(world: World) -> None:
    for tell in (listed, compared(""), compared("1 2")):
        assert printed(world, tell) == (
            1,
            "There are no versions yet: nothing has been made in this conversation.\n",
        )
        assert printed(world, tell, thread=None)[0] == 1
    world.nemo.draft = {"t": [CITY]}
    world.say("status")
    assert printed(world, compared("")) == (1, "There is no version 2; there is only version 1.\n")
    assert world.nemo.sends == []


def test_the_sub_commands_show_the_last_conversation_or_the_one_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REELCHAT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("NEMO_API_URL", raising=False)
    assert cli.main(["versions"]) == 1
    assert capsys.readouterr().err.startswith("There is no conversation on this computer yet")
    assert cli.main(["diff", "1", "2", "--thread", "x", "--lang", "zh"]) == 1
    assert capsys.readouterr().err == "还没有任何版本：这个对话里还没有做出东西。\n"


def test_the_commands_work_in_a_conversation(edited: World) -> None:
    edited.nemo.scripts.append([put_back({"t": [CITY]})])
    screen = io.StringIO()
    through: Any = Through(edited)
    script = Script(["/versions", "/diff", "/diff 1 7", "never said"], thread="t")
    skill, view = load_skill("generator-image"), PlainView(screen, screen)
    assert asyncio.run(play(edited.settings(), skill, script, load=lambda: through, view=view)) == 1
    said = screen.getvalue()
    assert "* 2. " in said and "From version 1 to version 2:" in said
    assert "There is no version 7; there are 1 to 2." in said
    script = Script(["/undo", "/export 2 gif", "/lang zh", "/export gif v1"], thread="t")
    assert asyncio.run(play(edited.settings(), skill, script, load=lambda: through, view=view)) == 0
    assert edited.nemo.sends[-1] == "undo"
    assert "That is version 1 again." in screen.getvalue()
    drafts = [body["draft"] for path, body in edited.nemo.writes if path == "/api/render/proxy/lambda"]
    assert drafts == [{"t": [CITY, MUSIC]}, {"t": [CITY]}]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", (None, "")),
        ("gif", (None, "gif")),
        ("2", ("2", "")),
        ("2 gif", ("2", "gif")),
        ("GIF v2", ("2", "GIF")),
        ("./x.mp4", (None, "./x.mp4")),
    ],
)
def test_export_takes_a_number_and_a_format_in_either_order(typed: str, meant: tuple[str | None, str]) -> None:
    assert split_export(typed) == meant


# Export of a version


def submitted(world: World) -> list[Any]:
    return [body for path, body in world.nemo.writes if path == "/api/render/proxy/lambda"]


@pytest.mark.parametrize("words", ["export version 1 as gif", "把第1版导出成gif", "export the first version as gif"])
def test_an_older_version_is_exported_as_it_was(edited: World, words: str) -> None:
    events = edited.say(words)
    (body,) = submitted(edited)
    assert (body["draft"], body["output"]["format"]) == ({"t": [CITY]}, "gif")
    (delivered,) = [event for event in events if isinstance(event, Delivered)]
    assert "-v1-" in Path(delivered.path).name and delivered.path.endswith(".gif")
    assert len(kept(edited)) == 2
    edited.say("export")
    assert submitted(edited)[1]["draft"] == {"t": [CITY, MUSIC]}
    assert "-v" not in Path(next(e for e in edited.say("export") if isinstance(e, Delivered)).path).stem


def test_key_order_and_numbers_of_an_older_version_reach_the_render(world: World) -> None:
    world.nemo.draft = ODD
    world.say("status")
    world.nemo.draft = {"t": [MUSIC]}
    world.say("export version 1")
    assert json.dumps(submitted(world)[0]["draft"]) == json.dumps(ODD)


def test_an_unknown_version_is_said_and_nothing_is_submitted(edited: World) -> None:
    events = edited.say("export version 7")
    assert [event.text for event in events if isinstance(event, Error)] == ["There is no version 7; there are 1 to 2."]
    assert "没有第 7 版，现有第 1 到第 2 版。" in shown(edited.say("导出第7版"))
    assert submitted(edited) == []


def test_a_version_before_anything_was_made_is_said_and_nothing_is_submitted(world: World) -> None:
    events = world.say("export version 1")
    assert [event.code for event in events if isinstance(event, Error)] == ["no_such_version"]
    assert submitted(world) == []


def test_an_emptied_version_has_nothing_to_export(edited: World) -> None:
    edited.nemo.scripts.append([put_back({"t": []})])
    edited.say("remove everything")
    events = edited.say("export version 3")
    assert [event.code for event in events if isinstance(event, Error)] == ["nothing_to_export"]
    edited.say("export version 2")
    assert [body["draft"] for body in submitted(edited)] == [{"t": [CITY, MUSIC]}]


def test_a_version_left_to_render_is_delivered_by_whoever_collects_it(edited: World) -> None:
    keep_rendering(edited.nemo)
    edited.say("export version 1")
    edited.nemo.renders = dict.fromkeys(edited.nemo.renders, "completed")

    async def fetch(agent: Agent) -> list[Event]:
        (job,) = await Journal(agent.store, agent.user).open_jobs()
        assert job.draft == {"t": [CITY]}
        return [event async for event in collect(agent)]

    delivered = [event for event in edited.run(fetch) if isinstance(event, Delivered)]
    assert len(delivered) == 1 and "-v1-" in delivered[0].path


# The studio


STILL = "generate a realistic image of a futuristic city at night"


def loudest(path: str) -> float:
    """The highest sample of a film's sound, 0 to 1."""
    with av.open(path) as film:
        return max(float(np.abs(frame.to_ndarray()).max()) for frame in film.decode(audio=0))


async def _in_the_studio(folder: Path) -> tuple[list[list[Event]], list[Version]]:
    said = []
    async with studio(folder / "studio", *FAST) as url, agent_on(url, folder) as agent:
        for text in (STILL, "add lo-fi music at 35%", "undo", "export version 2", "导出第1版"):
            said.append([event async for event in turn(agent, "t", text)])
        return said, await versions(agent, "t")


def test_in_the_studio_an_undo_leads_back_and_each_version_is_exported_as_it_was(tmp_path: Path) -> None:
    said, found = asyncio.run(_in_the_studio(tmp_path))
    assert "That is version 1 again." in shown(said[2])
    assert [one.words for one in found] == [STILL, "add lo-fi music at 35%", "undo"]
    second, first = (next(e for e in events if isinstance(e, Delivered)) for events in said[3:])
    assert "-v2-" in second.path and "-v1-" in first.path
    assert loudest(second.path) > 0.01 and loudest(first.path) < 0.001, "the first one had no music"
