"""Says what a step changed, then goes on to the next one or ends the turn."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Command

from agent.asking import ask
from agent.closing import close, is_about_additions, keep_or_remove, let_go, suggest
from agent.context import Context, emit, tools
from agent.draft import Change, Draft, changes
from agent.errors import AgentError
from agent.events import Timeline
from agent.recovery import undone
from agent.report import error_event, tell
from agent.state import OVER, Next, State, Step
from agent.summarizer import describe, timeline
from agent.versions import not_undone, remember, tell_kept
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
            update |= await _look(state, runtime, step)
        except AgentError as error:
            error.reason = error.reason or "after"
            emit(runtime, error_event(error, state["lang"], tools(runtime).settings))
    if state["outcome"] != "done":
        rest = _without_dependents(rest, state, runtime)
    asked = update.get("asked", state.get("asked"))
    if not rest:
        return Command(goto="__end__", update={**update, **OVER, **close(asked, runtime)})
    if rest[0]["unsure"]:
        let_go(asked, runtime)
        question = ask(rest[0]["route"], rest[0]["text"], state["lang"], runtime)
        return Command(goto="__end__", update={**update, **OVER, "question": question})
    fresh = {"steps": rest, "spoke": False, "stuck": "", "show": False, "outcome": "done"}
    fresh |= {"looked": None, "glance": None}
    return Command(goto=rest[0]["route"], update={**update, **fresh})


async def _look(state: State, runtime: Runtime[Context], step: Step) -> dict[str, Any]:
    """Compares the draft with the one before the step, and says what is different and what could come next."""
    session = state["session"]
    assert session, "connect made one"
    draft = state["looked"]
    if draft is None:
        backend = await tools(runtime).backend(runtime.context.skill)
        draft = (await backend.snapshot(session["session_id"])).draft
    before = state["before"] if step["route"] == "sse" else state.get("draft")
    if before != state.get("draft"):  # Which was remembered when it was seen.
        await remember(state, runtime, before)
    kept = await remember(state, runtime, draft, step)
    was, now = Draft.read(before), Draft.read(draft)
    found, lang = changes(was, now), state["lang"]
    tell(runtime, "\n".join(f"- {line}" for line in describe(found, lang)))
    if found:
        touched = [change.id for change in found if change.id]
        emit(runtime, Timeline(text=timeline(now, lang), draft=now.raw, changed=touched))
    elif step["route"] == "sse" and state["outcome"] == "done":
        tell(runtime, not_undone(kept, step, lang) or _unchanged(state, step))
        if state["show"] and now.exportable:
            emit(runtime, Timeline(text=timeline(now, lang), draft=now.raw))
    tell_kept(kept, step, runtime, lang)
    tell(runtime, state["foreign"] if step["route"] == "sse" else "")
    if step["route"] != "sse":
        return {"draft": draft}
    asked = _asked(found, was, state, runtime)
    if asked is None and state["outcome"] == "done" and len(state["steps"]) == 1:
        suggest(now, bool(found), state, runtime)
    return {"draft": draft, "asked": asked}


def _unchanged(state: State, step: Step) -> str:
    """What there is to say of a send that left the timeline as it was: nothing where the backend has answered."""
    lang = state["lang"]
    if state["stuck"]:
        return say(lang, "send.stuck", words=state["stuck"])
    if state["spoke"]:
        meant = step["by"] == "backend" or any(
            said["text"] == step["text"] and said["because"].startswith("edit") for said in state["decisions"]
        )
        return say(lang, "send.unchanged") if meant and not state.get("asked") else ""
    return "" if len(state["steps"]) > 1 else say(lang, "send.nothing")


def _asked(found: list[Change], was: Draft, state: State, runtime: Runtime[Context]) -> dict[str, Any] | None:
    """What the person is to answer: first what to do with what came by itself, then what the backend asks."""
    asked, step = state.get("asked"), state["steps"][0]
    made = not was.exportable or any(change.kind == "added" and _shown(change) for change in found)
    if made and (added := keep_or_remove(found, step["text"], state["lang"])):
        let_go(None if asked and is_about_additions(asked["text"]) else asked, runtime)
        return added
    return asked


def _shown(change: Change) -> bool:
    return change.track is not None and change.track.kind == "video"


def _without_dependents(rest: list[Step], state: State, runtime: Runtime[Context]) -> list[Step]:
    """Reads go on; what builds on the failed step is named and left undone."""
    lost = [step for step in rest if step["route"] not in ("credits", "state")]
    tell(runtime, undone(lost, state["lang"]))
    return [step for step in rest if step["route"] in ("credits", "state")]
