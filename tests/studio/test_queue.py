"""Render jobs: leased, resumed, canceled, and run by real processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stage_studio import FakeWorkers, HandClock, breathe

from studio.clock import SystemClock
from studio.queue import Job, Queue
from studio.store import Store
from studio.workers import Processes, WorkerFailed

SPEC = {"job": "render", "draft": {}, "assets": {}, "output": {"format": "mp4"}}


def status(queue: Queue, job: str = "r1") -> str:
    found = queue.get("me", job)
    assert found is not None
    return found.status


async def until(done: Callable[[], bool], seconds: float = 20.0) -> None:
    """For real processes: looks again as soon as anything else has run."""
    for _ in range(round(seconds * 100)):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within the time")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_a_job_goes_from_pending_to_completed_with_its_file(tmp_path: Path) -> None:
    async def play() -> None:
        clock, workers = HandClock(), FakeWorkers()
        store = Store(tmp_path, clock=clock)
        queue = Queue(store, workers, clock)
        job = queue.submit("me", "r1", SPEC)
        assert (job.status, job.progress) == ("pending", 0)
        working = asyncio.create_task(queue.work())
        await clock.advance(1)
        done = queue.get("me", "r1")
        assert done and done.status == "completed" and queue.path(done).read_bytes() == b"0123456789"
        assert queue.get("you", "r1") is None
        await end(working)
        store.close()

    asyncio.run(play())


def test_a_job_of_a_process_that_died_is_taken_over_and_given_up_after_three(tmp_path: Path) -> None:
    async def play() -> None:
        clock = HandClock()
        store = Store(tmp_path, clock=clock)
        gate = asyncio.Event()
        queues = [Queue(Store(tmp_path, clock=clock), FakeWorkers(gate=gate), clock) for _ in range(3)]
        queues[0].submit("me", "r1", SPEC)
        for attempt, queue in enumerate(queues, 1):
            working = asyncio.create_task(queue.work())
            await breathe()
            found = queue.get("me", "r1")
            assert found and (found.status, found.attempts) == ("processing", attempt)
            queue._give_back = lambda job: None  # type: ignore[method-assign]  # a killed process gives nothing back
            await end(working)
            clock.jump(11)
        last = Queue(store, FakeWorkers(), clock)
        working = asyncio.create_task(last.work())
        await breathe()
        assert status(last) == "failed"
        await end(working)
        for queue in (*queues, last):
            queue._store.close()

    asyncio.run(play())


def test_a_lease_is_kept_while_the_worker_runs(tmp_path: Path) -> None:
    async def play() -> None:
        clock, gate = HandClock(), asyncio.Event()
        store = Store(tmp_path, clock=clock)
        queue, other = Queue(store, FakeWorkers(gate=gate), clock), Queue(store, FakeWorkers(), clock)
        queue.submit("me", "r1", SPEC)
        tasks = [asyncio.create_task(queue.work())]
        await breathe()
        tasks.append(asyncio.create_task(other.work()))
        await clock.advance(60)
        found = queue.get("me", "r1")
        assert found and (found.status, found.attempts, found.progress) == ("processing", 1, 0.5)
        gate.set()
        await clock.advance(1)
        assert status(queue) == "completed"
        await end(*tasks)
        store.close()

    asyncio.run(play())


def test_a_canceled_job_stops_its_worker_and_the_next_one_runs(tmp_path: Path) -> None:
    async def play() -> None:
        clock, workers = HandClock(), FakeWorkers(gate=asyncio.Event())
        store = Store(tmp_path, clock=clock)
        queue = Queue(store, workers, clock)
        queue.submit("me", "r1", SPEC)
        queue.submit("me", "r2", SPEC)
        working = asyncio.create_task(queue.work())
        await breathe()
        assert queue.cancel("you", "r1") is None
        canceled = queue.cancel("me", "r1")
        assert canceled and canceled.status == "canceled"
        assert workers.gate is not None
        await breathe()
        assert workers.stopped == 1
        workers.gate.set()
        await clock.advance(1)
        assert (status(queue), status(queue, "r2")) == ("canceled", "completed")
        again = queue.submit("me", "r1", SPEC)
        assert again.status == "canceled", "the same id is the same job"
        await end(working)
        store.close()

    asyncio.run(play())


@pytest.mark.parametrize(("blame", "attempts"), [("media", 1), ("bug", 3), ("memory", 3)])
def test_a_bad_file_fails_at_once_and_anything_else_is_tried_three_times(
    tmp_path: Path, blame: str, attempts: int
) -> None:
    async def play() -> None:
        clock, workers = HandClock(), FakeWorkers(fail=WorkerFailed("no", blame=blame))
        store = Store(tmp_path, clock=clock)
        queue = Queue(store, workers, clock)
        queue.submit("me", "r1", SPEC)
        working = asyncio.create_task(queue.work())
        await clock.advance(5)
        found = queue.get("me", "r1")
        assert found and (found.status, found.message, found.attempts) == ("failed", "no", attempts)
        await end(working)
        store.close()

    asyncio.run(play())


def test_a_job_interrupted_by_a_clean_end_waits_for_the_next_start(tmp_path: Path) -> None:
    async def play() -> None:
        clock = HandClock()
        store = Store(tmp_path, clock=clock)
        queue = Queue(store, FakeWorkers(gate=asyncio.Event()), clock)
        queue.submit("me", "r1", SPEC)
        working = asyncio.create_task(queue.work())
        await breathe()
        await end(working)
        found = queue.get("me", "r1")
        assert found and (found.status, found.attempts) == ("pending", 0)
        store.close()

    asyncio.run(play())


def test_stop_finishes_the_job_under_way_and_begins_no_other(tmp_path: Path) -> None:
    async def play() -> None:
        clock, gate = HandClock(), asyncio.Event()
        store = Store(tmp_path, clock=clock)
        queue = Queue(store, FakeWorkers(gate=gate), clock)
        queue.submit("me", "r1", SPEC)
        queue.submit("me", "r2", SPEC)
        working = asyncio.create_task(queue.work())
        await breathe()
        queue.stop()
        gate.set()
        await working
        assert (status(queue), status(queue, "r2")) == ("completed", "pending")
        store.close()

    asyncio.run(play())


# With real processes

WORKER = """
import json, pathlib, sys, time
spec = json.loads(pathlib.Path(sys.argv[1]).read_text())
print(json.dumps({"progress": 0.25, "stage": "compose"}), flush=True)
pathlib.Path(spec["out"] + ".part").write_bytes(b"half")
ACT
"""
DONE = 'pathlib.Path(spec["out"]).write_bytes(b"whole"); print(json.dumps({"result": {"size": 5}}))'
BAD = 'print(json.dumps({"error": "a.jpg cannot be read", "asset": "md_1"})); sys.exit(3)'
HANG = "time.sleep(600)"


def processes(folder: Path, act: str) -> Processes:
    script = folder / "worker.py"
    script.write_text(WORKER.replace("ACT", act), encoding="utf-8")
    return Processes(folder, [sys.executable, str(script)])


def test_a_worker_process_reports_and_leaves_only_its_file(tmp_path: Path) -> None:
    async def play() -> None:
        seen: list[float] = []
        out = tmp_path / "film.mp4"
        runner = processes(tmp_path, DONE)
        assert await runner.run({"out": str(out)}, lambda done, stage: seen.append(done)) == {"size": 5}
        assert seen == [0.25] and out.read_bytes() == b"whole"
        assert names(tmp_path) == ["film.mp4", "worker.py"]

    asyncio.run(play())


def test_a_bad_file_is_the_file_s_fault_and_names_it(tmp_path: Path) -> None:
    async def play() -> None:
        with pytest.raises(WorkerFailed, match="a.jpg cannot be read") as failed:
            await processes(tmp_path, BAD).run({"out": str(tmp_path / "x")}, lambda *_: None)
        assert (failed.value.blame, failed.value.asset) == ("media", "md_1")

    asyncio.run(play())


def test_canceling_ends_the_worker_process_and_its_scraps(tmp_path: Path) -> None:
    async def play() -> None:
        clock = SystemClock()
        store = Store(tmp_path / "data", clock=clock)
        queue = Queue(store, processes(tmp_path, HANG), clock)
        queue.submit("me", "r1", SPEC)
        working = asyncio.create_task(queue.work())
        await until(lambda: bool(_running(queue).progress))
        queue.cancel("me", "r1")
        await until(lambda: not queue._current)
        assert status(queue) == "canceled"
        assert names(tmp_path / "data" / "renders") == [] and names(tmp_path) == ["data", "worker.py"]
        await end(working)
        store.close()

    asyncio.run(play())


def test_a_worker_that_hangs_is_ended_at_its_limit(tmp_path: Path) -> None:
    async def play() -> None:
        with pytest.raises(WorkerFailed) as failed:
            await processes(tmp_path, HANG).run({"out": str(tmp_path / "x")}, lambda *_: None, 0.5)
        assert failed.value.blame == "time"

    asyncio.run(play())


def _running(queue: Queue) -> Job:
    job = queue.get("me", "r1")
    assert job is not None
    return job
