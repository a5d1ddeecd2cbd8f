"""Answers about the account from the API."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.context import Context, tools
from agent.report import failing_softly, tell
from agent.state import State
from prompts import say

__all__ = ["check_credits"]


@failing_softly
async def check_credits(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Says what is available, reserved and there in all; leaves out what the backend did not say."""
    backend = await tools(runtime).backend(runtime.context.skill)
    have = await backend.credits()
    known = {"available": have.available, "frozen": have.frozen or None, "total": have.total}
    parts = [say(state["lang"], f"credits.{name}", n=f"{n:g}") for name, n in known.items() if n is not None]
    tell(runtime, say(state["lang"], "credits.join").join(parts) or say(state["lang"], "credits.unknown"))
    if tools(runtime).settings.backend == "studio":
        tell(runtime, say(state["lang"], "credits.studio"))
    return {"outcome": "done"}
