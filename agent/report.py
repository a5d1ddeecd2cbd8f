"""Turns what happened into events in the person's language, and errors into a step that failed."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast
from urllib.parse import quote

from langgraph.runtime import Runtime

from agent.asking import ask
from agent.backend import USER
from agent.context import Context, emit, journal, tools
from agent.errors import AgentError, ApiError, BadAnswer, OutOfCredits, RateLimited, SessionGone, Unreachable
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
    bind = error.values.get("bind") or (session["user_id"] if session else "")
    # USER is how everybody is called in the paths: nobody a link could bind.
    if isinstance(error, OutOfCredits) and bind and bind != USER and settings.token is None:
        # Only somebody without an account registers; whoever brought a token tops up.
        error = OutOfCredits(str(error), reason="anonymous", bind=quote(str(bind), safe=""))
    if type(error) is Unreachable and not error.reason and settings.base_url is None:
        error = Unreachable(str(error), reason="local")
    known = {
        "host": settings.host,
        "web": settings.web_url,
        "number": "",
        "message": str(error),
    }
    if isinstance(error, ApiError):
        known["number"] = str(error.number)
    return Error(code=error.name, text=_sentence(error, lang, known | error.values))


def _sentence(error: AgentError, lang: Lang, values: dict[str, Any]) -> str:
    """The most particular sentence there is: for the reason, then for the class, of the error's and of its parents."""
    kinds = [kind().name for kind in type(error).__mro__ if issubclass(kind, AgentError)]
    for key in [f"error.{kind}.{reason}" for reason in filter(None, (error.reason, "plain")) for kind in kinds]:
        try:
            return say(lang, key, **values)
        except KeyError:
            continue
    raise KeyError(error.key)


def failing_softly(node: N) -> N:
    """A node whose errors are told and end its step, not the conversation."""

    @functools.wraps(node)
    async def wrapped(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        try:
            return await node(state, runtime)
        except AgentError as error:
            return await _told(error, state, runtime)

    return cast(N, wrapped)  # the same signature, by which LangGraph knows what to hand in


async def _told(error: AgentError, state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Says what went wrong; a send that never left is offered again."""
    lang, session = state.get("lang", "en"), state.get("session")
    if isinstance(error, SessionGone):
        await journal(runtime).lose_session(runtime.context.thread)
    if await _renders(error, state, runtime):
        error.reason = "rendering"
    if isinstance(error, OutOfCredits) and session and not session["user_id"]:
        session = await _with_user(session, runtime)
    emit(runtime, error_event(error, lang, tools(runtime).settings, session))
    if state["steps"][0]["route"] != "sse":
        return {"outcome": "failed"}
    again = isinstance(error, Unreachable | RateLimited)
    return {
        "outcome": "not-started",
        **({"question": ask("sse", state["steps"][0]["text"], lang, runtime, say(lang, "ask.again"))} if again else {}),
    }


async def _renders(error: AgentError, state: State, runtime: Runtime[Context]) -> bool:
    """Whether the backend only could not be asked about a job that goes on."""
    if state["steps"][0]["route"] != "export" or error.reason:
        return False
    if not isinstance(error, Unreachable | BadAnswer | RateLimited):
        return False
    jobs = await journal(runtime).open_jobs(runtime.context.thread)
    return any(job.status in ("submitted", "completed") for job in jobs)


async def _with_user(session: Session, runtime: Runtime[Context]) -> Session:
    """The session with whom a registration link binds, which the state may say too."""
    try:
        backend = await tools(runtime).backend(runtime.context.skill)
        user = (await backend.snapshot(session["session_id"])).user_id
    except AgentError:
        return session
    return Session(**{**session, "user_id": user or ""})
