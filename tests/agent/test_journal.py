"""What the journal keeps, and that it keeps it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite.aio import AsyncSqliteStore

from agent.journal import Job, Journal, Send
from agent.state import Session


def send(name: str, at: str = "2026-01-01T00:00:00+00:00") -> Send:
    return Send(id=name, thread="t", session_id="s", text="add music", fingerprint="f", at=at)


def job(number: int) -> Job:
    at = f"2026-01-01T00:{number // 60:02}:{number % 60:02}+00:00"
    return Job(id=f"render_{number}", thread="t", session_id="s", format="mp4", path="x.mp4", draft={"t": []}, at=at)


def run(work: Any) -> Any:
    return asyncio.run(work)


def test_a_send_is_open_until_it_is_settled() -> None:
    async def scenario() -> tuple[list[Send], list[Send]]:
        journal = Journal(InMemoryStore(), "me")
        await journal.intend(send("a"))
        before = await journal.open_sends("t")
        await journal.settle(send("a"), "done")
        return before, await journal.open_sends("t")

    before, after = run(scenario())
    assert [s.id for s in before] == ["a"]
    assert after == []


def test_more_jobs_than_a_page_are_all_found_in_order() -> None:
    async def scenario() -> list[Job]:
        journal = Journal(InMemoryStore(), "me")
        for number in reversed(range(120)):
            await journal.job(job(number))
        return await journal.open_jobs()

    assert [found.id for found in run(scenario())] == [f"render_{number}" for number in range(120)]


def test_one_user_never_sees_the_records_of_another() -> None:
    async def scenario() -> list[Job]:
        store = InMemoryStore()
        await Journal(store, "me").job(job(1))
        return await Journal(store, "you").jobs()

    assert run(scenario()) == []


def test_a_record_survives_the_process(tmp_path: Path) -> None:
    session = Session(session_id="s1", task_id="t1", user_id="u1")

    async def write() -> None:
        async with AsyncSqliteStore.from_conn_string(str(tmp_path / "j.db")) as store:
            await store.setup()
            await Journal(store, "me").intend(send("a"))
            await Journal(store, "me").keep_session("t", session)

    async def read() -> tuple[list[Send], Session | None]:
        async with AsyncSqliteStore.from_conn_string(str(tmp_path / "j.db")) as store:
            await store.setup()
            journal = Journal(store, "me")
            return await journal.open_sends("t"), await journal.session("t")

    run(write())
    assert run(read()) == ([send("a")], session)


def test_an_outcome_is_written_even_when_the_turn_is_canceled() -> None:
    class Slow(InMemoryStore):
        async def aput(self, *arguments: Any, **named: Any) -> None:
            for _ in range(5):
                await asyncio.sleep(0)
            await super().aput(*arguments, **named)

    async def scenario() -> list[Send]:
        journal = Journal(Slow(), "me")
        await journal.intend(send("a"))
        task = asyncio.create_task(journal.settle(send("a"), "done"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await journal.open_sends("t")

    assert run(scenario()) == []
