"""The host as an application: its doors behind one guard, its house open as long as it runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent.errors import Busy
from agent.house import House, open_house
from agent.serve import agui, files, health, native, openai, responses
from agent.serve.collector import collecting
from agent.serve.door import Host, Refused, Unfit, refusal
from agent.serve.guard import Guard
from agent.serve.keys import Keys
from agent.serve.limits import open_limits
from agent.serve.links import Links
from agent.serve.metrics import Metrics
from agent.serve.operating import operated
from agent.serve.options import Options
from agent.serve.turns import Turns
from agent.serve.watch import Watch
from agent.settings import Settings
from agent.skills import Skill

__all__ = ["application"]

log = logging.getLogger("reelchat.host")
_SECRETS = ("reelchat-host", "secrets")


def application(settings: Settings, skill: Skill, options: Options | None = None, **seams: Any) -> Starlette:
    """The host. `seams` go to `open_house`: a clock and a transport for tests."""
    chosen, metrics = options or Options(), Metrics()
    streams: set[asyncio.Task[Any]] = set()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_house(settings, skill, **seams) as house, open_host(house, chosen) as host:
            app.state.host, app.state.readiness = host, health.Readiness(house)
            async with operated(host, metrics):
                yield

    app = Starlette(
        routes=[
            *health.ROUTES,
            *native.ROUTES,
            *files.ROUTES,
            *openai.ROUTES,
            *responses.ROUTES,
            *agui.ROUTES,
        ],
        middleware=[Middleware(Watch, metrics, streams), Middleware(Guard)],
        exception_handlers={
            Refused: _refused,
            Unfit: _unfit,
            Busy: _busy,
            HTTPException: _unknown,
            Exception: _broken,
        },
        lifespan=lifespan,
    )
    app.state.metrics, app.state.streams = metrics, streams
    return app


@contextlib.asynccontextmanager
async def open_host(house: House, options: Options) -> AsyncIterator[Host]:
    """A house with doors; when they close, turns that go on are seen to their end."""
    links = Links(await _secret(house))
    turns = Turns(house, options, links)
    async with open_limits(house.settings, options) as limits:
        host = Host(house.settings, options, house, turns, Keys(house.keep.store), links, limits)
        collector = asyncio.create_task(collecting(host))
        try:
            yield host
        finally:
            collector.cancel()
            await asyncio.gather(collector, return_exceptions=True)
            await turns.drain()


async def _secret(house: House) -> bytes:
    """What links are signed with: made once, by one of the processes that share it."""
    while True:
        if item := await house.keep.store.aget(_SECRETS, "links"):
            return bytes.fromhex(item.value["value"])
        with contextlib.suppress(Busy):
            async with house.keep.leases.hold("reelchat-secret"):
                if not await house.keep.store.aget(_SECRETS, "links"):
                    await house.keep.store.aput(_SECRETS, "links", {"value": secrets.token_hex(32)}, index=False)
        await asyncio.sleep(0)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(request, error)


async def _unfit(request: Request, error: Exception) -> Response:
    """A file that no step could use, in the words that the upload would have had for it."""
    assert isinstance(error, Unfit)
    id = getattr(request.state, "id", "")
    body = {"message": error.event.text, "type": "invalid_request_error", "code": "unsupported_type", "param": "file"}
    return JSONResponse({"error": {**body, "request_id": id}}, 415)


async def _busy(request: Request, error: Exception) -> Response:
    return refusal(request, Refused("conversation_busy", after=2))


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return refusal(request, Refused("method", allowed=(error.headers or {}).get("Allow", "")))
    return refusal(request, Refused("not_found"))


async def _broken(request: Request, error: Exception) -> Response:
    """Whoever asked gets a number; the log has the rest under it."""
    log.error("request %s broke", getattr(request.state, "id", ""), exc_info=error)
    return refusal(request, Refused("internal"))
