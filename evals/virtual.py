"""A stage without a machine: the studio's protocol layer with a script for a planner, and an agent in memory.

Everything is in one process on one jumping loop: no threads, no sockets, no processes. What is kept is kept in
dictionaries and in a folder of small files, so an hour of waiting takes milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from starlette.formparsers import MultiPartParser

from agent.backend import Credentials
from agent.context import Tools, register, unregister
from agent.entries import Send
from agent.graph import build as build_graph
from agent.journal import Journal
from agent.settings import Settings
from agent.skills import Skill, load_skill
from agent.turn import Agent
from evals.clock import VirtualClock
from evals.faulty import FaultyTransport
from studio.app import build as build_app
from studio.media import ACCEPTED
from studio.options import Dialect, Options
from studio.queue import Queue
from studio.store import Store
from studio.stream import Act, Call, Commit, Hold, Planner, Returned, Say
from studio.stream import Turn as Message
from studio.tracks import VIDEO, put, segment
from studio.turns import Turns
from studio.workers import WorkerFailed

__all__ = ["FILM", "URL", "Backstage", "Manner", "Pretenders", "Scene", "Script", "agent_on", "backstage", "scene"]

URL = "http://stage.test"
FILM = bytes(range(64))
"""What every render comes out as."""
Manner = Literal["speaks", "silent", "late", "declines"]
"""How the backend does an edit: says so, says nothing, works on after its last word, or changes nothing."""
_SKILLS: dict[str, Skill] = {}
"""Personas that were read before: reading one takes longer than a turn."""
WORK = 12.0
"""Seconds an edit takes."""


@dataclass
class Script:
    """A planner that adds a segment a message. `heard` and `done` are its books."""

    manner: Manner = "speaks"
    heard: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    async def acts(self, turn: Message) -> AsyncIterator[Act]:
        """One message."""
        self.heard.append(turn.text)
        if self.manner == "declines":
            yield Say("That is beyond me.")
            return
        yield Hold(5)
        if self.manner == "late":
            yield Say("It is on its way.")
        yield Call("edit_multitrack")
        await asyncio.sleep(WORK * (6 if self.manner == "late" else 1))
        draft = turn.session.draft
        put(draft, VIDEO, "Video", [segment(0, 10_000, {"name": turn.text[:40]})])
        yield Commit(draft, charge=5)
        self.done.append(turn.text)
        yield Returned("edit_multitrack")
        if self.manner == "speaks":
            yield Say("There it is: a city at night. It lasts ten seconds.")


class Pretenders:
    """Draws, looks into files and renders without doing so. `failing` is how many renders fail first."""

    def __init__(self, failing: int = 0) -> None:
        self.failing = failing

    async def draw(self, prompt: str, seed: int, width: int, height: int, out: Path) -> dict[str, Any]:
        """A picture nobody wrote."""
        return {"width": width, "height": height, "kind": "scene", "label": prompt}

    async def probe(self, path: Path, name: str) -> dict[str, Any]:
        """Whatever its extension says: a small picture, or five seconds."""
        found = ACCEPTED[path.suffix.lstrip(".")]
        kind = {"kind": found.kind, "mime": found.mime, "ext": path.suffix.lstrip(".")}
        size = {"width": None, "height": None} if found.kind == "audio" else {"width": 4, "height": 3}
        return {**kind, **size, "duration_ms": 0 if found.kind == "image" else 5_000, "fps": 0}

    async def run(self, spec: Mapping[str, Any], step: Any, limit_s: float = 0) -> dict[str, Any]:
        """Five seconds of work."""
        step(0.5, "compose")
        await asyncio.sleep(5)
        if self.failing:
            self.failing -= 1
            raise WorkerFailed("the film tore", blame="media")
        _write(Path(spec["out"]))
        return {"size": len(FILM), "duration_ms": 10_000, "width": 320, "height": 180}


@dataclass(slots=True)
class Scene:
    """One studio, one agent and the wire between them."""

    agent: Agent
    wire: FaultyTransport
    script: Script
    store: Store
    folder: Path

    @property
    def journal(self) -> Journal:
        """The agent's own records."""
        return Journal(self.agent.store, self.agent.user)

    async def sends(self) -> list[Send]:
        """Every send in those records, settled or not."""
        found = await self.agent.store.asearch(("reelchat", self.agent.user, "sends"), limit=1000)
        return [Send(**item.value) for item in found]

    def renders(self) -> dict[str, str]:
        """Status of every job the studio has, by the client's id."""
        return {row["id"]: row["status"] for row in self.store.db.execute("SELECT id, status FROM jobs")}

    def uploads(self) -> int:
        """Files the studio has been given."""
        return int(self.store.db.execute("SELECT count(*) FROM assets").fetchone()[0])


def _write(path: Path) -> None:
    path.write_bytes(FILM)


@asynccontextmanager
async def scene(
    folder: Path, manner: Manner = "speaks", dialect: Dialect = "adk", failing: int = 0
) -> AsyncIterator[Scene]:
    """A scene that keeps its files in `folder`; to be entered on a jumping loop."""
    script, crew = Script(manner), Pretenders(failing)
    async with backstage(folder / "studio", lambda media: script, crew, dialect) as behind:
        try:
            async with httpx.AsyncClient(transport=behind.wire, trust_env=False) as http:
                settings = Settings.load(backend=URL, home=folder, exports=folder / "exports", lang="en", environ={})
                memory = InMemoryStore()
                agent = agent_on(http, behind.clock, settings, load_skill("generator-image"), InMemorySaver(), memory)
                yield Scene(agent, behind.wire, script, behind.store, folder)
                await behind.turns.cancel()
        finally:
            unregister("local")


@dataclass(slots=True)
class Backstage:
    """The studio's protocol layer at work, and the wire that leads to it."""

    store: Store
    turns: Turns
    wire: FaultyTransport
    clock: VirtualClock


@asynccontextmanager
async def backstage(
    folder: Path,
    planner: Callable[[Path], Planner],
    crew: Pretenders,
    dialect: Dialect = "adk",
    wired: Callable[[Any, Store], FaultyTransport] = lambda app, store: FaultyTransport(app),
) -> AsyncIterator[Backstage]:
    """`planner` is made with the folder of media, `wired` puts the app at the end of a wire."""
    for name in ("media", "renders"):
        (folder / name).mkdir(parents=True)
    clock = VirtualClock()
    store = Store(folder, memory=True, clock=clock, size=(320, 180))
    queue = Queue(store, crew, clock, poll_s=None)
    options = Options(dialect=dialect, heartbeat=None, pace=0)
    app = build_app(store, planner(store.media), queue, options, drawer=crew, clock=clock)
    worker = asyncio.create_task(queue.work())
    # What a form holds beyond this goes to a file, by a thread.
    spooled, MultiPartParser.spool_max_size = MultiPartParser.spool_max_size, 1 << 30
    try:
        yield Backstage(store, app.state.turns, wired(app, store), clock)
        await app.state.turns.cancel()
    finally:
        MultiPartParser.spool_max_size = spooled
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        store.close()


def agent_on(
    http: httpx.AsyncClient, clock: VirtualClock, settings: Settings, skill: Skill, saver: Any, memory: BaseStore
) -> Agent:
    """What `open_agent` makes, without its databases: their threads would burn virtual hours."""
    settings.data.mkdir(parents=True, exist_ok=True)
    credentials = Credentials(
        settings.backend, settings.data, settings.client_id_file, supplied=settings.token, client_id=settings.client_id
    )

    async def address() -> str:
        return URL

    held = Tools(settings, http, credentials, clock, address, _skills=_SKILLS)
    agent = Agent(settings, skill, build_graph(saver, memory), memory, held)
    register(agent.user, held)
    return agent
