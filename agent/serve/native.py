"""Our own door: turns as the events they are, conversations to come back to, and the page that uses it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from agent.errors import AgentError, Busy
from agent.lanes import lanes
from agent.material import ACCEPTED
from agent.picture import svg
from agent.serve.door import HEARTBEAT_S, QUIET, Host, Refused, as_json, as_text, events_response, language, read
from agent.serve.page import page, policy
from agent.serve.records import Taken
from agent.serve.turns import Order, Running
from agent.skills import DEFAULT, Skill, load_skill, skill_names
from agent.state import UploadedFile
from agent.turn import drawn
from prompts import Lang

__all__ = ["ROUTES"]

MOST_THREADS = 100


class TurnRequest(BaseModel):
    """The body of `POST /v1/turns`."""

    model_config = ConfigDict(extra="forbid")

    thread: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
    text: str = Field(default="", max_length=100_000)
    files: list[str] = Field(default_factory=list, max_length=20)
    skill: str | None = None
    lang: Lang | None = None
    turn: str | None = Field(default=None, pattern="^[0-9a-f]{32}$")


async def show_page(request: Request) -> Response:
    """The web page; scripts and styles run only with this answer's nonce."""
    nonce = secrets.token_urlsafe(16)
    return HTMLResponse(page(nonce), headers={"Content-Security-Policy": policy(nonce), "Cache-Control": "no-store"})


async def about(request: Request) -> Response:
    """What a page has to know before it can ask anything."""
    host = Host.of(request)
    return as_json(
        {
            "name": "reelchat",
            "version": version("reelchat"),
            "backend": host.settings.backend,
            "keys": await host.keys.any(),
            "lang": host.settings.lang,
            "default_skill": DEFAULT,
            "accepted": list(ACCEPTED),
            "max_mb": host.options.upload_mb,
        }
    )


async def list_skills(request: Request) -> Response:
    """The personas."""
    return as_json({"skills": [_skill(load_skill(name)) for name in skill_names()]})


async def take_turn(request: Request) -> Response:
    """One turn of one thread; every event is one `data:` line of JSON."""
    host, wanted = Host.of(request), await read(request, TurnRequest)
    agent, files = host.agent(request, wanted.skill), [UploadedFile(name) for name in wanted.files]
    if lost := next((name for name in files if not host.vault(request).holds(name)), None):
        raise Refused("not_found", param=f"files: {lost[:40]}")
    given: dict[str, Any] = {"id": wanted.turn} if wanted.turn else {}
    order = Order(wanted.thread, wanted.text, tuple(files), wanted.lang, **given)
    return events_response(_stream(await host.begin(agent, order), -1), request)


async def follow_turn(request: Request) -> Response:
    """A turn's stream again, from behind the last event that arrived."""
    host, path = Host.of(request), request.path_params
    running = await host.turns.find(host.agent(request), path["thread"], path["turn"])
    if running is None:
        raise Refused("not_found")
    said = request.headers.get("last-event-id") or request.query_params.get("after") or "-1"
    after = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else -1
    return events_response(_stream(running, max(after, -1)), request)


async def list_threads(request: Request) -> Response:
    """Conversations, the latest first."""
    host = Host.of(request)
    found = await host.turns.records(host.agent(request).user).conversations()
    rows = [{"thread": one.thread, "title": one.title, "at": one.at, "skill": one.skill} for one in found]
    return as_json({"threads": rows[:MOST_THREADS]})


async def show_thread(request: Request) -> Response:
    """One conversation with what was said in it."""
    host, thread = Host.of(request), request.path_params["thread"]
    agent = host.agent(request)
    records = host.turns.records(agent.user)
    found = await records.conversation(thread)
    if found is None:
        raise Refused("not_found")
    taken = (await records.turns(agent.thread_id(thread)))[-host.options.keep_turns :]
    turns = [_taken(await host.turns.checked(one), host, request) for one in taken]
    return as_json({"thread": thread, "title": found.title, "skill": found.skill, "turns": turns})


async def forget_thread(request: Request) -> Response:
    """Forgets a conversation; nobody writes to it meanwhile."""
    host, thread = Host.of(request), request.path_params["thread"]
    agent = host.agent(request)
    if await host.turns.records(agent.user).conversation(thread) is None:
        raise Refused("not_found")
    try:
        await host.turns.forget(agent, thread)
    except Busy as error:
        raise Refused("conversation_busy", after=2) from error
    return Response(status_code=204)


async def cancel_turn(request: Request) -> Response:
    """Stops waiting for the running turn of a thread."""
    host = Host.of(request)
    if not host.turns.cancel(host.agent(request).user, request.path_params["thread"]):
        raise Refused("not_found")
    return as_json({"status": "stopping"}, 202)


async def show_timeline(request: Request) -> Response:
    """The draft as lanes."""
    host, lang = Host.of(request), language(request, request.query_params.get("lang"))
    draft = await drawn(host.agent(request), request.path_params["thread"])
    if draft is None or not draft.tracks:
        raise Refused("not_found")
    picture = svg(lanes(draft, lang), draft.title or "reelchat")
    return Response(picture, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


async def show_credits(request: Request) -> Response:
    """The balance of whoever pays; null where it can't be told."""
    host = Host.of(request)
    agent = host.agent(request)
    try:
        backend = await agent.tools.backend(str(agent.skill.path))
        await backend.connect()
        have = await backend.credits()
    except AgentError:
        return as_json({"available": None, "frozen": None, "total": None})
    return as_json({"available": have.available, "frozen": have.frozen, "total": have.total})


async def _stream(running: Running, after: int) -> AsyncIterator[str]:
    about = {"turn": running.id, "thread": running.thread, "replayed": running.replayed}
    yield f"event: turn\ndata: {as_text(about)}\n\n"
    async for fresh in running.follow(after, HEARTBEAT_S):
        lines = [f"id: {number}\ndata: {as_text(event.model_dump(mode='json'))}\n\n" for number, event in fresh]
        yield "".join(lines) or QUIET
    yield f"event: end\ndata: {as_text({'status': running.status})}\n\n"


def _taken(taken: Taken, host: Host, request: Request) -> dict[str, Any]:
    agent = host.agent(request)
    said = [host.turns.shown(event, agent).model_dump(mode="json") for event in taken.said]
    return {
        "turn": taken.id,
        "text": taken.text,
        "files": taken.files,
        "at": taken.at,
        "status": taken.status,
        "events": said,
    }


def _skill(skill: Skill) -> dict[str, Any]:
    return {
        "name": skill.name,
        "description": {"en": skill.about("en"), "zh": skill.about("zh")},
        "greeting": dict(skill.greeting or {}),
        # A path is one of the host's own machine, which leads nowhere here.
        "tries": {lang: [one for one in tries if "./" not in one] for lang, tries in (skill.tries or {}).items()},
        "max_mb": skill.max_mb,
        "formats": list(skill.formats),
    }


ROUTES = [
    Route("/", show_page),
    Route("/v1/about", about),
    Route("/v1/skills", list_skills),
    Route("/v1/turns", take_turn, methods=["POST"]),
    Route("/v1/threads", list_threads),
    Route("/v1/threads/{thread}", show_thread, methods=["GET"]),
    Route("/v1/threads/{thread}", forget_thread, methods=["DELETE"]),
    Route("/v1/threads/{thread}/turns/{turn}", follow_turn),
    Route("/v1/threads/{thread}/cancel", cancel_turn, methods=["POST"]),
    Route("/v1/threads/{thread}/timeline.svg", show_timeline),
    Route("/v1/credits", show_credits),
]
