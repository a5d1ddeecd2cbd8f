"""How a host stops: at the first signal turns finish and their streams end, at a second one it goes at once."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import FrameType
from typing import Any

from starlette.applications import Starlette

from agent.serve.door import Host

__all__ = ["SIGNALS", "heeding"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)
if sys.platform == "win32":
    SIGNALS += (signal.SIGBREAK,)
GOODBYE_S = 1.0
"""What a stream has to say its last words, once no turn goes on here: it may wait for one of another process."""


def heeding(app: Starlette, *, worker: bool = False) -> Starlette:
    """The same application, which hears of signals before the server's own handlers do."""
    inner: Callable[[Any], AbstractAsyncContextManager[Any]] = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(here: Starlette) -> AsyncIterator[Any]:
        async with inner(here) as state:
            end = _Ending(here.state.host, here.state.streams, worker)
            restore = end.listen()
            try:
                yield state
            finally:
                # Still heard: turns that nobody listens to are waited for behind this.
                try:
                    await end.over()
                finally:
                    restore()

    app.router.lifespan_context = lifespan
    return app


class _Ending:
    def __init__(self, host: Host, streams: set[asyncio.Task[Any]], worker: bool) -> None:
        self._host, self._streams, self._worker = host, streams, worker
        self._loop = asyncio.get_running_loop()
        self._signals = 0
        self._drain: asyncio.Task[None] | None = None

    def listen(self) -> Callable[[], None]:
        """Stands before the handlers that are there. Returns what puts them back."""
        if threading.current_thread() is not threading.main_thread():
            return lambda: None
        before = {number: signal.getsignal(number) for number in SIGNALS}

        def heard(number: int, frame: FrameType | None) -> None:
            if self._worker and number == signal.SIGINT and not self._signals:
                return  # Ctrl-C reaches every process of a terminal; the first one tells the others what it means.
            self._signals += 1
            self._loop.call_soon_threadsafe(self._tell)
            # To uvicorn a second SIGINT, and only that, means: at once.
            meant = signal.SIGINT if self._signals > 1 else signal.Signals(number)
            server = before[meant]
            if callable(server):
                server(meant, frame)

        for number in SIGNALS:
            signal.signal(number, heard)

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        return restore

    async def over(self) -> None:
        """Returns when no turn goes on."""
        self._begin()
        assert self._drain
        await asyncio.shield(self._drain)

    def _tell(self) -> None:
        if self._signals > 1:
            self._host.turns.hurry()
        else:
            self._begin()

    def _begin(self) -> None:
        self._host.turns.draining = True
        if self._drain is None:
            self._drain = self._loop.create_task(self._see_off())

    async def _see_off(self) -> None:
        await self._host.turns.drain()
        if self._streams:
            await asyncio.wait(set(self._streams), timeout=GOODBYE_S)
        for stream in list(self._streams):
            stream.cancel()
