"""What must never happen, whatever the wire did: the agent's words and records against the studio's own books."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.entries import Job, Send
from agent.events import Delivered, Error, Event
from evals.faulty import Record
from evals.screen import shown
from evals.virtual import FILM, Scene

__all__ = ["CHECKS", "Check", "Violation", "after_all", "after_turn", "answered"]

Check = Literal["second send", "second submit", "lost job", "silent turn", "untrue outcome"]
CHECKS: tuple[Check, ...] = ("second send", "second submit", "lost job", "silent turn", "untrue outcome")

SEND, SUBMIT, UPLOAD = "/run_sse", "/api/render/proxy/lambda", "/api/upload-video/"
OPEN = ("intended", "submitted", "completed")


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that must not happen and did."""

    check: Check
    what: str

    def __str__(self) -> str:
        return f"{self.check}: {self.what}"


def after_turn(
    scene: Scene, records: Sequence[Record], events: Sequence[Event], *, stopped: bool = False
) -> Iterator[Violation]:
    """Of one turn: what went over the wire in it and what the person saw. A turn the person `stopped` may be silent."""
    yield from _sends(records)
    yield from _submits(records)
    if not stopped and not shown(list(events)).strip():
        yield Violation("silent turn", "the person read nothing")
    yield from (Violation("untrue outcome", f"told {what}") for what in _untrue_words(scene, records, events))


def after_all(scene: Scene, sends: Sequence[Send], jobs: Sequence[Job]) -> Iterator[Violation]:
    """Of the whole scene, once nothing more is going to happen in it."""
    records = scene.wire.records
    for text in {*scene.script.heard}:
        if (count := scene.script.heard.count(text)) > 1:
            yield Violation("second send", f"{text!r} was done {count} times")
    known = {job.id: job for job in jobs}
    for record in records:
        if record.path == SUBMIT and record.method == "POST" and left(record):
            name = json.loads(record.body or b"{}").get("id", "") if record.reached else ""
            if name and name not in known:
                yield Violation("lost job", f"{name} is in no record")
    for name, status in scene.renders().items():
        if status == "completed" and name in known and known[name].status != "delivered":
            yield Violation("lost job", f"{name} is finished there, {known[name].status} here, and nobody fetched it")
    running = {name: status for name, status in scene.renders().items() if status not in ("failed", "canceled")}
    for name in running.keys() & known.keys():
        if known[name].status == "failed":
            yield Violation("lost job", f"{name} is {running[name]} there and failed here")
    yield from _files(known.values())
    yield from _outcomes(scene, sends)


def left(record: Record) -> bool:
    """Whether anything of the request went out."""
    return record.fault is None or record.fault.where != "connect"


def answered(record: Record) -> dict[str, Any]:
    """The JSON object that the client got; {} for anything else."""
    try:
        found = json.loads(record.answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sends(records: Sequence[Record]) -> Iterator[Violation]:
    """A send may follow another of the same words only when that one never left or was told that its token ended."""
    earlier: dict[bytes, Record] = {}
    for record in (r for r in records if (r.method, r.path) == ("POST", SEND)):
        first = earlier.get(record.body)
        if record.body and first and answered(first).get("code") != 1001:
            yield Violation("second send", f"at {record.at:g} s, after {first}")
        if left(record):
            earlier[record.body] = record


def _submits(records: Sequence[Record]) -> Iterator[Violation]:
    """A submit may follow another only when that one was refused, or was asked for and found failed or unknown."""
    before: Record | None = None
    freed = False
    for record in records:
        if record.path == SUBMIT and record.method == "POST":
            if before and not freed:
                yield Violation("second submit", f"at {record.at:g} s, after {before}")
            before, freed = (record, _refused(record)) if left(record) else (before, freed)
        elif before and record.path.startswith(f"{SUBMIT}/"):
            told = answered(record)
            freed = freed or told.get("status") == "failed" or record.status == 404


def _refused(record: Record) -> bool:
    told = answered(record)
    return bool(told) and told.get("code") not in (0, None) and (record.status or 0) < 500 and told["code"] != 500


def _untrue_words(scene: Scene, records: Sequence[Record], events: Sequence[Event]) -> Iterator[str]:
    """Sentences that the books contradict."""
    writes = [r for r in records if r.method == "POST" and r.path.startswith((SEND, SUBMIT, UPLOAD))]
    may_run = bool(writes) and left(writes[-1]) and not _refused(writes[-1])
    for event in events:
        if isinstance(event, Error) and event.code == "internal":
            yield f"of a fault of our own: {event.text}"
        elif isinstance(event, Error) and "nothing was sent" in event.text and may_run:
            yield f"that nothing was sent, after {writes[-1]}"
        elif isinstance(event, Delivered) and not _whole(event.path):
            yield f"that {event.path} is there"
    if "Uploaded" in shown(list(events)) and not scene.uploads():
        yield "that a file had arrived"


def _files(jobs: Any) -> Iterator[Violation]:
    for job in jobs:
        if job.status == "delivered" and not _whole(job.path):
            yield Violation("untrue outcome", f"{job.id} is said to be at {job.path}")


def _whole(path: str) -> bool:
    return Path(path).exists() and Path(path).read_bytes() == FILM


def _outcomes(scene: Scene, sends: Sequence[Send]) -> Iterator[Violation]:
    """The journal's word for each send against what the studio heard and did."""
    for send in sends:
        heard, done = send.text in scene.script.heard, send.text in scene.script.done
        wrong = {
            "pending": "nobody has looked",
            "done": "" if heard else "it never arrived",
            "not-started": "it was heard" if heard else "",
            "unknown": "the timeline shows it" if done else "",
        }[send.outcome]
        if wrong:
            yield Violation("untrue outcome", f"the journal has {send.text!r} as {send.outcome}, but {wrong}")
