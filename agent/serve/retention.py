"""What is deleted when nobody came back for it: conversations, files and settled jobs, a bounded part at a time."""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from langgraph.store.base import BaseStore

from agent.entries import OPEN, Job
from agent.errors import Busy
from agent.house import House, thread_id_of
from agent.journal import Journal, label
from agent.serve.metrics import Metrics
from agent.serve.options import Options
from agent.serve.records import Conversation, Records, users
from agent.serve.tally import KEPT_DAYS, forget_days
from agent.serve.vault import Vault

if TYPE_CHECKING:
    from agent.serve.door import Host

__all__ = ["KEPT_JOBS", "Pruned", "forget_thread", "prune", "retaining"]

log = logging.getLogger("reelchat.retention")
FIRST_S, EVERY_S, SOON_S = 60.0, 3600.0, 30.0
"""Before the first look, between two, and where the last one left something over."""
MOST = 500
"""Things that one look deletes."""
KEPT_JOBS = 100
"""Settled render jobs of a user that stay."""
ABANDONED_S = 24 * 3600.0
"""After which an upload that was never finished is nobody's."""
LEASE = "reelchat-retention"
PAGE = 100
_LAST = ("reelchat-host", "retention")


@dataclass
class Pruned:
    """What one look has deleted."""

    conversations: int = 0
    files: int = 0
    jobs: int = 0
    stored: int = 0
    """Bytes of files that are there still."""
    left: int = field(default=MOST, repr=False)

    @property
    def more(self) -> bool:
        """Whether it stopped before it was through."""
        return self.left <= 0


async def retaining(host: Host, metrics: Metrics) -> None:
    """Looks once an hour, in one of the processes that share a store, until it is canceled."""
    wait = FIRST_S
    while True:
        await asyncio.sleep(wait)
        # In a task of its own: a lease that is lost cancels its holder.
        look = asyncio.create_task(_look(host, metrics))
        try:
            await asyncio.wait((look,))
        finally:
            look.cancel()
            await asyncio.gather(look, return_exceptions=True)
        if look.cancelled() or look.exception():
            log.error("retention broke; it goes on", exc_info=None if look.cancelled() else look.exception())
        wait = EVERY_S if look.cancelled() or look.exception() or not look.result() else SOON_S


async def _look(host: Host, metrics: Metrics) -> bool:
    """Whether there is more to do at once."""
    house = host.house
    last = await house.keep.store.aget(_LAST, "last")
    now = house.clock.now()
    if last and now - datetime.fromisoformat(last.value["at"]) < timedelta(seconds=SOON_S / 2):
        return False
    if last and not last.value["more"] and now - datetime.fromisoformat(last.value["at"]) < timedelta(seconds=EVERY_S):
        return False
    try:
        found = await prune(house, host.options)
    except Busy:
        return False
    metrics.stored.set(found.stored)
    return found.more


async def prune(house: House, options: Options) -> Pruned:
    """Deletes what is too old, at most `MOST` things. Raises Busy where another process is at it."""
    done, now = Pruned(), house.clock.now()
    async with house.keep.leases.hold(LEASE):
        known = await users(house.keep.store)
        folders = await asyncio.to_thread(_folders, house.settings.data / "users")
        everybody = sorted({*known, *folders})
        random.shuffle(everybody)  # Where there is more than one look can do, nobody is always last.
        for folder in everybody:
            jobs: list[Job] = []
            if user := known.get(folder):
                jobs = await Journal(house.keep.store, user).open_jobs()
                await _prune_user(house, user, options, jobs, now, done)
            needed = {Path(job.path).parent.name for job in jobs}
            cutoff = now.timestamp() - options.keep_days * 86400 if options.keep_days else 0.0
            await asyncio.to_thread(_prune_files, house.files(folder), needed, cutoff, done)
        value = {"at": now.isoformat(), "more": done.more}
        await house.keep.store.aput(_LAST, "last", value, index=False)
    if done.conversations or done.files or done.jobs:
        log.info("deleted %d conversations, %d files, %d jobs", done.conversations, done.files, done.jobs)
    return done


async def _prune_user(house: House, user: str, options: Options, jobs: list[Job], now: datetime, done: Pruned) -> None:
    store, busy = house.keep.store, {job.thread for job in jobs}
    if options.keep_days:
        before = (now - timedelta(days=options.keep_days)).isoformat()
        for one in await _idle(store, user, before, done.left):
            if thread_id_of(user, one.thread) not in busy and await _forget_idle(house, user, one, before):
                done.conversations, done.left = done.conversations + 1, done.left - 1
    for id in await _settled(store, user):
        if done.left <= 0:
            break
        await store.adelete(("reelchat", label(user), "jobs"), id)
        done.jobs, done.left = done.jobs + 1, done.left - 1
    await forget_days(store, user, (now - timedelta(days=KEPT_DAYS)).date().isoformat())


async def _idle(store: BaseStore, user: str, before: str, most: int) -> list[Conversation]:
    """Conversations whose last turn was before then."""
    if most <= 0:
        return []
    found = await store.asearch(("reelchat", label(user), "threads"), filter={"at": {"$lt": before}}, limit=most)
    return [Conversation(**item.value) for item in found]


async def _forget_idle(house: House, user: str, one: Conversation, before: str) -> bool:
    """Whether it is gone; one that somebody has come back to meanwhile stays."""
    try:
        await forget_thread(house, user, one.thread, before)
    except Busy:
        return False
    return await Records(house.keep.store, user).conversation(one.thread) is None


async def forget_thread(house: House, user: str, thread: str, before: str = "") -> None:
    """Forgets a conversation, unless it had a turn since `before`. Raises Busy while somebody writes to it."""
    records, thread_id = Records(house.keep.store, user), thread_id_of(user, thread)
    async with house.keep.leases.hold(thread_id):
        found = await records.conversation(thread)
        if before and (found is None or found.at >= before):
            return
        await records.forget(thread, thread_id)
        await house.keep.forget(thread_id)


async def _settled(store: BaseStore, user: str) -> list[str]:
    """Ids of settled jobs beyond the last that are kept, oldest first; without reading any where there are few."""
    namespace = ("reelchat", label(user), "jobs")
    if not await store.asearch(namespace, limit=1, offset=KEPT_JOBS):
        return []
    found: list[tuple[str, str]] = []
    offset = 0
    while page := await store.asearch(namespace, limit=PAGE, offset=offset):
        found += [(item.value["at"], item.key) for item in page if item.value["status"] not in OPEN]
        offset += len(page)
    return [id for _, id in sorted(found)[:-KEPT_JOBS]]


def _folders(root: Path) -> list[str]:
    return [folder.name for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []


def _prune_files(folder: Path, needed: set[str], cutoff: float, done: Pruned) -> None:
    """Files from before `cutoff`, in seconds since 1970, but for those that an open job is to write."""
    for one in Vault(folder).all():
        if one.at < cutoff and one.id not in needed and done.left > 0:
            shutil.rmtree(one.path.parent, ignore_errors=True)
            done.files, done.left = done.files + 1, done.left - 1
        else:
            done.stored += one.size
    for rest in (*folder.glob("given/file_*"), *folder.glob("made/file_*")):
        if rest.name not in needed and Vault(folder).find(rest.name) is None and _age(rest) > ABANDONED_S:
            shutil.rmtree(rest, ignore_errors=True)


def _age(path: Path) -> float:
    """Seconds since something in a folder was begun or taken away; 0 where it has gone."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
