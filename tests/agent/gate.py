"""A host in this process, in front of the fake cloud, as whoever comes to its gate sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from fake_nemo import FakeNemo, JumpingClock
from starlette.applications import Starlette

from agent.serve import Options, application
from agent.serve.door import Host
from agent.settings import Settings
from agent.skills import load_skill

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763606050fa0f000105"
    "00c1b0d6a1c90000000049454e44ae426082"
)
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(200)
BASE = "http://127.0.0.1:8765"


class QuietClock(JumpingClock):
    """What looks after the host in the background waits for ever."""

    async def sleep(self, seconds: float) -> None:
        if seconds >= 30:
            await asyncio.Event().wait()
        await super().sleep(seconds)


@dataclass
class Gate:
    """One running host."""

    app: Starlette
    client: httpx.AsyncClient
    nemo: FakeNemo
    clock: QuietClock
    folder: Path
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> Host:
        host: Host = self.app.state.host
        return host

    def key(self, user: str) -> dict[str, str]:
        """The header that makes a request this user's."""
        return {"Authorization": f"Bearer {self.keys[user]}"}

    async def add(self, user: str, *, gateway: bool = False) -> None:
        self.keys[user] = await self.host.keys.add(user, user, "2026-01-01", gateway=gateway)

    async def upload(self, name: str, data: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> httpx.Response:
        return await self.client.post("/v1/files", files={"file": (name, data)}, headers=dict(headers))

    def turn(self, thread: str, text: str, **more: Any) -> Awaitable[httpx.Response]:
        headers = more.pop("headers", {})
        body = {"thread": thread, "text": text, **more}
        return self.client.post("/v1/turns", json=body, headers=headers)


@asynccontextmanager
async def gate(
    folder: Path, options: Options | None = None, users: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> AsyncIterator[Gate]:
    nemo, clock = FakeNemo(), QuietClock()
    said = {"XDG_CONFIG_HOME": str(folder / "config"), "NEMO_API_URL": "http://nemo.test", **(environ or {})}
    settings = Settings.load(home=folder / "home", exports=folder / "exports", lang="en", environ=said)
    app = application(settings, load_skill("generator-image"), options, clock=clock, transport=nemo)
    async with app.router.lifespan_context(app):
        # What the host does with an exception is what a client sees; it is not raised here.
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.9", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            found = Gate(app, client, nemo, clock, folder)
            for user in users:
                await found.add(user)
            yield found


def at_gate(
    folder: Path,
    scenario: Callable[[Gate], Awaitable[Any]],
    options: Options | None = None,
    users: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Any:
    """Runs `scenario` at a new host's gate."""

    async def run() -> Any:
        async with gate(folder, options, users, environ) as found:
            async with asyncio.timeout(30):
                return await scenario(found)

    return asyncio.run(run())


class Caller:
    """One request piece by piece: a body that comes slowly, an answer that is read while it is made."""

    def __init__(self, gate: Gate, method: str, path: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        whole = {"host": "127.0.0.1:8765", **headers}
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in whole.items()],
            "client": ("203.0.113.9", 4711),
            "server": ("127.0.0.1", 8765),
            "app": gate.app,
        }
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.taken = 0
        """Messages that the host has asked for."""
        self.task = asyncio.create_task(gate.app(self.scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        message = await self._in.get()
        self.taken += 1
        return message

    async def _send(self, message: Any) -> None:
        self._out.put_nowait(message)

    def give(self, piece: bytes, *, more: bool = False) -> None:
        self._in.put_nowait({"type": "http.request", "body": piece, "more_body": more})

    def leave(self) -> None:
        self._in.put_nowait({"type": "http.disconnect"})

    async def status(self) -> int:
        """The status of the answer, as soon as it begins."""
        return int((await self._out.get())["status"])

    async def body(self) -> bytes:
        """The rest of the answer."""
        await self.task
        return b"".join(self._out.get_nowait().get("body", b"") for _ in range(self._out.qsize()))
