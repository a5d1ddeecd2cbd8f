"""Asking before a step that acts and may not have been meant."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.context import Context, emit
from agent.events import Ask
from agent.state import Step
from prompts import Lang, say

__all__ = ["ask"]


def ask(step: Step, lang: Lang, runtime: Runtime[Context]) -> dict[str, Any]:
    """Puts the question to the person; what is returned is kept until the answer comes."""
    options = [say(lang, f"ask.yes_{step['route']}"), say(lang, "ask.no")]
    emit(runtime, Ask(text=say(lang, f"ask.{step['route']}"), options=options))
    return {"route": step["route"], "text": step["text"]}
