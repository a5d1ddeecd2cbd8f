"""`python -m evals.bench`: how long a person waits, medians of interleaved runs. Exit code 1 past a limit."""

from __future__ import annotations

import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from evals import hosting
from evals.throughput import transfers
from router import decide

RUNS = 7
SENTENCES = ("export", "add lo-fi and then export it", "先别导出，加个片头", "a film about a lighthouse keeper " * 8)


def main() -> int:
    """Prints a line for each measurement."""
    command = str(Path(sys.executable).with_name("reelchat"))
    timers: dict[str, tuple[Callable[[], float], float]] = {"--help, seconds": (lambda: _run([command, "--help"]), 0.3)}
    if sys.platform != "win32":
        timers["prompt on screen, seconds"] = (lambda: _until_prompt([command]), 0.8)
    timers["bare python, seconds"] = (lambda: _run([sys.executable, "-c", "pass"]), float("inf"))
    timers["router, milliseconds a turn"] = (_route, 1.0)
    results: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(RUNS):
        for name, (timer, _limit) in timers.items():
            results[name].append(timer())
    slow = False
    for name, (_timer, limit) in timers.items():
        median = statistics.median(results[name])
        slow |= median > limit
        wanted = "" if limit == float("inf") else f"  limit {limit:g}{'  SLOW' if median > limit else ''}"
        print(f"{name:32} median {median:.3f}  min {min(results[name]):.3f}{wanted}")  # noqa: T201
    return int(slow | (not transfers()) | bool(hosting.main()))


def _run(arguments: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def _until_prompt(arguments: list[str]) -> float:
    """Seconds from start to the prompt sign, in a real terminal of its own."""
    import pty  # not on Windows

    with tempfile.TemporaryDirectory() as home:
        ours, theirs = pty.openpty()
        environment = os.environ | {"REELCHAT_HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        begin = time.perf_counter()
        process = subprocess.Popen(
            arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True, cwd=home
        )
        os.close(theirs)
        seen = b""
        while "›".encode() not in seen:
            if not select.select([ours], [], [], 30)[0]:
                raise TimeoutError("no prompt within 30 s")
            seen += os.read(ours, 65536)
            if b"\x1b[6n" in seen:  # prompt-toolkit asks where the cursor is; a terminal answers
                os.write(ours, b"\x1b[1;1R")
                seen = seen.replace(b"\x1b[6n", b"")
        took = time.perf_counter() - begin
        os.write(ours, b"\x04")
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(ours)
    return took


def _route() -> float:
    begin = time.perf_counter()
    for _ in range(50):
        for sentence in SENTENCES:
            decide(sentence)
    return (time.perf_counter() - begin) / (50 * len(SENTENCES)) * 1000


if __name__ == "__main__":
    sys.exit(main())
