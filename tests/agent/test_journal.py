"""What the journal keeps, and that it keeps it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite.aio import AsyncSqliteStore

from agent.entries import Job, Ledger, Opened, Send
from agent.journal import Journal
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


def test_a_turn_that_begins_is_told_of_its_own_thread_what_is_open_and_what_it_did_before() -> None:
    async def scenario() -> list[Opened]:
        journal = Journal(InMemoryStore(), "me")
        new = await journal.opened("t", "turn")
        await journal.keep_session("t", Session(session_id="s1", task_id="t1", user_id="u1"))
        await journal.intend(send("open"))
        await journal.intend(replace(send("mine"), turn="turn"))
        await journal.settle(replace(send("mine"), turn="turn"), "done")
        await journal.intend(replace(send("elsewhere"), thread="other", turn="turn"))
        await journal.job(replace(job(1), status="delivered"))
        await journal.job(replace(job(2), thread="other"))
        await journal.keep_ledger("t", Ledger(("a",), "s1"))
        return [new, await journal.opened("t", "turn"), await journal.opened("t", "")]

    new, again, no_turn = run(scenario())
    assert (new.session, new.sends, new.pending, new.jobs, new.ledger, new.whole) == (None, [], [], [], Ledger(), True)
    assert again.session and not again.whole and again.ledger.marks == ("a",)
    assert [[one.id for one in found] for found in (again.sends, again.pending, again.jobs)] == [
        ["mine"],
        ["open"],
        ["render_1"],
    ]
    assert no_turn.sends == []


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


class Stepwise(InMemoryStore):
    """A store whose puts take a few turns of the loop."""

    async def aput(self, *arguments: Any, **named: Any) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        await super().aput(*arguments, **named)


async def canceled(work: Any, times: int) -> None:
    """Runs `work` and cancels it `times` times while it is at it."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_send_canceled_while_its_record_is_written_did_not_start(times: int) -> None:
    async def scenario() -> tuple[list[Send], str]:
        store = Stepwise()
        journal = Journal(store, "me")
        await canceled(journal.intend(send("a")), times)
        item = await store.aget(("reelchat", "me", "sends", "t"), "a")
        assert item
        return await journal.open_sends("t"), item.value["outcome"]

    assert run(scenario()) == ([], "not-started")


def test_a_record_is_finished_however_often_the_turn_is_canceled() -> None:
    async def scenario() -> list[Job]:
        journal = Journal(Stepwise(), "me")
        await canceled(journal.job(job(1)), 3)
        return await journal.open_jobs()

    assert [found.id for found in run(scenario())] == ["render_1"]


def test_records_of_other_versions_are_read_as_far_as_they_go() -> None:
    async def scenario() -> tuple[list[str], list[str]]:
        store = InMemoryStore()
        journal = Journal(store, "me")
        await journal.intend(send("a"))
        item = await store.aget(("reelchat", "me", "sends", "t"), "a")
        assert item
        newer = {**item.value, "id": "b", "colour": "red"}
        older = {name: value for name, value in item.value.items() if name not in ("text_hash", "media")}
        await store.aput(("reelchat", "me", "sends", "t"), "b", newer)
        await store.aput(("reelchat", "me", "sends", "t"), "c", {**older, "id": "c"})
        await store.aput(("reelchat", "me", "jobs"), "d", {"id": "d"})
        return [found.id for found in await journal.open_sends("t")], [found.id for found in await journal.jobs()]

    assert run(scenario()) == (["a", "b", "c"], [])


def test_equal_words_have_equal_hashes_and_any_words_have_one() -> None:
    first, second = send("a"), send("b")
    assert first.text_hash == second.text_hash
    odd = Send(id="c", thread="t", session_id="s", text="\ud83d", fingerprint="f", at="")
    assert odd.text_hash not in ("", first.text_hash)


def test_a_lost_session_is_remembered_as_lost() -> None:
    async def scenario() -> Session | None:
        journal = Journal(InMemoryStore(), "me")
        await journal.keep_session("t", Session(session_id="s1", task_id="t1", user_id="u1"))
        await journal.lose_session("t")
        return await journal.session("t")

    assert run(scenario()) == Session(session_id="", task_id="", user_id="")
