"""The one way into the graph: every front end calls `turn` and shows the events that come out."""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # read when LangGraph is imported, next

import httpx
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.store.base import BaseStore
from langgraph.store.sqlite.aio import AsyncSqliteStore

from agent.backend import Credentials
from agent.clock import Clock, SystemClock
from agent.context import Context, Tools, register, unregister
from agent.draft import Draft
from agent.embedded import EmbeddedStudio
from agent.errors import AgentError, Busy
from agent.events import EVENT, Error, Event
from agent.graph import Graph, build
from agent.journal import Journal, Version
from agent.lease import lease
from agent.opinion import ChatModel, load_model
from agent.rendering import Rendering
from agent.report import error_event
from agent.settings import Settings
from agent.skills import Skill
from agent.state import LocalPath, State
from prompts import Lang, say
from router import Decision, spoken

__all__ = ["Agent", "collect", "drawn", "explain", "open_agent", "outcome", "recover", "turn", "versions"]

log = logging.getLogger("reelchat.turn")

NAMESPACE = uuid.UUID("6c1f2ac1-7c3b-5d0e-9a3e-0c6f5f6f7265")
"""Thread ids are uuid5 of user and conversation, so that an engine that wants UUIDs takes them too."""
STUDIO_LOOKS = (0.5, 1, 2, 4, 8, 15, 30)
"""The studio is on this machine: its outcome is known in seconds, not minutes."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A compiled graph, what it keeps its threads in, and who it works for."""

    settings: Settings
    skill: Skill
    graph: Graph
    store: BaseStore
    tools: Tools
    user: str = "local"

    def with_skill(self, skill: Skill) -> Agent:
        """The same agent speaking for another persona."""
        return replace(self, skill=skill)

    def thread_id(self, thread: str) -> str:
        """LangGraph's id for a conversation of this user."""
        return str(uuid.uuid5(NAMESPACE, f"{self.user}:{thread}"))


@asynccontextmanager
async def open_agent(
    settings: Settings,
    skill: Skill,
    *,
    clock: Clock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    model: ChatModel | None = None,
) -> AsyncIterator[Agent]:
    """An agent on `settings`, its threads and journal in SQLite; the embedded studio starts when first needed."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as stack:
        saver = await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(str(settings.data / "threads.db")))
        store = await stack.enter_async_context(AsyncSqliteStore.from_conn_string(str(settings.data / "journal.db")))
        await saver.setup()
        await store.setup()
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, trust_env=settings.base_url is not None)
        )
        held = _tools(settings, http, clock or SystemClock(), stack)
        held.model = model or (load_model(settings.model, settings.model_options) if settings.model else None)
        agent = Agent(settings, skill, build(saver, store), store, held)
        register(agent.user, held)
        stack.callback(unregister, agent.user)
        yield agent


def _tools(settings: Settings, http: httpx.AsyncClient, clock: Clock, stack: AsyncExitStack) -> Tools:
    credentials = Credentials(
        settings.backend,
        settings.data,
        settings.client_id_file,
        supplied=settings.token,
        client_id=settings.client_id,
    )
    if settings.base_url is not None:
        fixed = settings.base_url

        async def address() -> str:
            return fixed

        return Tools(settings, http, credentials, clock, address)
    studio = EmbeddedStudio(settings.data / "studio")
    stack.push_async_callback(studio.close)
    return Tools(settings, http, credentials, clock, studio.address, look_after=STUDIO_LOOKS)


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
    thread_id = agent.thread_id(thread)
    given: State = {"utterance": text, "files": list(files), "out": str(out) if out else None, "wanted_lang": lang}
    context = Context(agent.user, thread_id, str(agent.skill.path), str(exports or agent.settings.exports))
    config = _config(thread_id)
    try:
        with lease(agent.settings.data / "leases", thread_id):
            async for part in agent.graph.astream(
                given,
                config,
                context=context,
                stream_mode=["custom", "updates"],
                version="v2",
                durability="exit",
            ):
                if part["type"] == "custom":
                    yield EVENT.validate_python(part["data"])
    except AgentError as error:
        yield error_event(error, spoken(text, agent.settings.lang), agent.settings)
    except Exception:
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
