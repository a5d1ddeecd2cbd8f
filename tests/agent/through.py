"""The real core on the fake cloud and its clock, for front ends that open the agent themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fake_nemo import FakeNemo
from world import World

from agent import turn as core
from agent.turn import Agent


class Through:
    """Stands where `agent.turn` stands."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.opened = self.closed = 0

    def load(self) -> Any:
        return self

    @asynccontextmanager
    async def open_agent(self, settings: Any, skill: Any) -> AsyncIterator[Agent]:
        self.opened += 1
        try:
            async with core.open_agent(settings, skill, clock=self._world.clock, transport=self._world.nemo) as agent:
                yield agent
        finally:
            self.closed += 1

    def __getattr__(self, name: str) -> Any:
        return getattr(core, name)


def keep_rendering(nemo: FakeNemo) -> None:
    """Renders never end by themselves, and can be canceled."""
    usual = nemo._render

    def slow(request: httpx.Request, path: str) -> httpx.Response:
        if request.method == "POST" and path.endswith("/cancel"):
            name = path.split("/")[-2]
            if nemo.renders.get(name) == "processing":
                nemo.renders[name] = "canceled"
            return httpx.Response(200, json={"id": name, "status": nemo.renders.get(name)})
        if request.method == "POST":
            nemo.renders[nemo.writes[-1][1]["id"]] = "processing"
        return usual(request, path)

    nemo._render = slow  # type: ignore[method-assign]
