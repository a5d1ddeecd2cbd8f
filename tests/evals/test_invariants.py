"""Each invariant notices what it is for, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made import CITY, HEADERS, LINE, LOFI, call, timeline, trace, turn

from agent.events import Ask, Error, Progress
from evals.format import Dialogue
from evals.invariants import invariants, leaks
from evals.trace import Trace, TurnTrace
from prompts import table

ROOT = Path(__file__).parents[2]


def found(*turns: TurnTrace, **given: Any) -> set[str]:
    return {finding.check for finding in invariants(trace(*turns, **given))}


def test_a_good_turn_has_no_finding() -> None:
    good = turn(
        "add lo-fi music",
        Progress(about="send", text="Working on it…"),
        "Lo-fi is in.",
        "- Added BGM: Lo-fi (0-10s, 35%)",
        timeline(),
        exchanges=[call("GET /api/credits/balance/simple"), call("POST /run_sse", 0.3, text="add lo-fi music")],
        heard=["Lo-fi is in."],
        before=CITY,
        draft=LOFI,
    )
    assert invariants(trace(good)) == []


@pytest.mark.parametrize(
    "words",
    [
        "Click the Export button to save your video.",
        "Open the Media panel and look.",
        "Drag the clip onto the timeline.",
        "Press the spacebar to preview it.",
        "点击右上角的“导出”按钮。",
        "请打开媒体库面板查看。",
        "把音量滑块拖到 35%。",
    ],
)
def test_talk_of_a_screen_is_a_leak(words: str) -> None:
    lang = "en" if words.isascii() else "zh"
    assert found(turn("加音乐" if lang == "zh" else "add music", words, lang=lang, heard=[words])) == {"gui_leak"}


@pytest.mark.parametrize(
    "words",
    [
        'The title reads "Click to buy" in yellow.',
        "The opening shows a man opening a box, then a drag race at dusk.",
        "标题写着“点击领取”，停留 3 秒。",
        "The export button in the mock-up pulses twice.",
    ],
)
def test_content_about_buttons_is_none(words: str) -> None:
    assert leaks(words) == []


def test_names_of_pieces_and_the_persons_own_words_are_no_leak() -> None:
    draft = {"t": [{"tt": 0, "sg": [{"d": 1000, "m": {"name": "click the button"}}]}]}
    told = turn("call it click the button", "- Added Video: click the button (0-1s)", before={"t": []}, draft=draft)
    assert found(told) == set()


def test_none_of_our_own_sentences_is_a_leak() -> None:
    def sentences(node: Any) -> list[str]:
        return [node] if isinstance(node, str) else [each for value in node.values() for each in sentences(value)]

    ours = [each for lang in ("en", "zh") for each in sentences(table(f"replies.{lang}"))]
    assert [each for each in ours if leaks(each)] == []


def test_the_lexicon_hears_most_of_what_tables_of_screen_talk_say_and_spares_content() -> None:
    rows = [json.loads(line) for line in (ROOT / "evals/screens/unseen.jsonl").read_text("utf-8").splitlines()]
    content = [row["heard"] for row in rows if row["kind"] == "content"]
    talk = [row["heard"] for row in rows if row["gone"]]
    assert sum(bool(leaks(each)) for each in content) <= 0.03 * len(content)
    assert sum(bool(leaks(each)) for each in talk) >= 0.8 * len(talk)


def test_the_lexicon_shares_nothing_with_the_room_of_words() -> None:
    for path in (ROOT / "evals").glob("*.py"):
        assert 'table("gui")' not in path.read_text("utf-8"), path


def test_a_turn_without_a_word_is_silence() -> None:
    assert found(turn("hi", Progress(about="send", text="Working on it…"))) == {"silence"}


def test_a_killed_turn_may_be_silent() -> None:
    assert found(turn("hi", acts=["kill"])) == set()


def test_the_same_words_sent_twice_in_a_turn_are_a_duplicate() -> None:
    twice = [call("POST /run_sse", at, text="add lo-fi") for at in (1, 40)]
    assert found(turn("add lo-fi", "ok", exchanges=twice)) == {"duplicate_send"}


def test_more_sends_than_steps_are_a_duplicate_too() -> None:
    two = [call("POST /run_sse", 1, text="add lo-fi"), call("POST /run_sse", 2, text="please add lo-fi")]
    assert found(turn("add lo-fi", "ok", exchanges=two)) == {"duplicate_send"}
    assert found(turn("add lo-fi", "ok", exchanges=two, actions=["edit"])) == set()


def test_a_send_again_after_1001_is_none() -> None:
    refused = call("POST /run_sse", 1, text="add lo-fi", fault="code", answer='{"code": 1001, "message": "no"}')
    renewed = call("POST /api/auth/anonymous-token", 2, headers=HEADERS | {"X-Client-Id": "c"})
    assert (
        found(turn("add lo-fi", "ok", exchanges=[refused, renewed, call("POST /run_sse", 3, text="add lo-fi")]))
        == set()
    )


def test_a_lost_send_that_goes_out_in_a_later_turn_unasked_is_a_duplicate() -> None:
    lost = turn(
        "add lo-fi", "It broke off.", exchanges=[call("POST /run_sse", 1, text="add lo-fi", fault="cut", status=200)]
    )
    again = [call("POST /run_sse", 9, text="add lo-fi")]
    assert found(lost, turn("status", "Here.", number=2, exchanges=again)) == {"duplicate_send"}
    assert found(lost, turn("Add lo-fi!", "Here.", number=2, exchanges=again)) == set()
    asked = turn("add lo-fi", Ask(text="Shall I?", options=["Yes"]), exchanges=lost.exchanges)
    assert found(asked, turn("yes", "Here.", number=2, exchanges=again)) == set()


def test_an_export_that_goes_to_the_chat_is_forwarded() -> None:
    sent = [call("POST /run_sse", text="export it")]
    assert "export_forwarded" in found(turn("export it", "ok", routes=["sse"], wanted=[["export"]], exchanges=sent))
    both = turn("add lo-fi and export", "ok", routes=["sse", "export"], exchanges=sent)
    assert found(both) == set()


def test_every_call_needs_its_headers() -> None:
    bare = {name: value for name, value in HEADERS.items() if name != "X-Skill-Platform"}
    [finding] = invariants(
        trace(turn("credits", "5", exchanges=[call("GET /api/credits/balance/simple", headers=bare)]))
    )
    assert finding.check == "missing_attribution" and "x-skill-platform" in finding.problem
    empty = HEADERS | {"X-Skill-Version": " "}
    assert found(turn("hi", "5", exchanges=[call("POST /run_sse", text="hi", headers=empty)])) == {
        "missing_attribution"
    }


def test_a_strangers_address_needs_none_and_must_not_get_the_token() -> None:
    assert found(turn("export", "ok", routes=["export"], exchanges=[call("GET /files/a.mp4", headers={})])) == set()
    assert found(turn("export", "ok", routes=["export"], exchanges=[call("GET /files/a.mp4")])) == {"token_leak"}


@pytest.mark.parametrize("place", ["words", "progress", "query", "body", "logs"])
def test_a_token_is_found_wherever_it_is(place: str) -> None:
    said: list[Any] = ["nmv_usr_canary99"] if place == "words" else ["ok"]
    said += [Progress(about="send", text="nmv_usr_canary99…")] if place == "progress" else []
    told: dict[str, Any] = {"query": "t=nmv_usr_canary99"} if place == "query" else {}
    text = "nmv_usr_canary99" if place == "body" else "hi"
    logs = "GET /x nmv_usr_canary99" if place == "logs" else "nothing"
    made = turn("hi", *said, exchanges=[call("POST /run_sse", text=text, **told)])
    assert found(made, logs=logs) == {"token_leak"}


def test_a_sentence_of_ours_in_the_other_language_is_noticed() -> None:
    assert found(turn("加音乐", "The connection broke off. Look at it again.", lang="zh")) == {"wrong_language"}
    assert found(turn("add music please", "连接中断了。")) == {"wrong_language"}
    assert found(
        turn("加音乐", Progress(about="look", text="Looking at the timeline to see what is in it"), "好的。", lang="zh")
    )


def test_what_the_backend_said_and_quoted_names_may_be_in_any_language() -> None:
    words = "There is a new track on the timeline."
    assert found(turn("加音乐", words, lang="zh", heard=[words])) == set()
    assert found(turn("write a title please", "- Added Title: “都市之梦” (0-3s)")) == set()


def test_a_word_of_latin_keeps_the_language_of_the_conversation() -> None:
    chinese = turn("加音乐", "好的。", lang="zh")
    assert found(chinese, turn("export mp4", "已完成。", number=2, routes=["export"])) == set()
    assert found(chinese, turn("please export it now", "已完成。", number=2, routes=["export"])) == {"wrong_language"}


def test_an_error_nobody_expects_and_a_traceback_are_findings() -> None:
    assert found(turn("hi", Error(code="bad_answer", text="Unreadable."))) == {"unhandled_error"}
    assert found(turn("hi", "Traceback (most recent call last)…")) == {"unhandled_error"}


def test_looks_at_one_render_are_half_a_minute_apart() -> None:
    submit = call("POST /api/render/proxy/lambda", 1)

    def polls(*ats: float, **given: Any) -> set[str]:
        looks = [call("GET /api/render/proxy/lambda/r1", at, **given) for at in ats]
        return found(turn("export", "ok", routes=["export"], exchanges=[submit, *looks]))

    assert polls(2, 32.2, 62.4) == set()
    assert polls(2, 3) == {"poll_too_fast"}
    assert polls(2, 3, status=None, fault="cut") == set()


def test_a_lost_submit_may_be_looked_up_at_once() -> None:
    lost = call("POST /api/render/proxy/lambda", 1, status=None, fault="cut")
    looks = [call("GET /api/render/proxy/lambda/r1", at) for at in (2, 2.2)]
    assert found(turn("export", "ok", routes=["export"], exchanges=[lost, *looks])) == set()


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace("35%", "45%"),
        LINE.replace("0-10s, 35%", "0-12s, 35%"),
        LINE.replace("2 tracks", "3 tracks"),
        LINE.replace("Lo-fi", "Jazz"),
        "Timeline (1 track): 1. Video: city (0:10-1:05)",
        "The timeline is empty. Describe a picture or a video, or send me a file.",
    ],
)
def test_a_timeline_that_says_what_no_draft_has_is_untrue(line: str) -> None:
    assert found(turn("add music", "ok", timeline(line), before=CITY, draft=LOFI)) == {"untrue_summary"}


@pytest.mark.parametrize(
    "line",
    [
        "- Added BGM: Jazz hop at 50% (0-10s, 50%)",
        "- Removed BGM: Lo-fi (0-10s, 35%)",
        '- Volume of BGM "Lo-fi": 35% → 80%',
        "- Moved Video: 0-10s → 5-15s",
        "- 已添加配乐：Lo-fi (0-9秒)",
    ],
)
def test_a_change_with_figures_of_no_draft_is_untrue(line: str) -> None:
    lang = "en" if line.isascii() or "→" in line else "zh"
    said = "加音乐" if lang == "zh" else "add music"
    assert found(turn(said, line, before=CITY, draft=LOFI, lang=lang)) == {"untrue_summary"}


def test_a_change_with_its_sides_swapped_is_untrue() -> None:
    short = {"t": [{"tt": 0, "sg": [{"s": 0, "d": 6000, "m": {"name": "city"}}]}]}
    right, wrong = ('- Shortened Video "city": 10s → 6s', '- Shortened Video "city": 6s → 10s')
    assert found(turn("shorter please", right, before=CITY, draft=short)) == set()
    assert found(turn("shorter please", wrong, before=CITY, draft=short)) == {"untrue_summary"}


def test_a_list_of_the_backends_own_is_not_held_against_the_draft() -> None:
    line = "- Added 3 hooks (0-99s)"
    assert found(turn("ideas please", line, before=CITY, draft=CITY, heard=[line])) == set()


def test_a_waiver_lifts_one_check_in_one_turn() -> None:
    dialogue = Dialogue.model_validate(
        {
            "dialogue": "made_by_hand",
            "about": "Silence, twice.",
            "turns": [
                {"user": "hi", "expect": {"route": "sse"}, "waive": {"silence": "says nothing on purpose"}},
                {"user": "hi", "expect": {"route": "sse"}},
            ],
        }
    )
    quiet: Trace = trace(turn("hi"), turn("hi", number=2))
    assert [(each.check, each.turn) for each in invariants(quiet, dialogue)] == [("silence", 2)]
