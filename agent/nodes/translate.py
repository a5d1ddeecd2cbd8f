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
"""Actions that are a step. `state` and `tracks` need none: the timeline is shown after every send."""


async def translate(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Appends the steps that the heard phrases stand for: each kind at most once a turn, within the budget."""
    if not state["phrases"]:
        return {"stuck": ""}
    heard = [Phrase(kind=p["kind"], words=p["words"]) for p in state["phrases"]]  # type: ignore[arg-type]  # as kept
    steps, acted, budget = list(state["steps"]), list(state["acted"]), state["budget"]
    for action in actions(heard):
        step = _step(action, state)
        planned = {planned["route"] for planned in steps[1:] if planned["route"] != "sse"}
        if step is None or action.kind in acted or budget < 1 or step["route"] in planned:
            continue
        steps.append(step)
        acted.append(action.kind)
        budget -= 1
        tell(runtime, say(state["lang"], f"action.{action.kind}"))
    unknown = next((phrase.words for phrase in heard if phrase.kind == "unknown"), "")
    stuck = unknown if len(steps) == len(state["steps"]) else ""
    return {"phrases": [], "steps": steps, "acted": acted, "budget": budget, "stuck": stuck}


def _step(action: Action, state: State) -> Step | None:
    """The step for an action; None where nothing is to be done or where it would be another uncertain send."""
    route = ROUTE_OF.get(action.kind)
    if route is None or (route == "sse" and (state["outcome"] != "done" or state["steps"][0]["by"] == "backend")):
        return None
    return Step(route=route, text=action.text, files=[], by="backend", unsure=False)
