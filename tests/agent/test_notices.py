from __future__ import annotations

import asyncio

from fake_nemo import FakeNemo, JumpingClock, say
from world import World

from agent.events import Progress, Text
from prompts import say as sentence


class Ticking(JumpingClock):
    """Three times two minutes pass at once, then none."""

    def __init__(self) -> None:
        super().__init__()
        self.ticks = 0
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.ticks += seconds == 120
        if self.ticks > 3:
            self.over.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)


def test_every_two_minutes_of_a_send_the_person_reads_that_work_goes_on(world: World) -> None:
    clock = world.clock = Ticking()

    async def six_minutes(nemo: FakeNemo) -> str:
        await clock.over.wait()
        return 'data: {"type":"heartbeat"}\n\n'

    world.nemo.scripts.append([six_minutes, say("Music added.")])  # type: ignore[list-item]  # an act that takes time
    events = world.say("add music")
    notices = [e for e in events if isinstance(e, Progress) and e.text == sentence("en", "send.still_working")]
    assert len(notices) == 3
    assert any(isinstance(e, Text) and e.text == "Music added." for e in events)
