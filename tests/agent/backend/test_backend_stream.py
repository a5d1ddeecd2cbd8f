from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.backend import stream as room
from agent.backend.lines import Lines, Payload
from agent.backend.screen import Screen
from agent.backend.stream import (
    Ended,
    Failed,
    Heartbeat,
    Reconstruction,
    Said,
    StreamEvent,
    ToolEnded,
    ToolStarted,
)

DONE, LOST = Ended(complete=True), Ended(complete=False)


def adk(*parts: dict[str, Any] | str, author: str = "nemo_agent", **fields: Any) -> dict[str, Any]:
    """An event as the ADK server writes it; a plain string is a text part."""
    written = [{"text": part} if isinstance(part, str) else part for part in parts]
    return {"content": {"parts": written, "role": "model"}, "author": author, "id": "same", **fields}


def delta(text: str, **fields: Any) -> dict[str, Any]:
    return adk(text, partial=True, **fields)


def hear(*events: dict[str, Any] | bytes) -> list[StreamEvent]:
    written = [e if isinstance(e, bytes) else f"data: {json.dumps(e, ensure_ascii=False)}\n\n".encode() for e in events]
    return play(b"".join(written))


def play(data: bytes, *cuts: int) -> list[StreamEvent]:
    lines, heard, at, found = Lines(), Reconstruction(), 0, []
    for cut in [*sorted(cuts), len(data)]:
        found += [event for payload in lines.feed(data[at:cut]) for event in heard.feed(payload)]
        at = cut
    found += [event for payload in lines.close() for event in heard.feed(payload)]
    return found + heard.close()


CALL = {"functionCall": {"id": "1", "name": "edit_multitrack", "args": {}}}
RESULT = {"functionResponse": {"id": "1", "name": "edit_multitrack", "response": {}}}


def shown(events: list[StreamEvent]) -> list[str]:
    """What is on the screen at the end, one string a segment."""
    screen: dict[int, str] = {}
    for event in events:
        if isinstance(event, Said):
            before = screen.get(event.segment, "") if event.mode == "append" else ""
            screen[event.segment] = before + event.text
    return [text for _, text in sorted(screen.items()) if text]


def test_deltas_are_shown_and_their_aggregate_says_nothing_twice() -> None:
    assert hear(delta("I will "), delta("add it."), adk("I will add it.", partial=False)) == [
        Said(0, "I will "),
        Said(0, "add it."),
        Said(0, "", final=True),
        DONE,
    ]


def test_an_aggregate_that_goes_on_shows_only_the_rest() -> None:
    assert hear(delta("Added"), adk("Added music.")) == [
        Said(0, "Added"),
        Said(0, " music.", final=True),
        DONE,
    ]


def test_an_aggregate_that_differs_replaces_what_was_shown() -> None:
    assert hear(delta("I thnk"), adk("I think so."))[1:] == [
        Said(0, "I think so.", "replace", final=True),
        DONE,
    ]


def test_an_answer_without_deltas_is_one_final_segment() -> None:
    assert hear(adk("Hello.")) == [Said(0, "Hello.", final=True), DONE]


def test_parts_are_joined_and_thoughts_are_never_shown() -> None:
    thought = {"text": "They want music. ", "thought": True}
    assert hear(delta("hm", author="x") | {"content": {"parts": [thought]}}, adk(thought, "Do", "ne.")) == [
        Said(0, "Done.", final=True),
        DONE,
    ]


def test_the_same_text_twice_is_said_twice() -> None:
    assert shown(hear(adk("Clip added."), adk("Clip added."))) == ["Clip added.", "Clip added."]


def test_events_after_a_final_one_are_heard() -> None:
    assert shown(hear(adk("One.", turnComplete=True), adk("Two."))) == ["One.", "Two."]


def test_text_beside_a_call_is_narration_and_tools_are_told() -> None:
    assert hear(adk("Let me look.", CALL), adk(RESULT, role="user"), adk("Done.")) == [
        Said(0, "Let me look.", final=True),
        ToolStarted("edit_multitrack"),
        ToolEnded("edit_multitrack"),
        Said(1, "Done.", final=True),
        DONE,
    ]


def test_calls_in_deltas_do_not_count() -> None:
    assert hear(adk(CALL, partial=True), adk(CALL)) == [ToolStarted("edit_multitrack"), DONE]


def test_deltas_cut_off_by_a_call_are_confirmed_by_a_later_aggregate() -> None:
    events = hear(delta("Let me look."), adk(CALL), adk("Let me look."), adk("Done."))
    assert events == [
        Said(0, "Let me look."),
        ToolStarted("edit_multitrack"),
        Said(0, "", final=True),
        Said(1, "Done.", final=True),
        DONE,
    ]


def test_an_aggregate_that_covers_both_sides_of_a_call_is_shown_once() -> None:
    events = hear(delta("Looking. "), adk(CALL), delta("Done."), adk("Looking. Done."))
    assert shown(events) == ["Looking. Done."]
    assert events[-1] == DONE


def test_deltas_that_nobody_confirms_make_the_end_incomplete() -> None:
    assert hear(delta("Let me")) == [Said(0, "Let me"), LOST]
    assert hear(delta("Let me"), adk(CALL), adk(RESULT))[-1] == LOST
    assert hear(delta("Let me"), adk(finishReason="STOP"))[-1] == LOST


def test_an_event_without_text_or_calls_leaves_the_deltas_alone() -> None:
    odd = [{"author": "nemo_agent", "content": content} for content in ({}, {"parts": []}, {"parts": [{}]})]
    odd.append({"author": "nemo_agent", "actions": {"stateDelta": {"k": 1}}})
    assert hear(delta("He"), *odd, delta("llo"), adk("Hello")) == [
        Said(0, "He"),
        Said(0, "llo"),
        Said(0, "", final=True),
        DONE,
    ]


def test_authors_and_branches_do_not_mix() -> None:
    events = hear(
        delta("A1 ", author="a"),
        delta("B1 ", author="b"),
        delta("C1 ", author="a", branch="x"),
        adk("A1 A2", author="a"),
        adk("B1 B2", author="b"),
        adk("C1", author="a", branch="x"),
    )
    assert shown(events) == ["A1 A2", "B1 B2", "C1"]
    assert events[-1] == DONE


def test_the_persons_own_message_is_not_shown() -> None:
    assert hear(adk("make a video", author="user"), adk("Sure.")) == [Said(0, "Sure.", final=True), DONE]


def test_an_error_code_on_an_ordinary_event_ends_nothing() -> None:
    event = adk("Half an", errorCode="MAX_TOKENS", errorMessage="too long")
    assert hear(delta("Half an", errorCode="MAX_TOKENS"), event, adk("More."))[-2:] == [
        Said(1, "More.", final=True),
        DONE,
    ]


@pytest.mark.parametrize(
    ("frame", "failure"),
    [
        (
            b'data: {"error":"RuntimeError: boom","error_details":{"error_type":"E"}}\n\n',
            Failed("RuntimeError: boom"),
        ),
        (b'data: {"error":""}\n\n', Failed("")),
        (b'data: {"error": "he said "no" and left"}\n\n', Failed('he said "no" and left')),
        (b'data: {"error": "first line\nsecond line"}\n\n', Failed("first line")),
        (b'data: {"error": {"message":"out","code":2001}}\n\n', Failed("out", 2001)),
        (b'data: {"type":"error","message":"out","code":2001}\n\n', Failed("out", 2001)),
        (b'data: {"code":2001,"message":"out of credits"}\n\n', Failed("out of credits", 2001)),
        (b'data: {"code":"2001","message":"out of credits"}\n\n', Failed("out of credits", 2001)),
        (b"event: error\ndata: it broke\n\n", Failed("it broke")),
        (b'event: error\ndata: {"text":\n\n', Failed("")),
        (b'data: {"error":"' + b"x" * 999 + b'"}\n\n', Failed("x" * 300)),
        (
            b'data: {"author":"system","invocationId":"","content":{"parts":[{"text":"Error: boom"}]}}\n\n',
            Failed("boom"),
        ),
    ],
)
def test_every_servers_way_to_fail_is_understood_and_nothing_after_it_is(frame: bytes, failure: Failed) -> None:
    assert hear(adk("Working."), frame, adk("Done.")) == [Said(0, "Working.", final=True), failure, LOST]


def test_a_failed_tool_is_no_end() -> None:
    assert hear({"type": "tool_result", "name": "x", "error": "no"}, {"type": "text", "content": "Ok."}) == [
        ToolEnded("x"),
        Said(0, "Ok."),
        Said(0, "", final=True),
        DONE,
    ]


def test_the_flat_dialect_is_text_that_goes_on_until_a_tool_or_the_end() -> None:
    assert hear(
        {"type": "text", "content": "I'll add "},
        {"type": "heartbeat"},
        {"type": "text", "content": "music."},
        {"type": "tool_call", "name": "edit_multitrack", "args": {}},
        b"data:\n\n",
        {"type": "tool_result", "name": "edit_multitrack", "result": {}},
        {"type": "text", "content": "Done."},
    ) == [
        Said(0, "I'll add "),
        Heartbeat(),
        Said(0, "music."),
        Said(0, "", final=True),
        ToolStarted("edit_multitrack"),
        Heartbeat(),
        ToolEnded("edit_multitrack"),
        Said(1, "Done."),
        Said(1, "", final=True),
        DONE,
    ]


def test_dialects_are_told_apart_event_by_event() -> None:
    assert shown(hear({"type": "text", "content": "Flat."}, adk("ADK."), adk("x", author="user"))) == [
        "Flat.",
        "ADK.",
    ]


def test_old_servers_snake_case_is_understood() -> None:
    call = {"function_call": {"name": "edit_multitrack"}}
    assert hear(delta("Hm"), adk(call), adk({"function_response": {"name": "edit_multitrack"}})) == [
        Said(0, "Hm"),
        ToolStarted("edit_multitrack"),
        ToolEnded("edit_multitrack"),
        LOST,
    ]


def test_a_stream_that_says_nothing_ends_well() -> None:
    assert hear() == [DONE]
    assert hear(b": ping\n\n", b"data: [DONE]\n\n") == [Heartbeat(), DONE]


def test_what_is_no_event_is_passed_over() -> None:
    assert hear(b"data: not json\n\n", b"data: [1,2]\n\n", b'data: "text"\n\n', adk("Hi.")) == [
        Said(0, "Hi.", final=True),
        DONE,
    ]


def test_a_last_event_without_a_blank_line_counts_when_it_is_whole() -> None:
    assert play(b'data: {"type":"text","content":"Hi"}') == [Said(0, "Hi"), Said(0, "", final=True), DONE]
    assert play(b'data: {"type":"text","cont') == [LOST]


def test_lone_surrogates_never_get_out() -> None:
    events = play(b'data: {"type":"text","content":"a\\ud83d"}\n\n')
    assert events[0] == Said(0, "a\ufffd")


def test_a_pair_cut_in_two_is_mended_by_its_aggregate() -> None:
    half = rb'data: {"author":"a","partial":true,"content":{"parts":[{"text":"%s"}]}}' + b"\n\n"
    events = play(half % rb"\ud83d" + half % rb"\ude00" + half.replace(b"true", b"false") % "😀".encode())
    assert shown(events) == ["😀"]


def test_text_from_every_script_and_every_odd_line_break_arrives_as_it_was() -> None:
    text = "未来の都市\u2028город\u0085😀é"
    assert shown(hear(delta(text[:7]), delta(text[7:]), adk(text))) == [text]


DIALOGUE = b"".join(
    [
        b"\xef\xbb\xbf: hello\r\n\r\n",
        'data: {"type":"text","content":"你好 "}\r\n\r\n'.encode(),
        b"data:\n\n",
        b'data: {"author":"a","partial":true,"content":{"parts":[{"text":"Let me "}]}}\n\n',
        'data: {"author":"a","content":{"parts":[{"text":"Let me 😀\u2028"}]}}\n\n'.encode(),
        b'data: {"author":"a",\ndata: "content":{"parts":[{"functionCall":{"name":"t"}}]}}\n\n',
        b'data: {"type":"tool_result","name":"t"}\r\rdata: {"error":"boom"}',
    ]
)


@given(st.lists(st.integers(0, len(DIALOGUE)), max_size=8))
def test_any_split_of_a_stream_gives_the_same_events(cuts: list[int]) -> None:
    expected = play(DIALOGUE)
    assert [type(e).__name__ for e in expected] == [
        *["Heartbeat", "Said", "Heartbeat", "Said", "Said", "ToolStarted", "Said", "ToolEnded"],
        *["Failed", "Ended"],
    ]
    assert play(DIALOGUE, *cuts) == expected


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    assert play(DIALOGUE, *range(len(DIALOGUE))) == play(DIALOGUE)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "content", "parts", "text", "author", "partial", "error", "name"])
            | st.sampled_from(["functionCall", "functionResponse", "thought", "code", "branch", "message"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(junk, max_size=4))
def test_json_of_any_shape_is_taken_and_the_end_is_always_told(events: list[Any]) -> None:
    heard = play(b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events))
    assert isinstance(heard[-1], Ended)
    str(heard).encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_taken(data: bytes) -> None:
    assert isinstance(play(data)[-1], Ended)
    assert isinstance(play(b"data: " + data + b"\n\n")[-1], Ended)


def test_json_too_deep_to_parse_is_passed_over() -> None:
    assert play(b"data: " + b"[" * 100_000 + b"\n\n") == [DONE]


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=6), st.text(max_size=6))
def test_the_screen_always_ends_with_the_aggregate(pieces: list[str], more: str) -> None:
    whole = "".join(pieces) + more
    events = hear(*(delta(piece) for piece in pieces), adk(whole))
    assert shown(events) == [whole]
    assert events[-1] == DONE


@pytest.mark.parametrize("frame", [{"code": 0}, {"code": 200, "message": "ok"}, {"error": None}, {"type": "done"}])
def test_a_frame_without_news_is_no_failure(frame: dict[str, Any]) -> None:
    assert hear(adk("Done."), frame) == [Said(0, "Done.", final=True), DONE]


def test_a_silent_end_with_a_reason_is_silence() -> None:
    assert hear(adk(CALL), adk(RESULT), adk(errorCode="MODEL_RETURNED_NO_CONTENT"))[-1] == DONE


def test_an_unconfirmed_apology_after_an_answer_does_not_make_the_end_incomplete() -> None:
    assert hear(adk("Done."), delta("I encountered a temporary issue."))[-1] == DONE
    assert hear(delta("I encountered a temporary issue."))[-1] == LOST


def test_words_past_all_measure_are_left_out_and_make_the_end_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_TEXT", 10)
    assert shown(events := hear(adk("12345"), delta("678"), delta("90123"), adk("4"))) == ["12345", "678"]
    assert events[-1] == LOST


def test_segments_past_all_measure_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_SEGMENTS", 3)
    assert shown(hear(*(adk(str(number), author=str(number)) for number in range(9)))) == ["0", "1", "2"]


def test_a_hundred_thousand_deltas_take_no_noticeable_time() -> None:
    heard, payload = Reconstruction(), Payload(json.dumps(delta("word ")))
    for _ in range(100_000):
        heard.feed(payload)
    assert heard.feed(Payload(json.dumps(adk("word " * 100_000)))) == [Said(0, "", final=True)]


# What may reach the screen

TOKEN = "nmv_usr_canary0123456789"


def veiled(*events: dict[str, Any] | bytes) -> list[StreamEvent]:
    def tail(text: str) -> int:
        return max((n for n in range(1, len(TOKEN)) if text.endswith(TOKEN[:n])), default=0)

    screen = Screen(lambda text: text.replace(TOKEN, "[token]"), tail)
    return [shown for event in hear(*events) for shown in screen.show(event)]


def said(events: list[StreamEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Said) and event.text]


@pytest.mark.parametrize("cut", range(1, len(TOKEN)))
def test_a_token_cut_between_two_deltas_is_never_shown(cut: int) -> None:
    whole = f"It is {TOKEN}, keep it."
    parts = whole[: 6 + cut], whole[6 + cut :]
    flat = [{"type": "text", "content": part} for part in parts]
    for events in (veiled(*map(delta, parts), adk(whole)), veiled(*flat), veiled(adk(*parts))):
        assert "".join(said(events)) == "It is [token], keep it."
        assert events[-1] == DONE


def test_a_token_one_letter_at_a_time_or_spelled_in_escapes_is_never_shown() -> None:
    assert "".join(said(veiled(*({"type": "text", "content": letter} for letter in f"a{TOKEN}b")))) == "a[token]b"
    spelled = "".join(f"\\u{ord(letter):04x}" for letter in TOKEN)
    assert said(veiled(f'data: {{"type":"text","content":"{spelled}"}}\n\n'.encode())) == ["[token]"]


def test_most_of_a_token_is_not_shown_even_when_the_rest_never_comes() -> None:
    assert said(veiled({"type": "text", "content": f"It is {TOKEN[:-1]}"})) == ["It is ", "[token]"]
    assert said(veiled(delta(f"It is {TOKEN[:14]}"), adk(CALL), delta(TOKEN[14:]))) == ["It is ", TOKEN[14:], "[token]"]


def test_what_only_begins_like_a_token_is_shown_when_its_segment_ends() -> None:
    assert said(veiled({"type": "text", "content": "Hang on"}, {"type": "text", "content": " now"})) == [
        "Hang o",
        "n now",
    ]
    assert said(veiled(delta("I am in"), adk("I am in"))) == ["I am i", "n"]


def test_a_token_in_a_failure_or_in_the_name_of_a_tool_is_taken_out() -> None:
    events = veiled({"type": "tool_call", "name": TOKEN}, {"error": f"bad {TOKEN}"})
    assert events == [ToolStarted("[token]"), Failed("bad [token]"), LOST]


SORRY = "I encountered a temporary issue. Please try again."


@pytest.mark.parametrize(
    "events",
    [
        [adk("Music added."), adk(SORRY)],
        [adk("Music added."), delta("I encoun"), delta("tered a temporary issue"), delta("."), adk(SORRY)],
        [adk("Music added."), delta(SORRY)],
        [adk("Music added."), adk(SORRY), adk(SORRY)],
        [adk(f"Music added.\n\n{SORRY}")],
        [adk("Music added.", author="a"), adk(SORRY, author="b")],
        [{"type": "text", "content": "Music added."}, {"type": "text", "content": SORRY}],
        [{"type": "text", "content": f"Music added. {SORRY}"}],
        [*({"type": "text", "content": letter} for letter in f"Music added. {SORRY}")],
        [adk(CALL), adk(RESULT), adk("Music added."), adk(SORRY, errorCode="UNKNOWN")],
    ],
)
def test_an_apology_after_an_answer_is_not_shown_and_no_failure(events: list[dict[str, Any]]) -> None:
    heard = veiled(*events)
    assert "".join(said(heard)).strip() == "Music added."
    assert not any(isinstance(event, Failed) for event in heard)
    assert heard[-1] == DONE


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([adk(SORRY)], SORRY),
        ([adk("Let me look.", CALL), adk(RESULT), adk(SORRY)], f"Let me look.{SORRY}"),
        ([adk("One."), adk(SORRY), adk("It works.")], f"One.{SORRY}It works."),
        ([adk("One."), adk(SORRY), adk(CALL), adk(RESULT)], f"One.{SORRY}"),
        ([adk(f"One. I encountered a temporary issue {'that is long ' * 30}")], None),
        ([adk("You said: I encountered a temporary issue")], "You said: I encountered a temporary issue"),
        ([adk("Done. I enc")], "Done. I enc"),
        ([adk("Done."), {"type": "text", "content": "I"}], "Done.I"),
    ],
)
def test_an_apology_that_is_the_answer_or_a_part_of_it_is_shown(
    events: list[dict[str, Any]], words: str | None
) -> None:
    text = "".join(said(veiled(*events)))
    assert text == words if words else text.count("that is long ") == 30


@given(st.lists(st.text(max_size=5) | st.sampled_from([TOKEN, TOKEN[:9], "I enc", "I encountered a temporary issue"])))
def test_letters_are_held_back_but_never_lost(pieces: list[str]) -> None:
    text = "".join(pieces)
    heard = "".join(said(veiled(*map(delta, pieces), adk(text or "x"), adk(CALL))))
    assert TOKEN not in heard
    assert heard == (text or "x").replace(TOKEN, "[token]") or "nmv_" in text


def test_events_with_one_line_break_between_them_are_as_many_events() -> None:
    assert hear(b'data: {"type":"text","content":"Hi "}\ndata: {"type":"text","content":"you"}\n') == [
        Said(0, "Hi "),
        Said(0, "you"),
        Said(0, "", final=True),
        DONE,
    ]
    assert hear(b'data: {"error":"a"}\ndata: {"error":"b"}\n\n') == [Failed("a"), LOST]


@pytest.mark.parametrize(
    "frame", [b'event: ping\ndata: {"at":1}\n\n', b"data: heartbeat\n\n", b'data: {"type":"keepalive"}\n\n', b":\n\n"]
)
def test_a_sign_of_life_says_nothing_whatever_it_looks_like(frame: bytes) -> None:
    assert hear(frame) == [Heartbeat(), DONE]
    lines, heard = Lines(), Reconstruction()
    for payload in lines.feed(frame):
        heard.feed(payload)
    assert heard.heard == 0
