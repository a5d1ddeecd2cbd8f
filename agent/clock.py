"""Time as a node sees it: the date for what is written down, the event loop's seconds for what waits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What waits and what writes dates asks this, so that a stage can make time jump."""

    def now(self) -> datetime:
        """The moment in UTC, to be kept and shown."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment, never going back: for measuring."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns after that many seconds; at once for none or fewer."""
        ...


class SystemClock:
    """The machine's date and the running event loop's seconds."""

    def now(self) -> datetime:
        """The machine's date, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The running loop's own seconds: a loop that jumps to its next timer takes this clock along."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Sleeps on the running loop."""
        await asyncio.sleep(max(0.0, seconds))
