"""A backend in the process: the cloud's wire in a few lines, misbehaving as a test asks, counting every write."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

CANARY = "nmv_usr_canary_4711"
CITY = {"tt": 0, "sg": [{"id": "v1", "s": 0, "d": 10000, "m": {"name": "city", "motion": "zoom-in"}}]}
MUSIC = {"tt": 1, "sg": [{"id": "a1", "s": 0, "d": 10000, "m": {"name": "Lo-fi", "volume": 0.35}}]}

Act = Callable[["FakeNemo"], str | bytes | Exception | None]
"""One thing the backend does in a stream: bytes are sent, an exception breaks the connection."""


class JumpingClock:
    """Sleeps at once and remembers for how long; time passes by exactly that."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._now = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(microseconds=1)  # two moments are never the same
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    async def sleep(self, seconds: float) -> None:
        if seconds == 120:  # the "still working" notice of a stream that never waits
            await asyncio.Event().wait()
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def say(text: str) -> Act:
    return lambda nemo: f"data: {json.dumps({'type': 'text', 'content': text})}\n\n"


def edit(*tracks: dict[str, Any]) -> Act:
    def act(nemo: FakeNemo) -> None:
        nemo.draft = {"t": [*nemo.draft["t"], *copy.deepcopy(tracks)]}

    return act


def cut(nemo: FakeNemo) -> Exception:
    return httpx.ReadError("reset by peer")


class FakeNemo(httpx.AsyncBaseTransport):
    """`scripts` has one list of acts a send; `replies` has, for "METHOD path", answers to give before its own."""

    def __init__(self) -> None:
        self.draft: dict[str, Any] = {"t": []}
        self.scripts: deque[list[Act]] = deque()
        self.replies: dict[str, deque[httpx.Response | Exception]] = {}
        self.writes: list[tuple[str, Any]] = []
        self.requests: list[httpx.Request] = []
        self.credits = {"available": 90, "frozen": 0, "total": 100}
        self.renders: dict[str, str] = {}
        self.token = CANARY
        self.session = 0
        self.during: Callable[[], Any] | None = None

    @property
    def sends(self) -> list[str]:
        return [body["new_message"]["parts"][0]["text"] for path, body in self.writes if path == "/run_sse"]

    @property
    def submits(self) -> list[str]:
        return [body["id"] for path, body in self.writes if path == "/api/render/proxy/lambda"]

    def answer(self, call: str, *answers: httpx.Response | Exception) -> None:
        self.replies.setdefault(call, deque()).extend(answers)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        raw = await request.aread()
        self.requests.append(request)
        path = request.url.path
        if request.method == "POST":
            multipart = "multipart" in request.headers.get("content-type", "")
            self.writes.append((path, None if multipart or not raw else json.loads(raw)))
        for pattern, answers in self.replies.items():
            method, _, start = pattern.partition(" ")
            if request.method == method and path.startswith(start) and answers:
                scripted = answers.popleft()
                if isinstance(scripted, Exception):
                    raise scripted
                return scripted
        return self._usual(request, path)

    def _usual(self, request: httpx.Request, path: str) -> httpx.Response:
        if path == "/api/auth/anonymous-token":
            return ok({"token": self.token, "credits": 100})
        if request.headers.get("authorization") not in (f"Bearer {self.token}", None):
            return code(1001)
        if path.startswith("/api/tasks/"):
            self.session += 1
            return ok({"task_id": "t1", "session_id": f"ses-secret-{self.session}", "user_id": "u77"})
        if path.startswith("/api/credits"):
            return ok(self.credits)
        if path.startswith("/api/state"):
            return ok({"state": {"draft": self.draft}})
        if path.startswith("/api/upload"):
            return ok({"files": [{"filename": "a.jpg", "file_type": "image", "width": 64, "height": 48}]})
        if path == "/run_sse":
            acts = self.scripts.popleft() if self.scripts else []
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Stream(self, acts))
        return self._render(request, path)

    def _render(self, request: httpx.Request, path: str) -> httpx.Response:
        if path == "/file.mp4":
            return httpx.Response(200, content=b"movie", headers={"content-length": "5"})
        if request.method == "POST":
            self.renders.setdefault(self.writes[-1][1]["id"], "completed")
            return httpx.Response(200, json={"success": True, "data": {"id": self.writes[-1][1]["id"]}})
        name = path.rpartition("/")[2]
        if name not in self.renders:
            return httpx.Response(404, json={"code": 404, "message": "no such job"})
        output = {"url": "http://files.test/file.mp4"} if self.renders[name] == "completed" else {}
        return httpx.Response(200, json={"id": name, "status": self.renders[name], "output": output})


class Stream(httpx.AsyncByteStream):
    def __init__(self, nemo: FakeNemo, acts: list[Act]) -> None:
        self._nemo, self._acts = nemo, acts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for act in self._acts:
            await asyncio.sleep(0)
            done = act(self._nemo)
            if asyncio.iscoroutine(done):
                done = await done
            if isinstance(done, Exception):
                raise done
            if done:
                yield done.encode() if isinstance(done, str) else done


def ok(data: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"code": 0, "data": data})


def code(number: int, message: str = "no") -> httpx.Response:
    return httpx.Response(200, json={"code": number, "message": message})
