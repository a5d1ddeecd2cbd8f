"""AG-UI: one run is one turn, for front ends such as CopilotKit's and assistant-ui's.

What is under way comes as steps and `progress`, the answer as one message, the draft as the state. Ids of runs are made
anew by a client that repeats one, so a turn is known by the person's message: a run over the same one replays.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent.events import Ask, Delivered, Error, Event, Hint, Progress, Timeline
from agent.house import Agent
from agent.serve.door import HEARTBEAT_S, QUIET, Host, Refused, as_text, events_response, language, read
from agent.serve.parts import digest, given, keep
from agent.serve.plain import Paper, linked, marked
from agent.serve.turns import Order, Running
from agent.turn import drawn
from prompts import Lang, say

__all__ = ["ROUTES"]

SPOKEN = ("user", "assistant", "tool")
"""Roles that say whose turn it is: the others are no part of the talk."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Message(_Shape):
    """One message of the talk so far."""

    id: str = ""
    role: str
    content: Any = None


class RunInput(_Shape):
    """The body of `POST /v1/agui`: the protocol's RunAgentInput. The client's tools, context and state are not used."""

    thread_id: str = Field(min_length=1, max_length=200)
    run_id: str = Field(min_length=1, max_length=200)
    messages: list[Message]
    forwarded_props: Any = None
    """What an application chooses for its users: `skill`, a persona, and `lang`, "en" or "zh"."""

    def chosen(self, name: str) -> str | None:
        """One of those choices."""
        value = self.forwarded_props.get(name) if isinstance(self.forwarded_props, dict) else None
        return value if isinstance(value, str) and value else None


async def run(request: Request) -> Response:
    """One run. Asked for again, it is told again."""
    host, wanted = Host.of(request), await read(request, RunInput)
    agent, lang = host.agent(request, wanted.chosen("skill")), wanted.chosen("lang")
    spoken = [one for one in wanted.messages if one.role in SPOKEN]
    if not spoken or spoken[-1].role != "user":
        # Behind a tool's result the person's message was acted on before: nothing new was said.
        raise Refused("no_user_message", param="messages")
    content = spoken[-1].content
    message = given(content if isinstance(content, str | list) else None)
    count = sum(one.role == "user" for one in spoken)
    id = digest(wanted.thread_id, spoken[-1].id or wanted.run_id, str(count), message.mark)
    kept = await host.turns.records(agent.user).turn(agent.thread_id(wanted.thread_id), id)
    files = () if kept else await keep(message, host, request)
    order = Order(wanted.thread_id, message.text, files, cast(Lang, lang) if lang in ("en", "zh") else None, id)
    running = await host.begin(agent, order)
    return events_response(_stream(running, _Run(wanted, id, host, request), agent), request)


class _Run:
    """The events of one run; whatever it opens it closes."""

    def __init__(self, wanted: RunInput, id: str, host: Host, request: Request) -> None:
        self._ids = {"threadId": wanted.thread_id, "runId": wanted.run_id}
        self._message = {"messageId": f"msg_{id}"}
        self._host, self._request = host, request
        self._paper = Paper(marked, lambda event: linked(event, self._link(event)))
        self._step = ""
        self.lost = False
        """Whether a timeline came without its draft, as it does from the records."""

    def begin(self) -> list[dict[str, Any]]:
        return [{"type": "RUN_STARTED", **self._ids}]

    def add(self, event: Event) -> list[dict[str, Any]]:
        """What one event of the turn is here."""
        if isinstance(event, Progress):
            value = event.model_dump(mode="json", exclude={"kind"})
            return [*self._walk(event.about), _custom("progress", value)]
        if isinstance(event, Hint):
            return [_custom("hint", {"text": event.text, "suggestions": event.suggestions})]
        made: list[dict[str, Any]] = []
        if not self._paper.text:
            made.append({"type": "TEXT_MESSAGE_START", **self._message, "role": "assistant"})
        if piece := self._paper.add(event):
            made.append({"type": "TEXT_MESSAGE_CONTENT", **self._message, "delta": piece})
        return [*(made if self._paper.text else []), *self._aside(event)]

    def snapshot(self, text: str, draft: Any, changed: list[str]) -> dict[str, Any]:
        return {"type": "STATE_SNAPSHOT", "snapshot": {"timeline": text, "draft": draft, "changed": changed}}

    def end(self, status: str) -> list[dict[str, Any]]:
        made = self._walk("")
        if self._paper.text:
            made.append({"type": "TEXT_MESSAGE_END", **self._message})
        if status == "done":
            return [*made, {"type": "RUN_FINISHED", **self._ids}]
        text = say(language(self._request), "serve.stopped")
        return [*made, {"type": "RUN_ERROR", "message": text, "code": "broken"}]

    def _aside(self, event: Event) -> list[dict[str, Any]]:
        """What the words alone do not give a front end."""
        if isinstance(event, Timeline):
            self.lost = self.lost or not event.draft
            return [self.snapshot(event.text, event.draft, event.changed)] if event.draft else []
        if isinstance(event, Delivered):
            value = event.model_dump(mode="json", exclude={"kind", "path"})
            return [_custom("delivered", {**value, "url": self._link(event), "file": event.path.partition("/")[0]})]
        if isinstance(event, Ask):
            return [_custom("ask", {"text": event.text, "options": event.options})]
        return [_custom("error", {"code": event.code, "text": event.text})] if isinstance(event, Error) else []

    def _walk(self, step: str) -> list[dict[str, Any]]:
        """Out of the step before, into this one."""
        if step == self._step:
            return []
        made = [{"type": "STEP_FINISHED", "stepName": self._step}] if self._step else []
        self._step = step
        return [*made, {"type": "STEP_STARTED", "stepName": step}] if step else made

    def _link(self, event: Delivered) -> str:
        return self._host.absolute(event.url or "", self._request)


async def _stream(running: Running, run: _Run, agent: Agent) -> AsyncIterator[str]:
    yield _lines(run.begin())
    async for fresh in running.follow(-1, HEARTBEAT_S):
        yield "".join(_lines(run.add(event)) for _, event in fresh) if fresh else QUIET
    if run.lost and (draft := await drawn(agent, running.thread)):
        text = next((one.text for one in reversed(running.events) if isinstance(one, Timeline)), "")
        yield _lines([run.snapshot(text, draft.raw, [])])
    yield _lines(run.end(running.status))


def _custom(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "CUSTOM", "name": name, "value": value}


def _lines(events: list[dict[str, Any]]) -> str:
    return "".join(f"data: {as_text(event)}\n\n" for event in events)


ROUTES = [Route("/v1/agui", run, methods=["POST"])]
