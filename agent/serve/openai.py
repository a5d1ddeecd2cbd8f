"""OpenAI's chat completions: the turns of the clients that people have already.

Only the last message of the user is the turn; the graph remembers the rest itself. Sampling, tools and formats that a
client asks for are a model's business and change nothing here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.events import Delivered, Text
from agent.house import Agent
from agent.serve.door import HEARTBEAT_S, QUIET, Host, Refused, Unfit, as_json, events_response, language, read, refusal
from agent.serve.housekeeping import housekeeping, own_words
from agent.serve.openai_shapes import Reply, Script, failure, settled
from agent.serve.openai_threads import Place, find_place, plain_text
from agent.serve.parts import Given, given, keep
from agent.serve.turns import Order, Running
from agent.skills import Skill, load_skill, skill_names
from prompts import say
from router import spoken

__all__ = ["ROUTES"]

log = logging.getLogger("reelchat.openai")
DEFAULT_MODEL = "reelchat"
"""The persona that the host was started with."""
STATUS = {415: 400, 422: 400}
"""What OpenAI's clients know under another number."""
NAMES = {"no_such_model": "model_not_found"}
Door = Callable[[Request], Awaitable[Response]]


class Message(BaseModel):
    """One message; what it holds is read when the turn is about it."""

    model_config = ConfigDict(extra="ignore")

    role: str
    content: Any = None


class ChatRequest(BaseModel):
    """The body of `POST /v1/chat/completions`, as far as it means anything here."""

    model_config = ConfigDict(extra="ignore")

    messages: list[Message]
    model: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    n: int | None = None
    metadata: dict[str, Any] | None = None
    response_format: Any = None


def in_openai_terms(door: Door) -> Door:
    """Refusals with the numbers and names that OpenAI's clients turn into their own errors."""

    @wraps(door)
    async def answered(request: Request) -> Response:
        own = {}
        try:
            return await door(request)
        except Refused as refused:
            plain = refusal(request, refused)
            own["code"] = NAMES.get(refused.code, refused.code)
        except Unfit as unfit:
            plain = refusal(request, Refused("unsupported_type", param="messages", wanted=""))
            own["message"] = unfit.event.text
        error = {**json.loads(bytes(plain.body))["error"], **own}
        status = STATUS.get(plain.status_code, plain.status_code)
        kept = {name: value for name, value in plain.headers.items() if name in ("retry-after", "www-authenticate")}
        return JSONResponse({"error": error}, status, kept)

    return answered


@in_openai_terms
async def complete(request: Request) -> Response:
    """One turn, or what a chat program wants to know beside it."""
    host, wanted = Host.of(request), await read(request, ChatRequest)
    if wanted.n not in (None, 1):
        raise Refused("bad_request", param="n", reason="openai.one")
    agent = host.agent(request, None if wanted.model in (None, "", DEFAULT_MODEL) else wanted.model)
    last = max((at for at, one in enumerate(wanted.messages) if one.role == "user"), default=None)
    if last is None:
        raise Refused("no_user_message", param="messages")
    words = plain_text(wanted.messages[last].content)
    system = "\n".join(plain_text(one.content) for one in wanted.messages if one.role in ("system", "developer"))
    kept = housekeeping(words, system, wanted.model_dump(), spoken(words, host.settings.lang))
    reply = _reply(wanted, words)
    if kept is not None:
        log.info("request %s is housekeeping", request.state.id)
        reply.id = f"chatcmpl-{request.state.id}"
        return _said(reply, kept, request) if wanted.stream else as_json(reply.whole(kept))
    running, place = await _begin(host, agent, request, wanted, last)
    reply.id = f"chatcmpl-{running.id}"
    answer = _Answer(running, place, reply, host, request)
    return events_response(answer.pieces(), request) if wanted.stream else await answer.whole()


@in_openai_terms
async def list_models(request: Request) -> Response:
    """One model a persona."""
    return as_json({"object": "list", "data": [_model(load_skill(name)) for name in skill_names()]})


@in_openai_terms
async def show_model(request: Request) -> Response:
    """One persona, or the one that the host was started with."""
    host, name = Host.of(request), request.path_params["name"]
    if name == DEFAULT_MODEL:
        return as_json({**_model(host.agent(request).skill), "id": DEFAULT_MODEL})
    return as_json(_model(host.skill(name)))


async def _begin(host: Host, agent: Agent, request: Request, wanted: ChatRequest, last: int) -> tuple[Running, Place]:
    """The turn of the message number `last`: begun, joined or told again. Raises Refused, and Unfit for a file."""
    message = _given(wanted.messages[last].content)
    history = wanted.messages[: last + 1]
    place = await find_place(host, agent, request, history, message, wanted.metadata or {})
    running = await host.turns.find(agent, place.thread, place.id)
    if running is None or running.status == "broken":  # Else its files are here, and another process may be at it.
        files = () if running else await keep(message, host, request)
        running = await host.begin(agent, Order(place.thread, message.text, files, id=place.id))
    return running, place


def _given(content: Any) -> Given:
    message = given(content if isinstance(content, list) else plain_text(content))
    message.words = [words for one in message.words if (words := own_words(one))]
    return message


@dataclass(slots=True)
class _Answer:
    """One turn on its way to one client, which may leave: the turn goes on."""

    running: Running
    place: Place
    reply: Reply
    host: Host
    request: Request

    async def pieces(self) -> AsyncIterator[str]:
        """The answer as a stream; the first piece is there before the turn says anything."""
        script = Script(self._link)
        yield self.reply.chunk({"role": "assistant", "content": ""})
        try:
            async for fresh in self.running.follow(-1, HEARTBEAT_S):
                if not fresh:
                    yield QUIET
                for _, event in fresh:
                    if delta := script.add(event):
                        yield self.reply.chunk(delta)
        except Exception:  # The status went out long ago: all that is left is to say it here.
            log.exception("the stream of request %s broke", self.request.state.id)
            yield self._failure()
            return
        if self._broke:
            yield self._failure()
            return
        if self.place.told:
            yield self.reply.chunk(script.end(self.place.handle))
        yield self.reply.end(script.text)

    async def whole(self) -> Response:
        """The answer at once. Raises Refused."""
        events, script = await self.running.whole(), Script(self._link)
        if self._broke:
            raise Refused("internal")
        deltas = [delta for event in settled(events) if (delta := script.add(event))]
        if self.place.told:
            script.end(self.place.handle)
        thoughts = "".join(delta.get("reasoning_content", "") for delta in deltas)
        return as_json(self.reply.whole(script.text, thoughts))

    @property
    def _broke(self) -> bool:
        """Whether the turn ended without a word of why; one that was stopped has said so."""
        last = self.running.events[-1] if self.running.events else None
        stopped = (say("en", "serve.stopped"), say("zh", "serve.stopped"))
        return self.running.status == "broken" and not (isinstance(last, Text) and last.text in stopped)

    def _link(self, event: Delivered) -> str:
        return self.host.absolute(event.url or "", self.request)

    def _failure(self) -> str:
        id = self.request.state.id
        return failure(say(language(self.request), "serve.internal", id=id), id)


def _said(reply: Reply, text: str, request: Request) -> Response:
    """Words that are there already, as a stream."""

    async def pieces() -> AsyncIterator[str]:
        yield reply.chunk({"role": "assistant", "content": text})
        yield reply.end(text)

    return events_response(pieces(), request)


def _reply(wanted: ChatRequest, words: str) -> Reply:
    counting = bool((wanted.stream_options or {}).get("include_usage"))
    return Reply("", wanted.model or DEFAULT_MODEL, words, counting)


def _model(skill: Skill) -> dict[str, Any]:
    made = int(skill.path.stat().st_mtime)
    return {"id": skill.name, "object": "model", "created": made, "owned_by": "reelchat"}


ROUTES = [
    Route("/v1/chat/completions", complete, methods=["POST"]),
    Route("/v1/models", list_models),
    Route("/v1/models/{name}", show_model),
]
