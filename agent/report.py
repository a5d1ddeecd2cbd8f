"""Turns what happened into events in the person's language, and errors into a step that failed."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from langgraph.runtime import Runtime

from agent.context import Context, emit, tools
from agent.errors import AgentError, ApiError, OutOfCredits, Unreachable
from agent.events import Error, Progress, Text
from agent.settings import Settings
from agent.state import Session, State
from prompts import Lang, say

__all__ = ["error_event", "failing_softly", "progress", "tell"]

Node = Callable[[State, Runtime[Context]], Awaitable[dict[str, Any]]]
N = TypeVar("N", bound=Node)


def tell(runtime: Runtime[Context], text: str) -> None:
    """Shows a paragraph of our own."""
    if text:
        emit(runtime, Text(id=uuid.uuid4().hex, text=text))


def progress(runtime: Runtime[Context], about: Any, text: str, fraction: float | None = None) -> None:
    """Shows that something is under way."""
    emit(runtime, Progress(about=about, text=text, fraction=fraction))


def error_event(error: AgentError, lang: Lang, settings: Settings, session: Session | None = None) -> Error:
    """The sentence for an error: what happened, what it means, what to do next."""
    if isinstance(error, OutOfCredits) and session and session["user_id"] and settings.token is None:
        # Only somebody without an account registers; whoever brought a token tops up.
        error = OutOfCredits(str(error), reason="anonymous", bind=session["user_id"])
    if type(error) is Unreachable and not error.reason and settings.base_url is None:
        error = Unreachable(str(error), reason="local")
    known = {
        "host": settings.base_url or "studio",
        "web": settings.web_url,
        "number": "",
        "message": str(error),
    }
    if isinstance(error, ApiError):
        known["number"] = str(error.number)
    return Error(code=error.name, text=_sentence(error, lang, known | error.values))


def _sentence(error: AgentError, lang: Lang, values: dict[str, Any]) -> str:
    """The most particular sentence there is: reason, then class, then its parents."""
    keys = [error.key] if error.reason else []
    for kind in type(error).__mro__:
        if issubclass(kind, AgentError):
            keys.append(f"error.{kind().name}.plain")
    for key in keys:
        try:
            return say(lang, key, **values)
        except KeyError:
            continue
    raise KeyError(keys)


def failing_softly(node: N) -> N:
    """A node whose errors are told and end its step, not the conversation."""

    @functools.wraps(node)
    async def wrapped(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        try:
            return await node(state, runtime)
        except AgentError as error:
            settings, session = tools(runtime).settings, state.get("session")
            emit(runtime, error_event(error, state.get("lang", "en"), settings, session))
            return {"outcome": "failed"}

    return cast(N, wrapped)  # the same signature, by which LangGraph knows what to hand in
