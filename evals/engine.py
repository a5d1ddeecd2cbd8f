"""`make engine`: the same conversation on engines of other makers, and what becomes of a turn whose worker is killed.

Runs what is installed (`langgraph dev`, Aegra with PostgreSQL and Redis) and says what it leaves out. ENGINES names the
folder of the programs, where they are in an environment of their own: Aegra needs Python 3.12.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from langgraph_sdk import get_client

from evals.servers import Missing, free_port, postgres, redis
from evals.stage import studio

ROOT = Path(__file__).parent.parent
SLOW = ("--size", "320x180", "--pace", "3", "--silent-rate", "0")
"""An edit that lasts long enough to be killed in."""
MAKE, EXPORT = "generate a futuristic city at night", "export"
TIMELINE = "Timeline (1 track): 1. Video: futuristic city at night (0-10s)"
START_S, RECOVER_S = 90, 120
QUICK = {"LEASE_DURATION_SECONDS": "9", "HEARTBEAT_INTERVAL_SECONDS": "3", "REAPER_INTERVAL_SECONDS": "3"}


def main() -> int:
    """0 where everything that could be run held."""
    failed = False
    for name, trial in (("langgraph dev", on_langgraph_dev), ("two Aegra processes, one killed", on_aegra)):
        with TemporaryDirectory(prefix="reelchat-engine-") as folder:
            try:
                asyncio.run(trial(Path(folder)))
            except Missing as error:
                _say(f"{name}: skipped, {error}")
            except (AssertionError, TimeoutError) as error:
                failed = True
                _say(f"{name}: FAILED, {error!r}")
                _say(*(log.read_text(errors="replace")[-2000:] for log in Path(folder).glob("*.log")))
            else:
                _say(f"{name}: held")
    return int(failed)


async def on_langgraph_dev(folder: Path) -> None:
    """Two turns through the engine's own API."""
    program, port = _program("langgraph"), free_port()
    command = [program, "dev", "--no-browser", "--no-reload", "--allow-blocking", "--port", str(port)]
    async with studio(folder / "studio", *SLOW) as backend:
        environ = {"NEMO_API_URL": backend, "REELCHAT_HOME": str(folder), "LANGSMITH_TRACING": "false"}
        with _process([*command, "--config", str(ROOT / "langgraph.json")], environ, folder / "dev.log"):
            client = await _up(port)
            thread = str(uuid.uuid4())
            said = [await _turn(client, thread, text) for text in (MAKE, EXPORT)]
        _check_told(said)
        _check_done(folder, 1)


async def on_aegra(folder: Path) -> None:
    """One process is killed in the middle of a send; the other one ends the turn, and the next turn exports."""
    program = _program("aegra")
    with ExitStack() as stack:
        database = stack.enter_context(postgres(folder / "database"))
        cache = stack.enter_context(redis(folder))
        async with studio(folder / "studio", *SLOW) as backend:
            environ = _shared(folder, database, cache, backend)
            first = stack.enter_context(_aegra(program, environ, folder / "first.log"))
            client = await _up(first.port)
            thread = str(uuid.uuid4())
            await client.threads.create(thread_id=thread)
            run = await client.runs.create(thread, "reelchat", input=_given(MAKE), durability="exit")
            await _sending(folder)
            # Only now, so that it is the first one which has the turn.
            second = stack.enter_context(_aegra(program, environ, folder / "second.log"))
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
            client = await _up(second.port)
            assert (await client.runs.get(thread, run["run_id"]))["status"] == "running", "it was killed too late"
            await _ended(client, thread, run["run_id"])
            said = await _turn(client, thread, "status")
            assert any(TIMELINE in str(event.get("text")) for event in said), said
            exported = await _turn(client, thread, EXPORT)
            _check_told([said, exported])
            _check_done(folder, 1)
            await _at_our_doors(folder, f"http://127.0.0.1:{second.port}", environ)


async def _at_our_doors(folder: Path, engine: str, environ: dict[str, str]) -> None:
    """Three turns at the doors of a host that has the engine run them."""
    port = free_port()
    command = [sys.executable, "-m", "agent.cli", "serve", "--engine", engine, "--port", str(port)]
    with _process(command, environ, folder / "doors.log"):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=RECOVER_S) as client:
            await _answers(client, "/readyz")
            said = [await _asked_at(client, text) for text in (MAKE, "status", EXPORT)]
            exported = [event for event in said[2] if event["kind"] == "delivered"]
            assert len(exported) == 1 and str(folder) not in str(exported), said[2]
            video = await client.get(exported[0]["url"])
    assert all(any(TIMELINE in str(event.get("text")) for event in one) for one in said[:2]), said
    assert video.status_code == 200 and len(video.content) > 1000, video
    _check_done(folder, 2)


async def _asked_at(client: httpx.AsyncClient, text: str) -> list[dict[str, Any]]:
    answer = await client.post("/v1/turns", json={"thread": "door", "text": text})
    assert answer.status_code == 200, answer.text
    said = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    return [event for event in said if "kind" in event]


async def _answers(client: httpx.AsyncClient, path: str) -> None:
    async with asyncio.timeout(START_S):
        while True:
            with suppress(httpx.TransportError):
                if (await client.get(path)).is_success:
                    return
            await asyncio.sleep(0.2)


class _Aegra:
    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port


@contextmanager
def _aegra(program: str, environ: dict[str, str], log: Path) -> Iterator[_Aegra]:
    port = free_port()
    command = [str(Path(program).with_name("python")), "-m", "uvicorn", "aegra_api.main:app", "--port", str(port)]
    with _process(command, {**environ, "PORT": str(port)}, log) as process:
        yield _Aegra(process, port)


def _shared(folder: Path, database: str, cache: str, backend: str) -> dict[str, str]:
    return {
        "AEGRA_CONFIG": str(ROOT / "langgraph.json"),
        "AUTH_TYPE": "custom",
        "DATABASE_URL": database,
        "REDIS_BROKER_ENABLED": "true",
        "REDIS_URL": cache,
        "NEMO_API_URL": backend,
        "REELCHAT_HOME": str(folder),
        "REELCHAT_DATABASE": database,
        "REELCHAT_REDIS": cache,
        **QUICK,
    }


@contextmanager
def _process(command: list[str], environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEMO_", "REELCHAT_"))}
    with log.open("wb") as out:
        # Of a group of its own, so that its children end with it.
        process = subprocess.Popen(
            command, env={**kept, **environ}, cwd=ROOT, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


async def _up(port: int) -> Any:
    """A client, once the engine answers."""
    async with asyncio.timeout(START_S), httpx.AsyncClient() as http:
        while True:
            try:
                if (await http.get(f"http://127.0.0.1:{port}/info")).status_code < 500:
                    return get_client(url=f"http://127.0.0.1:{port}")
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)


async def _turn(client: Any, thread: str, text: str) -> list[dict[str, Any]]:
    stream = client.runs.stream(
        thread, "reelchat", input=_given(text), stream_mode=["custom", "updates"], if_not_exists="create"
    )
    return [part.data async for part in stream if part.event == "custom"]


async def _ended(client: Any, thread: str, run: str) -> None:
    async with asyncio.timeout(RECOVER_S):
        while (await client.runs.get(thread, run))["status"] in ("pending", "running"):  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.5)


async def _sending(folder: Path) -> None:
    """Until the studio has an edit under way."""
    async with asyncio.timeout(START_S):
        while _asked(folder, "SELECT count(*) FROM sessions WHERE busy_by IS NOT NULL") != 1:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def _given(text: str) -> dict[str, Any]:
    return {"utterance": text, "files": []}


def _check_told(said: list[list[dict[str, Any]]]) -> None:
    every = [event for one in said for event in one]
    assert any(event["kind"] == "timeline" and TIMELINE in event["text"] for event in every), every
    delivered = [event for event in every if event["kind"] == "delivered"]
    assert len(delivered) == 1 and Path(delivered[0]["path"]).stat().st_size > 1000, every


def _check_done(folder: Path, each: int) -> None:
    edits, renders = _asked(folder, "SELECT sum(turns) FROM sessions"), _asked(folder, "SELECT count(*) FROM jobs")
    assert (edits, renders) == (each, each), f"{edits} edits and {renders} renders were asked for, not {each} of each"


def _asked(folder: Path, query: str) -> int:
    (found,) = (folder / "studio").glob("*.db")
    with closing(sqlite3.connect(f"file:{found}?mode=ro", uri=True)) as db:
        return int(db.execute(query).fetchone()[0] or 0)


def _program(name: str) -> str:
    places = os.pathsep.join(filter(None, (os.environ.get("ENGINES"), str(Path(sys.executable).parent))))
    found = shutil.which(name, path=places) or shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
