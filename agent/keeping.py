"""Where threads and journal are kept, and who may write to them: in SQLite and files of this machine, or shared."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # read when LangGraph is imported, next

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.store.base import BaseStore
from langgraph.store.sqlite.aio import AsyncSqliteStore

from agent.errors import SettingsError
from agent.graph import Graph, build
from agent.lease import FileLeases, Leases
from agent.settings import Settings

__all__ = ["Keeping", "open_keeping"]

_PRUNE = (
    "DELETE FROM {} WHERE thread_id = ? AND checkpoint_id <> (SELECT max(checkpoint_id) FROM checkpoints"
    " WHERE thread_id = ? AND checkpoint_ns = '')"
)


class Keeping(NamedTuple):
    """Everything that outlives a turn."""

    store: BaseStore
    leases: Leases
    graph: Callable[[], Graph]
    """The graph with a checkpointer for one turn: each of PostgreSQL's holds a lock of its own."""
    prune: Callable[[str], Awaitable[None]]
    """Drops all checkpoints of a thread but the last."""
    forget: Callable[[str], Awaitable[None]]
    """Drops all checkpoints of a thread."""
    alive: Callable[[], Awaitable[None]]
    """Raises where it can't be reached."""


def open_keeping(settings: Settings) -> AbstractAsyncContextManager[Keeping]:
    """In the database that is set, else in SQLite. Raises SettingsError where what it takes is not installed."""
    if settings.database is None:
        return _in_sqlite(settings)
    try:
        from agent.cluster import open_shared
    except ImportError as error:
        raise SettingsError(str(error), reason="cluster") from error
    return open_shared(settings)


@asynccontextmanager
async def _in_sqlite(settings: Settings) -> AsyncIterator[Keeping]:
    async with (
        AsyncSqliteSaver.from_conn_string(str(settings.data / "threads.db")) as saver,
        AsyncSqliteStore.from_conn_string(str(settings.data / "journal.db")) as store,
    ):
        await saver.setup()
        await store.setup()

        async def prune(thread_id: str) -> None:
            async with saver.lock:
                for table in ("writes", "checkpoints"):
                    await saver.conn.execute(_PRUNE.format(table), (thread_id, thread_id))
                await saver.conn.commit()

        async def alive() -> None:
            await store.aget(("reelchat",), "alive")

        leases = FileLeases(settings.data / "leases")
        yield Keeping(store, leases, lambda: build(saver, store), prune, saver.adelete_thread, alive)
