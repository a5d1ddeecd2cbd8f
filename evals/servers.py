"""PostgreSQL and Redis of one's own for as long as a test or a benchmark wants them, on free ports of loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any

__all__ = ["Missing", "free_port", "postgres", "redis"]

QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=127.0.0.1")
"""For tests, which need no disk that survives; a benchmark says what it wants instead."""
START_S = 60


class Missing(Exception):
    """It is not installed here; the message says what."""


@contextmanager
def postgres(folder: Path, settings: Sequence[str] = QUICK) -> Iterator[str]:
    """Its address; its log is left in `folder`. Raises Missing."""
    programs = _programs()
    folder.mkdir(parents=True, exist_ok=True)
    data = Path(mkdtemp(prefix="reelchat-pg-"))  # pytest's folders are closed to the user that it has to run as
    user, port = _user(data), free_port()
    _run([str(programs / "initdb"), "-N", "-A", "trust", "-U", "reel", "-E", "UTF8", "-D", str(data)], user)
    chosen = [f"--{one}" for one in (*settings, f"unix_socket_directories={data}", f"port={port}")]
    command = [str(programs / "postgres"), "-D", str(data), *chosen]
    with (folder / "postgres.log").open("a+", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **user)
        try:
            _until_ready(process, log)
            yield f"postgresql://reel@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nobody wants the data
            process.wait(START_S)
            shutil.rmtree(data, ignore_errors=True)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Its address. Raises Missing."""
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        raise Missing("redis-server is not installed")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _until_open(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def _until_open(port: int) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _programs() -> Path:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if all((place / name).exists() for name in ("initdb", "postgres")):
            return place
    raise Missing("PostgreSQL (initdb, postgres) is not installed")


def _user(data: Path) -> dict[str, Any]:
    """Who runs it, for subprocess: it refuses to be root's."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {}
    try:
        shutil.chown(data, "postgres", "postgres")
    except LookupError:
        raise Missing("PostgreSQL does not run as root, and there is no user postgres") from None
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _until_ready(process: subprocess.Popen[bytes], log: IO[str]) -> None:
    end = time.monotonic() + START_S
    while True:
        log.seek(0)
        said = log.read()
        if "ready to accept connections" in said:
            return
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(said)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)


def _run(command: list[str], user: dict[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, cwd="/", check=False, **user)
    if done.returncode:
        raise RuntimeError(done.stderr or done.stdout)
