"""Render jobs: a leased table, a place or more in each process, taken over from a process that died."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from studio.clock import Clock
from studio.store import LEASE_S, Store
from studio.workers import FINAL, WITHDRAWN, Runner, WorkerFailed

__all__ = ["Job", "Queue", "Status"]

Status = Literal["pending", "processing", "completed", "failed", "canceled"]
MOST_ATTEMPTS = 3
RENEW_S = 2.0
POLL_S = 1.0  # another process's abandoned jobs are looked for this often

_log = logging.getLogger("studio")
_CLAIM = """
UPDATE jobs SET status = 'processing', attempts = attempts + 1, lease_by = :me, lease_until = :until, progress = 0
WHERE n = (
  SELECT n FROM jobs WHERE attempts < :tries
  AND (status = 'pending' OR (status = 'processing' AND lease_until <= :now)) ORDER BY n LIMIT 1)
RETURNING *"""
_GIVE_UP = """
UPDATE jobs SET status = 'failed', message = 'gave up'
WHERE status = 'processing' AND lease_until <= :now AND attempts >= :tries"""


@dataclass(frozen=True)
class Job:
    """One render as the table has it. `key` names its files; `id` is the client's."""

    key: str
    id: str
    account: str
    spec: Mapping[str, Any]
    status: Status
    progress: float
    attempts: int
    message: str
    result: Mapping[str, Any] | None

    @property
    def extension(self) -> str:
        """Of the finished file."""
        return str(self.spec["output"]["format"])


class Queue:
    """Submits, looks, cancels; `work` runs jobs until it is stopped, in `places` at a time.

    `tries` bounds how often a job is begun; None where the runner keeps its jobs and counts by itself.
    """

    def __init__(
        self,
        store: Store,
        runner: Runner,
        clock: Clock,
        *,
        poll_s: float | None = POLL_S,
        places: int = 1,
        tries: int | None = MOST_ATTEMPTS,
    ) -> None:
        self._store, self._runner, self._clock, self._poll_s = store, runner, clock, poll_s
        self._places, self._tries = places, sys.maxsize if tries is None else tries
        self._me = secrets.token_hex(8)
        self._wake = asyncio.Event()
        self._stopping = False
        self._looking = asyncio.Lock()  # one place looks for the next job, the others wait for their turn
        self._current: dict[str, asyncio.Task[dict[str, Any]]] = {}

    def submit(self, account: str, job: str, spec: Mapping[str, Any]) -> Job:
        """The job with this id; a new one only if the account has none, whatever it is asked for."""
        with self._store.write() as db:
            db.execute(
                "INSERT OR IGNORE INTO jobs (key, id, account, spec) VALUES (?, ?, ?, ?)",
                (f"rn_{secrets.token_hex(8)}", job, account, json.dumps(spec, ensure_ascii=False)),
            )
        self._wake.set()
        found = self.get(account, job)
        assert found is not None
        return found

    def get(self, account: str, job: str) -> Job | None:
        """The account's own job."""
        row = self._store.db.execute("SELECT * FROM jobs WHERE account = ? AND id = ?", (account, job)).fetchone()
        return _job(row) if row else None

    def by_key(self, key: str) -> Job | None:
        """For a signed link."""
        row = self._store.db.execute("SELECT * FROM jobs WHERE key = ?", (key,)).fetchone()
        return _job(row) if row else None

    def cancel(self, account: str, job: str) -> Job | None:
        """Stops it unless it has ended. The process that runs it notices within two seconds."""
        with self._store.write() as db:
            db.execute(
                "UPDATE jobs SET status = 'canceled', message = 'canceled' "
                "WHERE account = ? AND id = ? AND status IN ('pending', 'processing')",
                (account, job),
            )
        found = self.get(account, job)
        if found and found.status == "canceled" and found.key in self._current:
            self._current[found.key].cancel(WITHDRAWN)
        return found

    def path(self, job: Job) -> Path:
        """Where its finished file lies."""
        return self._store.renders / f"{job.key}.{job.extension}"

    async def work(self) -> None:
        """Runs jobs until `stop`."""
        if self._places == 1:
            return await self._place()
        async with asyncio.TaskGroup() as places:
            for _ in range(self._places):
                places.create_task(self._place())

    async def _place(self) -> None:
        while not self._stopping:
            async with self._looking:
                row = await self._next()
            if row is not None:
                await self._do(_job(row))

    async def _next(self) -> sqlite3.Row | None:
        """A job of ours; None when there will be no more."""
        while not self._stopping:
            self._wake.clear()
            row = self._claim()
            if row is not None:
                return row
            with contextlib.suppress(TimeoutError):
                if self._poll_s is None:
                    await self._wake.wait()
                else:
                    await self._idle(self._poll_s)
        return None

    def stop(self) -> None:
        """The job under way is finished; no other is begun."""
        self._stopping = True
        self._wake.set()

    async def _idle(self, seconds: float) -> None:
        waits = [asyncio.ensure_future(self._wake.wait()), asyncio.ensure_future(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _claim(self) -> sqlite3.Row | None:
        now = self._store.moment()
        with self._store.write() as db:
            db.execute(_GIVE_UP, {"now": now, "tries": self._tries})
            row: sqlite3.Row | None = db.execute(
                _CLAIM, {"me": self._me, "now": now, "until": now + LEASE_S, "tries": self._tries}
            ).fetchone()
        return row

    async def _do(self, job: Job) -> None:
        # Each attempt writes a file of its own: an earlier one's process may still be dying.
        out = self._store.renders / f"{job.key}-{job.attempts}.{job.extension}"
        progress = {"now": 0.0}
        spec = {**job.spec, "key": job.key, "out": str(out)}
        task = asyncio.create_task(self._runner.run(spec, lambda done, stage: progress.update(now=done)))
        self._current[job.key] = task
        beat = asyncio.create_task(self._beat(job, task, progress))
        try:
            result = await task
            self._end(job, out, result)
        except WorkerFailed as error:
            self._failed(job, error)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is not None and me.cancelling():  # not the job but its runner is being ended
                self._give_back(job)
                raise
        finally:
            beat.cancel()
            self._current.pop(job.key, None)
            out.unlink(missing_ok=True)

    async def _beat(self, job: Job, task: asyncio.Task[dict[str, Any]], progress: Mapping[str, float]) -> None:
        """Keeps the lease, writes progress down, and ends a job that was canceled or taken over."""
        while True:
            await self._clock.sleep(RENEW_S / 4)
            with self._store.write() as db:
                row = db.execute(
                    "UPDATE jobs SET progress = max(progress, ?), lease_until = ? "
                    "WHERE key = ? AND lease_by = ? AND status = 'processing' RETURNING n",
                    (progress["now"], self._store.moment() + LEASE_S, job.key, self._me),
                ).fetchone()
            if row is None:
                found = self.by_key(job.key)
                task.cancel(WITHDRAWN if found and found.status == "canceled" else None)
                return

    def _end(self, job: Job, out: Path, result: Mapping[str, Any]) -> None:
        if out.exists():
            out.replace(self.path(job))
        with self._store.write() as db:
            db.execute(
                "UPDATE jobs SET status = 'completed', progress = 1, result = ? "
                "WHERE key = ? AND lease_by = ? AND status = 'processing'",
                (json.dumps(dict(result)), job.key, self._me),
            )

    def _give_back(self, job: Job) -> None:
        """For another process, or for the next start of this one; the attempt does not count."""
        with self._store.write() as db:
            db.execute(
                "UPDATE jobs SET status = 'pending', attempts = attempts - 1, lease_until = 0 "
                "WHERE key = ? AND lease_by = ? AND status = 'processing'",
                (job.key, self._me),
            )

    def _failed(self, job: Job, error: WorkerFailed) -> None:
        """A bad file fails for good; anything else is tried again."""
        final = error.final or error.blame in FINAL or job.attempts >= self._tries
        _log.warning("render %s failed (%s): %s", job.id, error.blame, error)
        with self._store.write() as db:
            db.execute(
                (
                    "UPDATE jobs SET status = ?, message = ?, lease_until = 0 WHERE key = ? "
                    "AND lease_by = ? AND status = 'processing'"
                ),
                ("failed" if final else "pending", str(error) or error.blame, job.key, self._me),
            )


def _job(row: sqlite3.Row) -> Job:
    result = json.loads(row["result"]) if row["result"] else None
    names = ("key", "id", "account", "status", "progress", "attempts", "message")
    return Job(**{name: row[name] for name in names}, spec=json.loads(row["spec"]), result=result)
