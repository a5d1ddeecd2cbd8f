"""A backend made of canned replies, on a loop whose time jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from agent.backend import Attribution, Backend, Credentials
from agent.backend.transport import Client

CANARY = "nmv_usr_canary0123456789"
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class _Jumping(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits and no timer is set"
            self.skipped += max(0.0, timeout)
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """Nobody waits for anything: when all are asleep, it is the moment at which the first one wakes."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.skipped


class LoopClock:
    """Dates that go with the jumping loop; what was slept is written down."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds)


class Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces: bytes, seconds of silence, or an error to break off with."""

    def __init__(self, *pieces: bytes | float | Exception) -> None:
        self.pieces = pieces
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, bytes):
                yield piece
            else:
                await asyncio.sleep(piece)

    async def aclose(self) -> None:
        self.closed = True


Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Wire:
    """What the backend answers, and everything that went over the wire."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = LoopClock()
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self._replies: dict[tuple[str, str], list[Reply]] = {}
        self.on("POST", "/api/auth/anonymous-token", self.ok(token=CANARY))

    @staticmethod
    def ok(**data: Any) -> httpx.Response:
        return httpx.Response(200, json={"code": 0, "data": data})

    @staticmethod
    def refused(code: int, message: str = "no", status: int = 200) -> httpx.Response:
        return httpx.Response(status, json={"code": code, "message": message})

    @staticmethod
    def stream(*pieces: bytes | float | Exception) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream; charset=utf-8"}, stream=Pieces(*pieces))

    def on(self, method: str, path: str, *replies: Reply) -> None:
        """What to answer, one after the other; the last one goes on."""
        self._replies[method, path] = list(replies)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(await request.aread())
        waiting = self._replies[request.method, request.url.path]
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(reply, Exception):
            raise reply
        if callable(reply):
            return reply(request)
        if isinstance(reply.stream, Pieces):
            return httpx.Response(reply.status_code, headers=reply.headers, stream=reply.stream)
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    def paths(self, method: str = "") -> list[str]:
        return [r.url.path for r in self.requests if method in ("", r.method)]

    def credentials(self, **choices: Any) -> Credentials:
        return Credentials("nemo", self.folder / "kept", self.folder / "config" / "client_id", **choices)

    def backend(self, credentials: Credentials | None = None, *, supplied: str | None = None) -> Backend:
        own = SecretStr(supplied) if supplied else None
        http = Client(transport=httpx.MockTransport(self.handle))
        return Backend(
            "https://backend.test",
            http,
            credentials or self.credentials(supplied=own),
            Attribution("generator-image", "1.0.0", "unknown"),
            self.clock,
        )

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            return runner.run(coroutine)

    async def heard(self, backend: Backend, text: str = "hello") -> list[Any]:
        return [event async for event in backend.send("s1", text)]


@pytest.fixture
def wire(tmp_path: Path) -> Wire:
    return Wire(tmp_path)


@pytest.fixture
def canary() -> str:
    return CANARY


@pytest.fixture
def adk() -> Callable[[Iterable[dict[str, Any]]], bytes]:
    """Events as the ADK server writes them."""
    import json

    def write(events: Iterable[dict[str, Any]]) -> bytes:
        return b"".join(f"data: {json.dumps(e, ensure_ascii=False)}\n\n".encode() for e in events)

    return write
