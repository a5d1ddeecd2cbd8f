"""A host in front of the fake cloud, and somebody who asks at one of its doors."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from fake_nemo import CITY, MUSIC, FakeNemo, JumpingClock, edit, say
from world import World

from agent.serve import Options, application
from agent.serve.door import Host
from agent.skills import load_skill

__all__ = ["EXPORT", "GENERATE", "PIXEL", "ROOT", "Client", "StillClock", "gated", "makes", "serving", "sse"]

ROOT = "http://127.0.0.1:8765"
GENERATE, EXPORT = "generate a futuristic city at night", "export it"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class StillClock(JumpingClock):
    """What comes round by itself never does."""

    async def sleep(self, seconds: float) -> None:
        if seconds >= 30:
            await asyncio.Event().wait()
        await super().sleep(seconds)


@dataclass
class Client:
    """Somebody who asks."""

    http: httpx.AsyncClient
    host: Host
    nemo: FakeNemo

    async def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        """The headers are written with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, json=body, headers=named)

    async def key(self, user: str) -> str:
        """What a request of this user's is authorized with."""
        return f"Bearer {await self.host.keys.add(user, user, '2026-01-01T00:00:00+00:00')}"


def serving(world: World, scenario: Callable[[Client], Awaitable[Any]], **options: Any) -> Any:
    """Runs `scenario` with a host in front of the fake cloud."""

    async def work() -> Any:
        skill = load_skill("generator-image")
        app = application(world.settings(), skill, Options(**options), clock=StillClock(), transport=world.nemo)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=ROOT) as http:
                return await scenario(Client(http, app.state.host, world.nemo))

    return asyncio.run(work())


def makes(world: World) -> None:
    """The cloud makes a city at the first message and music at the second."""
    world.nemo.scripts.extend([[edit(CITY), say("Here is [your] city.")], [edit(MUSIC), say("Music added.")]])


def gated(world: World) -> tuple[asyncio.Event, asyncio.Event]:
    """The cloud begins a city and finishes it when it may: (it has begun, it may finish)."""
    begun, may = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await may.wait()

    world.nemo.scripts.append([edit(CITY), say("Here is "), lambda _: wait(), say("your city.")])  # type: ignore[list-item,return-value]
    return begun, may


def sse(response: httpx.Response) -> list[dict[str, Any]]:
    """The JSON of every event of a stream."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
