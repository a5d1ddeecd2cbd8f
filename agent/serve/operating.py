"""What goes on beside the doors of a host: its turns are counted, and what nobody came back for is deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.serve.door import Host
from agent.serve.logs_json import about_request
from agent.serve.metrics import Metrics
from agent.serve.records import Taken
from agent.serve.retention import retaining
from agent.serve.tally import Tally

__all__ = ["operated"]


@asynccontextmanager
async def operated(host: Host, metrics: Metrics) -> AsyncIterator[None]:
    """For as long as the host is open. Turns that end while it closes are counted too."""
    tally, turns = Tally(host.house.keep.store), host.turns

    def begun() -> None:
        metrics.turns_live.set(turns.live)

    async def ended(user: str, taken: Taken, seconds: float) -> None:
        door = about_request().get("route", "none")
        metrics.turns_live.set(max(0, turns.live - 1))
        metrics.turns.labels(door, taken.status).inc()
        metrics.turn_seconds.labels(door).observe(seconds)
        metrics.credits.inc(max(0.0, taken.cost))
        await tally.add(user, taken.at, taken.cost)

    turns.on_begin.append(begun)
    turns.on_end.append(ended)
    host.house.http.event_hooks["response"].append(metrics.count_call)
    keeper = asyncio.create_task(retaining(host, metrics))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
