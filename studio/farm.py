"""`python -m studio.farm postgresql://… --data SHARED`: renders what a studio with the same folder hands out."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.farm_store import (
    AWAY,
    END,
    LOCK,
    LOOK,
    LOOK_S,
    NOTE,
    TAKE,
    TASK,
    application,
    at_home,
    error_words,
    film_path,
    first,
    maybe,
    pool,
    prepare,
    queue_name,
)
from studio.store import LEASE_S
from studio.workers import FINAL, FarmMissing, Processes, Runner, WorkerFailed

try:
    import procrastinate
except ImportError:
    procrastinate = None  # type: ignore[assignment]

__all__ = ["Hand", "main"]

MOST_ATTEMPTS = 3
BEAT_S, POLL_S = 2.0, 1.0
KEPT_H = 24 * 7
LOST = 75  # exit code of a worker that was away for so long that its job is another's

_log = logging.getLogger("studio")


class Hand:
    """What a farm worker does with a job, and with the jobs of workers that died."""

    def __init__(self, app: procrastinate.App, folder: Path, runner: Runner) -> None:
        self._app, self._folder, self._runner, self._pool = app, folder, runner, pool(app)
        self._queue = queue_name(folder)
        retry = procrastinate.RetryStrategy(max_attempts=MOST_ATTEMPTS - 1, retry_exceptions=(WorkerFailed,))
        app.task(name=TASK, queue=self._queue, pass_context=True, retry=retry)(self.render)

    async def render(self, context: procrastinate.JobContext, *, key: str) -> None:
        """One job of the queue, tried again by the queue when that may help."""
        holder = secrets.token_hex(8)
        async with self._pool.connection() as db:
            row = await maybe(db, TAKE, holder, key)
        if row is None:  # canceled, or finished by a worker that could not say so to the queue
            return
        try:
            await self._film(key, holder, json.loads(row["spec"]))
        except WorkerFailed as error:
            if error.blame not in FINAL and context.job.attempts + 1 < MOST_ATTEMPTS:
                raise
            await self._end(key, holder, error_words(str(error), error.blame, error.asset))
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is not None and me.cancelling():
                raise
        finally:
            await self._leave_if_lost(key, holder)

    async def _film(self, key: str, holder: str, spec: Mapping[str, Any]) -> None:
        """Renders to a file of its own, which becomes the finished one in one move while the job is still ours."""
        film = film_path(self._folder, spec)
        out = film.with_name(f"{key}-{holder}{film.suffix}")
        try:
            result = await self._run(key, holder, at_home(spec, self._folder) | {"out": str(out)})
            if await self._note(key, holder, 1.0, "finish"):
                out.replace(film)
                if not await self._end(key, holder, json.dumps({"result": result})):
                    film.unlink(missing_ok=True)
        finally:
            out.unlink(missing_ok=True)

    async def _run(self, key: str, holder: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        seen: dict[str, Any] = {"done": 0.0, "stage": ""}
        task = asyncio.create_task(self._runner.run(spec, lambda done, stage: seen.update(done=done, stage=stage)))
        beat = asyncio.create_task(self._beat(key, holder, task, seen))
        try:
            return await task
        finally:
            beat.cancel()

    async def _beat(self, key: str, holder: str, task: asyncio.Task[Any], seen: Mapping[str, Any]) -> None:
        """Writes progress down, and stops a job that is no longer wanted, or no longer ours."""
        ours = True
        while ours:
            await asyncio.sleep(LOOK_S)
            with contextlib.suppress(*AWAY):
                ours = await self._note(key, holder, seen["done"], seen["stage"])
        task.cancel()

    async def _leave_if_lost(self, key: str, holder: str) -> None:
        """To go on would be to tell the queue that another worker's job is over: the queue asks nobody who he is."""
        with contextlib.suppress(*AWAY):
            async with self._pool.connection() as db:
                row = await maybe(db, LOOK, key)
            if row is not None and row["ended"] is None and row["holder"] != holder:
                _log.error("away for more than %s s: render %s is another worker's, this one ends", LEASE_S, key)
                os._exit(LOST)

    async def _note(self, key: str, holder: str, done: float, stage: str) -> bool:
        """Whether the job is still wanted and ours."""
        async with self._pool.connection() as db:
            return await maybe(db, NOTE, done, stage, key, holder) is not None

    async def _end(self, key: str, holder: str, ended: str) -> bool:
        async with self._pool.connection() as db:
            return await maybe(db, END, ended, key, holder, holder) is not None

    async def work(self, places: int) -> None:
        """Until it is canceled, when the jobs under way are finished first, or until the database goes away."""
        try:
            await self._app.run_worker_async(
                queues=[self._queue],
                concurrency=places,
                install_signal_handlers=False,
                fetch_job_polling_interval=POLL_S,
                abort_job_polling_interval=BEAT_S,
                update_heartbeat_interval=BEAT_S,
                stalled_worker_timeout=LEASE_S,
            )
        except AWAY as error:
            _log.warning("the farm's database does not answer: %s", error)
        await asyncio.sleep(BEAT_S)

    async def watch(self) -> None:
        """Gives jobs whose worker has been silent for a lease to another, and clears away what is old."""
        hours = 0.0
        while True:
            try:
                await self._rescue()
                if hours <= 0:
                    hours = 1
                    await self._clear()
            except AWAY as error:
                _log.warning("the farm's database does not answer: %s", error)
            await asyncio.sleep(POLL_S)
            hours -= POLL_S / 3600

    async def _rescue(self) -> None:
        jobs = self._app.job_manager
        async with self._pool.connection() as db:  # one at a time: two would give one job to two workers
            if not (await first(db, "SELECT pg_try_advisory_xact_lock(%s) AS mine", LOCK + 1))["mine"]:
                return
            for job in await jobs.get_stalled_jobs(queue=self._queue, seconds_since_heartbeat=LEASE_S):
                _log.warning("render %s lost its worker", job.task_kwargs["key"])
                if job.attempts + 1 < MOST_ATTEMPTS:
                    await jobs.retry_job(job)
                    continue
                await maybe(db, END, error_words("gave up"), job.task_kwargs["key"], None, None)
                await jobs.finish_job(job, procrastinate.jobs.Status.FAILED, delete_job=False)

    async def _clear(self) -> None:
        finished = {"include_failed": True, "include_cancelled": True, "include_aborted": True}
        await self._app.job_manager.delete_old_jobs(KEPT_H, queue=self._queue, **finished)
        async with self._pool.connection() as db:
            await db.execute(
                "DELETE FROM renders WHERE ended IS NOT NULL AND changed < now() - %s * interval '1 hour'", (KEPT_H,)
            )


def main() -> int:
    """0 when it ended as asked, 2 when there can be no farm here."""
    arguments = _parser().parse_args()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s"
    )
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    try:
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(_serve(arguments.url, arguments.data.resolve(), arguments.at_once))
    except FarmMissing as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def _serve(url: str, folder: Path, places: int) -> None:
    me, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert me is not None

    def end() -> None:
        loop.remove_signal_handler(signal.SIGTERM)  # the second one ends it at once
        me.cancel()

    await prepare(url)
    loop.add_signal_handler(signal.SIGTERM, end)
    await _folder_there(folder)
    async with application(url).open_async() as app:
        hand = Hand(app, folder, Processes(folder / "renders"))
        watch = asyncio.create_task(hand.watch())
        try:
            while True:
                await hand.work(places)
        finally:
            watch.cancel()


async def _folder_there(folder: Path) -> None:
    """A worker may start before its studio, and before its volume is mounted."""
    told = False
    while True:
        try:
            queue_name(folder)
            return
        except FileNotFoundError:
            if not told:
                _log.warning("no studio with --farm has used %s yet: waiting for one", folder)
            told = True
            await asyncio.sleep(POLL_S)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studio.farm", description="Renders for a studio that others share."
    )
    parser.add_argument("url", help="the studio's --farm database, postgresql://…; PGPASSWORD works")
    parser.add_argument("--data", type=Path, required=True, help="the studio's folder, as this machine sees it")
    parser.add_argument("--at-once", type=int, default=1, help="renders side by side (default 1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
