"""Scripted dialogues: a YAML file of turns and what each must bring about, played through the real graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from agent.events import Delivered, Error, Event, Progress, Text, Timeline
from agent.state import LocalPath
from agent.turn import Agent, turn

__all__ = ["Dialogue", "Expect", "Finding", "Scripted", "load", "play", "shown"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Expect(_Strict):
    """What the person must see in a turn; at least one of these has to be given."""

    contains: list[str] = Field(default_factory=list)
    excludes: list[str] = Field(default_factory=list)
    timeline: str | None = None
    delivered: str | None = None
    """The format of the file that arrives."""
    error: str | None = None
    """The code of the error that is told; without it an error is a finding."""


class Scripted(_Strict):
    """One turn of a dialogue."""

    user: str
    files: list[str] = Field(default_factory=list)
    expect: Expect


class Dialogue(_Strict):
    """A scripted conversation."""

    dialogue: str
    about: str
    lang: str = "en"
    skill: str = "generator-image"
    turns: list[Scripted] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that did not hold."""

    turn: int
    problem: str


@dataclass(slots=True)
class Trace:
    """What happened when a dialogue was played."""

    events: list[list[Event]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def load(path: Path) -> Dialogue:
    """One dialogue file; an unknown key or a turn that expects nothing is an error."""
    dialogue = Dialogue.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    for number, scripted in enumerate(dialogue.turns, 1):
        if scripted.expect == Expect():
            raise ValueError(f"{path.name}: turn {number} expects nothing")
    return dialogue


async def play(dialogue: Dialogue, agent: Agent, folder: Path) -> Trace:
    """Plays every turn in one thread. `files` are taken from `folder`."""
    trace = Trace()
    for number, scripted in enumerate(dialogue.turns, 1):
        files = [LocalPath(str(folder / name)) for name in scripted.files]
        events = [event async for event in turn(agent, dialogue.dialogue, scripted.user, files)]
        trace.events.append(events)
        trace.findings += [Finding(number, problem) for problem in _problems(events, scripted.expect)]
    return trace


def shown(events: list[Event]) -> str:
    """What a person has read when a turn is over."""
    paragraphs: dict[str, str] = {}
    for number, event in enumerate(events):
        if isinstance(event, Text):
            kept = "" if event.mode == "replace" else paragraphs.get(event.id, "")
            paragraphs[event.id] = kept + event.text
        elif not isinstance(event, Progress):
            paragraphs[str(number)] = event.text
    return "\n".join(paragraphs.values())


def _problems(events: list[Event], expect: Expect) -> Iterator[str]:
    text = shown(events)
    if not text.strip():
        yield "silence: the person read nothing"
    yield from (f"the reply lacks {wanted!r}: {text!r}" for wanted in expect.contains if wanted not in text)
    yield from (f"the reply has {banned!r}: {text!r}" for banned in expect.excludes if banned in text)
    yield from _unlike("timeline", expect.timeline, [e.text for e in events if isinstance(e, Timeline)][-1:])
    yield from _unlike("delivered", expect.delivered, [e.format for e in events if isinstance(e, Delivered)])
    errors: list[Any] = [event for event in events if isinstance(event, Error)]
    if expect.error is None:
        yield from (f"error {event.code}: {event.text}" for event in errors)
    else:
        yield from _unlike("error", expect.error, [event.code for event in errors])


def _unlike(name: str, wanted: str | None, got: list[str]) -> Iterator[str]:
    if wanted is not None and got != [wanted]:
        yield f"{name}: wanted {wanted!r}, got {got!r}"
