"""Turns what the backend told a person with a screen to do into steps of ours."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.context import Context
from agent.report import tell
from agent.state import State, Step
from agent.translator import Action, Phrase, actions
from prompts import say
from router import Route

__all__ = ["translate"]

ROUTE_OF: dict[str, Route] = {"export": "export", "credits": "credits", "edit": "sse", "undo": "sse"}
"""Actions that are a step. `state` and `tracks` need none: the timeline is shown when the step is over."""
TOLD = ("upload", "new")
"""Actions that only the person can take."""


async def translate(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Appends the steps that the heard phrases stand for: each kind at most once a turn, within the budget."""
    heard = [Phrase(kind=p["kind"], words=p["words"]) for p in state["phrases"]]  # type: ignore[arg-type]  # as kept
    wanted = actions(heard)
    steps, acted, budget = list(state["steps"]), list(state["acted"]), state["budget"]
    for action in wanted:
        step = _step(action, state)
        planned = {planned["route"] for planned in steps[1:] if planned["route"] != "sse"}
        if action.kind in acted or (step is None and action.kind not in TOLD):
            continue
        if step is not None:
            if budget < 1 or step["route"] in planned:
                continue
            steps.append(step)
            budget -= 1
        acted.append(action.kind)
        tell(runtime, say(state["lang"], f"action.{action.kind}"))
    update = {"phrases": [], "steps": steps, "acted": acted, "budget": budget}
    return {**update, **_left(state, heard, wanted, done=len(acted) > len(state["acted"]))}


def _left(state: State, heard: list[Phrase], wanted: list[Action], *, done: bool) -> dict[str, Any]:
    """What the summary needs to know: whether the timeline is to be shown, and what nothing of ours stands for."""
    show = any(action.kind in ("tracks", "state") for action in wanted)
    unknown = next((phrase.words for phrase in heard if phrase.kind == "unknown"), "")
    return {"show": show, "stuck": "" if done or show else unknown, "spoke": state["spoke"] or done or show}


def _step(action: Action, state: State) -> Step | None:
    """The step for an action; None where nothing is to be done or where it would be another uncertain send."""
    route = ROUTE_OF.get(action.kind)
    if route is None or (route == "sse" and (state["outcome"] != "done" or state["steps"][0]["by"] == "backend")):
        return None
    return Step(route=route, text=action.text, files=[], by="backend", unsure=False)
