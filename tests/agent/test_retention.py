"""What nobody came back for is deleted when its time has come, and nothing else."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from door_stage import GENERATE, Client, StillClock, gated, makes, serving
from world import World

from agent.entries import Job, JobStatus
from agent.errors import Busy
from agent.house import thread_id_of
from agent.journal import Journal
from agent.serve import retention
from agent.serve.options import Options
from agent.serve.records import Records
from agent.serve.retention import LEASE, Pruned, prune
from agent.serve.tally import Tally, days_of

MONTH = Options(keep_days=30)


def later(client: Client, days: float) -> None:
    """Lets days go by."""
    clock = client.host.house.clock
    assert isinstance(clock, StillClock)
    clock._now += timedelta(days=days)


def job(number: int, status: JobStatus, thread: str = "", folder: str = "") -> Job:
    at = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat()
    return Job(f"render_{number:04}", thread, "s", "mp4", f"{folder}/x.mp4", {"t": []}, at, status)


def file(client: Client, user: str, name: str, age_days: float) -> str:
    """A file of that age by the host's clock; its handle."""
    path = client.host.turns.agent(user).tools.desk.new(name)  # type: ignore[attr-defined]  # a vault
    path.write_bytes(b"x" * 10)
    moment = client.host.house.clock.now().timestamp() - age_days * 86400
    os.utime(path, (moment, moment))
    return str(path.parent.name)


def handles(client: Client, user: str) -> set[str]:
    return {one.id for one in client.host.turns.agent(user).tools.desk.all()}  # type: ignore[attr-defined]


def test_a_conversation_goes_when_nobody_touched_it_for_so_long_and_not_before(world: World) -> None:
    makes(world)

    async def scenario(client: Client) -> None:
        house, thread_id = client.host.house, thread_id_of("guest", "old")
        await client.post("/v1/turns", {"thread": "old", "text": GENERATE})
        later(client, 20)
        await client.post("/v1/turns", {"thread": "new", "text": "add music"})
        assert (await prune(house, MONTH)).conversations == 0
        later(client, 11)
        assert (await prune(house, MONTH)).conversations == 1
        records, journal = Records(house.keep.store, "guest"), Journal(house.keep.store, "guest")
        assert [one.thread for one in await records.conversations()] == ["new"]
        assert not await records.turns(thread_id) and not await journal.sends(thread_id)
        assert not await journal.versions(thread_id) and not await journal.session(thread_id)
        graph = house.keep.graph()
        assert not [one async for one in graph.aget_state_history({"configurable": {"thread_id": thread_id}})]
        kept = {"configurable": {"thread_id": thread_id_of("guest", "new")}}
        assert [one async for one in graph.aget_state_history(kept)]

    serving(world, scenario)


def test_nothing_is_deleted_for_its_age_where_the_operator_keeps_everything(world: World) -> None:
    makes(world)

    async def scenario(client: Client) -> Pruned:
        await client.post("/v1/turns", {"thread": "old", "text": GENERATE})
        file(client, "guest", "a.png", 1000)
        later(client, 1000)
        return await prune(client.host.house, Options(keep_days=0))

    done = serving(world, scenario)
    assert (done.conversations, done.files, done.stored) == (0, 0, 10)


def test_a_conversation_with_a_turn_or_an_open_render_stays(world: World) -> None:
    begun, may = gated(world)

    async def scenario(client: Client) -> list[str]:
        store = client.host.house.keep.store
        makes(world)
        turn = asyncio.create_task(client.post("/v1/turns", {"thread": "busy", "text": GENERATE}))
        await begun.wait()
        await client.post("/v1/turns", {"thread": "renders", "text": GENERATE})
        await Journal(store, "guest").job(job(1, "submitted", thread_id_of("guest", "renders")))
        later(client, 31)
        await prune(client.host.house, MONTH)
        found = [one.thread for one in await Records(store, "guest").conversations()]
        may.set()
        await turn
        return sorted(found)

    assert serving(world, scenario) == ["busy", "renders"]


def test_old_files_go_but_the_one_that_an_open_render_writes(world: World) -> None:
    makes(world)

    async def scenario(client: Client) -> None:
        house = client.host.house
        await client.post("/v1/turns", {"thread": "a", "text": GENERATE})
        old, young, awaited = (file(client, "guest", "a.png", days) for days in (31, 29, 31))
        strangers = file(client, "only-uploads", "b.png", 31)
        await Journal(house.keep.store, "guest").job(job(1, "submitted", folder=f"/elsewhere/{awaited}"))
        done = await prune(house, MONTH)
        assert (done.files, done.stored) == (2, 20)
        assert handles(client, "guest") == {young, awaited} and old not in handles(client, "guest")
        assert strangers not in handles(client, "only-uploads")

    serving(world, scenario)


def test_an_upload_that_was_never_finished_is_cleared_away_after_a_day(world: World) -> None:
    async def scenario(client: Client) -> None:
        given = client.host.house.folder("guest") / "files" / "given"
        for name, hours in (("file_" + "a" * 32, 25), ("file_" + "b" * 32, 23)):
            (given / name).mkdir(parents=True)
            (given / name / "x.png.part").write_bytes(b"x")
            moment = time.time() - hours * 3600
            os.utime(given / name, (moment, moment))
        await prune(client.host.house, MONTH)
        assert [one.name for one in given.iterdir()] == ["file_" + "b" * 32]

    serving(world, scenario)


def test_of_settled_jobs_the_last_stay_and_open_ones_always(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "KEPT_JOBS", 2)
    makes(world)

    async def scenario(client: Client) -> list[str]:
        store = client.host.house.keep.store
        await client.post("/v1/turns", {"thread": "a", "text": GENERATE})
        journal = Journal(store, "guest")
        for number, status in enumerate(("submitted", "delivered", "failed", "delivered", "canceled")):
            await journal.job(job(number, status))  # type: ignore[arg-type]
        assert (await prune(client.host.house, MONTH)).jobs == 2
        return [one.id for one in await journal.jobs()]

    assert serving(world, scenario) == ["render_0000", "render_0003", "render_0004"]


def test_one_look_deletes_only_so_much_and_the_next_ones_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(client: Client) -> list[tuple[int, bool]]:
        for _ in range(5):
            file(client, "guest", "a.png", 31)
        looks = []
        for _ in range(3):
            done = Pruned(left=2)
            monkeypatch.setattr(retention, "Pruned", lambda done=done: done)
            await prune(client.host.house, MONTH)
            looks.append((done.files, done.more))
        return looks

    assert serving(world, scenario) == [(2, True), (2, True), (1, False)]


def test_of_several_processes_one_looks_and_the_others_leave_it_to_that(world: World) -> None:
    async def scenario(client: Client) -> None:
        house, metrics = client.host.house, client.http._transport.app.state.metrics  # type: ignore[attr-defined]
        async with house.keep.leases.hold(LEASE):
            with pytest.raises(Busy):
                await prune(house, MONTH)
            assert not await retention._look(client.host, metrics)
        old = file(client, "guest", "a.png", 31)
        await retention._look(client.host, metrics)
        assert old not in handles(client, "guest")
        again = file(client, "guest", "a.png", 31)
        await retention._look(client.host, metrics)
        assert again in handles(client, "guest")  # somebody has looked within the hour
        later(client, 1 / 24)
        await retention._look(client.host, metrics)
        assert again not in handles(client, "guest")

    serving(world, scenario)


def test_what_turns_cost_is_known_longer_than_they_are_and_not_for_ever(world: World) -> None:
    makes(world)

    async def scenario(client: Client) -> None:
        house = client.host.house
        await client.post("/v1/turns", {"thread": "a", "text": GENERATE})
        await Tally(house.keep.store).add("guest", house.clock.now().isoformat(), 1.5)  # another process
        later(client, 40)
        assert (await prune(house, MONTH)).conversations == 1
        days = await days_of(house.keep.store, "guest")
        assert sum(day.turns for day in days) == 2 and sum(day.credits for day in days) >= 1.5
        later(client, 400)
        await prune(house, MONTH)
        assert await days_of(house.keep.store, "guest") == []

    serving(world, scenario)


def test_a_folder_that_is_no_user_s_is_left_alone(world: World) -> None:
    async def scenario(client: Client) -> bool:
        stray = client.host.house.settings.data / "users" / "stray" / "notes.txt"
        stray.parent.mkdir(parents=True)
        stray.write_text("mine", encoding="utf-8")
        await prune(client.host.house, MONTH)
        return stray.exists()

    assert serving(world, scenario)
