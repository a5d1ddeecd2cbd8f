"""A core without a graph: plays the events a test wrote down for an utterance, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.draft import Draft
from agent.events import Event
from agent.settings import Settings
from agent.skills import Skill
from prompts import Lang
from router import Decision

Scene = list[Event | Callable[[], None]]


@dataclass(frozen=True)
class FakeAgent:
    skill: Skill

    def with_skill(self, skill: Skill) -> FakeAgent:
        return FakeAgent(skill)


@dataclass
class FakeCore:
    """Stands where `agent.turn` stands. A callable in a scene is called when its turn comes."""

    scenes: dict[str, Scene] = field(default_factory=dict)
    recovered: list[Event] = field(default_factory=list)
    collected: list[Event] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    """How the turn with these words ends; "done" unless it is here."""
    decisions: list[Decision] = field(default_factory=list)
    refuses: list[Exception] = field(default_factory=list)
    """What opening raises, one an attempt."""
    drafts: dict[str, Any] = field(default_factory=dict)
    """What `drawn` reads, by thread."""
    turns: list[dict[str, Any]] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    settings: Settings | None = None

    @property
    def said(self) -> list[str]:
        return [turn["text"] for turn in self.turns]

    def load(self) -> FakeCore:
        return self

    @asynccontextmanager
    async def open_agent(self, settings: Settings, skill: Skill) -> AsyncIterator[FakeAgent]:
        if self.refuses:
            raise self.refuses.pop(0)
        self.settings = settings
        self.opened += 1
        try:
            yield FakeAgent(skill)
        finally:
            self.closed += 1

    async def turn(
        self,
        agent: FakeAgent,
        thread: str,
        text: str,
        files: Sequence[str] = (),
        *,
        exports: Path | None = None,
        out: Path | None = None,
        lang: Lang | None = None,
    ) -> AsyncIterator[Event]:
        asked = {"thread": thread, "text": text, "files": tuple(files), "exports": exports, "out": out, "lang": lang}
        self.turns.append(asked | {"skill": agent.skill.name})
        for act in self.scenes.get(text, []):
            await asyncio.sleep(0)
            if callable(act):
                act()
                await asyncio.sleep(0)
            else:
                yield act

    async def recover(self, agent: FakeAgent, thread: str) -> AsyncIterator[Event]:
        for event in self.recovered:
            yield event

    async def outcome(self, agent: FakeAgent, thread: str) -> str:
        return self.outcomes.get(self.said[-1] if self.said else "", "done")

    async def collect(self, agent: FakeAgent, only: str | None = None) -> AsyncIterator[Event]:
        found, self.collected = self.collected, []
        for event in found:
            yield event

    async def explain(self, agent: FakeAgent, thread: str) -> list[Decision]:
        return self.decisions

    async def drawn(self, agent: FakeAgent, thread: str) -> Draft | None:
        return Draft.read(self.drafts[thread]) if thread in self.drafts else None
