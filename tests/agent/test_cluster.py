"""Several processes that share a database: one writer a thread, one journal, and nothing lost with a killed one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from langgraph.store.base import GetOp
from langgraph.store.postgres.aio import AsyncPostgresStore

from agent.errors import Busy, SettingsError
from agent.house import House, open_house
from agent.keeping import open_keeping
from agent.lease import Leases
from agent.serve.vault import Vault
from agent.settings import Settings
from agent.skills import load_skill
from agent.turn import turn
from evals.stage import FAST, studio

HOLD = """
import asyncio, sys
from pathlib import Path
from agent.keeping import open_keeping
from agent.lease import Leases
from agent.settings import Settings

async def main():
    settings = Settings.load(database=sys.argv[1], redis=sys.argv[2] or None, home=Path(sys.argv[3]), environ={})
    settings.data.mkdir(parents=True, exist_ok=True)
    async with open_keeping(settings) as keep, keep.leases.hold("t"):
        print("held", flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""


def settings(folder: Path, database: str, cache: str | None = None, backend: str | None = None) -> Settings:
    return Settings.load(
        backend=backend, home=folder, exports=folder / "exports", database=database, redis=cache, environ={}
    )


@asynccontextmanager
async def two_houses(folder: Path, database: str) -> AsyncIterator[tuple[House, House]]:
    """Two houses on one database and one studio, as two workers have them."""
    async with studio(folder / "studio", *FAST) as url:
        chosen, skill = settings(folder, database, backend=url), load_skill("generator-image")
        async with open_house(chosen, skill) as one, open_house(chosen, skill) as other:
            yield one, other


def test_a_thread_held_in_one_process_is_busy_in_another(tmp_path: Path, database: str) -> None:
    async def run() -> None:
        async with two_houses(tmp_path, database) as (one, other):
            async with one.keep.leases.hold("t"):
                for house in (one, other):
                    with pytest.raises(Busy):
                        async with house.keep.leases.hold("t"):
                            pass
                async with other.keep.leases.hold("u"):
                    pass
            async with other.keep.leases.hold("t"):
                pass

    asyncio.run(run())


def test_threads_that_were_held_at_once_are_free_for_another_process(tmp_path: Path, database: str) -> None:
    names = [f"thread-{number}" for number in range(20)]

    async def work() -> None:
        async with open_keeping(settings(tmp_path, database)) as one, open_keeping(settings(tmp_path, database)) as two:
            await asyncio.gather(*(held_for_a_moment(one.leases, name) for name in names))
            await asyncio.gather(*(held_for_a_moment(two.leases, name) for name in names))

    asyncio.run(work())


def test_who_stops_asking_for_a_thread_leaves_no_lock_behind(tmp_path: Path, database: str) -> None:
    async def work() -> None:
        async with open_keeping(settings(tmp_path, database)) as one, open_keeping(settings(tmp_path, database)) as two:
            asking = [asyncio.create_task(held_for_a_moment(one.leases, f"thread-{number}")) for number in range(20)]
            for rounds, task in enumerate(asking):
                for _ in range(rounds):
                    await asyncio.sleep(0)
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            await asyncio.gather(*(held_for_a_moment(two.leases, f"thread-{number}") for number in range(20)))

    asyncio.run(work())


@pytest.mark.parametrize("taken", [False, True], ids=["nobody took it", "another took it"])
def test_a_lease_outlives_its_connection_unless_another_process_took_it(
    tmp_path: Path, database: str, taken: bool
) -> None:
    async def holds(leases: Leases, there: asyncio.Event, go: asyncio.Event) -> None:
        async with leases.hold("lost"):
            there.set()
            await go.wait()

    async def work() -> bool:
        there, go = asyncio.Event(), asyncio.Event()
        async with open_keeping(settings(tmp_path, database)) as one, open_keeping(settings(tmp_path, database)) as two:
            holder = asyncio.create_task(holds(one.leases, there, go))
            await there.wait()
            async with await psycopg.AsyncConnection.connect(database, autocommit=True) as operator:
                await operator.execute(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
                )
            async with two.leases.hold("lost") if taken else nullcontext():
                await held_for_a_moment(one.leases, "other")
                go.set()
                await asyncio.wait((holder,))
            return holder.cancelled()

    assert asyncio.run(work()) == taken


async def held_for_a_moment(leases: Leases, name: str) -> None:
    async with leases.hold(name):
        await asyncio.sleep(0)


def test_records_are_read_as_the_librarys_own_store_reads_them(tmp_path: Path, database: str) -> None:
    names = [("a", "b"), ("a", "c")]

    async def run() -> tuple[list[Any], list[Any], list[Any]]:
        async with open_keeping(settings(tmp_path, database)) as keep:
            store: Any = keep.store
            for number, name in enumerate(names):
                await store.aput(name, "1", {"n": number, "text": "你好", "deep": [{"x": 1.5}, None]}, index=False)
            ours = await asyncio.gather(*(store.aget(name, key) for name in names * 2 for key in ("1", "2")))
            theirs = AsyncPostgresStore(store.conn)
            asked = [GetOp(name, key) for name in names * 2 for key in ("1", "2")]
            found = [await store.asearch(("a",), filter={"n": 1}), await theirs.asearch(("a",), filter={"n": 1})]
            return list(ours), await theirs.abatch(asked), found

    ours, theirs, found = asyncio.run(run())
    assert [one and one.value["n"] for one in ours] == [0, None, 1, None] * 2
    assert ours == theirs
    assert found[0] == found[1] and len(found[0]) == 1


def test_many_threads_are_held_and_freed_at_once(tmp_path: Path, database: str) -> None:
    async def taken(leases: Leases, names: list[str], until: asyncio.Event) -> list[bool]:
        async def hold(name: str) -> bool:
            try:
                async with leases.hold(name):
                    await until.wait()
                    return True
            except Busy:
                return False

        return await asyncio.gather(*(hold(name) for name in names))

    async def run() -> None:
        chosen, names, go = settings(tmp_path, database), [f"t{number}" for number in range(50)], asyncio.Event()
        async with open_keeping(chosen) as one, open_keeping(chosen) as other:
            held = asyncio.create_task(taken(one.leases, names, go))
            async with one.leases.hold("last"):  # Asked for behind all the others, so they are held by now.
                free = asyncio.Event()
                free.set()
                assert await taken(other.leases, names, free) == [False] * 50
            go.set()
            assert await held == [True] * 50
            assert await taken(other.leases, names, free) == [True] * 50

    asyncio.run(run())


def test_a_conversation_goes_on_in_another_process(tmp_path: Path, database: str) -> None:
    async def run() -> list[list[Any]]:
        async with two_houses(tmp_path, database) as (one, other):
            said = []
            for house, text in ((one, "generate a futuristic city at night"), (other, "status"), (one, "export")):
                agent = house.agent_for("ann", Vault)
                said.append([event async for event in turn(agent, "t", text)])
            return said

    made, looked, exported = asyncio.run(run())
    line = "Timeline (1 track): 1. Video: futuristic city at night (0-10s)"
    assert line in [event.text for event in made] and line in [event.text for event in looked]
    (film,) = [Path(event.path) for event in exported if event.kind == "delivered"]
    assert film.read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize("where", ["database", "redis"])
def test_the_lease_of_a_process_that_was_killed_becomes_free(
    where: str, tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    cache = request.getfixturevalue("cache") if where == "redis" else ""
    command = [sys.executable, "-c", HOLD, database, cache, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == b"held"

        async def run() -> None:
            chosen = settings(tmp_path, database, cache or None)
            async with open_keeping(chosen) as keep:
                with pytest.raises(Busy):
                    async with keep.leases.hold("t"):
                        pass
                process.kill()
                process.wait()
                if where == "redis":
                    await _expire(cache)
                async with asyncio.timeout(10):
                    while True:
                        try:
                            async with keep.leases.hold("t"):
                                return
                        except Busy:
                            await asyncio.sleep(0)

        asyncio.run(run())


async def _expire(cache: str) -> None:
    """Moves the server's time to the end of the lease: what renewed it is dead."""
    from agent.cluster import open_redis

    async with open_redis(cache) as client:
        assert 0 < await client.pttl("reelchat:lease:t") <= 30_000
        await client.pexpire("reelchat:lease:t", 1)


def test_only_the_last_checkpoint_of_a_thread_is_kept_when_it_is_pruned(tmp_path: Path, database: str) -> None:
    async def count(house: House, thread_id: str) -> int:
        saver: Any = house.keep.graph().checkpointer
        return len([one async for one in saver.alist({"configurable": {"thread_id": thread_id}})])

    async def run(chosen: Settings) -> tuple[int, int, int]:
        async with open_house(chosen, load_skill("generator-image")) as house:
            agent = house.agent_for("bob", Vault)
            thread_id = agent.thread_id("t")
            for text in ("status", "credits", "status"):
                async for _ in turn(agent, "t", text):
                    pass
            before = await count(house, thread_id)
            await house.keep.prune(thread_id)
            after = await count(house, thread_id)
            await house.keep.forget(thread_id)
            return before, after, await count(house, thread_id)

    async def both() -> list[tuple[int, int, int]]:
        async with studio(tmp_path / "studio", *FAST) as url:
            shared = settings(tmp_path, database, backend=url)
            own = Settings.load(backend=url, home=tmp_path / "own", exports=tmp_path, environ={})
            return [await run(shared), await run(own)]

    for before, after, forgotten in asyncio.run(both()):
        assert before >= 3 and (after, forgotten) == (1, 0)


def test_an_address_that_is_no_database_is_told_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as told:
        Settings.load(home=tmp_path, database="mysql://me:secret@host/db", environ={})
    assert told.value.reason == "database"
    assert "secret" not in str(told.value.values)
