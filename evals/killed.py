"""`python -m evals.killed N before|after ARGUMENTS…`: the chat, killed at the Nth thing its journal writes."""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from typing import Any

from langgraph.store.sqlite.aio import AsyncSqliteStore

from agent.cli import main


def die_at(number: int, moment: str) -> None:
    """From here on the process ends at that write, without any farewell. Not on Windows."""
    put, writes = AsyncSqliteStore.aput, count(1)

    async def deadly(self: AsyncSqliteStore, *arguments: Any, **more: Any) -> None:
        last = next(writes) == number
        if last and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        await put(self, *arguments, **more)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)

    AsyncSqliteStore.aput = deadly  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    die_at(int(sys.argv[1]), sys.argv[2])
    del sys.argv[1:3]
    sys.exit(main())
