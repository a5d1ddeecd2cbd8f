"""Every act at every cut point: one fault a scene, and the books compared afterwards."""

from __future__ import annotations

import asyncio
import re
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from agent.events import Event
from agent.state import LocalPath
from agent.turn import collect, turn
from evals.clock import run
from evals.faulty import Fault, Pace, Record
from evals.screen import shown
from evals.verdict import CHECKS, Violation, after_all, after_turn
from evals.virtual import Manner, Scene, scene
from studio.options import Dialect

__all__ = ["ACTS", "Act", "Case", "Outcome", "cases", "play", "report"]

PICTURE = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000040000000308020000003a8cfb05") + b"\0" * 64
CITY = "generate a futuristic city at night"
SHORT, STRIDE = 700, 7
"""Bytes up to which an answer is cut at every one of them, and from one cut to the next in a longer stream."""
JSON_500 = b'{"code":500,"message":"internal"}'
JSON_504 = b'{"detail":"upstream timed out"}'
OUTAGE = 12
"""Requests that fail in a row while the backend is away."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing a person asks for, and what the backend is like then."""

    name: str
    says: str
    before: tuple[str, ...] = ()
    files: bool = False
    manner: Manner = "speaks"
    dialect: Dialect = "adk"
    failing: int = 0
    """Renders that fail first."""


ACTS = (
    Act("edit", CITY),
    Act("silent edit", CITY, manner="silent"),
    Act("late edit", CITY, manner="late"),
    Act("declined edit", CITY, manner="declines"),
    Act("flat edit", CITY, dialect="flat"),
    Act("edit and export", f"{CITY}, then export as mp4"),
    Act("export", "export as mp4", before=(CITY,)),
    Act("export that fails once", "export as mp4", before=(CITY,), failing=1),
    Act("upload", "use this photo", files=True),
    Act("credits", "how many credits do I have", before=(CITY,)),
    Act("state", "status", before=(CITY,)),
)


@dataclass(frozen=True, slots=True)
class Case:
    """An act, the fault that strikes in it, and the wire's pace."""

    act: Act
    fault: Fault | None = None
    pace: Pace = field(default_factory=Pace)

    def __str__(self) -> str:
        return f"{self.act.name}: {self.fault or f'in pieces of {self.pace.sizes}'}"


@dataclass(slots=True)
class Outcome:
    """What a case came to. `records` are those of the turn that the fault struck in."""

    case: Case
    violations: list[Violation] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    read: str = ""

    def __str__(self) -> str:
        lines = [str(self.case), *(f"  {violation}" for violation in self.violations)]
        return "\n".join([*lines, *(f"    {record}" for record in self.records), f"    read: {self.read!r}"])


def play(case: Case) -> Outcome:
    """One scene on a loop of its own. Whatever escapes it is a violation too."""
    outcome = Outcome(case)
    with tempfile.TemporaryDirectory(prefix="reelchat-matrix-") as folder:
        try:
            run(_scene(case, Path(folder), outcome))
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__}: {error} in {last.name}:{last.lineno}"
            outcome.violations.append(Violation("silent turn", what))
    return outcome


def cases(act: Act) -> Iterator[Case]:
    """Every fault for the requests that the undisturbed act makes."""
    clean = play(Case(act))
    if clean.violations:
        raise AssertionError(f"not even undisturbed: {clean}")
    counts: Counter[tuple[str, str]] = Counter()
    for number, record in enumerate(clean.records, 1):
        path = re.sub(r"(ses|render|rn|md)_\w+", "*", record.path)
        counts[record.method, path] += 1
        nth = counts[record.method, path]
        if nth > 2:
            continue  # The third poll breaks as the second does.
        yield from (Case(act, fault) for fault in _faults(record, path, nth))
        yield Case(act, Fault("*", "*", "reset", "connect", nth=number, times=OUTAGE))
        yield Case(act, Fault("*", "*", "hang", "answer", nth=number, times=OUTAGE))
    for sizes in ((1,), (2, 3, 5), (7,), (4096,)):
        yield Case(act, pace=Pace(sizes))
    yield Case(act, pace=Pace((64,), 9.0))


def report(outcomes: Iterable[Outcome]) -> tuple[int, Counter[str]]:
    """Prints every violation with its fault and its trace; how many cases there were, and the counts."""
    counts: Counter[str] = Counter({check: 0 for check in CHECKS})
    number = 0
    for outcome in outcomes:
        number += 1
        counts.update({violation.check for violation in outcome.violations})
        if outcome.violations:
            print(outcome, flush=True)  # noqa: T201
    return number, counts


def _faults(record: Record, path: str, nth: int) -> Iterator[Fault]:
    method = record.method
    for where in ("connect", "swallowed", "answer"):
        for kind in ("reset", "hang", "stop"):
            yield Fault(method, path, kind, where, nth)
    for status, content, form in (
        (502, b"<html><body>502 Bad Gateway</body></html>", "text/html"),
        (504, JSON_504, "application/json"),
        (500, JSON_500, "application/json"),
        (200, JSON_500, "application/json"),
        (200, b"<html>Sign in to the network</html>", "text/html"),
        (200, b"", "application/json"),
    ):
        for where in ("connect", "answer"):
            yield Fault(method, path, "reply", where, nth, status=status, content=content, type=form)  # type: ignore[arg-type]
    refused = b'{"code":%d,"message":"no"}'
    for code in (400, 402, 429, 1001, 1002, 2001, 4001, 4002):
        content = refused % code
        yield Fault(method, path, "reply", "connect", nth, status=200, content=content, type="application/json")
    if len(record.body) > 1:
        for at in (0, 1, len(record.body) // 2, len(record.body)):
            for kind in ("reset", "hang", "stop"):
                yield Fault(method, path, kind, "request", nth, at)  # type: ignore[arg-type]
    yield from _cuts(record, path, nth)


def _cuts(record: Record, path: str, nth: int) -> Iterator[Fault]:
    """Before and after every piece of the answer, and at every byte of a short one or of a stream."""
    total, edge, edges = len(record.answer), 0, {0, 1}
    for size in record.pieces:
        edge += size
        edges |= {edge - 2, edge - 1, edge, edge + 1}
    stream = record.path == "/run_sse"
    # Not every poll at every byte: one is like another.
    every = set(range(0, total, 1 if total <= SHORT else STRIDE)) if stream or nth == 1 and total <= SHORT else set()
    for at in sorted(at for at in edges | every if 0 <= at <= total):
        yield Fault(record.method, path, "reset", "body", nth, at)
        if at in edges or stream and total <= SHORT:
            yield Fault(record.method, path, "eof", "body", nth, at)
    for at in sorted(at for at in edges if 0 <= at <= total):
        # A film has no checksum: nobody could tell one whose bytes are other ones.
        mangling = ("repeat",) if record.path.startswith("/files/") else ("garble", "repeat")
        for kind in ("hang", "stop", *mangling):
            yield Fault(record.method, path, kind, "body", nth, at)


async def _scene(case: Case, folder: Path, outcome: Outcome) -> None:
    act = case.act
    async with scene(folder, act.manner, act.dialect, act.failing) as stage:
        for text in act.before:
            await _turn(stage, text, ())
        stage.wire.faults, stage.wire.pace = [case.fault] if case.fault else [], case.pace
        first = len(stage.wire.records)
        events, stopped = await _turn(stage, act.says, _files(folder) if act.files else ())
        outcome.records, outcome.read = stage.wire.records[first:], shown(events)
        outcome.violations += after_turn(stage, outcome.records, events, stopped=stopped)
        await _come_back(stage, outcome)


async def _come_back(stage: Scene, outcome: Outcome) -> None:
    """The wire is whole again: what was left is collected and told, and the conversation goes on."""
    stage.wire.faults, stage.wire.pace = [], Pace()
    await asyncio.sleep(120)
    async for _ in collect(stage.agent):
        pass
    for text in ("", "status"):
        first = len(stage.wire.records)
        events, _ = await _turn(stage, text, ())
        outcome.violations += after_turn(stage, stage.wire.records[first:], events, stopped=not text)
    outcome.violations += after_all(stage, await stage.sends(), await stage.journal.jobs())


async def _turn(stage: Scene, text: str, files: Sequence[LocalPath]) -> tuple[list[Event], bool]:
    """What a turn said, and whether it was stopped in the middle."""
    events: list[Event] = []

    async def listen() -> None:
        async with aclosing(turn(stage.agent, "t", text, files)) as said:  # type: ignore[type-var]  # a generator
            async for event in said:
                events.append(event)

    task = asyncio.create_task(listen())
    stage.wire.on_stop = task.cancel
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return events, task.cancelled()


def _files(folder: Path) -> tuple[LocalPath, ...]:
    path = folder / "a.png"
    path.write_bytes(PICTURE)
    return (LocalPath(str(path)),)
