"""A turn that is run again: engines start a killed one anew, under its id. What it did is looked up, not redone."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.backend import Backend
from agent.context import Context, emit, journal, tools
from agent.entries import Job, Opened, Send
from agent.recovery import reconcile, tell_media, tell_unknown, undone
from agent.rendering import Rendering
from agent.report import tell
from agent.state import State
from prompts import say

__all__ = ["begun", "end", "step_id", "taken_up"]


def step_id(state: State, runtime: Runtime[Context]) -> str:
    """The same for a step that is run again, and for no other: within a turn one of the two numbers always falls."""
    return f"{runtime.context.turn or state['turn_id']}-{state['budget']}-{len(state['steps'])}"


def begun(opened: Opened, runtime: Runtime[Context]) -> bool:
    """Whether this turn has had an effect before: then it is a second run of it."""
    turn = runtime.context.turn
    return bool(turn) and (any(map(_started, opened.sends)) or any(job.turn == turn for job in opened.jobs))


async def end(state: State, runtime: Runtime[Context], backend: Backend) -> None:
    """Ends a turn that was cut off: sees its render through and says what is left undone."""
    jobs, sends = await _jobs(runtime), await _sends(runtime)
    if sends and sends[-1].outcome != "pending" and not jobs:
        tell(runtime, undone(sends[-1].remaining, state["lang"]))
    rendering = Rendering(backend, journal(runtime), tools(runtime), lambda event: emit(runtime, event))
    for job in jobs:
        if job.status in ("intended", "submitted", "completed"):
            await rendering.collect(job)
        elif job.status == "delivered":
            rendering.tell_delivered(job)


async def taken_up(send: Send, state: State, runtime: Runtime[Context], backend: Backend) -> dict[str, Any] | None:
    """What became of a send whose step is run again; None where it never started, so that it may be sent."""
    lang, known = state["lang"], {"before": state.get("draft"), "looked": None}
    if send.outcome == "not-started":
        return None
    if send.outcome != "pending":
        return {**known, "outcome": send.outcome}
    tell(runtime, say(lang, "recover.lost"))
    landed = await reconcile(send, runtime, backend, lang)
    if landed is None:
        await tell_unknown(send, runtime, backend, lang)
    else:
        known |= {"looked": landed.draft, "spoke": tell_media(send, landed, runtime, lang)}
    outcome = "done" if landed else "unknown"
    await journal(runtime).settle(send, "done" if landed else "unknown")
    return {**known, "outcome": outcome}


async def _sends(runtime: Runtime[Context]) -> list[Send]:
    found = await journal(runtime).sends(runtime.context.thread, turn=runtime.context.turn)
    return [send for send in found if _started(send)]


def _started(send: Send) -> bool:
    return send.outcome != "not-started"


async def _jobs(runtime: Runtime[Context]) -> list[Job]:
    return await journal(runtime).jobs_of(runtime.context.turn)
