"""`python -m evals.soak [ROUNDS]`: kills the chat at random moments and counts what must never happen.

Each round talks to a real studio, is killed with SIGKILL somewhere on the way, comes back and goes on. Afterwards the
studio's own books say how often each thing was sent and submitted. Exit code 1 when anything was lost or doubled.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from evals.stage import studio

REELCHAT = (sys.executable, "-c", "import sys; from agent.cli import main; sys.exit(main())")
ROUNDS = 20
FLAGS = ("--size", "320x180", "--silent-rate", "0.3")
TURNS = ("generate a futuristic city at night", "add lo-fi background music at 35%", "export as mp4")
LONGEST = 6.0
"""Seconds after which a round is killed at the latest."""


def main(rounds: int, seed: int = 0) -> int:
    """Prints a line a round and the counts at the end."""
    chance, bad = random.Random(seed), 0
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="reelchat-soak-") as folder:
            after = chance.uniform(0.5, LONGEST)
            problems = asyncio.run(_round(Path(folder), after))
        bad += bool(problems)
        print(f"{number + 1:3} killed after {after:.2f} s  {'; '.join(problems) or 'nothing lost'}", flush=True)  # noqa: T201
    print(f"{rounds} rounds, {bad} with a loss or a double")  # noqa: T201
    return int(bad > 0)


async def _round(home: Path, after: float) -> list[str]:
    async with studio(home / "studio", *FLAGS) as url:
        await asyncio.to_thread(_kill, home, url, after)
        out = await asyncio.to_thread(_come_back, home, url)
    return _problems(home, out)


def _command(home: Path, url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*REELCHAT, "--backend", url, *arguments],
        env=os.environ | {"REELCHAT_HOME": str(home), "LANG": "C.UTF-8"},
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def _kill(home: Path, url: str, after: float) -> None:
    turns = [part for text in TURNS for part in ("-p", text)]
    process = _command(home, url, "--thread", "soak", *turns)
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _come_back(home: Path, url: str) -> str:
    process = _command(home, url, "--thread", "soak", "-p", "status")
    out, _ = process.communicate(timeout=120)
    return out


def _problems(home: Path, out: str) -> list[str]:
    """What the studio's books and the folder say against us."""
    with closing(sqlite3.connect(home / "studio" / "studio.db")) as db:
        sessions = db.execute("SELECT count(*), coalesce(sum(turns), 0) FROM sessions").fetchone()
        jobs = [row[0] for row in db.execute("SELECT status FROM jobs")]
    files = list((home / "exports").glob("*.mp4"))
    problems = []
    if sessions[0] > 1:
        problems.append(f"{sessions[0]} sessions for one thread")
    if sessions[1] > 2:
        problems.append(f"{sessions[1]} sends for two edits")
    if len(jobs) > 1:
        problems.append(f"{len(jobs)} render jobs for one export")
    if jobs == ["completed"] and not files:
        problems.append("a finished file was not delivered")
    if not out.strip():
        problems.append("silence after coming back")
    if "Something went wrong" in out or "Traceback" in out:
        problems.append(f"a fault of our own: {out!r}")
    return problems


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
