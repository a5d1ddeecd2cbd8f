"""The command: what it prints where, in which language, and its exit codes."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

import agent
from agent import cli
from agent.errors import Unreachable
from agent.events import Ask, Delivered, Error, Progress, Text, Timeline
from agent.repl.threads import remember_thread
from agent.skills import skill_names
from agent.usage import asked_language
from prompts import FOLDER, Lang, say

READY = Delivered(text="✅ Ready: ./city.mp4 (2 MB, 10s)", path="/x/city.mp4", format="mp4", size=2, duration_ms=1)
VARIABLES = (
    "REELCHAT_MAX_SPEND",
    "REELCHAT_ASK_BEFORE_SPENDING",
    "NEMO_API_URL",
    "NEMO_TOKEN",
    "NEMO_CLIENT_ID",
    "NEMO_WEB_URL",
    "SKILL_SOURCE",
    "LC_ALL",
    "LC_MESSAGES",
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: Any) -> Path:
    """A machine where nothing has happened yet, with the fake in the place of the core."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("REELCHAT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(agent, "turn", fake, raising=False)
    monkeypatch.setattr(sys, "stdin", Terminal())
    return tmp_path / "home"


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


# Help and usage


def test_help_is_in_the_language_of_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: reelchat [OPTIONS] [COMMAND]\n\n  Chat your way to a video.")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert cli.main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("用法：reelchat [选项] [COMMAND]\n\n  聊着天做视频。")


@pytest.mark.parametrize(
    "args", [["--lang", "zh", "--help"], ["--help", "--lang=zh"], ["route", "--help", "--lang", "zh"]]
)
def test_the_language_option_beats_the_environment_wherever_it_stands(
    args: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(args) == 0
    assert capsys.readouterr().out.startswith("用法：")


def test_every_command_and_option_has_help_in_both_languages() -> None:
    for lang in get_args(Lang):
        for command in [cli.reelchat, *cli.reelchat.commands.values()]:
            assert say(lang, f"cli.{command.help}")
            for param in command.params:
                key = getattr(param, "help", None)
                assert key is None or say(lang, f"cli.{key}")


@pytest.mark.parametrize(
    ("args", "english", "chinese"),
    [
        (["--bakend", "x"], "There is no option --bakend; did you mean --backend?", "没有 --bakend 这个选项"),
        (["--qqq"], "There is no option --qqq; reelchat --help lists them.", "没有 --qqq 这个选项"),
        (["rout"], "There is no command “rout”; did you mean “route”? To say something, use -p.", "没有“rout”"),
        (["make a film"], "There is no command “make a film”; reelchat --help lists them.", "没有“make a film”"),
        (["--skill"], "--skill needs a value; reelchat --help says which.", "--skill 后面要有值"),
        (["route"], "TEXT is missing; reelchat --help shows where it goes.", "缺少 TEXT"),
        (
            ["jobs", "x"],
            "That does not fit ACTION. It may be: list, collect, cancel, forget.",
            "可以是：list, collect, cancel",
        ),
        (["serve", "--port", "x"], "That does not fit --port. It may be: 0-65535.", "可以是：0-65535。"),
        (["skills", "x"], "That is not how it is called; reelchat --help shows how.", "用法不对"),
        (["--skill", "nosuch"], "There is no skill “nosuch”.", "没有“nosuch”这个技能。"),
        (["--backend", "ftp://x"], "“ftp://x” is no backend.", "ftp://x"),
        (["--out", "city.txt"], "“city.txt” does not say a format that can be made.", "从“city.txt”看不出"),
        (["--out", "city"], "“city” does not say a format that can be made.", "从“city”看不出"),
    ],
)
def test_a_wrong_call_is_one_clear_sentence_and_exit_code_2(
    args: list[str], english: str, chinese: str, capsys: pytest.CaptureFixture[str], fake: Any
) -> None:
    assert cli.main(args) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.startswith(english), said.err.count("\n")) == ("", True, 1)
    assert cli.main(["--lang", "zh", *args]) == 2
    assert chinese in capsys.readouterr().err
    assert fake.turns == []


@pytest.mark.parametrize(
    ("args", "lang"),
    [(["--lang", "zh"], "zh"), (["--lang=en"], "en"), (["--lang"], None), (["--", "--lang", "zh"], None), ([], None)],
)
def test_the_language_is_known_before_the_call_is_understood(args: list[str], lang: str | None) -> None:
    assert asked_language(args) == lang


def test_help_imports_nothing_heavy() -> None:
    script = "import sys; from agent.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, encoding="utf-8")
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert not loaded & {"langgraph", "langchain_core", "httpx", "rich", "prompt_toolkit", "yaml", "numpy", "av"}


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"reelchat {project['version']}\n"


# Sub-commands


def test_skills_are_listed_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["skills"]) == 0
    assert "* generator-image: Makes a picture from a sentence" in capsys.readouterr().out
    assert cli.main(["skills", "--lang", "zh", "--skill", "photo-generator"]) == 0
    assert "* photo-generator: 根据文字或你发来的图片" in capsys.readouterr().out


def test_route_prints_where_a_sentence_goes_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["route", "add lo-fi and then export it"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" [")[0] for line in lines] == ["1. sse: “add lo-fi”", "2. export: “export it”"]
    assert cli.main(["route", "--json", "查一下余额"]) == 0
    (decision,) = json.loads(capsys.readouterr().out)
    assert decision["route"] == "credits" and set(decision) >= {"span", "source", "score", "because", "ask"}


def test_eval_hands_the_rest_of_the_line_on(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(subprocess, "call", lambda command: called.append(command) or 3)
    assert cli.main(["eval", "show", "city", "--seed", "7", "--help"]) == 3
    assert called == [[sys.executable, "-m", "evals", "show", "city", "--seed", "7", "--help"]]


# Turns without a terminal


def test_turns_are_played_in_order_in_one_thread(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake.scenes = {
        "generate a city": [Progress(about="send", text="Working on it…"), Text(id="a", text="Here it is.")],
        "status": [Timeline(text="Timeline (1 track): 1. Video: city (0-10s)", draft={})],
    }
    assert cli.main(["-p", "generate a city", "-p", "status"]) == 0
    said = capsys.readouterr()
    assert said.out == "Here it is.\nTimeline (1 track): 1. Video: city (0-10s)\n"
    assert said.err == "Working on it…\n"
    assert fake.said == ["generate a city", "status"]
    assert len({turn["thread"] for turn in fake.turns}) == 1
    assert fake.closed == 1


def test_the_first_failed_turn_is_the_last(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake.scenes = {"export": [Error(code="nothing_to_export", text="There is nothing to export yet.")]}
    assert cli.main(["-p", "export", "-p", "status", "--out", "city.mp4"]) == 1
    said = capsys.readouterr()
    skipped = "Because of this, not done: “status”, “export as mp4”.\n"
    assert (said.out, said.err) == ("", f"There is nothing to export yet.\n{skipped}")
    assert fake.said == ["export"]


def test_turns_come_from_a_pipe_one_a_line(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, "generate a city\n\n  导出  \n")
    assert cli.main([]) == 0
    assert fake.said == ["generate a city", "导出"]


def test_turns_of_the_call_leave_the_pipe_alone(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, "never\n")
    assert cli.main(["-p", "one"]) == 0
    assert fake.said == ["one"]


def test_out_names_the_file_and_nothing_is_exported_twice(fake: Any) -> None:
    fake.scenes = {"export": [READY]}
    assert cli.main(["-p", "generate a city", "-p", "export", "--out", "city.mp4"]) == 0
    assert fake.said == ["generate a city", "export"]
    assert {turn["out"] for turn in fake.turns} == {Path("city.mp4")}


@pytest.mark.parametrize(("lang", "sent"), [("en", "export as gif"), ("zh", "导出为 gif")])
def test_out_exports_when_no_turn_did(fake: Any, lang: str, sent: str) -> None:
    fake.scenes = {sent: [READY]}
    assert cli.main(["--lang", lang, "-p", "generate a city", "--out", "city.gif"]) == 0
    assert fake.said == ["generate a city", sent]


def test_a_file_that_was_not_written_is_a_failure(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["-p", "generate a city", "--out", "city.mp4"]) == 1
    assert capsys.readouterr().err == "city.mp4 was not written: nothing was exported.\n"


def test_a_question_without_a_terminal_is_shown_and_never_answered(
    fake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.scenes = {"maybe": [Ask(text="Shall I export?", options=["Yes", "No"])]}
    assert cli.main(["-p", "maybe"]) == 0
    assert capsys.readouterr().out == "Shall I export?\n  1. Yes\n  2. No\n"
    assert fake.said == ["maybe"]


def test_an_empty_pipe_is_the_tour(
    fake: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    piped(monkeypatch, "")
    export = say("en", "tour.export")
    fake.scenes = {export: [READY]}
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    prompts = [line for line in out.splitlines() if line.startswith("> ")]
    assert prompts == [
        "> generate a realistic image of a futuristic city at night",
        "> add lo-fi background music at 35%",
        '> put "Urban Dreams" at the start for 3 seconds',
        "> export as mp4",
    ]
    assert "nothing leaves it" in out and out.index("> export") < out.index(READY.text)


def test_the_tour_speaks_chinese(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, "")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert cli.main([]) == 0
    assert fake.said == [
        "生成一张未来城市夜景的写实图片",
        "加上 lo-fi 背景音乐，音量 35%",
        "在开头 3 秒放上标题“都市之梦”",
        "导出为 mp4",
    ]


def test_a_tour_that_fails_says_so(
    fake: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    piped(monkeypatch, "")
    fake.scenes = {say("en", "tour.music"): [Error(code="busy", text="Busy.")]}
    assert cli.main([]) == 1
    assert "The tour stopped at the step above." in capsys.readouterr().err
    assert len(fake.turns) == 2


def test_the_tour_never_spends_a_token_from_the_environment(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, "")
    monkeypatch.setenv("NEMO_TOKEN", "nmv_usr_canary")
    assert cli.main([]) == 0
    assert fake.settings.base_url is None and fake.settings.token is None


# Going on


def test_continue_goes_on_with_the_last_conversation(fake: Any, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.recovered = [Text(id="r", text="It had arrived.")]
    assert cli.main(["-p", "one"]) == 0
    assert cli.main(["--continue", "-p", "two"]) == 0
    assert fake.turns[0]["thread"] == fake.turns[1]["thread"]
    assert capsys.readouterr().out == "It had arrived.\n"


def test_continue_without_a_conversation_says_so_and_starts_one(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--continue", "-p", "one"]) == 0
    assert capsys.readouterr().err == "There is no conversation to go on with yet, so this is a new one.\n"
    assert fake.said == ["one"]


def test_each_backend_has_its_own_last_conversation(fake: Any, home: Path) -> None:
    remember_thread(home / "nemo", "cloudy")
    assert cli.main(["--backend", "nemo", "--continue", "-p", "one"]) == 0
    assert fake.turns[0]["thread"] == "cloudy"


def test_continue_in_a_pipe_without_turns_recovers_and_collects(
    fake: Any, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    piped(monkeypatch, "")
    remember_thread(home / "studio", "mine")
    fake.recovered, fake.collected = [Text(id="r", text="It had arrived.")], [READY]
    assert cli.main(["--continue"]) == 0
    assert capsys.readouterr().out == f"It had arrived.\n{READY.text}\n"


def test_jobs_collect_delivers_what_was_left(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake.collected = [Progress(about="render", text="Rendering…"), READY]
    assert cli.main(["jobs", "collect"]) == 0
    assert capsys.readouterr().out == f"{READY.text}\n"
    fake.collected = []
    assert cli.main(["jobs", "collect"]) == 0
    assert capsys.readouterr().out == "There is nothing left to fetch.\n"


def test_ctrl_c_is_exit_code_130(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    fake.scenes = {"export": [interrupted]}
    assert cli.main(["-p", "export"]) == 130
    assert "--continue shows what became of it." in capsys.readouterr().err


# Commands without a terminal


def test_a_slash_command_given_with_p_is_carried_out(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["-p", "/lang zh", "-p", "/export gif", "-p", "/why", "-p", "/help"]) == 0
    assert fake.said == ["导出为 gif"]
    assert fake.turns[0]["lang"] == "zh"
    said = capsys.readouterr().out
    assert "还没有可说明的" in said or "解释" in said or "/export" in said


def test_a_persona_a_new_conversation_and_quit_work_in_a_script(fake: Any) -> None:
    script = ["one", "/skill maker-video", "/new", "two", "/quit", "three"]
    names = skill_names()
    script[1] = f"/skill {names[-1]}"
    assert cli.main([word for line in script for word in ("-p", line)]) == 0
    assert fake.said == ["one", "two"]
    assert fake.turns[1]["skill"] == names[-1]
    assert fake.turns[0]["thread"] != fake.turns[1]["thread"]


def test_piped_commands_work_too(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, "make a city\n/status\n")
    assert cli.main([]) == 0
    assert fake.said == ["make a city", "status"]


@pytest.mark.parametrize("line", ["/nope", "/lang fr", "/upload", "/skill nosuch", "/jobs delete 1"])
def test_a_command_that_cannot_be_done_ends_the_script(
    line: str, fake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["-p", line, "-p", "add music"]) == 1
    assert fake.said == []
    assert capsys.readouterr().err.endswith("Because of this, not done: “add music”.\n")


def test_a_failing_turn_names_every_turn_it_leaves_undone(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake.scenes = {"two": [Error(code="busy", text="Busy.")]}
    assert cli.main(["-p", "one", "-p", "two", "-p", "three", "-p", "/export", "--out", "x.mp4"]) == 1
    assert capsys.readouterr().err == "Busy.\nBecause of this, not done: “three”, “/export”, “export as mp4”.\n"
    assert fake.said == ["one", "two"]


def test_the_last_turn_leaves_nothing_undone(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake.scenes = {"two": [Error(code="busy", text="Busy.")]}
    assert cli.main(["--lang", "zh", "-p", "one", "-p", "two"]) == 1
    assert capsys.readouterr().err == "Busy.\n"


@pytest.mark.parametrize(("ended", "words"), [("failed", ""), ("unknown", "What became of this turn is not known")])
def test_a_turn_that_ended_badly_without_an_error_is_exit_code_1(
    ended: str, words: str, fake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.outcomes = {"one": ended}
    assert cli.main(["-p", "one", "-p", "two"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(words) and "Because of this, not done: “two”.\n" in said


def test_the_limits_reach_the_settings_from_flags_and_environment(
    fake: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--max-spend", "30", "--ask-before-spending", "-p", "one"]) == 0
    assert (fake.settings.max_spend, fake.settings.ask_before_spending) == (30, True)
    assert not fake.settings.somebody_answers
    monkeypatch.setenv("REELCHAT_MAX_SPEND", "12.5")
    assert cli.main(["-p", "one"]) == 0
    assert (fake.settings.max_spend, fake.settings.ask_before_spending) == (12.5, False)
    monkeypatch.setenv("REELCHAT_MAX_SPEND", "lots")
    assert cli.main(["-p", "one"]) == 2
    assert "“lots” is no limit." in capsys.readouterr().err
    assert cli.main(["--help"]) == 0
    assert cli.main(["--max-spend", "x", "-p", "one"]) == 2


def test_the_doctor_needs_an_address_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--contract", "studio"]) == 2
    assert "“studio” is no backend." in capsys.readouterr().err


def test_an_address_with_a_password_is_shown_without_it(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake.refuses = [Unreachable()]
    assert cli.main(["--backend", "http://me:canary@edit.test", "-p", "one"]) == 1
    said = capsys.readouterr()
    assert "http://edit.test can't be reached" in said.err and "canary" not in said.out + said.err


def test_the_log_of_every_run_holds_no_token(fake: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEMO_TOKEN", "canary-without-a-shape")

    def crash() -> None:
        try:
            raise ValueError("Illegal header b'Bearer canary-without-a-shape'")
        except ValueError:
            logging.getLogger("reelchat.x").exception("what %s", "?token=canary-without-a-shape")

    fake.scenes = {"one": [crash]}
    assert cli.main(["-p", "one"]) == 0
    log = (home / "nemo" / "reelchat.log").read_text(encoding="utf-8")
    assert "ValueError: Illegal header" in log and "canary" not in log
