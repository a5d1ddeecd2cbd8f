"""Decides what the turn has to do, and starts the first step."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Command

from agent.asking import ask
from agent.context import Context, emit, journal, tools
from agent.desk import Desk
from agent.draft import Draft
from agent.entries import Opened
from agent.events import Timeline
from agent.material import bare_name
from agent.opinion import second_opinion, unsure
from agent.questions import Option, picked
from agent.report import tell
from agent.state import OVER, Next, State, Step
from agent.summarizer import timeline
from prompts import say
from router import Decision, Turn, decide

__all__ = ["BUDGET", "route"]

BUDGET = 6
"""Steps one turn may take, those the backend's words ask for included."""

PICKED = "answer"
"""Because of an answer that was picked: the decision has its own words."""


async def route(state: State, runtime: Runtime[Context]) -> Command[Next]:
    """Fresh per-turn fields, the ordered steps, and the node of the first one."""
    if count := _beyond(state):
        tell(runtime, say(state["lang"], "ask.range", count=count))
        return Command(goto="__end__", update={**OVER, "outcome": "done"})
    decisions = await _decide(state, runtime) if state["utterance"] or state.get("files") else []
    steps = _steps(decisions, state, tools(runtime).desk)
    fresh: dict[str, Any] = {
        "turn_id": uuid.uuid4().hex,
        "decisions": [asdict(decision) for decision in decisions],
        "steps": steps,
        "budget": BUDGET - len(steps),
        "acted": [],
        "phrases": [],
        "spoke": False,
        "foreign": "",
        "stuck": "",
        "show": False,
        "outcome": "done",
        "before": None,
        "looked": None,
        "question": None,
    }
    if not decisions:
        if state["utterance"].strip():  # a no to our question
            tell(runtime, say(state["lang"], "ask.fine"))
        else:
            _show_what_is_there(state, runtime)
        return Command(goto="__end__", update=fresh | OVER)
    if steps[0]["unsure"]:
        question = ask(steps[0]["route"], steps[0]["text"], state["lang"], runtime)
        return Command(goto="__end__", update=fresh | OVER | {"question": question})
    return Command(goto=steps[0]["route"], update=fresh)


async def _decide(state: State, runtime: Runtime[Context]) -> list[Decision]:
    if (choice := _picked(state)) is not None:
        return [Decision("sse", choice, (0, len(state["utterance"])), "context", 1.0, PICKED)] if choice else []
    decisions = decide(await _turn(state, runtime))
    model = tools(runtime).model
    if model and unsure(decisions):
        return await second_opinion(model, state["utterance"], decisions)
    return decisions


def _agreed(labels: list[str], said: str) -> str:
    """The words, or the plain yes or no of our own answer that they pick: "Yes, send it" is no export."""
    choice = picked(said, [Option(label, label) for label in labels])
    return said if choice is None else ("yes", "no")[labels.index(choice.label)]


def _beyond(state: State) -> int:
    """How many answers there are where a number was said that none of them has, else 0."""
    options = (state.get("question") or {}).get("options", [])
    said = state["utterance"].strip(" .。")
    beyond = said.isdecimal() and len(said) < 3 and not 1 <= int(said) <= len(options)
    return len(options) if options and beyond and picked(said, [Option(**each) for each in options]) is None else 0


def _picked(state: State) -> str | None:
    """What is sent for the answer that was picked, "" where nothing is; None where none was."""
    options = [Option(**option) for option in (state.get("question") or {}).get("options", [])]
    choice = picked(state["utterance"], options) if options and not state.get("files") else None
    return choice.send if choice else None


async def _turn(state: State, runtime: Runtime[Context]) -> Turn:
    asked = state.get("question") or {}
    return Turn(
        text=_agreed(asked.get("labels", []), state["utterance"]),
        attachments=tuple(state.get("files") or ()),
        pending=None if asked.get("options") else asked.get("route"),
        rendering=await _rendering(state, runtime),
    )


async def _rendering(state: State, runtime: Runtime[Context]) -> bool:
    opened: Opened | None = state.get("opened")
    jobs = opened.jobs if opened else await journal(runtime).open_jobs(runtime.context.thread)
    return any(job.open for job in jobs)


def _steps(decisions: list[Decision], state: State, desk: Desk) -> list[Step]:
    """A step a decision; before an edit that names files which are here ("turn a.jpg into a clip") their upload."""
    steps: list[Step] = []
    given: set[str] = set(state.get("files") or ())
    for decision, after in zip_longest(decisions, decisions[1:]):
        step = _step(decision, state)
        if step["route"] == "upload" and after and after.text == decision.text:
            # One clause names a file and what to do with it. A bare name that is not here is the project's.
            step["files"] = [name for name in step["files"] if not bare_name(name) or desk.holds(name)]
            if not step["files"]:
                continue
        here = [name for name in step["files"] if name not in given and desk.holds(name)]
        if step["route"] == "sse" and here:
            steps.append(Step(route="upload", text=step["text"], files=here, by="person", unsure=False))
        given.update(step["files"])
        steps.append(step)
    return steps


def _step(decision: Decision, state: State) -> Step:
    """A yes to our question carries the words that the question was about."""
    asked = state.get("question")
    text, files = decision.text, list(decision.files)
    agreed = decision.source == "context" and decision.because != PICKED
    if asked and agreed and decision.route == asked["route"] and asked["text"]:
        text = asked["text"]
    return Step(route=decision.route, text=text, files=files, by="person", unsure=decision.ask)


def _show_what_is_there(state: State, runtime: Runtime[Context]) -> None:
    """A turn without words is a look: what a person who comes back sees."""
    draft = Draft.read(state.get("draft"))
    if draft.exportable:
        emit(runtime, Timeline(text=timeline(draft, state["lang"]), draft=draft.raw))
