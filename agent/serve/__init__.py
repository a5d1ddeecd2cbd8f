"""The host: the same turns as in the terminal, over HTTP on this machine."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator

import uvicorn
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agent.logs import install
from agent.settings import Settings
from agent.skills import Skill
from agent.turn import Agent, open_agent, turn

__all__ = ["application", "run"]


class TurnRequest(BaseModel):
    """The body of `POST /v1/turns`."""

    model_config = ConfigDict(extra="forbid")

    thread: str = Field(min_length=1, max_length=200)
    text: str = Field(max_length=100_000)


def application(settings: Settings, skill: Skill) -> Starlette:
    """`POST /v1/turns` streams a turn's events as server-sent events; `GET /healthz` says that we are up."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_agent(settings, skill) as agent:
            app.state.agent = agent
            yield

    install(settings.token)
    routes = [Route("/healthz", health), Route("/v1/turns", take_turn, methods=["POST"])]
    return Starlette(routes=routes, lifespan=lifespan)


async def health(request: Request) -> Response:
    """Up and able to take turns."""
    return JSONResponse({"status": "ok"})


async def take_turn(request: Request) -> Response:
    """One turn of one thread; every event is one `data:` line of JSON."""
    try:
        wanted = TurnRequest.model_validate_json(await request.body())
    except ValidationError as error:
        details = [{"field": ".".join(map(str, e["loc"])), "problem": e["msg"]} for e in error.errors()]
        return JSONResponse({"error": "bad_request", "details": details}, status_code=422)
    return StreamingResponse(_events(request.app.state.agent, wanted), media_type="text/event-stream")


async def _events(agent: Agent, wanted: TurnRequest) -> AsyncIterator[str]:
    async for event in turn(agent, wanted.thread, wanted.text):
        yield f"data: {json.dumps(event.model_dump(mode='json'), ensure_ascii=False)}\n\n"


def run(settings: Settings, skill: Skill, host: str = "127.0.0.1", port: int = 8700) -> None:
    """Serves until it is stopped."""
    uvicorn.run(application(settings, skill), host=host, port=port, log_level="warning")
