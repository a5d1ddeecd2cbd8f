"""A stage without a machine: the studio's protocol layer with a script for a planner, and an agent in memory.

Everything is in one process on one jumping loop: no threads, no sockets, no processes. What is kept is kept in
dictionaries and in a folder of small files, so an hour of waiting takes milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from agent.backend import Credentials
from agent.context import Tools, register, unregister
from agent.graph import build as build_graph
from agent.journal import Journal, Send
from agent.settings import Settings
from agent.skills import load_skill
from agent.turn import Agent
from evals.clock import VirtualClock
from evals.faulty import FaultyTransport
from studio.app import build as build_app
from studio.options import Dialect, Options
from studio.queue import Queue
from studio.store import Store
from studio.stream import Act, Call, Commit, Hold, Returned, Say
from studio.stream import Turn as Message
from studio.tracks import VIDEO, put, segment
from studio.workers import WorkerFailed

__all__ = ["FILM", "URL", "Manner", "Scene", "Script", "scene"]

URL = "http://stage.test"
FILM = bytes(range(64))
"""What every render comes out as."""
Manner = Literal["speaks", "silent", "late", "declines"]
"""How the backend does an edit: says so, says nothing, works on after its last word, or changes nothing."""
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
        """Every file is a small picture."""
        kind = {"kind": "image", "mime": "image/png", "ext": "png"}
        return {**kind, "width": 4, "height": 3, "duration_ms": 0, "fps": 0}

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
    for name in ("media", "renders"):
        (folder / "studio" / name).mkdir(parents=True)
    clock, script, crew = VirtualClock(), Script(manner), Pretenders(failing)
    store = Store(folder / "studio", memory=True, clock=clock, size=(320, 180))
    queue = Queue(store, crew, clock, poll_s=None)
    app = build_app(store, script, queue, Options(dialect=dialect, heartbeat=None, pace=0), drawer=crew, clock=clock)
    wire = FaultyTransport(app)
    worker = asyncio.create_task(queue.work())
    try:
        async with httpx.AsyncClient(transport=wire, trust_env=False) as http:
            agent = _agent(folder, http, clock)
            yield Scene(agent, wire, script, store, folder)
            await app.state.turns.cancel()
    finally:
        unregister("local")
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        store.close()


def _agent(folder: Path, http: httpx.AsyncClient, clock: VirtualClock) -> Agent:
    """What `open_agent` makes, without its databases: their threads would burn virtual hours."""
    settings = Settings.load(backend=URL, home=folder, exports=folder / "exports", lang="en", environ={})
    settings.data.mkdir(parents=True)
    credentials = Credentials(settings.backend, settings.data, settings.client_id_file)

    async def address() -> str:
        return URL

    held = Tools(settings, http, credentials, clock, address)
    memory = InMemoryStore()
    agent = Agent(settings, load_skill("generator-image"), build_graph(InMemorySaver(), memory), memory, held)
    register(agent.user, held)
    return agent
