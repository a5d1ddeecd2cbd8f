from __future__ import annotations

import httpx
import pytest
from httpx_sse import EventSource
from hypothesis import given
from hypothesis import strategies as st

from agent.backend.lines import Lines, Payload


def read(data: bytes, *cuts: int, cap: int = 1000) -> list[Payload]:
    lines, found, at = Lines(cap), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += lines.feed(data[at:cut])
        at = cut
    return found + lines.close()


def test_each_event_is_one_payload() -> None:
    assert read(b'data: {"a":1}\n\ndata: {"b":2}\n\n') == [Payload('{"a":1}'), Payload('{"b":2}')]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_in_any_of_the_three_ways(end: bytes) -> None:
    assert read(end.join([b"data: a", b"data: b", b"", b"data: c", b"", b""])) == [Payload("a\nb"), Payload("c")]


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c"])
def test_nothing_else_ends_a_line(odd: str) -> None:
    assert read(f"data: a{odd}b\n\n".encode()) == [Payload(f"a{odd}b")]


def test_a_byte_order_mark_does_not_lose_the_first_event() -> None:
    data = b"\xef\xbb\xbfdata: a\n\n"
    assert read(data) == read(data, 1) == read(data, 2) == [Payload("a")]


def test_a_last_event_without_a_blank_line_is_told_as_broken_off() -> None:
    assert read(b"data: a\n\ndata: b") == [Payload("a"), Payload("b", ended=False)]
    assert read(b"data: a\n\ndata: b\n") == [Payload("a"), Payload("b", ended=False)]


def test_comments_and_empty_data_are_signs_of_life() -> None:
    assert read(b": ping\n\ndata:\n\ndata\n\nevent: heartbeat\n\n") == [
        Payload(""),
        Payload(""),
        Payload(""),
        Payload("", "heartbeat"),
    ]


def test_ids_retries_and_further_blank_lines_make_no_events() -> None:
    assert read(b"id: 1\ndata: a\n\n\n\nretry: 5\n\nid: 2\n\n") == [Payload("a")]


def test_the_name_of_an_event_is_kept() -> None:
    assert read(b"event: error\ndata: boom\n\n") == [Payload("boom", "error")]


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert read(b"data: a\xff\xe4\n\n") == [Payload("a\ufffd\ufffd")]


def test_a_line_past_the_cap_is_dropped_and_the_next_event_is_heard() -> None:
    lines = Lines(cap=20)
    assert lines.feed(b"data: " + b"x" * 50) == []
    assert lines.feed(b"y" * 50 + b"\n\ndata: b\n\n") == [Payload("b")]
    assert lines.dropped == 1


def test_an_event_of_many_lines_past_the_cap_is_dropped() -> None:
    lines = Lines(cap=20)
    assert lines.feed(b"data: xxxxxxx\n" * 9 + b"\ndata: b\n\n") == [Payload("b")]
    assert lines.dropped == 1


def test_sixteen_mebibytes_in_small_pieces_take_no_noticeable_time() -> None:
    lines, piece = Lines(), b"x" * 4096
    lines.feed(b"data: ")
    for _ in range(4000):
        assert lines.feed(piece) == []
    (payload,) = lines.feed(b"\n\n")
    assert len(payload.data) == 4000 * 4096


stream_like = st.lists(
    st.sampled_from([b"data: ", b"data:", b"\r", b"\n", b"\r\n", b"\n\n", b": ping", b"id: 1", b"event: x"])
    | st.binary(max_size=6)
    | st.sampled_from(["é\u2028", "未来", "😀", "\ufeff"]).map(str.encode),
    max_size=30,
).map(b"".join)


@given(stream_like, st.data())
def test_any_split_gives_the_same_payloads(data: bytes, choose: st.DataObject) -> None:
    cuts = choose.draw(st.lists(st.integers(0, len(data)), max_size=6))
    assert read(data, *cuts, cap=24) == read(data, cap=24) == read(data, *range(len(data)), cap=24)


def test_a_line_of_many_pieces_past_the_cap_is_never_held() -> None:
    lines = Lines(cap=1000)
    for _ in range(1000):
        assert lines.feed(b"x" * 100) == []
    assert lines.feed(b"\n\n") == lines.close() == []
    assert (lines.dropped, lines.stray) == (1, "")


def test_an_event_of_many_small_lines_past_the_cap_is_not_held_either() -> None:
    lines = Lines(cap=1000)
    assert lines.feed(b"data: xy\n" * 1000 + b"\ndata: b\n\n") == [Payload("b")]
    assert lines.dropped == 1


@pytest.mark.parametrize("body", ['{"code":1001,\n"message":"no"}', "<!DOCTYPE html>\n<html>", "Bad gateway"])
def test_a_body_that_is_no_stream_is_kept_for_whoever_must_know_why(body: str) -> None:
    lines = Lines()
    assert lines.feed(body.encode()) + lines.close() == []
    assert lines.stray.strip() == body


@pytest.mark.parametrize("start", [b"data: a\n\n", b": hi\n", b"id: 1\n\n", b"retry: 5\n", b"\n\nevent: x\n"])
def test_a_stream_with_odd_lines_later_on_is_a_stream(start: bytes) -> None:
    lines = Lines()
    lines.feed(start + b"Traceback: x\n\n")
    assert lines.stray == ""


plain = st.lists(
    st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=12), min_size=1
)


@given(
    st.lists(st.tuples(st.sampled_from(["", "x", "error"]), plain), max_size=6), st.sampled_from(["\n", "\r\n", "\r"])
)
def test_where_httpx_sse_is_right_it_reads_the_same(events: list[tuple[str, list[str]]], end: str) -> None:
    written = [[f"event: {name}"] * bool(name) + [f"data: {line}" for line in lines] for name, lines in events]
    data = "".join(end.join([*lines, "", ""]) for lines in written).encode()
    response = httpx.Response(200, headers={"content-type": "text/event-stream; charset=utf-8"}, content=data)
    assert read(data, len(data) // 2) == [Payload(sse.data, sse.event) for sse in EventSource(response).iter_sse()]
