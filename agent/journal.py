"""Intents, sends, drafts and render jobs, on disk before the effect they announce. The truth; state is a cache.

One record is one put: the store has no compare-and-set and its batches are not atomic. A record is written before
its effect and settled after it, the settling shielded from cancellation.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from dataclasses import asdict, replace
from typing import Any, TypeVar

from langgraph.store.base import BaseStore

from agent.entries import OPEN, Job, Ledger, Opened, Outcome, Send, Version
from agent.state import Session

__all__ = ["Journal", "label"]

PAGE = 50
Record = TypeVar("Record", Send, Job, Version)
Drafted = TypeVar("Drafted", Job, Version)


def label(user: str) -> str:
    """A user as the store takes one: a part of a name without the dot that is between parts."""
    return user.replace("%", "%25").replace(".", "%2E")


class Journal:
    """One user's records."""

    def __init__(self, store: BaseStore, user: str) -> None:
        self._store = store
        self._root = ("reelchat", label(user))

    async def opened(self, thread: str, turn: str) -> Opened:
        """What a turn has to know of its thread; all is new without a session, which is kept before it is used."""
        session, ledger = await asyncio.gather(self.session(thread), self.ledger(thread))
        if session is None:
            return Opened(None, [], [], [], ledger, whole=True)
        sends, pending, jobs = await asyncio.gather(
            self.sends(thread, turn=turn), self.open_sends(thread), self._jobs_with("thread", thread)
        )
        return Opened(session, sends if turn else [], pending, jobs, ledger)

    # Sends

    async def intend(self, send: Send) -> None:
        """Writes the record of a send that is about to happen; one that is canceled here did not start."""
        try:
            await _see_through(self._put((*self._root, "sends", send.thread), send))
        except asyncio.CancelledError:
            await self.settle(send, "not-started")
            raise

    async def settle(self, send: Send, outcome: Outcome) -> None:
        """Writes what became of it, even when the turn is canceled meanwhile."""
        await _see_through(self._put((*self._root, "sends", send.thread), replace(send, outcome=outcome)))

    async def sends(self, thread: str, **only: str) -> list[Send]:
        """The sends of a thread that have these values, oldest first."""
        found = [send async for send in self._all((*self._root, "sends", thread), Send, only)]
        return sorted(found, key=lambda send: send.at)

    async def open_sends(self, thread: str) -> list[Send]:
        """Sends that nobody has learned the outcome of, oldest first."""
        return await self.sends(thread, outcome="pending")

    async def send(self, thread: str, id: str) -> Send | None:
        """The send of that id; None when it was never intended."""
        item = await self._store.aget((*self._root, "sends", thread), id)
        return _record(Send, item.value) if item else None

    # Render jobs

    async def job(self, job: Job) -> None:
        """Writes a render job, even when the turn is canceled meanwhile."""
        await _see_through(self._store.aput((*self._root, "jobs"), job.id, _as_text(job), index=False))

    async def jobs(self) -> list[Job]:
        """All render jobs, oldest first."""
        return sorted([_read(job) async for job in self._all((*self._root, "jobs"), Job)], key=lambda job: job.at)

    async def open_jobs(self, thread: str | None = None) -> list[Job]:
        """Render jobs whose file may still come, oldest first."""
        ways = [("thread", thread)] if thread else [("status", status) for status in OPEN]
        found = await asyncio.gather(*(self._jobs_with(name, value) for name, value in ways))
        jobs = [job for some in found for job in some if job.open]
        return sorted(jobs, key=lambda job: job.at)

    async def jobs_of(self, turn: str) -> list[Job]:
        """The render jobs that a turn made, oldest first."""
        return await self._jobs_with("turn", turn)

    async def _jobs_with(self, name: str, value: str) -> list[Job]:
        found = [_read(job) async for job in self._all((*self._root, "jobs"), Job, {name: value})]
        return sorted(found, key=lambda job: job.at)

    # Versions of the draft

    async def ledger(self, thread: str) -> Ledger:
        """What is known of the versions of a thread."""
        item = await self._store.aget((*self._root, "versions"), thread)
        return Ledger(tuple(item.value["marks"]), item.value["session_id"]) if item else Ledger()

    async def keep_ledger(self, thread: str, ledger: Ledger) -> None:
        """Writes what is known of the versions of a thread, even when the turn is canceled meanwhile."""
        value = {"marks": list(ledger.marks), "session_id": ledger.session_id}
        await _see_through(self._store.aput((*self._root, "versions"), thread, value, index=False))

    async def keep_version(self, version: Version) -> None:
        """Writes one version, even when the turn is canceled meanwhile.

        Raises ValueError, TypeError or RecursionError where the draft is no JSON.
        """
        namespace = (*self._root, "drafts", version.thread)
        await _see_through(self._store.aput(namespace, _key(version.number), _as_text(version), index=False))

    async def version(self, thread: str, number: int) -> Version | None:
        """One version; None when there is none of that number."""
        item = await self._store.aget((*self._root, "drafts", thread), _key(number))
        record = _record(Version, item.value) if item else None
        return _read(record) if record else None

    async def versions(self, thread: str) -> list[Version]:
        """All versions of a thread, in the order of their numbers."""
        found = [_read(one) async for one in self._all((*self._root, "drafts", thread), Version)]
        return sorted(found, key=lambda one: one.number)

    # Sessions

    async def keep_session(self, thread: str, session: Session) -> None:
        """Remembers the backend's session of a thread, so that a killed first turn does not orphan it."""
        await _see_through(self._store.aput((*self._root, "sessions"), thread, dict(session), index=False))

    async def lose_session(self, thread: str) -> None:
        """Remembers that the backend has forgotten a thread's session: the next turn says so and starts another."""
        await self.keep_session(thread, Session(session_id="", task_id="", user_id=""))

    async def session(self, thread: str) -> Session | None:
        """The backend's session of a thread; without an id when it is known to be lost."""
        item = await self._store.aget((*self._root, "sessions"), thread)
        return Session(**item.value) if item else None  # type: ignore[typeddict-item]  # written by keep_session

    async def _put(self, namespace: tuple[str, ...], record: Send) -> None:
        await self._store.aput(namespace, record.id, asdict(record), index=False)

    async def _all(
        self, namespace: tuple[str, ...], kind: type[Record], only: dict[str, Any] | None = None
    ) -> AsyncIterator[Record]:
        """Every record of a namespace, `only` those with these values; the store's own default stops at ten."""
        offset, more = 0, True
        while more:
            page = await self._store.asearch(namespace, filter=only, limit=PAGE, offset=offset)
            for item in page:
                if (record := _record(kind, item.value)) is not None:
                    yield record
            offset, more = offset + PAGE, len(page) == PAGE


def _record(kind: type[Record], value: dict[str, Any]) -> Record | None:
    """A record as a newer or older version of ours may have written it; None when it can't be one."""
    known = {name: value[name] for name in kind.__dataclass_fields__ if name in value}
    try:
        return kind(**known)
    except TypeError:
        return None


def _key(number: int) -> str:
    return f"{number:08}"


def _as_text(record: Job | Version) -> dict[str, Any]:
    """A record to be stored, its draft as JSON text: a store's own encoder may change numbers or refuse them."""
    value = {name: getattr(record, name) for name in record.__dataclass_fields__}
    text = value.pop("text") or json.dumps(record.draft, separators=(",", ":"))
    return {**value, "draft": text}


def _read(record: Drafted) -> Drafted:
    """A record as it was stored, its draft decoded; an unreadable draft is None."""
    if not isinstance(record.draft, str):
        return record  # Jobs were stored with the value.
    try:
        return replace(record, draft=json.loads(record.draft), text=record.draft)
    except (ValueError, RecursionError):
        return replace(record, draft=None)


async def _see_through(writing: Coroutine[Any, Any, None]) -> None:
    """Finishes `writing` before a cancellation goes on, however often it comes: half a record is a lost job."""
    task = asyncio.ensure_future(writing)
    canceled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            canceled = error
    if canceled is None or not task.cancelled():
        task.result()
    if canceled:
        raise canceled
