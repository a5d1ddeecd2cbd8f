"""One writer a thread: held for a whole turn, by a file lock between processes. LangGraph itself loses updates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from agent.errors import Busy

__all__ = ["lease"]


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
