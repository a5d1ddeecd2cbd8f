"""Where a studio listens, and the names it answers to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from studio.options import Door


@contextmanager
def studio(folder: Path, *words: str) -> Iterator[tuple[httpx.Client, str, subprocess.Popen[str]]]:
    """A process, a client at the address it said, and that address."""
    command = [sys.executable, "-m", "studio", "--data", str(folder), *words]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            url = json.loads(process.stdout.readline())["url"]
            with httpx.Client(base_url=url, trust_env=False) as http:
                yield http, url, process
        finally:
            process.kill()


def status(http: httpx.Client, host: str) -> int:
    return http.get("/api/credits/balance/simple", headers={"Host": host}).status_code


def test_a_studio_for_other_machines_answers_to_the_names_it_was_told_and_warns_once(tmp_path: Path) -> None:
    words = ("--host", "0.0.0.0", "--allow-host", "studio", "--allow-host", "10.0.0.5")
    with studio(tmp_path, *words) as (http, url, process):
        assert url.startswith("http://127.0.0.1:")
        port = url.rpartition(":")[2]
        known = ("studio", f"studio:{port}", "10.0.0.5", "localhost", f"127.0.0.1:{port}")
        assert {status(http, host) for host in known} == {200}
        assert {status(http, host) for host in ("evil.example", "studio.evil.example", "0.0.0.0", "10.0.0.6")} == {400}
        process.kill()
        assert process.stderr is not None
        said = process.stderr.read()
        assert said.count("\n") == 1 and "anybody who reaches the port" in said and "private network" in said


@pytest.mark.parametrize("words", [(), ("--host", "0.0.0.0"), ("--host", "127.0.0.1", "--allow-host", "studio")])
def test_a_foreign_name_is_refused_unless_it_is_allowed(tmp_path: Path, words: tuple[str, ...]) -> None:
    with studio(tmp_path, *words) as (http, url, process):
        assert (status(http, url.removeprefix("http://")), status(http, "evil.example")) == (200, 400)
        process.kill()
        assert process.stderr is not None
        assert bool(process.stderr.read()) == ("0.0.0.0" in words)


def test_a_door_on_one_address_answers_to_it() -> None:
    door = Door("10.0.0.5", 80, ("studio",))
    assert (door.allowed, door.url(80)) == (["127.0.0.1", "localhost", "10.0.0.5", "studio"], "http://10.0.0.5:80")
    assert (Door().allowed, Door().private, door.private) == (["127.0.0.1", "localhost"], True, False)


@pytest.mark.parametrize("name", ["*", "http://studio", "studio:8080", "a/b", ""])
def test_a_name_that_would_open_the_door_to_all_is_no_name(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-m", "studio", "--data", str(tmp_path), "--allow-host", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "--allow-host" in done.stderr


def test_a_farm_that_cannot_be_is_one_sentence_and_not_a_studio_without_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "studio", "--data", str(tmp_path), "--farm", "postgresql://127.0.0.1:1/none"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1) and "farm" in done.stderr


def test_an_address_of_another_machine_is_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "studio", "--data", str(tmp_path), "--host", "192.0.2.1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "cannot listen on 192.0.2.1" in done.stderr and "Traceback" not in done.stderr
