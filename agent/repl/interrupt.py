"""Ctrl-C while a turn runs: it ends the turn, not the program."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["interruptible"]


@contextmanager
def interruptible(task: asyncio.Task[Any]) -> Iterator[None]:
    """Within it Ctrl-C cancels `task`. Signals reach the main thread only; elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def cancel(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(task.cancel)

    before = signal.signal(signal.SIGINT, cancel)
    try:
        yield
    finally:
        # None means that it was not installed from Python, and cannot be put back as it was.
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
