"""The wire that breaks on cue: what a client sees, what the app sees, and what is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from evals.clock import run
from evals.faulty import Fault, FaultyTransport, Pace

URL = "http://stage.test/x"


class App:
    """Says three words, ten seconds apart, and keeps books."""

    def __init__(self, measured: bool = False) -> None:
        self.asked = b""
        self.left = False
        self.measured = measured

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        while (message := await receive())["type"] == "http.request":
            self.asked += message["body"]
            if not message["more_body"]:
                break
        else:
            self.left = True
            return
        headers = [(b"content-type", b"text/plain")] + ([(b"content-length", b"11")] if self.measured else [])
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, word in enumerate((b"one ", b"two ", b"six")):
            await asyncio.sleep(10 if number else 0)
            await send({"type": "http.response.body", "body": word, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        self.left = (await receive())["type"] == "http.disconnect"


def fetch(
    *faults: Fault, app: App | None = None, pace: Pace | None = None, timeout: float | None = None
) -> tuple[list[tuple[float, bytes]], Exception | None, FaultyTransport]:
    """Pieces with the time of their coming, the error at the end, and the wire."""

    async def scene() -> tuple[list[tuple[float, bytes]], Exception | None, FaultyTransport]:
        wire = FaultyTransport(app or App(), faults, pace)
        came: list[tuple[float, bytes]] = []
        broke = None
        async with httpx.AsyncClient(transport=wire, timeout=timeout) as http:
            try:
                async with http.stream("POST", URL, content=b"hello") as response:
                    async for piece in response.aiter_raw():
                        came.append((asyncio.get_running_loop().time(), piece))
            except httpx.HTTPError as error:
                broke = error
            await asyncio.sleep(100)
        return came, broke, wire

    return run(scene())


def fault(kind: str, where: str, at: int = 0) -> Fault:
    return Fault("POST", "/x", kind, where, at=at)  # type: ignore[arg-type]


def test_the_body_arrives_while_the_app_still_runs() -> None:
    came, broke, wire = fetch()
    assert came == [(0, b"one "), (10, b"two "), (20, b"six")]
    assert broke is None
    assert [(r.method, r.path, r.body, r.reached, r.status, r.answer, r.pieces) for r in wire.records] == [
        ("POST", "/x", b"hello", True, 200, b"one two six", [4, 4, 3])
    ]


def test_the_app_hears_that_its_reader_has_left() -> None:
    app = App()
    _, broke, _ = fetch(fault("reset", "body", 5), app=app)
    assert isinstance(broke, httpx.ReadError)
    assert app.left


@pytest.mark.parametrize(
    ("kind", "where", "error", "reached", "asked"),
    [
        ("reset", "connect", httpx.ConnectError, False, b""),
        ("reset", "request", httpx.WriteError, False, b"he"),
        ("reset", "swallowed", httpx.ReadError, False, b""),
        ("reset", "answer", httpx.RemoteProtocolError, True, b"hello"),
        ("hang", "connect", httpx.ConnectTimeout, False, b""),
        ("hang", "request", httpx.WriteTimeout, False, b"he"),
        ("hang", "swallowed", httpx.ReadTimeout, False, b""),
        ("hang", "answer", httpx.ReadTimeout, True, b"hello"),
    ],
)
def test_before_its_headers_a_request_fails_as_on_a_real_wire(
    kind: str, where: str, error: type[Exception], reached: bool, asked: bytes
) -> None:
    app = App()
    came, broke, wire = fetch(fault(kind, where, at=2), app=app, timeout=30)
    assert came == []
    assert type(broke) is error
    assert (wire.records[0].reached, app.asked, wire.records[0].status) == (reached, asked, None)


@pytest.mark.parametrize("at", range(12))
def test_a_reset_comes_after_exactly_so_many_bytes(at: int) -> None:
    came, broke, _ = fetch(fault("reset", "body", at))
    assert b"".join(piece for _, piece in came) == b"one two six"[:at]
    assert isinstance(broke, httpx.ReadError)


def test_silence_in_the_middle_lasts_until_the_clients_own_timeout() -> None:
    came, broke, _ = fetch(fault("hang", "body", 5), timeout=30)
    assert came == [(0, b"one "), (10, b"t")]
    assert isinstance(broke, httpx.ReadTimeout)


def test_an_early_end_is_clean_unless_a_length_was_promised() -> None:
    came, broke, _ = fetch(fault("eof", "body", 5))
    assert (came[-1], broke) == ((10, b"t"), None)
    _, broke, _ = fetch(fault("eof", "body", 5), app=App(measured=True))
    assert isinstance(broke, httpx.RemoteProtocolError)


def test_bytes_are_garbled_repeated_split_and_slowed() -> None:
    assert b"".join(piece for _, piece in fetch(fault("garble", "body", 4))[0]) == b"one \xffwo six"
    assert b"".join(piece for _, piece in fetch(fault("repeat", "body", 4))[0]) == b"one two two six"
    came, _, _ = fetch(pace=Pace((1, 2), 1.0))
    assert came[:3] == [(1, b"o"), (2, b"ne"), (3, b" ")]


def test_somebody_between_answers_in_the_apps_place() -> None:
    app = App()
    came, broke, wire = fetch(fault("reply", "connect"), app=app)
    assert (came[0][1][:6], broke, app.asked) == (b"<html>", None, b"")
    _, _, wire = fetch(fault("reply", "answer"), app=app)
    assert (wire.records[0].status, app.asked) == (502, b"hello")


def test_a_fault_strikes_the_call_it_is_meant_for() -> None:
    async def scene() -> list[int | None]:
        wire = FaultyTransport(App(), [Fault("POST", "/x*", "reply", "connect", nth=2, times=2)])
        async with httpx.AsyncClient(transport=wire) as http:
            for path in ("x1", "y", "x2", "x3", "x4"):
                await http.post(f"http://stage.test/{path}", content=b"", timeout=None)
        return [record.status for record in wire.records]

    assert run(scene()) == [200, 200, 502, 502, 200]
