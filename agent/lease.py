"""One writer a thread: held for a whole turn, between tasks, processes and machines. LangGraph itself loses updates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from agent.errors import Busy

__all__ = ["FileLeases", "Leases", "lease"]


class Leases(Protocol):
    """Where leases are kept: in files here, in Redis or in PostgreSQL (agent/cluster.py)."""

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        """Holds `name`, or raises Busy at once."""
        ...


class FileLeases:
    """Leases for the processes of one machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Holds `name`, or raises Busy at once."""
        with lease(self._folder, name):
            yield


@contextmanager
def lease(folder: Path, thread: str) -> Iterator[None]:
    """Holds `thread`, or raises Busy at once. Freed by the system when the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    # Not a singleton and not per-thread: two turns of one process exclude each other too.
    lock = FileLock(folder / f"{thread}.lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise Busy(f"thread {thread!r} is held") from error
    try:
        yield
    finally:
        lock.release()
