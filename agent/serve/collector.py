"""Sees renders through that no turn waits for any more: those of killed processes, and those that took too long."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from agent.entries import Job
from agent.events import Delivered, Error, Event, Progress
from agent.house import Agent
from agent.journal import Journal
from agent.serve.records import Taken, lasting, users
from agent.turn import collect

if TYPE_CHECKING:
    from agent.serve.door import Host

__all__ = ["collect_all", "collecting"]

log = logging.getLogger("reelchat.collector")
EVERY_S = 30.0


async def collecting(host: Host) -> None:
    """Looks at once and then every half minute, until it is canceled."""
    while True:
        try:
            await collect_all(host)
        except Exception:
            log.exception("collecting broke; it goes on")
        await host.house.clock.sleep(EVERY_S)


async def collect_all(host: Host) -> None:
    """Every open job of every user whose lease is free: somebody else sees the others through."""
    for user in (await users(host.house.keep.store)).values():
        agent = host.turns.agent(user)
        for job in await Journal(agent.store, user).open_jobs():
            await _collect(host, agent, job)


async def _collect(host: Host, agent: Agent, job: Job) -> None:
    """One job; what comes of it stands in its conversation as a turn that nobody asked for."""
    said: list[Event] = []
    async for event in collect(agent, job.id):
        if not isinstance(event, Progress):
            said.append(host.turns.shown(event, agent))
    if not any(isinstance(event, Delivered | Error) for event in said):
        return  # It goes on, or another process sees it through.
    at = host.house.clock.now().isoformat()
    news = Taken(job.id.encode().hex()[-32:].rjust(32, "0"), job.thread, "", at, "done", events=lasting(said))
    await host.turns.records(agent.user).put(news)
