"""What a process keeps open for everybody it works for: stores, leases, the way to the backend; and agents on them."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from hashlib import sha256
from pathlib import Path
from ssl import SSLContext
from typing import cast
from urllib.request import getproxies

import httpx
from langgraph.store.base import BaseStore

from agent.backend import Credentials
from agent.backend.transport import Client, Transport
from agent.clock import Clock, SystemClock
from agent.context import Tools, register, unregister
from agent.desk import Desk
from agent.embedded import EmbeddedStudio
from agent.graph import Graph
from agent.keeping import Keeping, open_keeping
from agent.opinion import ChatModel, load_model
from agent.purse import Purse
from agent.settings import Settings
from agent.skills import Skill

__all__ = ["Agent", "House", "open_agent", "open_house", "thread_id_of"]

NAMESPACE = uuid.UUID("6c1f2ac1-7c3b-5d0e-9a3e-0c6f5f6f7265")
"""Thread ids are uuid5 of user and conversation, so that an engine that wants UUIDs takes them too."""
STUDIO_LOOKS = (0.5, 1, 2, 4, 8, 15, 30)
"""The studio is on this machine: its outcome is known in seconds, not minutes."""
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=5)
"""A send holds its connection as long as it talks: how many there may be at once is for the doors to say."""
GUESTS = 1000
"""Users whose tools are kept at hand; those of others are made anew when they come back."""


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
        return thread_id_of(self.user, thread)


@lru_cache(1024)
def thread_id_of(user: str, thread: str) -> str:
    """LangGraph's id for a conversation of a user."""
    return str(uuid.uuid5(NAMESPACE, f"{user}:{thread}"))


@dataclass(slots=True)
class House:
    """One process's stores, leases and way to the backend."""

    settings: Settings
    skill: Skill
    keep: Keeping
    http: httpx.AsyncClient
    clock: Clock
    address: Callable[[], Awaitable[str]]
    model: ChatModel | None = None
    _own: Credentials | None = None
    _purse: Purse = field(default_factory=Purse)
    _guests: OrderedDict[str, Tools] = field(default_factory=OrderedDict)

    def agent(self) -> Agent:
        """For the person at this machine."""
        held = self._tools(self.settings, self._machine())
        register("local", held)
        return Agent(self.settings, self.skill, self.keep.graph(), self.keep.store, held)

    def agent_for(self, user: str, desk: Callable[[Path], Desk]) -> Agent:
        """For one of many users, whose files are nobody else's; `desk` is made with the user's own folder."""
        held = self._guests.get(user)
        if held is None:
            held = self._guests[user] = self._tools_for(user, desk)
            register(user, held)
            while len(self._guests) > GUESTS:
                self._guests.popitem(last=False)
        self._guests.move_to_end(user)
        return Agent(held.settings, self.skill, self.keep.graph(), self.keep.store, held, user)

    def folder(self, user: str) -> Path:
        """Where a user's own things are kept: a name that no user can choose."""
        return self.settings.data / "users" / sha256(user.encode()).hexdigest()[:32]

    def files(self, folder: str) -> Path:
        """Where the files of the user with that folder are."""
        return self.settings.data / "users" / folder / "files"

    def close(self) -> None:
        """Takes everybody's tools back."""
        for user in ("local", *self._guests):
            unregister(user)

    def _tools_for(self, user: str, desk: Callable[[Path], Desk]) -> Tools:
        folder = self.folder(user)
        own = replace(self.settings, data=folder, exports=folder / "files", somebody_answers=True)
        if self.settings.base_url is None:  # An account of the studio each; elsewhere the operator pays for all.
            held = self._tools(own, Credentials(own.backend, folder, folder / "client_id"))
        else:
            held = self._tools(own, self._machine())
            held.purse = self._purse
        held.desk = desk(own.exports)
        return held

    def _tools(self, settings: Settings, credentials: Credentials) -> Tools:
        held = Tools(settings, self.http, credentials, self.clock, self.address, model=self.model)
        held.shared_leases = self.keep.leases
        if self.settings.base_url is None:
            held.look_after = STUDIO_LOOKS
        return held

    def _machine(self) -> Credentials:
        """This machine's own credentials: one client, however many users."""
        if self._own is None:
            mine = self.settings
            self._own = Credentials(
                mine.backend, mine.data, mine.client_id_file, supplied=mine.token, client_id=mine.client_id
            )
        return self._own


@asynccontextmanager
async def open_house(
    settings: Settings,
    skill: Skill,
    *,
    clock: Clock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    model: ChatModel | None = None,
) -> AsyncIterator[House]:
    """A house on `settings`: SQLite unless a database is set; the embedded studio starts when first needed."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as stack:
        keep = await stack.enter_async_context(open_keeping(settings))
        if settings.engine:
            keep = _on_engine(keep, settings)
        house = House(
            settings,
            skill,
            keep,
            await stack.enter_async_context(_client(settings, transport)),
            clock or SystemClock(),
            _address(settings, stack),
            model or (load_model(settings.model, settings.model_options) if settings.model else None),
        )
        stack.callback(house.close)
        yield house


@asynccontextmanager
async def open_agent(
    settings: Settings,
    skill: Skill,
    *,
    clock: Clock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    model: ChatModel | None = None,
) -> AsyncIterator[Agent]:
    """An agent for the person at this machine."""
    async with open_house(settings, skill, clock=clock, transport=transport, model=model) as house:
        yield house.agent()


def _client(settings: Settings, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    trust_env = settings.base_url is not None
    if transport is None and trust_env and getproxies():  # httpx's own connections know the way through a proxy.
        return Client(limits=LIMITS, verify=_trusted(trust_env))
    return Client(transport=transport or Transport(partial(_trusted, trust_env)))


@cache
def _trusted(trust_env: bool) -> SSLContext:
    """Whom we believe: read once, it is the slowest part of a client."""
    return httpx.create_ssl_context(trust_env=trust_env)


def _on_engine(keep: Keeping, settings: Settings) -> Keeping:
    """Threads are the engine's; journal and leases stay ours."""
    from langgraph.pregel.remote import RemoteGraph

    key = settings.engine_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    remote = RemoteGraph("reelchat", url=settings.engine, headers=headers, api_key=None)

    async def leave(thread_id: str) -> None:
        """An engine prunes by rules of its own."""

    return keep._replace(graph=lambda: cast(Graph, remote), prune=leave, forget=leave)


def _address(settings: Settings, stack: AsyncExitStack) -> Callable[[], Awaitable[str]]:
    if settings.base_url is not None:
        fixed = settings.base_url

        async def address() -> str:
            return fixed

        return address
    studio = EmbeddedStudio(settings.data / "studio")
    stack.push_async_callback(studio.close)
    return studio.address
