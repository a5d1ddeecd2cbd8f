"""`python -m evals.hosting [soak [SECONDS]]`: how many people one host carries, with the ceiling measured beside it.

500 streams of two seconds each, begun within five; then short turns as fast as they go, on SQLite, and on PostgreSQL
with two processes. The backend is a stand-in of its own process that only waits and talks. Exit code 1 past a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from evals.loaded import run
from evals.servers import Missing, free_port, postgres

__all__ = ["main", "soak"]

STREAMS, RAMP_S = 500, 5.0
STEPS = (50, 100, 150, 200, 250, 300, 400, STREAMS)
"""Streams at once, to find how many one process carries."""
SHORT_TURNS, AT_ONCE = 960, 32
TURN_S = 30.0
P99_S, LEAST_SHORT = 4.0, 60.0
SOAK_S, SAMPLE_S = 600.0, 5.0
GROWTH = 1.05
"""What noise there is between two looks at the memory."""
LINE = "{:48} {}\n"


@dataclass
class Load:
    """What came of many turns."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0

    def line(self, name: str, took: float) -> str:
        """In words."""
        middle = statistics.median(self.seconds) if self.seconds else 0.0
        rate = f"{len(self.seconds) / took:7.1f} turns/s"
        return f"{name:48} {rate}  p50 {middle:.2f} s  p99 {self.p99:.2f} s  errors {self.errors}"

    @property
    def p99(self) -> float:
        """Seconds; endless where hardly a turn ended."""
        return statistics.quantiles(self.seconds, n=100)[98] if len(self.seconds) > 1 else float("inf")


async def one_turn(port: int, thread: str, text: str, load: Load) -> None:
    """One turn over a connection of its own, read to its end: a plain socket, so that we measure the host."""
    body = json.dumps({"thread": thread, "text": text}).encode()
    head = f"POST /v1/turns HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    begin = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        async with asyncio.timeout(TURN_S):
            answer = await reader.read(-1)
        writer.close()
    except (OSError, TimeoutError):
        load.errors += 1
        return
    if b"event: end" not in answer or b'"kind":"error"' in answer or b'"kind":"text"' not in answer:
        load.errors += 1
        return
    load.seconds.append(time.perf_counter() - begin)


async def many_streams(port: int, load: Load, count: int = STREAMS) -> None:
    """All of them, evenly begun."""

    async def later(number: int) -> None:
        await asyncio.sleep(number * RAMP_S / count)
        await one_turn(port, f"stream-{count}-{number}", "add a sunset", load)

    await asyncio.gather(*(later(number) for number in range(count)))


async def short_turns(port: int, load: Load, fresh: str = "") -> None:
    """One after another on as many threads as there are people at once; each on a `fresh` thread of its own."""

    async def person(number: int) -> None:
        for turn in range(SHORT_TURNS // AT_ONCE):
            thread = f"{fresh}-{number}-{turn}" if fresh else f"short-{number}"
            await one_turn(port, thread, "credits", load)

    await asyncio.gather(*(person(number) for number in range(AT_ONCE)))


def behind() -> AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    """The stand-in for the backend."""
    return _process(["evals.loaded"])


def bare() -> AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    """The server without a host."""
    return _process(
        ["uvicorn", "--factory", "evals.loaded:plain", "--log-level", "error", "--backlog", "4096", "--port"]
    )


def host(environ: dict[str, str], workers: int = 1) -> AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    """The host as anybody starts it, without the limits that one key has."""
    wide = ["--requests-a-minute", "1000000", "--streams", "10000", "--workers", str(workers)]
    return _process(["agent.cli", "serve", *wide, "--port"], environ)


@contextmanager
def _process(
    command: list[str], environ: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("NEMO_", "REELCHAT_"))}
    with subprocess.Popen(
        [sys.executable, "-m", *command, str(port)],
        env={**kept, **environ},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            asyncio.run(_until_open(port))
            yield port, process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


async def _until_open(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def measured(name: str, work: Any, port: int) -> Load:
    """Runs and prints one load."""
    load, begin = Load(), time.perf_counter()
    run(work(port, load))
    sys.stdout.write(load.line(name, time.perf_counter() - begin) + "\n")
    sys.stdout.flush()
    return load


def memory(process: subprocess.Popen[bytes]) -> float:
    """Megabytes that the process holds; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> int:
    """Prints a line for each measurement."""
    with TemporaryDirectory() as folder, behind() as (wire, _):
        with bare() as (port, _):
            measured("ceiling: 500 streams of 2 s, nothing behind them", many_streams, port)
        base = {"NEMO_API_URL": f"http://127.0.0.1:{wire}", "LANG": "C.UTF-8"}
        _alone({**base, "REELCHAT_HOME": f"{folder}/sqlite"})
        try:
            with postgres(Path(folder) / "database", ("listen_addresses=127.0.0.1", "max_connections=200")) as url:
                return int(not _together({**base, "REELCHAT_HOME": f"{folder}/shared", "REELCHAT_DATABASE": url}))
        except Missing as error:
            sys.stdout.write(f"skipped: {error}\n")
    return 0


def _alone(environ: dict[str, str]) -> None:
    """The ceiling of one process with SQLite, and what a conversation leaves in memory."""
    with host(environ) as (port, process):
        measured("SQLite, 1 process: short turns (warm-up)", short_turns, port)
        measured("SQLite, 1 process: short turns", short_turns, port)
        _streams("SQLite, 1 process", port)
        held = []
        for name in ("one", "another"):  # The first fills what is kept for everybody.
            measured("SQLite, 1 process: new conversations", partial(short_turns, fresh=name), port)
            held.append(memory(process))
        kept = (held[1] - held[0]) * 1024 / SHORT_TURNS
        sys.stdout.write(LINE.format("memory of an idle conversation, kB", f"{kept:.1f}"))


def _together(environ: dict[str, str]) -> bool:
    """Two processes on one database; False past a limit."""
    with host(environ, workers=2) as (port, _):
        measured("PostgreSQL, 2 processes: short turns (warm-up)", short_turns, port)
        short = measured("PostgreSQL, 2 processes: short turns", short_turns, port)
        streams = _streams("PostgreSQL, 2 processes", port)
    quick = len(short.seconds) >= LEAST_SHORT * sum(short.seconds) / AT_ONCE and streams.p99 <= P99_S
    return quick and not short.errors + streams.errors


def _streams(who: str, port: int) -> Load:
    """More and more streams until it takes too long, then all of them: the load of these."""
    most = 0
    for count in STEPS:
        load = measured(f"{who}: {count} streams of 2 s", partial(many_streams, count=count), port)
        if load.errors or load.p99 > P99_S:
            break
        most = count
    sys.stdout.write(LINE.format(f"{who}: streams with p99 <= {P99_S:g} s", most))
    return measured(f"{who}: {STREAMS} streams of 2 s", many_streams, port)


def soak(seconds: float = SOAK_S) -> int:
    """The host at full load; 1 where a turn failed, or where its memory grew once it had settled."""
    load, samples = Load(), list[float]()

    async def work(port: int, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + seconds

        async def person(number: int) -> None:
            while time.monotonic() < end:
                await one_turn(port, f"soak-{number}", "credits" if number % 4 else "add a sunset", load)

        people = asyncio.gather(*(person(number) for number in range(AT_ONCE)))
        while not people.done():
            samples.append(memory(process))
            await asyncio.wait((people,), timeout=SAMPLE_S)
        await people

    begin = time.perf_counter()
    with TemporaryDirectory() as folder, behind() as (wire, _):
        environ = {"NEMO_API_URL": f"http://127.0.0.1:{wire}", "LANG": "C.UTF-8", "REELCHAT_HOME": folder}
        with host(environ) as (port, process):
            run(work(port, process))
    fifth = max(1, len(samples) // 5)
    settled, last = statistics.median(samples[fifth : 2 * fifth] or samples), statistics.median(samples[-fifth:])
    sys.stdout.write(load.line(f"host at full load for {seconds / 60:g} minutes", time.perf_counter() - begin) + "\n")
    sys.stdout.write(LINE.format("memory once settled and at the end, MB", f"{settled:.1f} {last:.1f}"))
    return int(bool(load.errors) or last > settled * GROWTH)


if __name__ == "__main__":
    sys.exit(soak(float(sys.argv[2]) if len(sys.argv) > 2 else SOAK_S) if sys.argv[1:2] == ["soak"] else main())
