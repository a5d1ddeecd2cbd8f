"""`python -m evals.hosting`: how many people one host carries on this machine, with the ceiling measured beside it.

500 streams of two seconds each, begun within five; then short turns as fast as they go, on SQLite, and on PostgreSQL
with two processes. The backend is a stand-in of its own process that only waits and talks. Exit code 1 past a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from evals.servers import Missing, free_port, postgres

__all__ = ["main", "plain"]

STREAMS, RAMP_S, PIECES, PIECE_S = 500, 5.0, 20, 0.1
SHORT_TURNS, AT_ONCE = 960, 32
TURN_S = 30.0
P99_S, LEAST_SHORT = 4.0, 60.0
REPLY = (
    "Done. I added the sunset at the end of the video track, for three seconds. The music fades out below it, and the"
    " title stays where it was. Your project is now eighteen seconds long. The colours are a little warmer than before,"
    " because the sunset is quite orange. If that is too much for you, tell me and I make it cooler. There is also a"
    " short silence between the second and the third clip."
)
"""About as much as a language model says in two seconds."""
DRAFT = {"m": {"title": "bench"}, "t": [{"tt": 0, "sg": [{"id": "v", "s": 0, "d": 1000, "m": {"name": "city"}}]}]}


async def backend(port: int) -> None:
    """Just enough of the wire for a turn; a stream says a few words every tenth of a second, for two seconds."""
    server = await asyncio.start_server(_answer_all, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


async def _answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A socket and no framework: on the same two cores it is not to take what is measured."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            if head.startswith(b"post /run_sse"):
                await _talk(writer)
            else:
                body = json.dumps({"code": 0, "data": _answer(head)}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    writer.close()


async def _talk(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(PIECES + 1):
        last = number == PIECES
        await asyncio.sleep(0 if last else PIECE_S)
        frame = _frame(REPLY if last else _piece(number), partial=not last).encode()
        writer.write(b"%x\r\n%b\r\n" % (len(frame), frame))
    writer.write(b"0\r\n\r\n")


def _answer(head: bytes) -> dict[str, Any]:
    if head.startswith(b"get /api/state"):
        return {"state": {"draft": DRAFT}}
    if head.startswith(b"post"):
        return {"token": "nmv_usr_bench", "session_id": "s1", "task_id": "t1", "user_id": "u1"}
    return {"available": 90, "frozen": 0, "total": 100}


def _piece(number: int) -> str:
    return REPLY[len(REPLY) * number // PIECES : len(REPLY) * (number + 1) // PIECES]


def _frame(text: str, *, partial: bool) -> str:
    event = {"content": {"parts": [{"text": text}], "role": "model"}, "partial": partial, "author": "nemo_agent"}
    return f"data: {json.dumps(event)}\n\n"


def plain() -> Starlette:
    """What a stream costs where nothing is behind it: the ceiling of server and client together."""

    async def stream(request: Request) -> Response:
        await request.body()

        async def pieces() -> AsyncIterator[str]:
            for number in range(PIECES):
                await asyncio.sleep(PIECE_S)
                yield f'data: {{"kind":"text","id":"1","text":"{_piece(number)}"}}\n\n'
            yield "event: end\ndata: {}\n\n"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    return Starlette(routes=[Route("/v1/turns", stream, methods=["POST"])])


@dataclass
class Load:
    """What came of many turns."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0

    def line(self, name: str, took: float) -> str:
        """In words."""
        slowest = statistics.quantiles(self.seconds, n=100)[98] if len(self.seconds) > 1 else 0.0
        middle = statistics.median(self.seconds) if self.seconds else 0.0
        return (
            f"{name:48} {len(self.seconds) / took:7.1f} turns/s  p50 {middle:.2f} s  p99 {slowest:.2f} s"
            f"  errors {self.errors}"
        )

    @property
    def p99(self) -> float:
        """Seconds."""
        return statistics.quantiles(self.seconds, n=100)[98]


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


async def many_streams(port: int, load: Load) -> None:
    """All of them, evenly begun."""

    async def later(number: int) -> None:
        await asyncio.sleep(number * RAMP_S / STREAMS)
        await one_turn(port, f"stream-{number}", "add a sunset", load)

    await asyncio.gather(*(later(number) for number in range(STREAMS)))


async def short_turns(port: int, load: Load) -> None:
    """One after another on as many threads as there are people at once."""

    async def person(number: int) -> None:
        for _ in range(SHORT_TURNS // AT_ONCE):
            await one_turn(port, f"short-{number}", "credits", load)

    await asyncio.gather(*(person(number) for number in range(AT_ONCE)))


def behind() -> AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    """The stand-in for the backend."""
    return _process(["evals.hosting", "backend"])


def bare() -> AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    """The server without a host."""
    return _process(
        ["uvicorn", "--factory", "evals.hosting:plain", "--log-level", "error", "--backlog", "4096", "--port"]
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
    asyncio.run(work(port, load))
    sys.stdout.write(load.line(name, time.perf_counter() - begin) + "\n")
    sys.stdout.flush()
    load.seconds = load.seconds or [float("inf")] * 2
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
    well = True
    with TemporaryDirectory() as folder, behind() as (wire, _):
        with bare() as (port, _):
            measured("ceiling: 500 streams of 2 s, nothing behind them", many_streams, port)
        base = {"NEMO_API_URL": f"http://127.0.0.1:{wire}", "LANG": "C.UTF-8"}
        with host({**base, "REELCHAT_HOME": f"{folder}/sqlite"}) as (port, process):
            measured("SQLite, 1 process: short turns (warm-up)", short_turns, port)
            before = memory(process)
            streams = measured("SQLite, 1 process: 500 streams of 2 s", many_streams, port)
            held = (memory(process) - before) * 1024 / STREAMS
            sys.stdout.write(f"{'memory of an idle conversation, kB':48} {held:7.1f}\n")
            well &= streams.p99 <= P99_S and not streams.errors
            measured("SQLite, 1 process: short turns", short_turns, port)
        try:
            with postgres(Path(folder) / "database", ("listen_addresses=127.0.0.1", "max_connections=200")) as url:
                shared = {**base, "REELCHAT_HOME": f"{folder}/shared", "REELCHAT_DATABASE": url}
                with host(shared, workers=2) as (port, _):
                    measured("PostgreSQL, 2 processes: short turns (warm-up)", short_turns, port)
                    load = measured("PostgreSQL, 2 processes: short turns", short_turns, port)
                    well &= not load.errors and AT_ONCE / statistics.mean(load.seconds) >= LEAST_SHORT
                    streams = measured("PostgreSQL, 2 processes: 500 streams of 2 s", many_streams, port)
                    well &= streams.p99 <= P99_S and not streams.errors
        except Missing as error:
            sys.stdout.write(f"skipped: {error}\n")
    return int(not well)


if __name__ == "__main__":
    if sys.argv[1:2] == ["backend"]:
        asyncio.run(backend(int(sys.argv[2])))
    sys.exit(main())
