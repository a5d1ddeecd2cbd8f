"""Large files both ways and the wait for a sentence, through whole turns against a backend in another process."""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from agent.events import Event
from agent.state import LocalPath
from agent.turn import turn
from evals.loopback import FIRST_WORDS, SENTENCES
from evals.stage import agent_on

__all__ = ["transfers"]

SIZE = 500_000_000
RUNS = 5
HEAD = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"
PERSONA = "how-to-create-ai-video"
"""The one that takes files of 500 MB."""
PEAK_MB, OF_CURL, SENTENCE_MS = 150.0, 0.6, 10.0


def transfers() -> bool:
    """Prints a line for each measurement, medians of interleaved runs; whether all are within their limits."""
    with tempfile.TemporaryDirectory(prefix="reelchat-bench-") as name, _backend(SIZE) as url:
        big = Path(name) / "big.mp4"
        with big.open("wb") as file:
            file.write(HEAD)
            file.truncate(SIZE)  # sparse: it takes no room
        # Whoever comes second finds a busier disk: they take turns.
        runs = [_round(url, big, curl_first=bool(number % 2)) for number in range(RUNS)]
    fine = all([_told(way, [run[way] for run in runs]) for way in ("up", "down")])
    wait = statistics.median(wait for run in runs for wait in run["talk"]["waits"])
    return _line("sentence to the screen, milliseconds", wait, SENTENCE_MS, wait <= SENTENCE_MS) and fine


def _told(way: str, runs: list[dict[str, Any]]) -> bool:
    what = f"{SIZE / 1e6:.0f} MB {way}"
    peak, ours = max(run["peak"] for run in runs), statistics.median(run["seconds"] for run in runs)
    fine = _line(f"{what}, peak memory in MB", peak, PEAK_MB, peak <= PEAK_MB)
    speed = f"{SIZE / ours / 1e6:.0f} MB/s"
    if runs[0]["curl"] is None:
        print(f"{what}: {speed}; there is no curl to compare with")  # noqa: T201
        return fine
    curl = statistics.median(run["curl"] for run in runs)
    speeds = f" ({speed}, curl {SIZE / curl / 1e6:.0f} MB/s)"
    # Of each pair: what else the machine does weighs on both.
    share = statistics.median(run["curl"] / run["seconds"] for run in runs)
    return _line(f"{what}, of curl's speed", share, OF_CURL, share >= OF_CURL, speeds) and fine


def _line(name: str, value: float, limit: float, good: bool, more: str = "") -> bool:
    print(f"{name:40} {value:8.3f}  limit {limit:g}{'' if good else '  OVER'}{more}", flush=True)  # noqa: T201
    return good


@contextmanager
def _backend(size: int) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "evals.loopback", str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def _round(url: str, big: Path, *, curl_first: bool) -> dict[str, Any]:
    """One run of everything, ours and curl's side by side."""
    got = big.with_name("got.mp4")
    curls = {
        "up": ("-H", "Expect:", "-F", f"files=@{big}", "-o", str(got), f"{url}/api/upload-video"),
        "down": ("-o", str(got), f"{url}/file.mp4"),
    }
    result: dict[str, Any] = {}
    for way in ("up", "down", "talk"):
        curl = _curl(*curls[way]) if way in curls and curl_first else None
        got.unlink(missing_ok=True)
        result[way] = _ours(way, url, big if way == "up" else got)
        got.unlink(missing_ok=True)
        if way in curls:
            result[way]["curl"] = curl if curl_first else _curl(*curls[way])
        got.unlink(missing_ok=True)
    return result


def _ours(way: str, url: str, path: Path) -> dict[str, Any]:
    arguments = [sys.executable, "-m", "evals.throughput", way, url, str(path)]
    done = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _curl(*arguments: str) -> float | None:
    """Seconds that curl needs by its own account; None where there is none."""
    if shutil.which("curl") is None:
        return None
    command = ["curl", "-sS", "--noproxy", "*", "-w", "%{stderr}%{time_total}", *arguments]
    return float(subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True).stderr)


# In a process of its own


async def _measure(way: str, url: str, path: Path) -> dict[str, Any]:
    async with agent_on(url, path.parent / "home", skill=PERSONA) as agent:
        if way == "up":
            return await _time("upload", turn(agent, "bench-up", "", [LocalPath(str(path))]))
        if way == "down":
            return await _time("download", turn(agent, "bench", "export as mp4", out=path))
        return await _waits(url, turn(agent, "bench", "a film about the sea"))


async def _time(about: str, events: AsyncIterator[Event]) -> dict[str, Any]:
    begin = last = 0.0
    async for event in events:
        last = time.perf_counter()
        if event.kind == "progress" and event.about == about and not begin:
            begin = last
        if event.kind == "error":
            raise RuntimeError(event.text)
    return {"seconds": last - begin, "peak": _peak()}


async def _waits(url: str, events: AsyncIterator[Event]) -> dict[str, Any]:
    """Milliseconds from the byte that ends a sentence to the event that shows it."""
    seen = [time.perf_counter() async for event in events if event.kind == "text" and FIRST_WORDS in event.text]
    answer = await asyncio.to_thread(lambda: urlopen(f"{url}/stamps").read())
    sent = json.loads(answer)["data"]["stamps"]
    if len(seen) != SENTENCES:
        raise RuntimeError(f"{len(seen)} sentences of {SENTENCES}")
    return {"waits": [(there - here) * 1000 for here, there in zip(sent, seen, strict=True)]}


def _peak() -> float:
    """The most memory this process has held, in MB."""
    try:
        status = Path("/proc/self/status").read_text("utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except OSError:
        if sys.platform == "win32":
            return 0.0  # nobody tells there
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(sys.argv[1], sys.argv[2], Path(sys.argv[3])))))  # noqa: T201
