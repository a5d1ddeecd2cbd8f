"""Asking before a step: the question, the answers to pick, and what is kept until one comes."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.context import Context, emit
from agent.events import Ask
from prompts import Lang, say
from router import Route

__all__ = ["ask"]


def ask(route: Route, text: str, lang: Lang, runtime: Runtime[Context], question: str = "") -> dict[str, Any]:
    """Asks whether to take `route` with the words `text`; `question` says more than that. Returns what to keep."""
    options = [say(lang, f"ask.yes_{route}"), say(lang, "ask.no")]
    emit(runtime, Ask(text=question or say(lang, f"ask.{route}"), options=options))
    return {"route": route, "text": text, "labels": options}
