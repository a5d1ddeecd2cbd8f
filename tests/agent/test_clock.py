from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from agent.clock import SystemClock


def test_dates_are_in_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


def test_waiting_is_measured_in_the_loops_own_seconds() -> None:
    async def wait() -> None:
        clock, loop = SystemClock(), asyncio.get_running_loop()
        before = clock.monotonic()
        await clock.sleep(-1)
        await clock.sleep(0)
        assert before <= clock.monotonic() <= loop.time()

    asyncio.run(wait())
