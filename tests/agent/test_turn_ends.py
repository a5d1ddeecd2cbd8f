"""When a turn counts as begun, and when as over, for whoever else asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from door_stage import GENERATE, Client, gated, makes, serving
from world import World

from agent import house
from agent.events import Text
from agent.lease import Leases
from agent.serve.turns import Order, Running


@dataclass
class Slow:
    """Leases somewhere else: to give one back takes a while."""

    there: Leases
    held: int = 0

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        async with self.there.hold(name):
            self.held += 1
            yield
            for _ in range(50):
                await asyncio.sleep(0)
        self.held -= 1


def test_who_answers_at_once_finds_the_conversation_free(world: World) -> None:
    makes(world)

    async def scenario(client: Client) -> None:
        house, turns = client.host.house, client.host.turns
        leases = Slow(house.keep.leases)
        house.keep = house.keep._replace(leases=leases)
        agent = turns.agent("anna")
        for text in (GENERATE, "credits", "status"):
            running = await turns.take(agent, Order("t", text))
            assert await running.whole()
            assert (running.status, leases.held) == ("done", 0)

    serving(world, scenario)


def test_a_reader_hears_that_nothing_comes_and_gets_together_what_came_together() -> None:
    async def scenario() -> list[list[tuple[int, str]]]:
        running, heard = Running("0" * 32, "t"), []
        async for fresh in running.follow(every=0):
            heard.append([(number, event.text) for number, event in fresh if isinstance(event, Text)])
            if len(heard) == 2:
                for text in ("one", "two"):
                    running.add(Text(id="1", text=text))
            if len(heard) == 3:
                running.add(Text(id="1", text="three"))
                running.end("done")
        return heard

    assert asyncio.run(scenario()) == [[], [], [(0, "one"), (1, "two")], [(2, "three")]]


def test_two_requests_for_a_turn_that_is_not_taken_are_both_told_so(world: World) -> None:
    begun, may = gated(world)

    async def scenario(client: Client) -> list[int]:
        first = asyncio.create_task(client.post("/v1/turns", {"thread": "t", "text": GENERATE}))
        await begun.wait()
        second = {"thread": "t", "text": "credits", "turn": "0" * 32}
        answers = await asyncio.gather(*(client.post("/v1/turns", second) for _ in range(2)))
        may.set()
        return [answer.status_code for answer in (await first, *answers)]

    assert serving(world, scenario) == [200, 409, 409]


def test_a_turn_that_is_over_is_told_again_while_the_next_one_goes_on(world: World) -> None:
    async def scenario(client: Client) -> list[httpx.Response]:
        first = {"thread": "t", "text": "credits", "turn": "0" * 32}
        told = await client.post("/v1/turns", first)
        begun, may = gated(world)
        second = asyncio.create_task(client.post("/v1/turns", {"thread": "t", "text": GENERATE}))
        await begun.wait()
        again = await client.post("/v1/turns", first)
        may.set()
        return [told, again, await second]

    told, again, _ = serving(world, scenario)
    assert again.status_code == 200 and '"replayed":true' in again.text
    assert said(told) == said(again) != []


def said(answer: httpx.Response) -> list[str]:
    return [line for line in answer.text.splitlines() if '"kind":"text"' in line]


def test_a_turn_keeps_its_tools_however_many_others_come(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "GUESTS", 1)
    begun, may = gated(world)

    async def scenario(client: Client) -> list[str]:
        turns = client.host.turns
        running = await turns.take(turns.agent("anna"), Order("t", GENERATE))
        await begun.wait()
        for user in ("ben", "cleo"):
            await (await turns.take(turns.agent(user), Order("t", "credits"))).whole()
        may.set()
        return [event.kind for event in await running.whole()]

    kinds = serving(world, scenario)
    assert "timeline" in kinds and "error" not in kinds
