"""An agent on the fake cloud, a folder of its own, and a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fake_nemo import FakeNemo, JumpingClock

from agent.events import Event
from agent.settings import Settings
from agent.skills import load_skill
from agent.state import LocalPath
from agent.turn import Agent, open_agent, turn

URL = "http://nemo.test"


@dataclass
class World:
    """What a test looks at."""

    folder: Path
    nemo: FakeNemo = field(default_factory=FakeNemo)
    clock: JumpingClock = field(default_factory=JumpingClock)
    environ: dict[str, str] = field(default_factory=dict)

    def settings(self) -> Settings:
        environ = {"XDG_CONFIG_HOME": str(self.folder / "config"), "NEMO_API_URL": URL, **self.environ}
        return Settings.load(home=self.folder, exports=self.folder / "exports", environ=environ)

    def run(self, scenario: Callable[[Agent], Coroutine[Any, Any, Any]]) -> Any:
        """Runs `scenario` with a new agent, as a new process would be."""

        async def work() -> Any:
            skill = load_skill("generator-image")
            async with open_agent(self.settings(), skill, clock=self.clock, transport=self.nemo) as agent:
                return await scenario(agent)

        return asyncio.run(work())

    def say(self, *turns: str, files: tuple[str, ...] = ()) -> list[Event]:
        """Turns of one thread, in one process; the events of the last."""

        async def scenario(agent: Agent) -> list[Event]:
            events: list[Event] = []
            for text in turns:
                events = [event async for event in turn(agent, "t", text, [LocalPath(name) for name in files])]
            return events

        found: list[Event] = self.run(scenario)
        return found
