"""`python -m evals.soak [ROUNDS] [EVERY]`: every fault on the wire, then kills at random, counting what must never be.

First each act meets each fault on a virtual clock (`evals.matrix`). Then the chat is killed before and after each write
of its journal, and then at random: each round talks to a real studio, is killed with SIGKILL somewhere on the way,
comes back and goes on. Afterwards the studio's own books say how often each thing was sent and submitted. Then the
dialogues for a real studio are played, and the host is under full load for ten minutes. With EVERY a part of the
faults and of the ten minutes is enough, for a quick look. Exit code 1 when anything was lost or doubled, or where the
host's memory grew.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from evals import hosting
from evals.matrix import ACTS, Act, cases, play, report
from evals.stage import studio
from evals.verdict import CHECKS

REELCHAT = (sys.executable, "-c", "import sys; from agent.cli import main; sys.exit(main())")
ROUNDS, WORKERS, MOST_STEPS = 20, 2, 40
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


def steps() -> int:
    """Killed before and after each write of the journal, until there is none left. 1 when anything was lost."""
    bad = 0
    for number in range(1, MOST_STEPS):
        for moment in ("before", "after"):
            with tempfile.TemporaryDirectory(prefix="reelchat-soak-") as folder:
                died, problems = asyncio.run(_step(Path(folder), number, moment))
            if not died:
                return int(bad > 0)
            bad += bool(problems)
            print(f"killed {moment} write {number}: {'; '.join(problems) or 'nothing lost'}", flush=True)  # noqa: T201
    return int(bad > 0)


async def _step(home: Path, number: int, moment: str) -> tuple[bool, list[str]]:
    """Whether it came to that write at all, and what is wrong afterwards."""
    turns = [part for text in TURNS for part in ("-p", text)]
    killer = (sys.executable, "-m", "evals.killed", str(number), moment)
    async with studio(home / "studio", *FLAGS) as url:
        process = _command(home, url, "--thread", "soak", *turns, program=killer)
        await asyncio.to_thread(process.communicate, timeout=120)
        out = await asyncio.to_thread(_come_back, home, url)
    return process.returncode < 0, _problems(home, out)


def _command(home: Path, url: str, *arguments: str, program: tuple[str, ...] = REELCHAT) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*program, "--backend", url, *arguments],
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
        # One that was made just before the kill and never written down stays empty: it costs nothing.
        sessions = db.execute("SELECT count(*), coalesce(sum(turns), 0) FROM sessions WHERE turns > 0").fetchone()
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


def faults(every: int = 1) -> int:
    """The matrix, an act a process at a time. 1 when anything happened that must not."""
    total, counts = 0, Counter[str]()
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        for act, (number, found) in zip(ACTS, pool.map(partial(_act, every=every), ACTS), strict=True):
            print(f"{number:5} faults in {act.name}: {sum(found.values())} with a violation", flush=True)  # noqa: T201
            total += number
            counts.update(found)
    print(f"{total} faults: " + ", ".join(f"{counts[check]} x {check}" for check in CHECKS), flush=True)  # noqa: T201
    return int(sum(counts.values()) > 0)


def _act(act: Act, every: int) -> tuple[int, Counter[str]]:
    logging.disable(logging.CRITICAL)  # The studio's own log of renders that fail on purpose.
    return report(play(case) for case in islice(cases(act), 0, None, every))


def _studios() -> int:
    """The dialogues for a real studio, all of them."""
    return subprocess.run([sys.executable, "-m", "evals", "--studio"], check=False).returncode


def _number(position: int, otherwise: int) -> int:
    return int(sys.argv[position]) if len(sys.argv) > position else otherwise


if __name__ == "__main__":
    rounds, every = _number(1, ROUNDS), _number(2, 1)
    sys.exit(max(faults(every), steps(), main(rounds), _studios(), hosting.soak(max(60.0, hosting.SOAK_S / every))))
