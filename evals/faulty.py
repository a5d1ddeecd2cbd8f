"""An ASGI app behind a wire that breaks on cue: in one process, streaming as it goes, every request written down.

`httpx.ASGITransport` collects a whole answer before it gives any of it out, so that neither a heartbeat nor a cut in
the middle can be seen through it. Here the body reaches the client while the app still runs, the app hears when the
client is gone, and a Fault says at which byte of which request what goes wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

import httpx

from evals.faults import Fault, Kind, Pace, Record, Where

__all__ = ["Fault", "FaultyTransport", "Kind", "Pace", "Record", "Where"]

MOST_KEPT = 1 << 20
"""Bytes of a request's body that are written down; more would be copied over and over."""

App = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Any]


class FaultyTransport(httpx.AsyncBaseTransport):
    """Drives `app`. `faults` may be changed at any time; `records` is everything asked so far."""

    def __init__(self, app: App, faults: Sequence[Fault] = (), pace: Pace | None = None) -> None:
        self._app = app
        self.faults, self.pace = list(faults), pace or Pace()
        self.records: list[Record] = []
        self.on_stop: Callable[[], object] = lambda: None
        self._counts: dict[Fault, int] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request, with at most one fault."""
        loop = asyncio.get_running_loop()
        record = Record(loop.time(), request.method, request.url.path, fault=self._fault(request))
        record.headers, record.query = dict(request.headers), request.url.query.decode()
        self.records.append(record)
        await asyncio.sleep(0)
        exchange = _Exchange(self, request, record)
        try:
            return await exchange.begin()
        except BaseException:
            exchange.gone.set()
            raise
        finally:
            record.ended = loop.time()

    def start(self, work: Any) -> None:
        """Runs the app for one request, whoever goes on listening."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def run_app(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> Any:
        """The app's own coroutine for a request."""
        return self._app(scope, receive, send)

    async def aclose(self) -> None:
        """Ends what the app still does."""
        tasks = tuple(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _fault(self, request: httpx.Request) -> Fault | None:
        struck = None
        for fault in self.faults:
            if fnmatchcase(request.method, fault.method) and fnmatchcase(request.url.path, fault.path):
                count = self._counts[fault] = self._counts.get(fault, 0) + 1
                if fault.nth <= count < fault.nth + fault.times:
                    struck = struck or fault
        return struck


class _Exchange:
    """One request and its answer."""

    def __init__(self, wire: FaultyTransport, request: httpx.Request, record: Record) -> None:
        self.wire, self.request, self.record, self.fault = wire, request, record, record.fault
        self.gone = asyncio.Event()
        """The client has left."""
        self.measured = False
        """Whether the answer said how long it would be, so that the client notices an early end."""
        self.out: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._patience: dict[str, float | None] = request.extensions.get("timeout", {})

    async def begin(self) -> httpx.Response:
        """Headers, with a body still to come. Raises what httpx would."""
        if self._struck("connect"):
            if self.record.fault and self.record.fault.kind == "reply":
                return self._instead()
            await self._break(httpx.ConnectError("refused"), "connect")
        if not self._struck("swallowed"):
            self.wire.start(self._serve())
        await self._send_request()
        if self._struck("swallowed"):
            await self._break(httpx.ReadError("reset by peer"), "read")
        self.record.reached = True
        if self._struck("answer"):
            await self._until_done()
            if self.fault and self.fault.kind == "reply":
                return self._instead()
            await self._break(httpx.RemoteProtocolError("Server disconnected without sending a response."), "read")
        head = await self.wait(self.out.get(), "read")
        if head is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        self.record.status = head["status"]
        self.measured = any(name == b"content-length" for name, _ in head["headers"])
        return httpx.Response(head["status"], headers=head["headers"], stream=_Body(self), request=self.request)

    async def wait(self, waited: Any, patience: str) -> Any:
        """The result, or httpx's timeout."""
        kinds = {"connect": httpx.ConnectTimeout, "write": httpx.WriteTimeout, "read": httpx.ReadTimeout}
        try:
            async with asyncio.timeout(self._patience.get(patience)):
                return await waited
        except TimeoutError:
            raise kinds[patience](patience, request=self.request) from None

    async def stall(self, patience: str) -> None:
        """Nothing more, until the client gives up or a person does."""
        if self.fault and self.fault.kind == "stop":
            asyncio.get_running_loop().call_soon(self.wire.on_stop)
        await self.wait(asyncio.Event().wait(), patience)

    def _struck(self, where: Where) -> bool:
        return self.fault is not None and self.fault.where == where

    async def _break(self, error: Exception, patience: str) -> None:
        if self.fault and self.fault.kind in ("hang", "stop"):
            await self.stall(patience)
        raise error

    def _instead(self) -> httpx.Response:
        assert self.fault
        self.record.status, self.record.answer = self.fault.status, self.fault.content
        headers = {"content-type": self.fault.type}
        stream = httpx.ByteStream(self.fault.content)
        return httpx.Response(self.fault.status, headers=headers, stream=stream, request=self.request)

    async def _send_request(self) -> None:
        assert isinstance(self.request.stream, httpx.AsyncByteStream)
        left = self.fault.at if self.fault and self._struck("request") else None
        async for piece in self.request.stream:
            if left is not None and len(piece) >= left:
                self._pass_on(piece[:left])
                await asyncio.sleep(0)
                await self._break(httpx.WriteError("broken pipe"), "write")
            left = None if left is None else left - len(piece)
            self._pass_on(piece)
            await asyncio.sleep(0)
        self._in.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    def _pass_on(self, piece: bytes) -> None:
        if len(self.record.body) < MOST_KEPT:
            self.record.body += piece
        self._in.put_nowait({"type": "http.request", "body": piece, "more_body": True})

    async def _until_done(self) -> None:
        """The app has answered everything; a stream's reader had left before its first byte."""
        head = await self.wait(self.out.get(), "read")
        kind = dict(head["headers"] if head else []).get(b"content-type", b"")
        if not kind.startswith(b"text/event-stream"):
            while await self.out.get() is not None:
                pass

    # The app's side

    async def _serve(self) -> None:
        url = self.request.url
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},  # as uvicorn: a send after the end is dropped
            "http_version": "1.1",
            "method": self.request.method,
            "headers": [(name.lower(), value) for name, value in self.request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 50_000),
            "root_path": "",
            "record": self.record,
        }
        with suppress(Exception):  # A crash of the app is a broken connection, as it is behind a server.
            await self.wire.run_app(scope, self._receive, self._send)
            return
        self.out.put_nowait(None)

    async def _receive(self) -> dict[str, Any]:
        tasks = [asyncio.ensure_future(self._in.get()), asyncio.ensure_future(self.gone.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return tasks[0].result() if tasks[0].done() else {"type": "http.disconnect"}  # type: ignore[return-value]
        finally:
            for task in tasks:
                task.cancel()

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.out.put_nowait(message)
            return
        if piece := message.get("body", b""):
            self.record.pieces.append(len(piece))
            self.out.put_nowait({"body": piece})
        if not message.get("more_body", False):
            self.out.put_nowait({"end": True})
            self.out.put_nowait(None)


class _Body(httpx.AsyncByteStream):
    """An answer as it is made, recut to the wire's pace and broken where the fault says."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange, self._given, self._turn = exchange, 0, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        fault = self._exchange.fault if self._exchange.fault and self._exchange.fault.where == "body" else None
        async for piece in self._paced():
            end = self._given + len(piece)
            if fault is None or not self._given <= fault.at < end:
                yield self._give(piece)
            elif fault.kind in ("garble", "repeat"):
                spot = fault.at - self._given
                mangled = piece[:spot] + b"\xff" + piece[spot + 1 :] if fault.kind == "garble" else piece + piece
                yield self._give(mangled, len(piece))
            else:
                if before := piece[: fault.at - self._given]:
                    yield self._give(before)
                await self._broken(fault)
                return
        if fault is not None and fault.at >= self._given and fault.kind not in ("garble", "repeat"):
            await self._broken(fault)  # All of it came, and then no end.

    async def aclose(self) -> None:
        """The client is done, or has had enough."""
        self._exchange.record.ended = asyncio.get_running_loop().time()
        self._exchange.gone.set()

    async def _broken(self, fault: Fault) -> None:
        self._exchange.gone.set()
        if fault.kind in ("hang", "stop"):
            await self._exchange.stall("read")
        if fault.kind == "reset":
            raise httpx.ReadError("reset by peer")
        if self._exchange.measured:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    async def _paced(self) -> AsyncIterator[bytes]:
        pace = self._exchange.wire.pace
        async for whole in self._made():
            while whole:
                size = pace.sizes[self._turn % len(pace.sizes)] if pace.sizes else len(whole)
                self._turn += 1
                piece, whole = whole[:size], whole[size:]
                await asyncio.sleep(pace.delay)
                yield piece

    async def _made(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._exchange.wait(self._exchange.out.get(), "read")
            if message is None:
                raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
            piece = message.get("body", b"")
            while self._exchange.wire.pace.join and "end" not in message and not self._exchange.out.empty():
                if (message := self._exchange.out.get_nowait()) is None:
                    self._exchange.out.put_nowait(None)  # The break comes after what was ready before it.
                    break
                piece += message.get("body", b"")
            if piece:
                yield piece
            if message is not None and "end" in message:
                return

    def _give(self, piece: bytes, count: int | None = None) -> bytes:
        self._given += len(piece) if count is None else count
        self._exchange.record.answer += piece
        return piece
