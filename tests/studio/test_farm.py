"""A studio whose renders run on other machines: here, other processes with the same folder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from stage_studio import HEADERS, HandClock

from studio.queue import Job, Queue
from studio.store import Store
from studio.workers import FarmMissing

pytest.importorskip("procrastinate", reason="the extra `farm` is not installed")
pytest.importorskip("psycopg_pool", reason="the extra `farm` is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no farm on Windows")

from studio import farm_client, farm_store  # noqa: E402
from studio.farm_client import connect  # noqa: E402
from studio.farm_store import at_home, portable, prepare  # noqa: E402

# A media worker that leaves a line for each run and ends when there is a file `go` (or `fail`).
MEDIA = """
import json, os, pathlib, sys, time
spec = json.loads(pathlib.Path(sys.argv[1]).read_text())
here = pathlib.Path(__file__).parent
with (here / "runs").open("a") as runs:
    runs.write(spec["key"] + " " + str(os.getppid()) + "\\n")
assert pathlib.Path(spec["assets"]["md_1"]["path"]).read_text() == "shot"
print(json.dumps({"progress": 0.25, "stage": "compose"}), flush=True)
part = pathlib.Path(spec["out"] + ".part")
part.write_bytes(b"half")
while not (here / "go").exists():
    for blame, code in (("media", 3), ("bug", 1)):
        if (here / blame).exists():
            print(json.dumps({"error": "no " + blame, "asset": "md_1"}))
            sys.exit(code)
    time.sleep(0.02)
part.write_bytes(b"whole")
os.replace(part, spec["out"])
print(json.dumps({"result": {"size": 5}}))
"""
# `python -m studio.farm` with that worker, quicker to look, and with a lease of as many seconds as its last word.
FARM = """
import functools, pathlib, sys
from studio import farm
media = str(pathlib.Path(__file__).with_name("media.py"))
farm.Processes = functools.partial(farm.Processes, command=[sys.executable, media])
farm.LEASE_S, farm.BEAT_S, farm.POLL_S, farm.LOOK_S = float(sys.argv.pop()), 0.3, 0.1, 0.1
sys.exit(farm.main())
"""


@dataclass
class Place:
    """One shared folder, one studio's queue, any number of workers."""

    database: str
    folder: Path
    clock: HandClock = field(default_factory=HandClock)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "media.py").write_text(MEDIA, encoding="utf-8")
        (self.folder / "farm.py").write_text(FARM, encoding="utf-8")
        self.shared.mkdir()

    @property
    def shared(self) -> Path:
        return self.folder / "data"

    @property
    def runs(self) -> list[tuple[str, int]]:
        """(key, process of the farm worker) of every run begun."""
        path = self.folder / "runs"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(line.split()[0], int(line.split()[1])) for line in lines]

    def worker(self, lease_s: float = 20.0) -> subprocess.Popen[bytes]:
        """Another machine."""
        command = [
            sys.executable,
            str(self.folder / "farm.py"),
            self.database,
            "--data",
            str(self.shared),
            str(lease_s),
        ]
        root = Path(__file__).parents[2]
        process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(root)})
        self.workers.append(process)
        return process

    def touch(self, name: str) -> None:
        (self.folder / name).touch()

    @asynccontextmanager
    async def studio(self, *, killed: bool = False) -> AsyncIterator[Queue]:
        """Its queue at work. Killed, it says goodbye to nobody."""
        store = Store(self.shared, clock=self.clock)
        (store.media / "md_1.png").write_text("shot")
        async with connect(self.database, self.shared) as farm:
            queue = Queue(store, farm, self.clock, places=4, tries=None)
            work = asyncio.create_task(queue.work())
            try:
                yield queue
            finally:
                if killed:
                    queue._give_back = lambda job: None  # type: ignore[method-assign]
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
        store.close()

    def submit(self, queue: Queue, job: str = "r1") -> Job:
        shot = {"path": str(self.shared / "media" / "md_1.png"), "kind": "image"}
        spec = {"job": "render", "draft": {"words": "夜\x00景"}, "assets": {"md_1": shot}, "output": {"format": "mp4"}}
        return queue.submit("me", job, spec)


@pytest.fixture
def place(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(farm_client, "LOOK_S", 0.05)
    made = Place(database, tmp_path)
    yield made
    for worker in made.workers:
        worker.kill()
        worker.wait(20)


async def until(done: Callable[[], bool], clock: HandClock | None = None) -> None:
    """Looks again as soon as anything else has run."""
    async with asyncio.timeout(30):
        while not done():
            if clock is not None:
                await clock.advance(0.5)
            await asyncio.sleep(0.02)


def look(queue: Queue, job: str = "r1") -> Job:
    found = queue.get("me", job)
    assert found is not None
    return found


def test_two_workers_share_the_renders_and_render_each_once(place: Place) -> None:
    async def play() -> None:
        async with place.studio() as queue:
            jobs = [place.submit(queue, f"r{number}") for number in range(4)]
            workers = {place.worker().pid, place.worker().pid}
            await until(lambda: {pid for _, pid in place.runs} == workers, place.clock)
            await until(lambda: any(look(queue, job.id).progress == 0.25 for job in jobs), place.clock)
            place.touch("go")
            await until(lambda: all(look(queue, job.id).status == "completed" for job in jobs), place.clock)
            assert sorted(key for key, _ in place.runs) == sorted(job.key for job in jobs)
            for job in jobs:
                assert queue.path(job).read_bytes() == b"whole" and look(queue, job.id).result == {"size": 5}
            assert sorted(path.name for path in (place.shared / "renders").iterdir()) == sorted(
                f"{job.key}.mp4" for job in jobs
            )

    asyncio.run(play())


def test_the_job_of_a_worker_that_was_killed_is_taken_by_another(place: Place) -> None:
    async def play() -> None:
        async with place.studio() as queue:
            job = place.submit(queue)
            first = place.worker(lease_s=2.0)
            await until(lambda: len(place.runs) == 1, place.clock)
            first.kill()
            second = place.worker(lease_s=2.0)
            await until(lambda: len(place.runs) == 2, place.clock)
            place.touch("go")
            await until(lambda: look(queue).status == "completed", place.clock)
            assert place.runs == [(job.key, first.pid), (job.key, second.pid)]
            assert queue.path(job).read_bytes() == b"whole"

    asyncio.run(play())


def test_a_worker_that_was_away_too_long_ends_instead_of_meddling(place: Place) -> None:
    async def play() -> None:
        async with place.studio() as queue:
            place.submit(queue)
            first = place.worker(lease_s=2.0)
            await until(lambda: len(place.runs) == 1, place.clock)
            first.send_signal(signal.SIGSTOP)
            second = place.worker(lease_s=2.0)
            await until(lambda: len(place.runs) == 2, place.clock)
            first.send_signal(signal.SIGCONT)
            assert await asyncio.to_thread(first.wait, 20) == 75
            assert second.poll() is None
            place.touch("go")
            await until(lambda: look(queue).status == "completed", place.clock)
            assert len(place.runs) == 2

    asyncio.run(play())


def test_a_studio_that_was_killed_waits_for_the_same_render_again(place: Place) -> None:
    async def play() -> None:
        place.worker()
        for start in range(1, 5):  # oftener than a job may be begun where there is no farm
            async with place.studio(killed=True) as queue:
                place.submit(queue)
                await until(lambda: look(queue).progress > 0 and look(queue).attempts == start, place.clock)  # noqa: B023
            place.clock.jump(11)
        place.touch("go")
        async with place.studio() as queue:
            await until(lambda: look(queue).status == "completed", place.clock)
            assert len(place.runs) == 1 and queue.path(look(queue)).read_bytes() == b"whole"

    asyncio.run(play())


def test_a_render_that_ended_while_the_studio_was_down_is_collected(place: Place) -> None:
    async def play() -> None:
        async with place.studio() as queue:
            job = place.submit(queue)
            place.worker()
            await until(lambda: len(place.runs) == 1, place.clock)
        assert look_at(place).status == "pending"
        place.touch("go")
        film = place.shared / "renders" / f"{job.key}.mp4"
        await until(film.exists)
        async with place.studio() as queue:
            await until(lambda: look(queue).status == "completed", place.clock)
            assert len(place.runs) == 1

    asyncio.run(play())


def look_at(place: Place) -> Job:
    store = Store(place.shared, clock=place.clock)
    with contextlib.closing(store):
        return look(Queue(store, None, place.clock))  # type: ignore[arg-type]


def test_canceling_stops_a_render_wherever_it_runs_and_leaves_nothing(place: Place) -> None:
    async def play() -> None:
        async with place.studio() as queue:
            place.submit(queue)
            place.worker()
            await until(lambda: look(queue).progress > 0, place.clock)
            queue.cancel("me", "r1")
            renders = place.shared / "renders"
            await until(lambda: not list(renders.iterdir()), place.clock)
            place.submit(queue, "r2")
            await until(lambda: len(place.runs) == 2, place.clock)
            place.touch("go")
            await until(lambda: look(queue, "r2").status == "completed", place.clock)
            assert look(queue).status == "canceled"

    asyncio.run(play())


def test_a_render_canceled_before_a_worker_has_it_is_never_begun(place: Place) -> None:
    async def play() -> None:
        async with place.studio() as queue:
            place.touch("go")
            place.submit(queue)
            await until(lambda: look(queue).status == "processing", place.clock)
            queue.cancel("me", "r1")
            await until(lambda: not queue._current, place.clock)
            place.submit(queue, "r2")
            place.worker()
            await until(lambda: look(queue, "r2").status == "completed", place.clock)
            assert [key for key, _ in place.runs] == [look(queue, "r2").key]

    asyncio.run(play())


@pytest.mark.parametrize(("blame", "runs"), [("media", 1), ("bug", 3)])
def test_a_bad_file_fails_at_once_and_a_bug_after_three_tries(place: Place, blame: str, runs: int) -> None:
    async def play() -> None:
        async with place.studio() as queue:
            place.touch(blame)
            place.submit(queue)
            place.worker()
            await until(lambda: look(queue).status == "failed", place.clock)
            assert (look(queue).message, len(place.runs)) == (f"no {blame}", runs)

    asyncio.run(play())


def test_a_worker_ends_after_its_render_when_asked_to(place: Place) -> None:
    async def play() -> None:
        async with place.studio() as queue:
            place.submit(queue)
            worker = place.worker()
            await until(lambda: len(place.runs) == 1, place.clock)
            worker.terminate()
            place.touch("go")
            await until(lambda: look(queue).status == "completed", place.clock)
            assert await asyncio.to_thread(worker.wait, 20) == 0

    asyncio.run(play())


def test_a_worker_with_another_folder_never_gets_the_job(place: Place, database: str, tmp_path: Path) -> None:
    async def play() -> None:
        other = tmp_path / "other"
        other.mkdir()
        async with Place(database, other).studio(), place.studio() as queue:
            assert farm_store.queue_name(other / "data") != farm_store.queue_name(place.shared)
            place.submit(queue)
            place.touch("go")
            place.worker()
            await until(lambda: look(queue).status == "completed", place.clock)

    asyncio.run(play())


def test_many_may_make_the_tables_at_once(database: str) -> None:
    async def play() -> None:
        await asyncio.gather(*(prepare(database) for _ in range(6)))

    asyncio.run(play())


@pytest.mark.parametrize(
    "url", ["postgresql://me:sesame@127.0.0.1:1/none", "http://me:sesame@x", "postgresql://me:sesame@[x"]
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(url: str) -> None:
    with pytest.raises(FarmMissing, match="database cannot be used") as missing:
        asyncio.run(prepare(url))
    assert "sesame" not in str(missing.value)


def test_without_its_packages_the_farm_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(farm_store, "procrastinate", None)
    with pytest.raises(FarmMissing, match=r"reelchat\[farm\]"):
        asyncio.run(prepare("postgresql://127.0.0.1/none"))


def test_files_are_named_from_the_folder_and_nothing_outside_of_it_is_read(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    spec = {"key": "k", "out": "x", "assets": {"md_1": {"path": str(here / "media" / "a.png"), "kind": "image"}}}
    sent = json.loads(portable(spec, here))
    assert sent == {"key": "k", "assets": {"md_1": {"path": "media/a.png", "kind": "image"}}}
    assert at_home(sent, there)["assets"]["md_1"]["path"] == str(there / "media" / "a.png")
    for path in ("/etc/passwd", "../here/a.png"):
        with pytest.raises(Exception, match="not in the shared folder"):
            at_home({"assets": {"md_1": {"path": path}}}, there)


def test_a_studio_process_and_a_farm_process_make_a_real_picture(database: str, tmp_path: Path) -> None:
    shared = tmp_path / "data"
    farm = subprocess.Popen([sys.executable, "-m", "studio.farm", database, "--data", str(shared)])
    command = [sys.executable, "-m", "studio", "--data", str(shared), "--farm", database, "--size", "320x180"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as studio:
        try:
            assert studio.stdin and studio.stdout
            asyncio.run(_export(json.loads(studio.stdout.readline())["url"]))
            studio.stdin.close()
            assert studio.wait(20) == 0
        finally:
            studio.kill()
            farm.kill()
            farm.wait(20)


async def _export(url: str) -> None:
    renders = "/api/render/proxy/lambda"
    title = {"id": "s1", "s": 0, "d": 1000, "m": {"text": "Night", "name": "Night", "place": "center"}}
    draft = {"m": {"title": "t", "width": 320, "height": 180, "fps": 10}, "t": [{"tt": 7, "m": {}, "sg": [title]}]}
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as http, asyncio.timeout(40):
        token = (await http.post("/api/auth/anonymous-token", headers={"X-Client-Id": "c"})).json()["data"]["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        asked = {"task_name": "project", "language": "en"}
        made = await http.post("/api/tasks/me/with-session/nemo_agent", json=asked)
        body = {"id": "r1", "sessionId": made.json()["data"]["session_id"], "draft": draft}
        answer = (await http.post(renders, json=body | {"output": {"format": "png"}})).json()
        while answer["status"] in ("pending", "processing"):
            await asyncio.sleep(0.05)
            answer = (await http.get(f"{renders}/r1")).json()
        assert answer["status"] == "completed", answer
        assert (await http.get(f"{renders}/r1/download")).content.startswith(b"\x89PNG")
