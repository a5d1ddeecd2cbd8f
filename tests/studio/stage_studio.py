"""The studio in one process for tests: a clock that waits to be moved, and workers that only pretend."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from studio.app import build
from studio.director import Director
from studio.options import Options
from studio.queue import Queue
from studio.store import Store
from studio.stream import Planner
from studio.workers import WorkerFailed

HEADERS = {"X-Skill-Source": "generator-image", "X-Skill-Version": "1.0", "X-Skill-Platform": "test"}


class HandClock:
    """Time stands still until `advance`."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)
        self.timers: list[tuple[datetime, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        timer = asyncio.get_running_loop().create_future()
        self.timers.append((self.at + timedelta(seconds=seconds), timer))
        await timer

    def jump(self, seconds: float) -> None:
        """Later, without waking anybody."""
        self.at += timedelta(seconds=seconds)

    async def advance(self, seconds: float) -> None:
        end = self.at + timedelta(seconds=seconds)
        await breathe()
        while due := [timer for timer in self.timers if timer[0] <= end]:
            first = min(due, key=lambda timer: timer[0])
            self.timers.remove(first)
            self.at = max(self.at, first[0])
            if not first[1].done():
                first[1].set_result(None)
            await breathe()
        self.at = end


async def breathe() -> None:
    """Lets everything that can run, run."""
    for _ in range(30):
        await asyncio.sleep(0)


@dataclass
class FakeWorkers:
    """Drawer and runner. `gate` holds jobs back while it is set to an event that is not."""

    gate: asyncio.Event | None = None
    fail: WorkerFailed | None = None
    drawn: list[str] = field(default_factory=list)
    ran: list[Mapping[str, Any]] = field(default_factory=list)
    stopped: int = 0

    async def draw(self, prompt: str, seed: int, width: int, height: int, out: Path) -> dict[str, Any]:
        await self._wait()
        self.drawn.append(prompt)
        return {"width": width, "height": height, "kind": "scene", "label": prompt}

    async def probe(self, path: Path, name: str) -> dict[str, Any]:
        await self._wait()
        if path.suffix == ".wav":
            return {"kind": "audio", "mime": "audio/wav", "duration_ms": 12_000, "ext": "wav"}
        return {"kind": "image", "mime": "image/png", "width": 4, "height": 3, "duration_ms": 0, "fps": 0, "ext": "png"}

    async def run(self, spec: Mapping[str, Any], step: Any, limit_s: float = 0) -> dict[str, Any]:
        self.ran.append(spec)
        step(0.5, "compose")
        try:
            await self._wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        _film(spec["out"])
        return {"size": 10, "duration_ms": 10_000, "width": 1920, "height": 1080}

    async def _wait(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail


def _film(out: str) -> None:
    Path(out).write_bytes(b"0123456789")


@dataclass
class Stage:
    """One studio and a client that talks to it."""

    app: Starlette
    store: Store
    queue: Queue
    clock: HandClock
    workers: FakeWorkers
    http: httpx.AsyncClient
    session: str = ""

    async def join(self, client: str = "client-1", language: str = "en") -> None:
        """A token and a session for everything that follows."""
        answer = await self.http.post("/api/auth/anonymous-token", headers={"X-Client-Id": client})
        self.http.headers["Authorization"] = f"Bearer {answer.json()['data']['token']}"
        path = "/api/tasks/me/with-session/nemo_agent"
        answer = await self.http.post(path, json={"task_name": "project", "language": language})
        self.session = answer.json()["data"]["session_id"]

    async def send(self, text: str, session: str = "") -> httpx.Response:
        parts = {"parts": [{"text": text}]}
        body = {"app_name": "nemo_agent", "user_id": "me", "session_id": session or self.session, "new_message": parts}
        return await self.http.post("/run_sse", content=json.dumps(body))

    async def say(self, text: str) -> str:
        """What the person would read."""
        return " ".join(part["text"] for event in events(await self.send(text)) for part in texts(event))

    async def state(self) -> dict[str, Any]:
        answer = await self.http.get(f"/api/state/nemo_agent/me/{self.session}/latest")
        state: dict[str, Any] = answer.json()["data"]["state"]
        return state

    async def timeline(self) -> list[tuple[str, str, int, int]]:
        """(track, name, start, end) of every segment."""
        tracks = (await self.state())["draft"]["t"]
        return [(t["m"]["name"], s["m"]["name"], s["s"], s["s"] + s["d"]) for t in tracks for s in t["sg"]]

    async def credits(self) -> tuple[int, int, int]:
        data = (await self.http.get("/api/credits/balance/simple")).json()["data"]
        return data["available"], data["frozen"], data["total"]

    async def submit(self, job: str = "render_1", **change: Any) -> httpx.Response:
        draft = (await self.state())["draft"]
        body = {"id": job, "sessionId": self.session, "draft": draft, "output": {"format": "mp4", "quality": "high"}}
        return await self.http.post("/api/render/proxy/lambda", json=body | change)

    async def poll(self, job: str = "render_1") -> httpx.Response:
        return await self.http.get(f"/api/render/proxy/lambda/{job}")


def events(response: httpx.Response) -> list[dict[str, Any]]:
    """The JSON events of a stream; heartbeats left out."""
    assert response.headers["content-type"].startswith("text/event-stream"), response.text
    frames = [frame.removeprefix("data:").strip() for frame in response.text.split("\n\n")]
    return [json.loads(frame) for frame in frames if frame]


def texts(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Text parts that count: the wholes."""
    if event.get("partial"):
        return []
    return [part for part in event.get("content", {}).get("parts", []) if "text" in part]


@asynccontextmanager
async def stage(
    folder: Path, *, planner: Planner | None = None, work: bool = False, **options: Any
) -> AsyncIterator[Stage]:
    """A studio on a fresh or used folder, no silent edits unless asked for."""
    clock, workers = HandClock(), FakeWorkers()
    chosen = Options(**{"silent_rate": 0.0, "pace": 0.0} | options)
    store = Store(folder, clock=clock)
    queue = Queue(store, workers, clock)
    app = build(store, planner or Director(workers, store.media, chosen), queue, chosen, drawer=workers, clock=clock)
    working = asyncio.create_task(queue.work()) if work else None
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://studio", headers=HEADERS) as http:
        try:
            yield Stage(app, store, queue, clock, workers, http)
        finally:
            await app.state.turns.cancel()
            if working:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
            store.close()
