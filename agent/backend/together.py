"""One call for all who ask for the same at once: many turns of one account want to know one balance."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from agent.clock import Clock

__all__ = ["Together"]

Answer = TypeVar("Answer")


class Together(Generic[Answer]):
    """Whoever asks while a call is under way shares the next one: no answer is older than its question."""

    def __init__(self) -> None:
        self._now: asyncio.Task[Answer] | None = None
        """The call that is under way, or was the last."""
        self._next: asyncio.Task[Answer] | None = None
        """The one that waits for it, and that may still be joined."""
        self._told: tuple[float, Answer] | None = None
        """The last answer, and when it was asked for."""

    async def ask(self, call: Callable[[], Awaitable[Answer]], clock: Clock, within: float = 0.0) -> Answer:
        """The answer of `call`, or of the same call of another; raises what it raised.

        One that was asked for less than `within` seconds ago will do.
        """
        if self._told and clock.monotonic() - self._told[0] < within:
            return self._told[1]
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._after(self._now, call, clock))
            self._next.add_done_callback(_look_at)
        # One who gives up does not take the answer from the others.
        return await asyncio.shield(self._next)

    async def _after(
        self, before: asyncio.Task[Answer] | None, call: Callable[[], Awaitable[Answer]], clock: Clock
    ) -> Answer:
        if before and not before.done():
            await asyncio.wait((before,))
        self._now, self._next = self._next, None
        asked = clock.monotonic()
        answer = await call()
        self._told = asked, answer
        return answer


def _look_at(task: asyncio.Task[Answer]) -> None:
    """Where everybody gave up, nobody looks at what went wrong."""
    if not task.cancelled():
        task.exception()
