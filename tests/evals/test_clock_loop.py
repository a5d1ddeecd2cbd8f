"""The loop that jumps: hours in no time, in order, and a clear word where nobody could ever go on."""

from __future__ import annotations

import asyncio
import time

import pytest

from evals.clock import NotOnStage, Stuck, VirtualClock, run


def test_a_day_passes_in_no_time_and_to_the_second() -> None:
    async def scene() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    started = time.perf_counter()
    assert run(scene()) == 86_400
    assert time.perf_counter() - started < 2


def test_sleepers_wake_in_the_order_of_their_timers() -> None:
    woken: list[int] = []

    async def sleeper(seconds: int) -> None:
        await asyncio.sleep(seconds)
        woken.append(seconds)

    async def scene() -> None:
        await asyncio.gather(*(sleeper(seconds) for seconds in (30, 10, 600, 20)))

    run(scene())
    assert woken == [10, 20, 30, 600]


def test_a_timeout_strikes_at_its_moment() -> None:
    async def scene() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(600):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run(scene()) == 600


def test_waiting_for_what_nobody_does_is_told_and_where() -> None:
    async def lonely() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck, match="nothing is ready and no timer is set at 0 s: .*lonely"):
        run(lonely())


def test_a_scene_that_never_ends_is_stopped() -> None:
    async def scene() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(60)

    with pytest.raises(Stuck, match="no end in sight"):
        run(scene(), limit=3600)


def test_a_scene_that_spins_is_stopped() -> None:
    async def scene() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    with pytest.raises(Stuck, match="no end in sight at 0 s"):
        run(scene())


def test_threads_processes_and_sockets_have_no_place_there() -> None:
    async def thread() -> None:
        await asyncio.to_thread(time.monotonic)

    async def process() -> None:
        await asyncio.create_subprocess_exec("true")

    async def socket() -> None:
        await asyncio.open_connection("127.0.0.1", 9)

    for scene in (thread, process, socket):
        with pytest.raises(NotOnStage):
            run(scene())


def test_its_clock_never_shows_the_same_moment_twice() -> None:
    async def scene() -> float:
        clock = VirtualClock()
        first, second = clock.now(), clock.now()
        assert first < second
        await clock.sleep(30)
        assert clock.monotonic() == 30
        return (clock.now() - first).total_seconds()

    assert run(scene()) == pytest.approx(30, abs=0.001)
