"""A stage's time: an event loop that jumps to its next timer as soon as nothing is ready, and the clock on it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeVar

__all__ = ["JumpingLoop", "NotOnStage", "Stuck", "VirtualClock", "run"]

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 24 * 3600.0
BREATHLESS = 200_000
"""Rounds of the loop without time passing, after which it is taken to spin."""

Result = TypeVar("Result")


class Stuck(RuntimeError):
    """Nothing is ready and no timer is set, or time went on for longer than any scene: somebody waits for ever."""


class NotOnStage(RuntimeError):
    """A thread, a socket or a process: each takes real time, in which hours would pass here."""


class _Selector(selectors.SelectSelector):
    """Never waits: it tells `jump` how long the loop would have. Takes the loop's own pipe and nothing else."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        super().__init__()
        self._jump = jump

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.get_map():
            raise NotOnStage("a socket")
        return super().register(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._jump(timeout)
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """Seconds from 0, passing only when nobody has anything to do. Raises Stuck past `limit` of them."""

    def __init__(self, limit: float = 30 * DAY) -> None:
        self._moment, self._limit, self._still = 0.0, limit, 0
        super().__init__(_Selector(self._pass))

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._moment

    def _pass(self, timeout: float | None) -> None:
        if timeout is None:
            raise Stuck(f"nothing is ready and no timer is set at {self._moment:g} s: {_waiting(self)}")
        self._still = 0 if timeout > 0 else self._still + 1
        self._moment += max(0.0, timeout)
        if self._moment > self._limit or self._still > BREATHLESS:
            raise Stuck(f"no end in sight at {self._moment:g} s: {_waiting(self)}")

    def run_in_executor(  # type: ignore[override]  # whatever it is given, it refuses
        self, executor: Any, func: Any, *args: Any
    ) -> NoReturn:
        """No threads here."""
        raise NotOnStage(f"a thread for {getattr(func, '__qualname__', func)}")

    async def subprocess_exec(self, *args: Any, **more: Any) -> NoReturn:
        """No processes here."""
        raise NotOnStage("a process")

    async def subprocess_shell(self, *args: Any, **more: Any) -> NoReturn:
        """No processes here."""
        raise NotOnStage("a process")


class VirtualClock:
    """The running loop's seconds as dates, for the agent and for the studio."""

    def __init__(self) -> None:
        self._last = START

    def now(self) -> datetime:
        """UTC; two moments are never the same, as on a real machine."""
        moment = START + timedelta(seconds=asyncio.get_running_loop().time())
        self._last = max(moment, self._last + timedelta(microseconds=1))
        return self._last

    def monotonic(self) -> float:
        """The loop's seconds."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """On the running loop, so at once."""
        await asyncio.sleep(max(0.0, seconds))


def run(scene: Coroutine[Any, Any, Result], *, limit: float = 30 * DAY) -> Result:
    """`asyncio.run` on a loop that jumps."""
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(limit)) as runner:
        return runner.run(scene)


def _waiting(loop: asyncio.AbstractEventLoop) -> str:
    """Where every unfinished task waits, one after the other."""
    places = []
    for task in asyncio.all_tasks(loop):
        frames = task.get_stack(limit=1)
        where = f"{frames[-1].f_code.co_qualname}:{frames[-1].f_lineno}" if frames else "?"
        places.append(f"{task.get_name()} in {where}")
    return "; ".join(sorted(places)) or "no task is left"
