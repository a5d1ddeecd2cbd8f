"""The agent behind the prompt: opened while the person types, kept open by one task, closed by the same."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from agent.repl.core import Core, Load
from agent.settings import Settings
from agent.skills import Skill

__all__ = ["Connection"]


class Connection:
    """One opened agent. Entered and left in the same task, as its context managers require."""

    def __init__(self, load: Load, settings: Settings, skill: Skill) -> None:
        self._load, self._settings, self._skill = load, settings, skill
        self._leave = asyncio.Event()
        self._ready: asyncio.Future[tuple[Core, Any]] = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep())

    @property
    def opened(self) -> bool:
        """Whether a turn can start at once."""
        return self._ready.done()

    @property
    def failed(self) -> bool:
        """Whether opening went wrong, so that another attempt makes sense."""
        return self._ready.done() and (self._ready.cancelled() or self._ready.exception() is not None)

    async def agent(self) -> tuple[Core, Any]:
        """The core and its agent, waiting for them if need be. Raises what opening raised."""
        return await asyncio.shield(self._ready)

    async def close(self) -> None:
        """Leaves the agent. One that is still being opened is given up."""
        self._leave.set()
        if not self._ready.done():
            self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper

    async def _keep(self) -> None:
        try:
            core = await asyncio.to_thread(self._load)
            async with core.open_agent(self._settings, self._skill) as agent:
                self._ready.set_result((core, agent))
                await self._leave.wait()
        except asyncio.CancelledError:
            self._ready.cancel()
            raise
        except Exception as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)
            # Seen: whoever waits for the agent is told; if nobody does, nothing is lost.
            self._ready.exception()
