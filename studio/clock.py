"""Time, so that nothing here asks the machine for it directly."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What passes time: the machine, or a stage that jumps to the next timer."""

    def now(self) -> datetime:
        """UTC, aware."""

    async def sleep(self, seconds: float) -> None:
        """Lets others run meanwhile."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
