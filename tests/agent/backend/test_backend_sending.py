from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.backend import Ended, Failed, Heartbeat, Said
from agent.backend import sending as room
from agent.errors import (
    ApiError,
    BackendError,
    BadAnswer,
    OutOfCredits,
    SessionGone,
    StreamLost,
    TokenRejected,
    Unreachable,
)

HELLO = b'data: {"type":"text","content":"Hello."}\n\n'
BEAT = b'data: {"type":"heartbeat"}\n\n'


def test_a_send_is_one_post_with_the_documents_body_and_headers(wire: Any, canary: str) -> None:
    wire.on("POST", "/run_sse", wire.stream(HELLO))
    events = wire.run(wire.heard(wire.backend(), "add lo-fi 音乐"))
    assert events == [Said(0, "Hello."), Said(0, "", final=True), Ended(complete=True)]
    assert wire.paths() == ["/api/auth/anonymous-token", "/run_sse"]
    assert json.loads(wire.bodies[1]) == {
        "app_name": "nemo_agent",
        "user_id": "me",
        "session_id": "s1",
        "new_message": {"parts": [{"text": "add lo-fi 音乐"}]},
    }
    headers = wire.requests[1].headers
    assert headers["authorization"] == f"Bearer {canary}"
    assert headers["accept"] == "text/event-stream"
    assert headers["content-type"] == "application/json"
    assert headers["x-skill-source"] == "generator-image"


def test_a_lone_surrogate_never_reaches_the_server(wire: Any) -> None:
    wire.on("POST", "/run_sse", wire.stream(HELLO))
    wire.run(wire.heard(wire.backend(), "a\ud83d b\ud83d\ude00"))
    assert json.loads(wire.bodies[1])["new_message"] == {"parts": [{"text": "a\ufffd b😀"}]}


@pytest.mark.parametrize("error", [httpx.ReadError("x"), httpx.RemoteProtocolError("x"), OSError("x")])
def test_a_stream_that_breaks_off_is_lost_after_what_it_said(wire: Any, error: Exception) -> None:
    wire.on("POST", "/run_sse", wire.stream(HELLO, error))
    seen: list[Any] = []

    async def listen() -> None:
        async for event in wire.backend().send("s1", "hi"):
            seen.append(event)

    with pytest.raises(StreamLost):
        wire.run(listen())
    assert seen == [Said(0, "Hello.")]
    assert wire.paths().count("/run_sse") == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("x"), Unreachable),
        (httpx.ConnectTimeout("x"), Unreachable),
        (httpx.PoolTimeout("x"), Unreachable),
        (httpx.WriteError("x"), StreamLost),
        (httpx.ReadTimeout("x"), StreamLost),
        (httpx.RemoteProtocolError("x"), StreamLost),
    ],
)
def test_whether_anything_was_sent_decides_what_an_error_is_and_none_is_sent_again(
    wire: Any, error: Exception, kind: type[BackendError]
) -> None:
    wire.on("POST", "/run_sse", error)
    with pytest.raises(kind):
        wire.run(wire.heard(wire.backend()))
    assert wire.paths().count("/run_sse") == 1


@pytest.mark.parametrize(
    ("reply", "kind", "status"),
    [
        (httpx.Response(200, json={"code": 2001, "message": "empty"}), OutOfCredits, 200),
        (httpx.Response(404, json={"detail": "Session not found: s1"}), SessionGone, 404),
        (httpx.Response(422, json={"detail": [{"msg": "x"}]}), ApiError, 422),
        (httpx.Response(403, text="<html>no</html>"), ApiError, 403),
        (httpx.Response(502, text="<html>Bad gateway</html>"), BadAnswer, 502),
        (httpx.Response(500, text="Internal Server Error"), BadAnswer, 500),
        (httpx.Response(200, json={"code": 0}), BadAnswer, 200),
        (httpx.Response(200, html="<html>log in</html>"), BadAnswer, 200),
    ],
)
def test_an_answer_that_is_no_stream_is_no_lost_connection(
    wire: Any, reply: httpx.Response, kind: type[BackendError], status: int
) -> None:
    wire.on("POST", "/run_sse", reply)
    with pytest.raises(kind) as caught:
        wire.run(wire.heard(wire.backend()))
    error = caught.value
    assert (error.status if isinstance(error, ApiError) else error.values["status"]) == status
    assert wire.paths().count("/run_sse") == 1


@pytest.mark.parametrize("kind", ["text/event-stream", "TEXT/EVENT-STREAM; charset=gbk", ""])
def test_a_stream_is_told_by_its_type_and_read_as_utf8_whatever_it_claims(wire: Any, kind: str) -> None:
    made = wire.stream('data: {"type":"text","content":"你好"}\n\n'.encode())
    made.headers["content-type"] = kind
    wire.on("POST", "/run_sse", made)
    assert wire.run(wire.heard(wire.backend()))[0] == Said(0, "你好")


def test_a_refused_token_of_ours_is_renewed_and_the_same_words_are_sent(wire: Any) -> None:
    wire.on("POST", "/api/auth/anonymous-token", wire.ok(token="nmv_usr_old"), wire.ok(token="nmv_usr_new"))
    wire.on("POST", "/run_sse", wire.refused(1001), wire.stream(HELLO))
    assert wire.run(wire.heard(wire.backend()))[0] == Said(0, "Hello.")
    sent = [r.headers["authorization"] for r in wire.requests if r.url.path == "/run_sse"]
    assert sent == ["Bearer nmv_usr_old", "Bearer nmv_usr_new"]


def test_a_token_refused_twice_is_told(wire: Any) -> None:
    wire.on("POST", "/api/auth/anonymous-token", wire.ok(token="a"), wire.ok(token="b"))
    wire.on("POST", "/run_sse", wire.refused(1001))
    with pytest.raises(TokenRejected) as caught:
        wire.run(wire.heard(wire.backend()))
    assert caught.value.reason == ""
    assert wire.paths().count("/run_sse") == 2


def test_ten_minutes_of_nothing_is_a_lost_stream(wire: Any) -> None:
    wire.on("POST", "/run_sse", wire.stream(100.0, HELLO, 601.0, HELLO))

    async def listen() -> float:
        with pytest.raises(StreamLost):
            await wire.heard(wire.backend())
        return asyncio.get_running_loop().time()

    assert wire.run(listen()) == pytest.approx(700, abs=1)


def test_ten_minutes_of_nothing_but_heartbeats_is_a_lost_stream(wire: Any) -> None:
    wire.on("POST", "/run_sse", wire.stream(*[100.0, HELLO], *[30.0, BEAT, 30.0, b": ping\n\n"] * 20))
    seen: list[Any] = []

    async def listen() -> float:
        with pytest.raises(StreamLost):
            async for event in wire.backend().send("s1", "hi"):
                seen.append(event)
        return asyncio.get_running_loop().time()

    assert wire.run(listen()) == pytest.approx(700, abs=1)
    assert seen.count(Heartbeat()) >= 18


def test_fifteen_minutes_are_all_a_send_gets_however_busy_it_is(wire: Any) -> None:
    wire.on("POST", "/run_sse", wire.stream(*[60.0, HELLO] * 20))

    async def listen() -> float:
        with pytest.raises(StreamLost):
            await wire.heard(wire.backend())
        return asyncio.get_running_loop().time()

    assert wire.run(listen()) == pytest.approx(900, abs=1)


def test_headers_that_never_come_are_a_lost_stream(wire: Any) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(1e6)
        raise AssertionError

    async def listen() -> float:
        transport = httpx.MockTransport(never)
        async with httpx.AsyncClient(transport=transport) as http:
            request = http.build_request("POST", "https://backend.test/run_sse")
            with pytest.raises(StreamLost):
                await room.open_stream(http, request, httpx.Auth(), wire.clock.now(), str)
        return asyncio.get_running_loop().time()

    assert wire.run(listen()) == pytest.approx(600, abs=1)


def test_listening_stops_at_a_failure_and_lets_go_of_the_connection(wire: Any) -> None:
    reply = wire.stream(b'data: {"error":"boom"}\n\n', HELLO, 1e6)
    wire.on("POST", "/run_sse", reply)
    assert wire.run(wire.heard(wire.backend())) == [Failed("boom"), Ended(complete=False)]
    assert reply.stream.closed


def test_whoever_stops_listening_early_closes_the_connection(wire: Any) -> None:
    reply = wire.stream(HELLO, 1e6)
    wire.on("POST", "/run_sse", reply)

    async def first() -> Any:
        async with aclosing(wire.backend().send("s1", "hi")) as events:
            return await anext(events)

    assert wire.run(first()) == Said(0, "Hello.")
    assert reply.stream.closed


def test_a_token_in_the_backends_words_is_taken_out(wire: Any, canary: str) -> None:
    said = f'data: {{"type":"text","content":"your token is {canary}"}}\n\n'.encode()
    wire.on("POST", "/run_sse", wire.stream(said, f'data: {{"error":"bad {canary}"}}\n\n'.encode()))
    events = wire.run(wire.heard(wire.backend()))
    assert canary not in str(events)
    assert Said(0, "your token is [token]") in events


@given(
    st.integers(200, 599),
    st.sampled_from(["text/event-stream", "application/json", "text/html", "", "x"]),
    st.binary(max_size=60) | st.sampled_from([b'{"code":1}', b"[]", b'{"code":"x"}', b'{"detail":1}', HELLO]),
)
def test_whatever_a_server_answers_no_error_is_outside_the_tree(status: int, kind: str, body: bytes) -> None:
    async def serve(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"content-type": kind}, content=body)

    async def listen() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as http:
            request = http.build_request("POST", "https://backend.test/run_sse")
            try:
                response = await room.open_stream(http, request, httpx.Auth(), datetime.now(UTC), str)
                assert [e async for e in room.listen(response, asyncio.get_running_loop().time(), str)]
            except BackendError:
                pass

    asyncio.run(listen())
