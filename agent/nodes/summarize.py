"""Says what a step changed, then goes on to the next one or ends the turn."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Command

from agent.asking import ask
from agent.context import Context, emit, tools
from agent.draft import Draft, changes
from agent.errors import AgentError
from agent.events import Timeline
from agent.recovery import undone
from agent.report import error_event, tell
from agent.state import Next, State, Step
from agent.summarizer import describe, timeline
from prompts import say

__all__ = ["summarize"]


async def summarize(state: State, runtime: Runtime[Context]) -> Command[Next]:
    """After a send or an upload the draft is looked at; a step that failed takes those that build on it along."""
    step, rest = state["steps"][0], state["steps"][1:]
    update: dict[str, Any] = {}
    # A send that failed may have done something first; one whose outcome is unknown was looked at already.
    worth_a_look = {"sse": ("done", "failed"), "upload": ("done",)}
    if state["outcome"] in worth_a_look.get(step["route"], ()):
        try:
            update["draft"] = await _look(state, runtime, step)
        except AgentError as error:
            error.reason = error.reason or "after"
            emit(runtime, error_event(error, state["lang"], tools(runtime).settings))
    if state["outcome"] != "done":
        rest = _without_dependents(rest, state, runtime)
    if not rest:
        return Command(goto="__end__", update={**update, "steps": []})
    if rest[0]["unsure"]:
        question = ask(rest[0]["route"], rest[0]["text"], state["lang"], runtime)
        return Command(goto="__end__", update={**update, "steps": [], "question": question})
    fresh = {"steps": rest, "spoke": False, "outcome": "done", "looked": None}
    return Command(goto=rest[0]["route"], update={**update, **fresh})


async def _look(state: State, runtime: Runtime[Context], step: Step) -> Any:
    """Compares the draft with the one before the step, and says what is different."""
    session = state["session"]
    assert session, "connect made one"
    draft = state["looked"]
    if draft is None:
        backend = await tools(runtime).backend(runtime.context.skill)
        draft = (await backend.snapshot(session["session_id"])).draft
    before = state["before"] if step["route"] == "sse" else state.get("draft")
    was, now = Draft.read(before), Draft.read(draft)
    found, lang = changes(was, now), state["lang"]
    tell(runtime, "\n".join(f"- {line}" for line in describe(found, lang)))
    if found:
        touched = [change.id for change in found if change.id]
        emit(runtime, Timeline(text=timeline(now, lang), draft=now.raw, changed=touched))
    elif step["route"] == "sse" and not state["spoke"] and state["outcome"] == "done":
        tell(runtime, say(lang, "send.nothing"))
    return draft


def _without_dependents(rest: list[Step], state: State, runtime: Runtime[Context]) -> list[Step]:
    """Reads go on; what builds on the failed step is named and left undone."""
    lost = [step for step in rest if step["route"] not in ("credits", "state")]
    tell(runtime, undone(lost, state["lang"]))
    return [step for step in rest if step["route"] in ("credits", "state")]
