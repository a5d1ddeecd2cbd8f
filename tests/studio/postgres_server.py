"""A PostgreSQL server of one's own for as long as a test wants it, on a free port of loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

QUICK = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "listen_addresses=127.0.0.1",
)


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Its address. Skips where PostgreSQL is not installed; `folder` is emptied of it afterwards."""
    programs, data = _programs(), folder / "pg"
    data.mkdir()
    user = _user(data)
    command = [str(programs / "initdb"), "-N", "-A", "trust", "-U", "studio", "-E", "UTF8", "-D", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, cwd="/", check=False, **user)
    assert done.returncode == 0, done.stderr
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = [f"--{setting}" for setting in (*QUICK, f"unix_socket_directories={data}", f"port={port}")]
    command = [str(programs / "postgres"), "-D", str(data), *settings]
    with (folder / "postgres.log").open("a+", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **user)
        try:
            _ready(process, log)
            yield f"postgresql://studio@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nobody wants the data
            process.wait(60)
            shutil.rmtree(data, ignore_errors=True)


def _ready(process: subprocess.Popen[bytes], log: IO[str]) -> None:
    for _ in range(1200):
        log.seek(0)
        said = log.read()
        assert process.poll() is None, said
        if "ready to accept connections" in said:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise AssertionError(said)


def _programs() -> Path:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if all((place / name).exists() for name in ("initdb", "postgres")):
            return place
    pytest.skip("PostgreSQL (initdb, postgres) is not installed")


def _user(data: Path) -> dict[str, Any]:
    """Who runs it, for subprocess: it refuses to be root's."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {}
    try:
        shutil.chown(data, "postgres", "postgres")
    except LookupError:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    for parent in list(data.parents)[:-2]:  # pytest's own folders are closed to everybody else
        parent.chmod(parent.stat().st_mode | 0o011)
    return {"user": "postgres", "group": "postgres", "extra_groups": []}
