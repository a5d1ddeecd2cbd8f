"""An agent that can die: what it has stored stays, what it was about to store does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.base import Op, PutOp, Result
from langgraph.store.memory import InMemoryStore

from agent.settings import Settings
from agent.skills import load_skill
from agent.turn import Agent
from evals.clock import VirtualClock
from evals.virtual import agent_on

__all__ = ["Lives", "Memory", "Tap"]


class Memory(InMemoryStore):
    """A store that stops taking anything in while a process dies."""

    dying = False

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Reads always work."""
        wanted = list(ops)
        if self.dying:
            return [None for op in wanted if isinstance(op, PutOp)]
        return await super().abatch(wanted)


class Threads(InMemorySaver):
    """A checkpointer that does the same."""

    dying = False

    async def aput(self, config: RunnableConfig, *arguments: Any) -> RunnableConfig:
        """One checkpoint."""
        return config if self.dying else await super().aput(config, *arguments)

    async def aput_writes(self, config: RunnableConfig, *arguments: Any, **more: Any) -> None:
        """What a node wrote."""
        if not self.dying:
            await super().aput_writes(config, *arguments, **more)


class Line(httpx.AsyncBaseTransport):
    """A process's way to the wire: cut with it."""

    def __init__(self, wire: httpx.AsyncBaseTransport) -> None:
        self._wire, self.dead = wire, False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        if self.dead:
            raise httpx.ConnectError("the process is dead", request=request)
        return await self._wire.handle_async_request(request)


class Tap:
    """A graph, and an ear at what its nodes return. Nothing that passes is changed."""

    def __init__(self, graph: Any, hear: Callable[[str, dict[str, Any]], None]) -> None:
        self._graph, self._hear = graph, hear

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)

    async def astream(self, *arguments: Any, **more: Any) -> AsyncIterator[Any]:
        """The parts that were asked for."""
        async for part in self._graph.astream(*arguments, **{**more, "stream_mode": ["custom", "updates"]}):
            if part["type"] == "custom":
                yield part
                continue
            for node, update in part["data"].items():
                self._hear(node, update or {})


_skill = cache(load_skill)


@dataclass
class Lives:
    """One person's agent, process after process, on the same disk."""

    settings: Settings
    skill: str
    clock: VirtualClock
    wire: httpx.AsyncBaseTransport
    hear: Callable[[str, dict[str, Any]], None]
    memory: Memory = field(default_factory=Memory)
    threads: Threads = field(default_factory=Threads)
    agent: Agent = field(init=False)
    _http: httpx.AsyncClient = field(init=False)
    _line: Line = field(init=False)

    def open(self) -> None:
        """A process begins."""
        self._line = Line(self.wire)
        self._http = httpx.AsyncClient(transport=self._line, trust_env=False)
        agent = agent_on(self._http, self.clock, self.settings, _skill(self.skill), self.threads, self.memory)
        self.agent = replace(agent, graph=Tap(agent.graph, self.hear))  # type: ignore[arg-type]  # passes all else on

    def cut(self) -> None:
        """From here on nothing of the process reaches its disk or the wire."""
        self._line.dead = self.memory.dying = self.threads.dying = True
        self._kept = self.settings.data.parent / "kept"
        for folder in self._folders():
            shutil.copytree(folder, self._kept / folder.name)

    def reopen(self) -> None:
        """A new one, with what was on the disk when the last one was cut."""
        for folder in self._folders():
            shutil.rmtree(folder)
            if (self._kept / folder.name).exists():
                shutil.move(self._kept / folder.name, folder)
        shutil.rmtree(self._kept)
        self.memory.dying = self.threads.dying = False
        self.open()

    def kept(self) -> Iterator[str]:
        """What lies on its disk, as text: the journal, and every checkpoint."""
        for space in self.memory.list_namespaces(limit=1000):
            for item in self.memory.search(space, limit=1000):
                yield json.dumps(item.value, ensure_ascii=False, default=str)
        for _, blob in self.threads.blobs.values():
            yield blob.decode("utf-8", "replace")

    async def close(self) -> None:
        """Ends the process as a person does."""
        await self._http.aclose()

    def _folders(self) -> Sequence[Path]:
        return [folder for folder in (self.settings.data, self.settings.exports) if folder.exists()]
