"""The whole way from a response to what may be shown, through the client."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from agent.backend import Ended, Said, stream
from agent.errors import BackendError, BadAnswer, OutOfCredits, SessionGone, StreamLost

HELLO = b'data: {"type":"text","content":"Hello."}\n\n'


def collect(wire: Any, reply: httpx.Response) -> tuple[list[Any], BackendError | None]:
    wire.on("POST", "/run_sse", reply)
    seen: list[Any] = []

    async def listen() -> BackendError | None:
        try:
            async for event in wire.backend().send("s1", "hi"):
                seen.append(event)
        except BackendError as error:
            return error
        return None

    error = wire.run(listen())
    assert wire.paths().count("/run_sse") == 1
    return seen, error


@pytest.mark.parametrize("kind", ["text/event-stream", ""])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"code":2001,"message":"empty"}', OutOfCredits),
        (b'{\n  "code": 2001,\n  "message": "empty"\n}\n', OutOfCredits),
        (b'{"code":1002}', SessionGone),
        (b"<html>\n<body>log in</body></html>", BadAnswer),
        (b"upstream connect error", BadAnswer),
        (b'{"code":0}', BadAnswer),
    ],
)
def test_an_answer_that_calls_itself_a_stream_and_is_none_is_no_silent_edit(
    wire: Any, kind: str, body: bytes, expected: type[BackendError]
) -> None:
    reply = wire.stream(body[:5], body[5:])
    reply.headers["content-type"] = kind
    seen, error = collect(wire, reply)
    assert seen == []
    assert type(error) is expected


def test_a_line_too_large_to_hold_is_told_after_everything_else_was_heard(wire: Any) -> None:
    picture = [b'data: {"author":"a","content":"', *[b"x" * 1_000_000] * 17, b'"}\n\n']
    seen, error = collect(wire, wire.stream(HELLO, *picture, HELLO))
    assert seen == [Said(0, "Hello."), Said(0, "Hello.")]
    assert isinstance(error, StreamLost)
    assert str(error) == "too large"


def test_more_words_than_anybody_reads_are_a_lost_stream(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST_TEXT", 20)
    seen, error = collect(wire, wire.stream(*[HELLO] * 9))
    assert seen == [Said(0, "Hello.")] * 3
    assert isinstance(error, StreamLost)


@pytest.mark.parametrize("cut", [1, 5, 12, 20])
def test_a_token_between_two_pieces_never_reaches_the_screen(wire: Any, canary: str, cut: int) -> None:
    halves = [f'data: {{"type":"text","content":"{half}"}}\n\n'.encode() for half in (canary[:cut], canary[cut:])]
    seen, error = collect(wire, wire.stream(*halves))
    assert error is None
    assert "".join(event.text for event in seen if isinstance(event, Said)) == "[token]"
    assert seen[-1] == Ended(complete=True)


def test_letters_that_were_held_back_are_shown_when_the_stream_is_cut(wire: Any) -> None:
    seen, error = collect(wire, wire.stream(b'data: {"type":"text","content":"I am in"}\n\n', httpx.ReadError("x")))
    assert "".join(event.text for event in seen) == "I am in"
    assert isinstance(error, StreamLost)
