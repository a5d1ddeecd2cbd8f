"""A host that is really killed in the middle of a turn: the next one tells what came of it and does nothing twice."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from evals.servers import free_port
from evals.stage import studio

SLOW = ("--size", "320x180", "--pace", "2", "--silent-rate", "0")
HOST = """
import sys
import uvicorn
from agent.serve.app import application
from agent.settings import Settings
from agent.skills import load_skill

uvicorn.run(application(Settings.load(), load_skill()), port=int(sys.argv[1]), log_level="warning")
"""
MAKE = {"thread": "a", "text": "generate a futuristic city at night", "turn": "a" * 32}
LINE = "Timeline (1 track): 1. Video: futuristic city at night (0-10s)"


@contextmanager
def host(folder: Path, backend: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """One process; killed at the end if it still lives."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEMO_", "REELCHAT_", "LC_"))}
    environ = {**kept, "LANG": "C.UTF-8", "NEMO_API_URL": backend, "REELCHAT_HOME": str(folder)}
    with subprocess.Popen([sys.executable, "-c", HOST, str(port)], env=environ) as process:
        try:
            yield process
        finally:
            process.kill()


@asynccontextmanager
async def client(port: int) -> AsyncIterator[httpx.AsyncClient]:
    """One that waits until the host answers."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http, asyncio.timeout(60):
        while True:
            try:
                await http.get("/healthz")
                break
            except httpx.TransportError:
                await asyncio.sleep(0)
        yield http


def asked(folder: Path, query: str) -> int:
    (found,) = (folder / "studio").glob("*.db")
    with closing(sqlite3.connect(f"file:{found}?mode=ro", uri=True)) as db:
        return int(db.execute(query).fetchone()[0] or 0)


def events(text: str) -> list[dict[str, Any]]:
    said = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    return [event for event in said if "kind" in event]


async def until(http: httpx.AsyncClient, body: dict[str, Any], sign: str) -> None:
    """Takes a turn until an event says `sign`."""
    async with http.stream("POST", "/v1/turns", json=body) as response:
        assert response.status_code == 200
        async for line in response.aiter_lines():
            if sign in line:
                return
    raise AssertionError(f"never said {sign}")


def test_a_killed_turn_is_told_at_its_retry_and_never_sent_twice(tmp_path: Path) -> None:
    async def run() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        async with studio(tmp_path / "studio", *SLOW) as backend:
            port = free_port()
            with host(tmp_path, backend, port) as process:
                async with client(port) as http:
                    await until(http, MAKE, '"about":"send"')
                    while not asked(tmp_path, "SELECT sum(turns) FROM sessions"):  # noqa: ASYNC110  # another process
                        await asyncio.sleep(0)
                    process.kill()
                    process.wait()
            with host(tmp_path, backend, port):
                async with client(port) as http:
                    again = events((await http.post("/v1/turns", json=MAKE)).text)
                    after = events((await http.post("/v1/turns", json={"thread": "a", "text": "status"})).text)
        return again, after

    again, after = asyncio.run(run())
    assert any("had been cut off, but it arrived" in event["text"] for event in again), again
    assert LINE in [event["text"] for event in after]
    assert asked(tmp_path, "SELECT sum(turns) FROM sessions") == 1


def test_the_render_of_a_killed_host_is_delivered_by_the_next_one(tmp_path: Path) -> None:
    async def run() -> list[dict[str, Any]]:
        async with studio(tmp_path / "studio", *SLOW) as backend:
            port = free_port()
            with host(tmp_path, backend, port) as process:
                async with client(port) as http:
                    await http.post("/v1/turns", json=MAKE)
                    await until(http, {"thread": "a", "text": "export"}, '"about":"render"')
                    while not asked(tmp_path, "SELECT count(*) FROM jobs"):  # noqa: ASYNC110  # another process
                        await asyncio.sleep(0)
                    process.kill()
                    process.wait()
            with host(tmp_path, backend, port):
                async with client(port) as http:
                    while True:
                        turns = (await http.get("/v1/threads/a")).json()["turns"]
                        said = [event for turn in turns for event in turn["events"] if event["kind"] == "delivered"]
                        if said:
                            film = await http.get(said[0]["url"])
                            assert film.content[4:8] == b"ftyp"
                            return said
                        await asyncio.sleep(0.05)

    assert len(asyncio.run(run())) == 1
    assert asked(tmp_path, "SELECT count(*) FROM jobs") == 1
