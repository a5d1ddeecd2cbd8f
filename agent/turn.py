"""The one way into the graph: every front end calls `turn` and shows the events that come out."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from langchain_core.runnables import RunnableConfig

from agent.context import Context
from agent.draft import Draft
from agent.entries import Version
from agent.errors import AgentError, Busy
from agent.events import EVENT, Error, Event
from agent.house import Agent, open_agent
from agent.journal import Journal
from agent.rendering import Rendering
from agent.report import error_event
from agent.state import LocalPath, State
from prompts import Lang, say
from router import Decision, spoken

__all__ = ["Agent", "collect", "drawn", "explain", "open_agent", "outcome", "recover", "take", "turn", "versions"]

log = logging.getLogger("reelchat.turn")


async def turn(
    agent: Agent,
    thread: str,
    text: str,
    files: Sequence[LocalPath] = (),
    *,
    exports: Path | None = None,
    out: Path | None = None,
    lang: Lang | None = None,
) -> AsyncIterator[Event]:
    """Runs one turn of `thread` and yields what it says. An empty `text` only looks at what is there.

    Our sentences follow the language of `text`, unless `lang` holds them to one.
    """
    given = State(utterance=text, files=list(files), out=str(out) if out else None, wanted_lang=lang)
    try:
        async with agent.tools.leases.hold(agent.thread_id(thread)):
            async for event in take(agent, thread, given, exports=exports):
                yield event
    except Busy as error:
        yield error_event(error, spoken(text, agent.settings.lang), agent.settings)


async def take(
    agent: Agent, thread: str, given: State, *, exports: Path | None = None, id: str | None = None
) -> AsyncIterator[Event]:
    """The turn itself, for a caller that holds the thread; `id` is the same when a killed turn is run again."""
    thread_id, text = agent.thread_id(thread), given["utterance"]
    folder = str(exports or agent.settings.exports)
    context: Any = Context(agent.user, thread_id, agent.skill.handle, folder, id or uuid.uuid4().hex)
    if agent.settings.engine:
        context = asdict(context)
    try:
        async for part in agent.graph.astream(
            given,
            _config(thread_id),
            context=context,
            stream_mode=["custom"],
            version="v2",
            durability="exit",
        ):
            if part["type"] == "custom":
                yield EVENT.validate_python(part["data"])
    except AgentError as error:
        yield error_event(error, spoken(text, agent.settings.lang), agent.settings)
    except Exception as error:
        if agent.settings.engine:
            log.warning("the engine's stream broke: %r", error)
            yield Error(code="engine_lost", text=say(spoken(text, agent.settings.lang), "error.engine_lost.plain"))
            return
        # Whatever it was, the person hears of it and the conversation goes on; the log has the rest.
        log.exception("turn failed")
        told = say(spoken(text, agent.settings.lang), "error.internal", log=agent.settings.data / "reelchat.log")
        yield Error(code="internal", text=told)


async def recover(agent: Agent, thread: str) -> AsyncIterator[Event]:
    """What a person who comes back sees: what became of an unfinished send, and the timeline."""
    async for event in turn(agent, thread, ""):
        yield event


async def collect(agent: Agent, only: str | None = None) -> AsyncIterator[Event]:
    """Sees render jobs through that an earlier process left running; `only` the one with this id."""
    journal = Journal(agent.store, agent.user)
    for job in await journal.open_jobs():
        if only not in (None, job.id):
            continue
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        backend = await agent.tools.backend(job.skill or str(agent.skill.path))
        rendering = Rendering(backend, journal, agent.tools, events.put_nowait)

        async def work(rendering: Rendering = rendering, job: Any = job, events: Any = events) -> None:
            try:
                await rendering.collect(job)
            except Busy:
                pass  # Another process is seeing it through.
            except AgentError as error:
                events.put_nowait(error_event(error, cast(Lang, job.lang), agent.settings))
            finally:
                events.put_nowait(None)

        task = asyncio.create_task(work())
        try:
            while (event := await events.get()) is not None:
                yield event
            await task  # A bug in there is not to pass for a job that is done.
        finally:
            task.cancel()


async def explain(agent: Agent, thread: str) -> list[Decision]:
    """Why the last turn of `thread` went where it did."""
    state = (await agent.graph.aget_state(_config(agent.thread_id(thread)))).values
    kept = state.get("decisions", [])
    return [Decision(**{**one, "span": tuple(one["span"]), "files": tuple(one["files"])}) for one in kept]


async def versions(agent: Agent, thread: str) -> list[Version]:
    """Every draft that `thread` had, oldest first."""
    return await Journal(agent.store, agent.user).versions(agent.thread_id(thread))


async def drawn(agent: Agent, thread: str) -> Draft | None:
    """The draft of `thread` as the person last heard of it; None where no such conversation has begun."""
    state = (await agent.graph.aget_state(_config(agent.thread_id(thread)))).values
    return Draft.read(state.get("draft")) if state else None


async def outcome(agent: Agent, thread: str) -> str:
    """How the last step of `thread` ended: "done", "failed", or "unknown" where nobody knows; "" before any."""
    state = (await agent.graph.aget_state(_config(agent.thread_id(thread)))).values
    return str(state.get("outcome", ""))


def _config(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}}
