"""What stands before the backend on a stage: it answers where a script says so, and breaks what the backend answers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from evals.acts import EFFECTS, Act, Code
from evals.faults import Fault, Record
from evals.faulty import FaultyTransport
from evals.script import CONTROL, PAGE, Book, opens

__all__ = ["Front", "ScriptedWire"]

SEND, SUBMIT = "/run_sse", "/api/render/proxy/lambda"
OURS = b"$token"
"""What in the backend's words stands for the token that it was asked with."""
BLOCKED = Code(code=402, message="the plan does not allow exports")
_JOB = re.compile(r"/api/render/proxy/(?:lambda/)?([^/]+)(?:/\w+)?")

Receive = Callable[[], Any]
Send = Callable[[dict[str, Any]], Any]


class Broken(RuntimeError):
    """The connection is to break here."""


class Front:
    """An ASGI app around the studio's. `die` is called where the agent's process is to die."""

    def __init__(self, app: Any, book: Callable[[], Book], latency: Callable[[], float], *, exports: bool) -> None:
        self._app, self._book, self._latency, self._exports = app, book, latency, exports
        self.die: Callable[[], None] = lambda: None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        book, record = self._book(), scope["record"]
        method, path = scope["method"], scope["path"]
        await asyncio.sleep(self._latency())
        acts = book.peek(method, path)
        if path == SEND and (acts is None or opens(acts) is None):
            await self._app(scope, receive, self._stream(record, receive, send))
            return
        acts = book.take(method, path) or ()
        if not self._exports and (method, path) == ("POST", SUBMIT) and not acts:
            acts = (Act("code", BLOCKED),)
        await self._acted(_Request(scope, receive, send, record), book, acts)

    async def _acted(self, request: _Request, book: Book, acts: Sequence[Act]) -> None:
        answered = False
        for act in acts:
            request.record.struck.append(str(act))
            book.acts.append(str(act))
            if act.name == "wait":
                await book.clock.sleep(act.value)
            elif act.name == "kill":
                self.die()
            elif act.name in EFFECTS:
                book.change(act, await request.session())
            else:
                await self._answer(request, book, act)
                answered = True
        if not answered:
            await self._app(request.scope, request.again, request.send)

    async def _answer(self, request: _Request, book: Book, act: Act) -> None:
        if act.name == "code":
            await request.answer(200, *_coded(act.value))
        elif act.name == "status":
            _, *more = _coded(act.value)
            await request.answer(act.value.code, b'{"detail":"out of order"}', *more)
        elif act.name == "html":
            await request.answer(act.value, PAGE, "text/html")
        elif act.name == "fail":
            await self._fail(request, book, act.value)
        else:  # cut, end, hang, garble: the work is done, the answer does not arrive whole
            messages = await request.serve(self._app)
            await self._damaged(request, act.name, messages)

    async def _fail(self, request: _Request, book: Book, why: str) -> None:
        """A submitted job has failed by the next look; one that is looked at has failed already."""
        found = _JOB.fullmatch(request.scope["path"])
        if name := found[1] if found and found[1] != "lambda" else None:
            _failed(book, name, why)
        messages = await request.serve(self._app)
        if name is None:
            _failed(book, json.loads(await request.body() or b"{}").get("id", ""), why)
        for message in messages:
            await request.send(message)

    async def _damaged(self, request: _Request, how: str, messages: list[dict[str, Any]]) -> None:
        if how == "hang":
            await asyncio.Event().wait()
        body = b"".join(message.get("body", b"") for message in messages)
        half = body[: len(body) // 2]
        if how == "garble":
            body = half[:-1] + b"\xff\xfe{" + body[len(half) + 2 : -1]
            head = messages[0] | {"headers": _sized(messages[0]["headers"], len(body))}
            await request.send(head)
            await request.send({"type": "http.response.body", "body": body})
            return
        await request.send(messages[0])
        await request.send({"type": "http.response.body", "body": half, "more_body": how == "cut"})
        if how == "cut":
            raise Broken

    def _stream(self, record: Record, receive: Receive, send: Send) -> Send:
        """Passes a stream on until a word to the wire says otherwise."""
        silent = False

        async def passed(message: dict[str, Any]) -> None:
            nonlocal silent
            word = message.get("body", b"")
            if not word.startswith(CONTROL):
                if not silent:
                    token = record.headers.get("authorization", "").removeprefix("Bearer ").encode()
                    await send(message | ({"body": word.replace(OURS, token)} if OURS in word else {}))
                return
            name = word.removeprefix(CONTROL).decode()
            record.struck.append(name)
            if name == "kill":
                await asyncio.sleep(0.05)  # What was said before has been read by then.
                self.die()
            elif name == "cut":
                raise Broken
            elif name == "end":
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            silent = silent or name in ("hang", "end")

        return passed


class _Request:
    """A request whose body is read once and may be read again."""

    def __init__(self, scope: dict[str, Any], receive: Receive, send: Send, record: Record) -> None:
        self.scope, self.record = scope, record
        self._send, self._receive = send, receive
        self._messages: list[dict[str, Any]] | None = None

    async def send(self, message: dict[str, Any]) -> None:
        """Passes the app's answer on. Unlike the studio, the cloud does not say when to look again."""
        if message["type"] == "http.response.start":
            message = message | {"headers": [each for each in message["headers"] if each[0] != b"retry-after"]}
        await self._send(message)

    async def body(self) -> bytes:
        """All of it."""
        if self._messages is None:
            self._messages = []
            while True:
                message = await self._receive()
                self._messages.append(message)
                if message["type"] != "http.request" or not message.get("more_body", False):
                    break
        return b"".join(message.get("body", b"") for message in self._messages)

    async def session(self) -> str:
        """The session it is about; "" where it says none."""
        if found := re.search(r"/me/(ses_\w+)", self.scope["path"]):
            return found[1]
        try:
            sent = json.loads(await self.body() or b"{}")
        except ValueError:
            return ""
        return str(sent.get("session_id") or sent.get("sessionId") or "") if isinstance(sent, dict) else ""

    async def again(self) -> dict[str, Any]:
        """For the app: what was read before, then the rest."""
        if self._messages:
            return self._messages.pop(0)
        message: dict[str, Any] = await self._receive()
        return message

    async def serve(self, app: Any) -> list[dict[str, Any]]:
        """What the app answers, held back."""
        messages: list[dict[str, Any]] = []

        async def keep(message: dict[str, Any]) -> None:
            messages.append(message)

        await self.body()
        kept = list(self._messages or ())
        await app(self.scope, self.again, keep)
        self._messages = kept
        return messages

    async def answer(self, status: int, content: bytes, kind: str, *more: tuple[bytes, bytes]) -> None:
        """An answer of our own; the request is read to its end first, as a server does."""
        await self.body()
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(content)).encode()), *more]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": content})


class ScriptedWire(FaultyTransport):
    """Refuses connections where a script says so."""

    def __init__(self, app: Front, book: Callable[[], Book]) -> None:
        super().__init__(app)
        self.front, self._book = app, book
        self._next: Fault | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        book, method, path = self._book(), request.method, request.url.path
        acts = book.peek(method, path)
        if acts is None or opens(acts) != "refuse":
            return await super().handle_async_request(request)
        for act in book.take(method, path) or ():
            book.acts.append(str(act))
            if act.name == "wait":
                await book.clock.sleep(act.value)
        self._next, number = Fault(method, path, "reset", "connect"), len(self.records)
        try:
            return await super().handle_async_request(request)
        finally:
            self.records[number].struck.append("refuse")

    def _fault(self, request: httpx.Request) -> Fault | None:
        fault, self._next = self._next, None
        return fault


def _coded(told: Code) -> tuple[Any, ...]:
    body: dict[str, Any] = {"code": told.code, "message": told.message or f"code {told.code}"}
    if told.bind:
        body["user_id"] = told.bind
    later = () if told.retry_after is None else ((b"retry-after", str(round(told.retry_after)).encode()),)
    return json.dumps(body).encode(), "application/json", *later


def _failed(book: Book, name: str, why: str) -> None:
    with book.store.write() as db:
        db.execute("UPDATE jobs SET status = 'failed', message = ?, lease_until = 0 WHERE id = ?", (why, name))


def _sized(headers: Sequence[tuple[bytes, bytes]], size: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*kept, (b"content-length", str(size).encode())]
