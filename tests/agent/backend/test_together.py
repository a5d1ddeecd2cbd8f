"""Many who ask for the same at once: how often it is asked for, and what each is told."""

import asyncio

import pytest

from agent.backend.together import Together
from agent.clock import SystemClock
from agent.errors import ApiError
from evals.clock import VirtualClock, run


class Counter:
    """A call that waits until it is let go, and answers with its number."""

    def __init__(self) -> None:
        self.calls = 0
        self.go = asyncio.Event()

    async def __call__(self) -> int:
        self.calls += 1
        number = self.calls
        await self.go.wait()
        if number == 3:
            raise ApiError("no")
        return number


async def turns(count: int = 10) -> None:
    """Lets everything run that can."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_who_asks_while_a_call_is_under_way_shares_the_next() -> None:
    async def story() -> None:
        call, together = Counter(), Together[int]()
        first = asyncio.create_task(together.ask(call, SystemClock()))
        await turns()
        assert call.calls == 1
        late = [asyncio.create_task(together.ask(call, SystemClock())) for _ in range(5)]
        await turns()
        assert call.calls == 1  # It began before they asked: its answer would be too old for them.
        call.go.set()
        assert await first == 1
        assert await asyncio.gather(*late) == [2] * 5
        assert call.calls == 2

    asyncio.run(story())


def test_one_who_gives_up_takes_the_answer_from_nobody() -> None:
    async def story() -> None:
        call, together = Counter(), Together[int]()
        gone, stays = (asyncio.create_task(together.ask(call, SystemClock())) for _ in range(2))
        await turns()
        gone.cancel()
        await turns()
        call.go.set()
        assert await stays == 1
        assert gone.cancelled()
        assert await together.ask(call, SystemClock()) == 2

    asyncio.run(story())


def test_what_goes_wrong_is_told_to_all_and_to_nobody_after_them() -> None:
    async def story() -> None:
        call, together = Counter(), Together[int]()
        call.go.set()
        assert [await together.ask(call, SystemClock()) for _ in range(2)] == [1, 2]
        told = await asyncio.gather(*(together.ask(call, SystemClock()) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in told] == [ApiError] * 3
        assert await together.ask(call, SystemClock()) == 4

    asyncio.run(story())


def test_an_answer_of_a_moment_ago_will_do_for_who_says_so() -> None:
    async def story() -> None:
        call, together, clock = Counter(), Together[int](), VirtualClock()
        call.go.set()
        assert await together.ask(call, clock, 1.0) == 1
        await clock.sleep(0.9)
        assert await together.ask(call, clock, 1.0) == 1
        assert await together.ask(call, clock) == 2
        await clock.sleep(1.1)
        with pytest.raises(ApiError):
            await together.ask(call, clock, 1.0)
        assert await together.ask(call, clock, 1.0) == 4

    run(story())


def test_a_call_that_everybody_gave_up_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        call, together = Counter(), Together[int]()
        call.calls = 2
        only = asyncio.create_task(together.ask(call, SystemClock()))
        await turns()
        only.cancel()
        call.go.set()
        await turns()
        assert only.cancelled()
        assert call.calls == 3
        assert await together.ask(call, SystemClock()) == 4
        assert not caplog.records

    asyncio.run(story())
