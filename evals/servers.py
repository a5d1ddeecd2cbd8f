"""PostgreSQL and Redis of one's own for as long as a test or a benchmark wants them, on free ports of loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

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
    _run([*user, str(programs / "initdb"), "-N", "-A", "trust", "-U", "reel", "-E", "UTF8", "-D", str(data)])
    chosen = [word for one in (*settings, f"unix_socket_directories={data}", f"port={port}") for word in ("-c", one)]
    control = [*user, str(programs / "pg_ctl"), "-D", str(data), "-w", "-t", str(START_S)]
    _run([*control, "-l", str(data / "log"), "-o", " ".join(chosen), "start"])
    try:
        yield f"postgresql://reel@127.0.0.1:{port}/postgres"
    finally:
        _run([*control, "-m", "immediate", "stop"])
        shutil.copy(data / "log", folder / "postgres.log")
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
        if all((place / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return place
    raise Missing("PostgreSQL (initdb, pg_ctl) is not installed")


def _user(data: Path) -> list[str]:
    """How to become somebody who may run it: it refuses to be root's."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return []
    become = shutil.which("runuser", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))
    if become is None:
        raise Missing("PostgreSQL does not run as root, and there is no runuser")
    try:
        shutil.chown(data, "postgres")
    except LookupError:
        raise Missing("PostgreSQL does not run as root, and there is no user postgres") from None
    return [become, "-u", "postgres", "--"]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(done.stderr or done.stdout)
