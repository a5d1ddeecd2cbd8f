"""The studio's side of a farm: a runner that hands renders to other machines and waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from studio.farm_store import (
    AWAY,
    END,
    LOOK,
    LOOK_S,
    NEW,
    TASK,
    application,
    error_words,
    film_path,
    maybe,
    pool,
    portable,
    prepare,
    queue_name,
)
from studio.store import LEASE_S
from studio.workers import RENDER_S, WITHDRAWN, Step, WorkerFailed

try:
    import procrastinate
except ImportError:
    procrastinate = None  # type: ignore[assignment]

__all__ = ["Farm", "connect"]

AGAIN_S = 2.0  # between two tries to reach a database that is away
SEEN_S = 60.0  # a shared folder may show a new file late

_log = logging.getLogger("studio")


@contextlib.asynccontextmanager
async def connect(url: str, folder: Path) -> AsyncIterator[Farm]:
    """The studio's side, for as long as it runs. Raises FarmMissing."""
    await prepare(url)
    async with application(url).open_async() as app:
        yield Farm(app, folder)


class Farm:
    """Hands renders over and waits for them. A Runner whose jobs outlive it."""

    def __init__(self, app: procrastinate.App, folder: Path) -> None:
        self._app, self._folder, self._pool = app, folder, pool(app)
        self._queue = queue_name(folder, new=True)

    async def run(self, spec: Mapping[str, Any], step: Step, limit_s: float = RENDER_S) -> dict[str, Any]:
        """See Runner. The limit is the worker's: waiting for one has none."""
        key, film = str(spec["key"]), film_path(self._folder, spec)
        try:
            await self._patiently(self._hand_over, key, portable(spec, self._folder))
            ended = await self._ended(key, step)
            if "result" not in ended:
                raise WorkerFailed(ended["error"], blame=ended["blame"], asset=ended["asset"], final=True)
            await _appears(film)
            return dict(ended["result"])
        except asyncio.CancelledError as end:
            if WITHDRAWN in end.args:
                await asyncio.shield(self._withdraw(key, film))
            raise

    async def _hand_over(self, key: str, spec: str) -> None:
        """Once a key, whoever asks and however often: the row and the job are one transaction."""
        async with self._pool.connection() as db:
            if await maybe(db, NEW, key, spec) is None:
                return
            task = self._app.configure_task(TASK, queue=self._queue, connection=db)
            await db.execute("UPDATE renders SET job = %s WHERE key = %s", (await task.defer_async(key=key), key))

    async def _ended(self, key: str, step: Step) -> dict[str, Any]:
        dropped_s = 0.0
        while dropped_s < LEASE_S:
            row = await self._patiently(self._look, key)
            if row is None:
                break
            if row["ended"] is not None:
                return dict(json.loads(row["ended"]))
            step(row["progress"], row["stage"])
            dropped_s = dropped_s + LOOK_S if row["dropped"] else 0.0
            await asyncio.sleep(LOOK_S)
        raise WorkerFailed("the farm dropped it", final=True)

    async def _look(self, key: str) -> dict[str, Any] | None:
        async with self._pool.connection() as db:
            return await maybe(db, LOOK, key)

    async def _withdraw(self, key: str, film: Path) -> None:
        try:
            async with self._pool.connection() as db:
                row = await maybe(db, END, error_words("canceled"), key, None, None)
            if row is not None and row["job"] is not None:
                await self._app.job_manager.cancel_job_by_id_async(row["job"], abort=True)
        except AWAY as error:
            _log.warning("the farm was not told that %s is canceled: %s", key, error)
        _drop(film)

    async def _patiently(self, act: Callable[..., Awaitable[Any]], *words: str) -> Any:
        """A database that is away comes back."""
        while True:
            try:
                return await act(*words)
            except AWAY as error:
                _log.warning("the farm's database does not answer: %s", error)
                await asyncio.sleep(AGAIN_S)


async def _appears(film: Path) -> None:
    for _ in range(round(SEEN_S / LOOK_S)):
        if _there(film):
            return
        await asyncio.sleep(LOOK_S)
    raise WorkerFailed("the finished file does not appear: do the farm and the studio share a folder?", final=True)


def _there(film: Path) -> bool:
    return film.is_file()


def _drop(film: Path) -> None:
    film.unlink(missing_ok=True)
