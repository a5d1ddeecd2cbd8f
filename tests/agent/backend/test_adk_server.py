"""The stream as a real google-adk server sends it. Heavy, so it is in no lock file; where it is missing, this skips.

python3 -m venv /tmp/adk && /tmp/adk/bin/pip install google-adk pytest hypothesis
/tmp/adk/bin/pip install -e .
/tmp/adk/bin/python -m pytest tests/agent/backend/test_adk_server.py
"""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from agent.backend import Attribution, Backend, Credentials, Ended, Failed, Said, ToolEnded, ToolStarted
from agent.clock import SystemClock
from agent.errors import SessionGone

if importlib.util.find_spec("google") is None or importlib.util.find_spec("google.adk") is None:
    pytest.skip("google-adk is not installed", allow_module_level=True)

SERVER = Path(__file__).with_name("adk_server.py")
DONE, LOST = Ended(complete=True), Ended(complete=False)
STARTED, ENDED = ToolStarted("edit_multitrack"), ToolEnded("edit_multitrack")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("adk") / "log").open("w+b")
    process = subprocess.Popen([sys.executable, str(SERVER), str(port)], stdout=log, stderr=subprocess.STDOUT)
    try:
        yield _ready(f"http://127.0.0.1:{port}", process, log)
    finally:
        process.kill()
        process.wait()
        log.close()


def _ready(url: str, process: subprocess.Popen[bytes], log: Any) -> str:
    patience = time.monotonic() + 90
    while time.monotonic() < patience:
        try:
            httpx.get(f"{url}/list-apps", trust_env=False)
            return url
        except httpx.HTTPError:
            if process.poll() is not None:
                log.seek(0)
                pytest.fail(log.read().decode("utf-8", "replace"))
        process_wait(process)
    pytest.fail("the server did not start")


def process_wait(process: subprocess.Popen[bytes]) -> None:
    """A moment, or less when the server ends."""
    try:
        process.wait(0.2)
    except subprocess.TimeoutExpired:
        pass


def send(url: str, folder: Path, script: str, session: str | None = None) -> list[Any]:
    """What the agent hears of `script`."""

    async def work() -> list[Any]:
        async with httpx.AsyncClient(trust_env=False) as http:
            root = url.removesuffix("/bytes")
            made = await http.post(f"{root}/apps/nemo_agent/users/me/sessions")
            credentials = Credentials("adk", folder, folder / "id", supplied=SecretStr("nmv_usr_adk"))
            backend = Backend(url, http, credentials, Attribution("a", "1", "unknown"), SystemClock())
            return [event async for event in backend.send(session or made.json()["id"], script)]

    return asyncio.run(work())


EXPECTED: dict[str, list[Any]] = {
    "plain": [Said(0, "Hello, 未来\u2028😀.", final=True), DONE],
    "streamed": [Said(0, "I will "), Said(0, "add music."), Said(0, "", final=True), DONE],
    "tools": [STARTED, ENDED, DONE],
    "both": [Said(0, "Let me look.", final=True), STARTED, ENDED, Said(1, "Done.", final=True), DONE],
    "silent": [DONE],
    "error": [Said(0, "Half"), Said(0, " an answer", final=True), DONE],
    "thought": [Said(0, "Done"), Said(0, ".", final=True), DONE],
    "authors": [
        Said(0, "A1 "),
        Said(1, "B1 "),
        Said(0, "A2", final=True),
        Said(1, "B2", final=True),
        Said(2, "B1 B2", final=True),
        DONE,
    ],
    "unconfirmed": [Said(0, "Let me"), LOST],
    "apology": [Said(0, "Music added.", final=True), Said(1, "", final=True), DONE],
}


@pytest.mark.parametrize("place", ["", "/bytes"])
@pytest.mark.parametrize("script", EXPECTED)
def test_a_real_server_is_understood_in_chunks_of_any_size(
    server: str, tmp_path: Path, script: str, place: str
) -> None:
    assert send(server + place, tmp_path, script) == EXPECTED[script]


@pytest.mark.parametrize("place", ["", "/bytes"])
def test_a_crash_in_a_real_server_ends_the_turn_as_failed(server: str, tmp_path: Path, place: str) -> None:
    said, failed, ended = send(server + place, tmp_path, "crash")
    assert (said, ended) == (Said(0, "Working.", final=True), LOST)
    assert isinstance(failed, Failed)
    assert 'he said "no"' in failed.message


def test_a_session_that_a_real_server_does_not_know_is_gone(server: str, tmp_path: Path) -> None:
    with pytest.raises(SessionGone):
        send(server, tmp_path, "plain", session="nope")
