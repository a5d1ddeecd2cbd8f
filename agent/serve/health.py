"""What machines ask of a host: is it up, can it take turns, and its numbers."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.errors import Busy
from agent.house import House
from agent.serve.door import Host
from agent.serve.metrics import CONTENT_TYPE_LATEST, Metrics

__all__ = ["ROUTES", "Readiness"]

log = logging.getLogger("reelchat.health")
LIMIT_S = 5.0
"""What does not answer by then is missing."""
GOOD_FOR_S = 2.0
"""Whoever asks more often gets the same answer: asking is open to strangers."""


@dataclass
class Readiness:
    """What a house needs to take a turn, looked at no oftener than every other second."""

    house: House
    _missing: list[str] = field(default_factory=list)
    _at: float = float("-inf")
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def missing(self) -> list[str]:
        """Which of store, leases and backend can't be reached."""
        async with self._one:
            if time.monotonic() - self._at >= GOOD_FOR_S:
                found = await asyncio.gather(*(self._lacks(name) for name in ("store", "leases", "backend")))
                self._missing, self._at = [name for name in found if name], time.monotonic()
        return self._missing

    async def _lacks(self, name: str) -> str:
        try:
            async with asyncio.timeout(LIMIT_S):
                await getattr(self, f"_{name}")()
        except Exception as error:
            log.warning("%s can't be reached: %s", name, error)
            return name
        return ""

    async def _store(self) -> None:
        await self.house.keep.alive()

    async def _leases(self) -> None:
        try:
            async with self.house.keep.leases.hold("reelchat-ready"):
                pass
        except Busy:
            pass  # Somebody else asks the same.

    async def _backend(self) -> None:
        """Whether somebody listens there; the embedded studio is started by the first turn."""
        if url := self.house.settings.base_url:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            _, writer = await asyncio.open_connection(parts.hostname, port)
            writer.close()


async def healthz(request: Request) -> Response:
    """Up."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Able to take turns; 503 with what is missing where it is not."""
    host = Host.of(request)
    readiness: Readiness = request.app.state.readiness
    missing = ["draining"] if host.turns.draining else await readiness.missing()
    body = {"status": "not ready", "missing": missing} if missing else {"status": "ready"}
    return JSONResponse(body, 503 if missing else 200, {"Cache-Control": "no-store"})


async def metrics(request: Request) -> Response:
    """The numbers; the guard asks for a key where there are keys."""
    found: Metrics = request.app.state.metrics
    found.turns_live.set(Host.of(request).turns.live)
    page = await asyncio.to_thread(found.exposed)
    return Response(page, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


ROUTES = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
