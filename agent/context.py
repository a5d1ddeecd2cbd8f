"""What a node is handed: `Context`, plain choices that may cross to another machine, and `Tools`, which never do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import httpx
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore

from agent.backend import Backend, Credentials, Drafts
from agent.clock import Clock
from agent.desk import Desk, OwnFiles
from agent.events import Event
from agent.journal import Journal
from agent.lease import FileLeases, Leases
from agent.opinion import ChatModel
from agent.purse import Purse
from agent.settings import Settings
from agent.skills import Skill, load_skill

__all__ = ["Context", "Tools", "emit", "journal", "register", "tools", "unregister"]


@dataclass(frozen=True, slots=True)
class Context:
    """The choices one turn is made with. Never checkpointed."""

    user: str = "local"
    thread: str = ""
    """LangGraph's thread id."""
    skill: str = ""
    """A persona's name or the path of its SKILL.md."""
    exports: str = "exports"
    """The folder that exported files go to."""
    turn: str = ""
    """Of this one turn: an engine that runs a killed turn again runs it under the same id."""


@dataclass(slots=True, weakref_slot=True)
class Tools:
    """What this process holds for one user: the way to the backend, its credentials and the clock."""

    settings: Settings
    http: httpx.AsyncClient
    credentials: Credentials
    clock: Clock
    address: Callable[[], Awaitable[str]]
    """Where the backend answers; starts the embedded studio when it is not running."""
    model: ChatModel | None = None
    """Asked where the router is unsure."""
    look_after: tuple[float, ...] = (30, 60, 60, 60, 60)
    """Seconds to wait before each look at the state when a send's outcome is unknown."""
    poll_every: float = 30.0
    """Seconds between looks at a render job, unless the backend asks for another time."""
    poll_at_most: int = 10
    """Looks at one render job in one turn; past it the job is collected later."""
    purse: Purse = field(default_factory=Purse)
    """What this run has spent."""
    drafts: Drafts = field(default_factory=Drafts)
    """The texts of the drafts seen last."""
    desk: Desk = field(default_factory=OwnFiles)
    """Where names of files lead."""
    shared_leases: Leases | None = None
    """Where processes of several machines hold their threads; None: in files of this one."""
    _skills: dict[str, Skill] = field(default_factory=dict)

    def skill(self, name: str) -> Skill:
        """The persona of that name, read once."""
        if name not in self._skills:
            self._skills[name] = load_skill(name)
        return self._skills[name]

    async def backend(self, skill: str) -> Backend:
        """A client that speaks for the persona."""
        attribution = self.skill(skill).attribution(self.settings.platform)
        url, web_url = await self.address(), self.settings.web_url
        return Backend(url, self.http, self.credentials, attribution, self.clock, web_url=web_url, drafts=self.drafts)

    @property
    def leases(self) -> Leases:
        """Who writes to a thread or a render job."""
        return self.shared_leases or FileLeases(self.settings.data / "leases")


_REGISTRY: WeakValueDictionary[str, Tools] = WeakValueDictionary()
"""Whoever runs a turn holds its tools: they are there as long as it lasts."""


def register(user: str, held: Tools) -> None:
    """Lends `held` to every turn of `user` in this process."""
    _REGISTRY[user] = held


def unregister(user: str) -> None:
    """Takes a user's tools back."""
    _REGISTRY.pop(user, None)


def tools(runtime: Runtime[Context]) -> Tools:
    """What this process holds for the turn's user."""
    return _REGISTRY[runtime.context.user]


def journal(runtime: Runtime[Context]) -> Journal:
    """The turn's journal: what is on disk before the effect it announces."""
    store: BaseStore | None = runtime.store
    assert store is not None, "the graph is compiled with a store"
    return Journal(store, runtime.context.user)


def emit(runtime: Runtime[Context], event: Event) -> None:
    """Shows `event` to whoever consumes the turn."""
    runtime.stream_writer(event.model_dump(mode="json"))
