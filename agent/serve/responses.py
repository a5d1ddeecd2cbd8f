"""OpenAI's Responses: conversations kept here, answers to come back to, and retries that do nothing twice.

A response's id holds the conversation and the turn, and both are looked up among the asking user's own: an id of
somebody else's leads nowhere. A conversation is one line: `previous_response_id` says which, it does not branch it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent.errors import Busy
from agent.events import Delivered
from agent.house import Agent
from agent.serve.door import HEARTBEAT_S, QUIET, Host, Refused, as_json, as_text, events_response, language, read
from agent.serve.openai_shapes import settled
from agent.serve.parts import Given, digest, given, keep
from agent.serve.plain import linked
from agent.serve.records import TITLE, Conversation, Taken
from agent.serve.responses_shapes import About, Script
from agent.serve.turns import Order, Running
from prompts import say

__all__ = ["ROUTES"]

DEFAULT_MODEL = "reelchat"
"""The persona that the host was started with."""
RETRIES = timedelta(minutes=10)
"""How old the request may be that a client without an idempotency key says it repeats."""
_RESPONSE = re.compile(r"resp_([0-9a-f]{32})([0-9a-f]{32})")
_CONVERSATION = re.compile(r"conv_[0-9a-f]{32}")


class Reference(BaseModel):
    """A conversation by its id."""

    id: str


class ResponseRequest(BaseModel):
    """The body of `POST /v1/responses`, as far as it means anything here: the rest is a model's business."""

    model_config = ConfigDict(extra="ignore")

    input: str | list[dict[str, Any]] = Field(default="", max_length=100_000)
    model: str | None = None
    stream: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    conversation: str | Reference | None = None
    metadata: dict[str, str] | None = Field(default=None, max_length=16)


async def create(request: Request) -> Response:
    """One turn."""
    host, wanted = Host.of(request), await read(request, ResponseRequest)
    agent = host.agent(request, None if wanted.model in (None, "", DEFAULT_MODEL) else wanted.model)
    message = _last(wanted.input)
    thread, id = await _place(host, agent, wanted, message, request)
    known = await host.turns.records(agent.user).turn(agent.thread_id(thread), id)
    files = () if known else await keep(message, host, request)
    running = await host.begin(agent, Order(thread, message.text, files, id=id))
    about = About(
        _id(thread, id),
        thread,
        wanted.model or DEFAULT_MODEL,
        message.text,
        host.house.clock.now().timestamp(),
        wanted.previous_response_id,
        wanted.metadata,
        bool(wanted.background),
    )
    script = _script(about, host, request)
    if wanted.stream:
        return events_response(_stream(running, script), request)
    return as_json(_so_far(running, script) if wanted.background else await _whole(running, script))


async def show(request: Request) -> Response:
    """What became of a response, or its events again from behind the one that arrived last."""
    host, query = Host.of(request), request.query_params
    agent, taken, thread = await _found(host, request)
    running = await host.turns.find(agent, thread, taken.id)
    if running is None:
        raise Refused("not_found")
    script = _script(await _about(host, agent, taken, thread), host, request)
    if query.get("stream") == "true":
        said = query.get("starting_after", "")
        after = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else -1
        return events_response(_stream(running, script, after), request)
    return as_json(_so_far(running, script))


async def cancel(request: Request) -> Response:
    """Stops waiting for the turn of a response, where it goes on in this process."""
    host = Host.of(request)
    agent, taken, thread = await _found(host, request)
    running = await host.turns.find(agent, thread, taken.id)
    if running is None:
        raise Refused("not_found")
    if running.status == "running" and host.turns.cancel(agent.user, thread):
        await running.whole()
    return as_json(_so_far(running, _script(await _about(host, agent, taken, thread), host, request)))


async def delete(request: Request) -> Response:
    """Forgets what was said. That there was such a turn stays on record, so that a late retry does not run it."""
    host = Host.of(request)
    agent, taken, _ = await _found(host, request)
    if (await host.turns.checked(taken)).status == "running":
        raise Refused("conversation_busy", after=2)
    empty = replace(taken, status="done", text="", files=[], events=[])
    await host.turns.records(agent.user).put(empty)
    return as_json({"id": request.path_params["id"], "object": "response", "deleted": True})


async def open_conversation(request: Request) -> Response:
    """A conversation to begin with."""
    host, thread = Host.of(request), f"conv_{uuid.uuid4().hex}"
    agent, now = host.agent(request), host.house.clock.now()
    about = Conversation(thread, "", now.isoformat(), agent.skill.name)
    await host.turns.records(agent.user).open(about, host.house.folder(agent.user).name)
    return as_json(_conversation(thread, now))


async def show_conversation(request: Request) -> Response:
    """Whether there is such a conversation."""
    host, thread = Host.of(request), request.path_params["id"]
    found = await _conversation_of(host, host.agent(request), thread)
    return as_json(_conversation(thread, datetime.fromisoformat(found.at)))


async def forget_conversation(request: Request) -> Response:
    """Forgets a conversation with everything in it."""
    host, thread = Host.of(request), request.path_params["id"]
    agent = host.agent(request)
    await _conversation_of(host, agent, thread)
    try:
        await host.turns.forget(agent, thread)
    except Busy as error:
        raise Refused("conversation_busy", after=2) from error
    return as_json({"id": thread, "object": "conversation.deleted", "deleted": True})


def _last(said: str | list[dict[str, Any]]) -> Given:
    """The message that the turn is about: the last one, which has to be the person's. Raises Refused.

    Behind a person's message there may only be items that nobody said, such as a tool's; an answer of ours there means
    that nothing new was said, and the message before it was already acted on.
    """
    if isinstance(said, str):
        return given(said)
    spoken = [item for item in said if item.get("role") in ("user", "assistant")]
    if not spoken or spoken[-1]["role"] != "user":
        raise Refused("no_user_message", param="input")
    content = spoken[-1].get("content")
    return given(content if isinstance(content, str | list) else None)


async def _place(
    host: Host, agent: Agent, wanted: ResponseRequest, message: Given, request: Request
) -> tuple[str, str]:
    """The thread and the turn that a request means; the same for the same request sent again. Raises Refused."""
    named = wanted.conversation.id if isinstance(wanted.conversation, Reference) else wanted.conversation
    key = request.headers.get("idempotency-key", "")
    if wanted.previous_response_id and named:
        raise Refused("bad_request", param="conversation", reason="serve.two_conversations")
    if wanted.previous_response_id:
        thread, before = await _taken(host, agent, wanted.previous_response_id, "previous_response_id")
        return thread, digest(thread, "after", before.id, message.mark)
    if named:
        await _conversation_of(host, agent, named)
    thread = named or f"conv_{digest(agent.user, 'key', key, message.mark) if key else uuid.uuid4().hex}"
    if key:
        return thread, digest(thread, "key", key, message.mark)
    if request.headers.get("x-stainless-retry-count", "0") != "0" and (
        found := await _repeated(host, agent, message, named)
    ):
        return found
    return thread, uuid.uuid4().hex


async def _repeated(host: Host, agent: Agent, message: Given, named: str | None) -> tuple[str, str] | None:
    """The turn that a client repeats which says that it does, but not which one: the latest with these words."""
    records, since = host.turns.records(agent.user), (host.house.clock.now() - RETRIES).isoformat()
    title = " ".join(message.text.split())[:TITLE]
    for one in await records.conversations():
        if one.at < since:
            break
        if one.thread != named and (named or one.title != title or not _CONVERSATION.fullmatch(one.thread)):
            continue
        for taken in reversed(await records.turns(agent.thread_id(one.thread))):
            if taken.text == message.text and len(taken.files) == message.count and taken.at >= since:
                return one.thread, taken.id
    return None


async def _found(host: Host, request: Request) -> tuple[Agent, Taken, str]:
    agent = host.agent(request)
    thread, taken = await _taken(host, agent, request.path_params["id"], None)
    return agent, taken, thread


async def _taken(host: Host, agent: Agent, id: str, param: str | None) -> tuple[str, Taken]:
    """The thread and the turn of a response of this user's. Raises Refused."""
    if found := _RESPONSE.fullmatch(id):
        thread = f"conv_{found[1]}"
        taken = await host.turns.records(agent.user).turn(agent.thread_id(thread), found[2])
        if taken and (taken.text or taken.events or taken.status != "done"):  # else it was deleted
            return thread, taken
    raise Refused("not_found", param=param)


async def _conversation_of(host: Host, agent: Agent, thread: str) -> Conversation:
    found = await host.turns.records(agent.user).conversation(thread) if _CONVERSATION.fullmatch(thread) else None
    if found is None:
        raise Refused("not_found", param="conversation")
    return found


async def _about(host: Host, agent: Agent, taken: Taken, thread: str) -> About:
    found = await host.turns.records(agent.user).conversation(thread)
    at = datetime.fromisoformat(taken.at).timestamp()
    return About(_id(thread, taken.id), thread, found.skill if found else DEFAULT_MODEL, taken.text, at)


def _id(thread: str, turn: str) -> str:
    return f"resp_{thread.removeprefix('conv_')}{turn}"


def _conversation(thread: str, at: datetime) -> dict[str, Any]:
    return {"id": thread, "object": "conversation", "created_at": int(at.timestamp()), "metadata": {}}


def _script(about: About, host: Host, request: Request) -> Script:
    def place(event: Delivered) -> str:
        return linked(event, host.absolute(event.url or "", request))

    return Script(about, place, say(language(request), "serve.stopped"))


def _so_far(running: Running, script: Script) -> dict[str, Any]:
    over = running.status != "running"
    for event in settled(running.events) if over else running.events:
        script.add(event)
    if over:
        script.end(running.status)
    return script.response()


async def _whole(running: Running, script: Script) -> dict[str, Any]:
    await running.whole()
    return _so_far(running, script)


async def _stream(running: Running, script: Script, after: int = -1) -> AsyncIterator[str]:
    def lines(events: list[dict[str, Any]]) -> str:
        wanted = [event for event in events if event["sequence_number"] > after]
        return "".join(f"event: {event['type']}\ndata: {as_text(event)}\n\n" for event in wanted)

    yield lines(script.begin())
    async for fresh in running.follow(-1, HEARTBEAT_S):
        yield "".join(lines(script.add(event)) for _, event in fresh) if fresh else QUIET
    last = script.end(running.status)
    after = min(after, last[-1]["sequence_number"] - 1)  # A replay has less progress to count; its end always comes.
    yield lines(last)


ROUTES = [
    Route("/v1/responses", create, methods=["POST"]),
    Route("/v1/responses/{id}", show, methods=["GET"]),
    Route("/v1/responses/{id}", delete, methods=["DELETE"]),
    Route("/v1/responses/{id}/cancel", cancel, methods=["POST"]),
    Route("/v1/conversations", open_conversation, methods=["POST"]),
    Route("/v1/conversations/{id}", show_conversation, methods=["GET"]),
    Route("/v1/conversations/{id}", forget_conversation, methods=["DELETE"]),
]
