"""The conversation on a terminal, typed key by key."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fake_nemo import CITY as SHOT
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console
from through import Through, keep_rendering
from world import World

from agent.errors import Unreachable
from agent.events import Ask, Delivered, Error, Progress, Text, Timeline
from agent.repl.commands import COMMANDS, parse
from agent.repl.live import LiveView
from agent.repl.loop import Repl
from agent.repl.session import Words, prompt_session
from agent.repl.threads import last_thread
from agent.repl.view import PlainView, View, view_for
from agent.settings import Settings
from agent.skills import load_skill
from router import Decision

CTRL_C, CTRL_D = "\x03", "\x04"
CITY = Timeline(text="Timeline (1 track): 1. Video: city (0-10s)", draft={})
READY = Delivered(
    text="✅ Ready: ./exports/city.mp4 (2 MB, 10s)", path="/x/city.mp4", format="mp4", size=2, duration_ms=10
)


def chat(fake: Any, settings: Settings, *keys: str, thread: str | None = None, skill: str = "generator-image") -> str:
    """Types `keys` into a REPL and returns what stood on the screen after the greeting."""
    screen = io.StringIO()

    async def run() -> int:
        with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
            typed.send_text("".join(keys))
            session = prompt_session(settings.data, lambda: settings.lang, input=typed, output=DummyOutput())
            view = PlainView(screen, screen)
            repl = Repl(settings, load_skill(skill), thread, load=fake.load, view=view, session=session)
            return await repl.run()

    assert asyncio.run(run()) == 0
    assert fake.opened == fake.closed
    return screen.getvalue()


def after_greeting(screen: str) -> str:
    marks = ("/help lists the commands; Ctrl-D leaves.\n", "输入 /help 查看命令；按 Ctrl-D 离开。\n")
    return next(screen.split(mark, 1)[1] for mark in marks if mark in screen)


def test_the_greeting_names_the_persona_three_things_to_try_and_where_words_go(fake: Any, settings: Settings) -> None:
    assert chat(fake, settings, CTRL_D) == (
        "generator-image: Describe the picture you have in mind, and I'll put it on the timeline."
        " One plain sentence is enough.\n"
        "Try saying:\n"
        "  - generate a realistic image of a futuristic city at night\n"
        "  - add lo-fi background music at 35%\n"
        '  - put "Urban Dreams" at the start for 3 seconds\n'
        "\n"
        "Embedded studio on this computer: nothing leaves it."
        " It draws its pictures itself and runs no image model.\n"
        "/help lists the commands; Ctrl-D leaves.\n"
    )


def test_the_cloud_is_named_with_what_goes_there(fake: Any, tmp_path: Path) -> None:
    cloud = Settings.load(backend="nemo", home=tmp_path, lang="zh", environ={})
    assert "你的文字和文件会发送到 mega-api-prod.nemovideo.ai。" in chat(fake, cloud, CTRL_D)


def test_a_turn_shows_progress_words_the_timeline_and_the_file(fake: Any, settings: Settings) -> None:
    fake.scenes["generate a city, then export"] = [
        Progress(about="connect", text="Connecting…"),
        Text(id="a", text="Here is "),
        Text(id="a", text="the city.\n"),
        CITY,
        Progress(about="render", text="Rendering…", fraction=0.1),
        Progress(about="render", text="Rendering…", fraction=0.2),
        Progress(about="render", text="Rendering…", fraction=0.9),
        READY,
    ]
    screen = after_greeting(chat(fake, settings, "generate a city, then export\r", CTRL_D))
    assert screen == (
        "Connecting…\n"
        "Here is the city.\n"
        "Timeline (1 track): 1. Video: city (0-10s)\n"
        "Rendering… 10%\n"
        "Rendering… 90%\n"
        "✅ Ready: ./exports/city.mp4 (2 MB, 10s)\n"
    )


def test_our_sentences_follow_the_language_of_the_person(fake: Any, settings: Settings) -> None:
    screen = chat(fake, settings, "生成一张城市夜景\r", "/nope\r", "make it shorter\r", "/nope\r", CTRL_D)
    assert "没有 /nope 这个命令；是不是想用 /help？" in screen
    assert "There is no command /nope; did you mean /help?" in screen


def test_pasted_lines_are_one_turn(fake: Any, settings: Settings) -> None:
    chat(fake, settings, "\x1b[200~a city at night\nwith rain\x1b[201~\r", CTRL_D)
    assert fake.said == ["a city at night\nwith rain"]


def test_all_turns_of_a_conversation_share_a_thread_and_new_starts_another(fake: Any, settings: Settings) -> None:
    chat(fake, settings, "one\r", "two\r", "/new\r", "three\r", CTRL_D)
    first, second, third = (turn["thread"] for turn in fake.turns)
    assert first == second != third
    assert last_thread(settings.data) == third
    assert fake.turns[0]["exports"] == settings.exports


def test_leaving_without_a_word_keeps_the_conversation_to_continue(fake: Any, settings: Settings) -> None:
    chat(fake, settings, "one\r", CTRL_D)
    kept = last_thread(settings.data)
    chat(fake, settings, CTRL_D)
    assert last_thread(settings.data) == kept


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("/status", "status"),
        ("/credits", "credits"),
        ("/export", "export"),
        ("/export gif", "export as gif"),
        ("/STATUS ", "status"),
    ],
)
def test_a_command_is_a_turn_with_the_plain_word(fake: Any, settings: Settings, typed: str, sent: str) -> None:
    chat(fake, settings, f"{typed}\r", CTRL_D)
    assert fake.said == [sent]


def test_commands_speak_the_language_that_was_chosen(fake: Any, settings: Settings) -> None:
    screen = chat(fake, settings, "/lang zh\r", "/export png\r", "/lang fr\r", CTRL_D)
    assert fake.said == ["导出为 png"]
    assert "接下来我说中文。" in screen and "我会说两种语言：/lang en 或 /lang zh。" in screen


@pytest.mark.parametrize("path", ["my photo.jpg", '"my photo.jpg"', "'my photo.jpg'", "my\\ photo.jpg"])
def test_upload_takes_a_path_however_the_terminal_wrote_it(fake: Any, settings: Settings, path: str) -> None:
    chat(fake, settings, f"/upload {path}\r", CTRL_D)
    assert (fake.turns[0]["text"], fake.turns[0]["files"]) == ("upload", ("my photo.jpg",))


def test_upload_without_a_path_asks_for_one(fake: Any, settings: Settings) -> None:
    assert "Say which file: /upload PATH.\n" in chat(fake, settings, "/upload\r", CTRL_D)
    assert fake.turns == []


def test_help_lists_every_command_in_both_languages(fake: Any, settings: Settings) -> None:
    english = chat(fake, settings, "/help\r", CTRL_D)
    chinese = chat(fake, dataclasses.replace(settings, lang="zh"), "/?\r", CTRL_D)
    for command in COMMANDS:
        assert f"  {command.usage} " in english and f"  {command.usage} " in chinese
    assert "直接说话就行。" in chinese


def test_a_path_that_exists_is_a_turn_and_not_a_command(fake: Any, settings: Settings, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x")
    chat(fake, settings, f"{photo}\r", f"{photo} make it move\r", CTRL_D)
    assert fake.said == [str(photo), f"{photo} make it move"]


@pytest.mark.parametrize("line", ["/no/such/file.jpg", "hello /help", "https://x.org/a.png", "9/10"])
def test_only_a_single_word_after_the_slash_is_a_command(line: str) -> None:
    assert parse(line) is None


def test_another_persona_greets_and_takes_the_next_turn_on_the_same_thread(fake: Any, settings: Settings) -> None:
    screen = chat(fake, settings, "one\r", "/skill photo-generator\r", "two\r", "/skill nosuch\r", CTRL_D)
    assert "photo-generator: Which photo do you need?" in screen
    assert "There is no skill “nosuch”." in screen
    assert [turn["skill"] for turn in fake.turns] == ["generator-image", "photo-generator"]
    assert fake.turns[0]["thread"] == fake.turns[1]["thread"]


def test_skill_without_a_name_shows_the_shelf(fake: Any, settings: Settings) -> None:
    screen = chat(fake, settings, "/skill\r", CTRL_D)
    assert "* generator-image: " in screen and "  how-to-create-ai-video: " in screen


def test_why_explains_the_last_turn(fake: Any, settings: Settings) -> None:
    fake.decisions = [Decision("export", "export it", (4, 13), "keyword", 0.86, "word:export", ask=True)]
    screen = chat(fake, settings, "/why\r", CTRL_D)
    assert "1. export: “export it” [4-13], by keyword, 0.86 (word:export), would ask first\n" in screen


def test_a_question_numbers_its_options_and_a_number_answers(fake: Any, settings: Settings) -> None:
    fake.scenes["maybe export"] = [Ask(text="Shall I export?", options=["Yes, export", "No"])]
    screen = chat(fake, settings, "maybe export\r", "1\r", "1\r", CTRL_D)
    assert "Shall I export?\n  1. Yes, export\n  2. No\n" in screen
    assert fake.said == ["maybe export", "Yes, export", "1"]


def test_a_failed_turn_is_told_and_the_conversation_goes_on(fake: Any, settings: Settings) -> None:
    fake.scenes["export"] = [Error(code="nothing_to_export", text="There is nothing to export yet.")]
    screen = chat(fake, settings, "export\r", "status\r", CTRL_D)
    assert "There is nothing to export yet.\n" in screen
    assert fake.said == ["export", "status"]


def test_ctrl_c_ends_the_turn_and_not_the_conversation(fake: Any, settings: Settings) -> None:
    before = signal.getsignal(signal.SIGINT)
    fake.scenes["export"] = [lambda: signal.raise_signal(signal.SIGINT)]
    screen = chat(fake, settings, "export\r", "status\r", CTRL_D)
    assert "Stopped. What had already been sent may still be carried out:" in screen
    assert fake.said == ["export", "status"]
    assert signal.getsignal(signal.SIGINT) == before


def test_ctrl_c_at_the_prompt_clears_the_line(fake: Any, settings: Settings) -> None:
    screen = chat(fake, settings, "never sent", CTRL_C, "one\r", CTRL_C, "two\r", CTRL_D)
    assert fake.said == ["one", "two"]
    assert screen.count("Press Ctrl-C again or Ctrl-D to leave.\n") == 2


@pytest.mark.parametrize("keys", [CTRL_C + CTRL_C, CTRL_D, "/quit\r", "/exit\r"])
def test_the_ways_to_leave(fake: Any, settings: Settings, keys: str) -> None:
    chat(fake, settings, keys, "never\r")
    assert fake.turns == []


def test_an_agent_that_cannot_be_opened_is_one_sentence_and_the_next_turn_tries_again(
    fake: Any, settings: Settings
) -> None:
    fake.refuses = [Unreachable("down"), Unreachable("still down")]
    screen = chat(fake, settings, "one\r", "two\r", CTRL_D)
    assert "can't be reached, and nothing was sent." in screen
    assert fake.said == ["two"]


def test_a_bug_while_opening_is_told_and_logged(
    fake: Any, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    fake.refuses = [ZeroDivisionError("secret detail"), ZeroDivisionError("secret detail")]
    screen = chat(fake, settings, "one\r", CTRL_D)
    assert "Something went wrong on our side (ZeroDivisionError)" in screen
    assert "secret detail" not in screen and "secret detail" in caplog.text


def test_a_turn_typed_before_the_agent_is_ready_waits_for_it(fake: Any, settings: Settings) -> None:
    fake.scenes["one"] = [Text(id="a", text="Done.")]
    screen = after_greeting(chat(fake, settings, "one\r", CTRL_D))
    assert screen in ("Connecting…\nDone.\n", "Done.\n")


def test_coming_back_shows_what_became_of_things_and_delivers_old_renders(fake: Any, settings: Settings) -> None:
    fake.recovered = [Text(id="r", text="Your message had been cut off, but it arrived:"), CITY]
    fake.collected = [Progress(about="render", text="Rendering…"), READY]
    fake.scenes["wait"] = [Text(id="w", text="…")]
    screen = after_greeting(chat(fake, settings, "wait\r", CTRL_D, thread="mine"))
    assert "it arrived:\nTimeline (1 track): 1. Video: city (0-10s)\n" in screen
    assert READY.text in screen and "Rendering…" not in screen
    assert fake.turns[0]["thread"] == "mine"


def test_the_render_of_a_stopped_turn_is_still_delivered(fake: Any, settings: Settings) -> None:
    def stop() -> None:
        fake.collected = [READY]
        signal.raise_signal(signal.SIGINT)

    fake.scenes["export"] = [stop]
    fake.scenes["status"] = [CITY]
    screen = chat(fake, settings, "export\r", "status\r", CTRL_D)
    assert screen.index("Stopped.") < screen.index(READY.text)


# Views


def shown(view: View, events: Sequence[Any]) -> None:
    with view.turn():
        for event in events:
            view.show(event)


def test_a_correction_of_printed_text_is_appended_whole() -> None:
    out = io.StringIO()
    words = [Text(id="a", text="It is 5 s"), Text(id="a", mode="replace", text="It is 5 seconds long.")]
    shown(PlainView(out, out), words)
    shown(PlainView(out, out), [*words, Text(id="a", mode="replace", text="It is 6 seconds long.")])
    assert out.getvalue() == "It is 5 seconds long.\n" * 2 + "It is 6 seconds long.\n"


def test_answers_go_to_stdout_and_progress_and_errors_to_stderr() -> None:
    out, err = io.StringIO(), io.StringIO()
    events = [Progress(about="send", text="Working…"), Text(id="a", text="Done."), Error(code="x", text="No.")]
    shown(PlainView(out, err), events)
    assert (out.getvalue(), err.getvalue()) == ("Done.\n", "Working…\nNo.\n")


@pytest.mark.parametrize("live", [True, False])
def test_control_characters_never_reach_the_terminal(live: bool) -> None:
    out = io.StringIO()
    view = LiveView(Console(file=out, force_terminal=True, width=60)) if live else PlainView(out, out)
    shown(view, [Text(id="a", text="a\x1b]0;evil\x07b\u202ec\ud800"), Error(code="x", text="\x1b[2Jd")])
    assert "]0;evil" in out.getvalue() and "\x1b]0" not in out.getvalue() and "\x1b[2J" not in out.getvalue()
    assert not set("\x07\u202e\ud800") & set(out.getvalue())


def test_the_drawing_view_keeps_what_was_said_and_erases_progress() -> None:
    out = io.StringIO()
    view = LiveView(Console(file=out, force_terminal=True, width=60, no_color=True))
    events = [
        Progress(about="render", text="Rendering…", fraction=0.5),
        Text(id="a", text="[bold]not markup[/bold]"),
        Text(id="a", mode="replace", text="[b]5 seconds[/b]"),
        CITY,
        Ask(text="Which?", options=["this"]),
        READY,
    ]
    shown(view, events)
    kept = out.getvalue().split("\r\x1b[2K")[-1] + out.getvalue()
    assert "[b]5 seconds[/b]" in kept and "1. this" in kept and CITY.text in kept and READY.text in kept


def test_a_dumb_terminal_and_no_color_get_the_plain_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert isinstance(view_for(io.StringIO()), LiveView)
    monkeypatch.setenv("NO_COLOR", "1")
    assert isinstance(view_for(io.StringIO()), PlainView)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(view_for(io.StringIO()), PlainView)


# Completion


def completed(text: str) -> list[str]:
    found = Words(lambda: "en").get_completions(Document(text), CompleteEvent())
    return [text[: len(text) + one.start_position] + one.text for one in found]


def test_commands_and_their_arguments_are_completed() -> None:
    assert completed("/s") == ["/status", "/skill"]
    assert completed("/lang ") == ["/lang en", "/lang zh"]
    assert completed("/skill ph") == ["/skill photo-generator"]
    assert completed("a city") == []


def test_paths_are_completed_anywhere_in_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "night shot.jpg").touch()
    monkeypatch.chdir(tmp_path)
    assert completed('use "./nig') == ['use "./night shot.jpg']
    space = " " if sys.platform == "win32" else "\\ "
    assert completed("use ./nig") == [f"use ./night{space}shot.jpg"]
    assert completed(f"{tmp_path.as_posix()}/ni") == [f"{tmp_path.as_posix()}/night{space}shot.jpg"]
    assert completed("/upload nig") == [f"/upload night{space}shot.jpg"]


def test_a_chosen_language_holds_for_the_turns_after_it(fake: Any, settings: Settings) -> None:
    screen = chat(fake, settings, "/lang zh\r", "make it vertical\r", "/nope\r", CTRL_D)
    assert fake.turns[0]["lang"] == "zh"
    assert "没有" in screen.splitlines()[-1]


def test_jobs_are_managed_from_the_conversation(world: World) -> None:
    world.nemo.draft = {"t": [SHOT]}
    world.say("export as mp4")
    made = Through(world)
    screen = chat(made, world.settings(), "/jobs\r", "/jobs collect\r", "/jobs cancel nope\r", "/jobs what\r", CTRL_D)
    assert "  mp4  delivered  " in screen
    assert "There is nothing left to fetch.\n" in screen
    assert "There is no export “nope”." in screen
    assert "What about the exports?" in screen


def test_a_render_that_is_watched_can_be_canceled_and_is_not_started_again(world: World) -> None:
    world.nemo.draft = {"t": [SHOT]}
    keep_rendering(world.nemo)
    world.say("export as mp4")
    (name,) = world.nemo.submits
    made = Through(world)
    screen = chat(made, world.settings(), f"/jobs cancel {name}\r", "/jobs\r", CTRL_D)
    assert "will not be rendered" in screen and "  canceled  " in screen
    assert world.nemo.submits == [name]
