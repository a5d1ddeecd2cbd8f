"""What the terminal needs from the agent, and how it gets it without waiting for LangGraph's import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from agent.settings import Settings
from agent.skills import Skill
from prompts import Lang
from router import Decision

if TYPE_CHECKING:
    from agent.draft import Draft
    from agent.entries import Version
    from agent.events import Event
    from agent.state import LocalPath

__all__ = ["Core", "Load", "load"]


class Core(Protocol):
    """The functions of agent.turn. An agent is opaque, but has `with_skill(skill)`."""

    def open_agent(self, settings: Settings, skill: Skill) -> AbstractAsyncContextManager[Any]: ...

    def turn(
        self,
        agent: Any,
        thread: str,
        text: str,
        files: Sequence[LocalPath] = (),
        *,
        exports: Path | None = None,
        out: Path | None = None,
        lang: Lang | None = None,
    ) -> AsyncIterator[Event]: ...

    def recover(self, agent: Any, thread: str) -> AsyncIterator[Event]: ...

    def collect(self, agent: Any, only: str | None = None) -> AsyncIterator[Event]: ...

    async def explain(self, agent: Any, thread: str) -> list[Decision]: ...

    async def versions(self, agent: Any, thread: str) -> list[Version]: ...

    async def drawn(self, agent: Any, thread: str) -> Draft | None: ...

    async def outcome(self, agent: Any, thread: str) -> str: ...


Load = Callable[[], Core]
"""Fetches the core; may take seconds, so it runs in a thread."""


def load() -> Core:
    """The real one. The import is here because it takes 1.4 s, which the person spends typing."""
    from agent import turn

    return turn
