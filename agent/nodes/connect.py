"""Opens the way to the backend: token, session, and what happened since the person last heard from us."""

from __future__ import annotations

from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from agent.backend import Backend, Snapshot
from agent.context import Context, emit, journal, tools
from agent.draft import Draft
from agent.errors import AgentError, SessionGone
from agent.recovery import settle_open_sends
from agent.report import error_event, progress, tell
from agent.state import Session, State
from agent.summarizer import news
from prompts import say
from router import language, spoken

__all__ = ["connect"]


async def connect(state: State, runtime: Runtime[Context]) -> Command[Literal["route", "__end__"]]:
    """Leaves the thread with a session and the draft as it is now; ends the turn where there is no way through."""
    held = tools(runtime)
    follows = spoken(state["utterance"], state.get("lang", held.settings.lang))
    lang = state.get("wanted_lang") or follows
    try:
        update = await _open(state | {"lang": lang}, runtime)
    except AgentError as error:
        emit(runtime, error_event(error, lang, held.settings))
        return Command(goto="__end__", update={"lang": lang, "outcome": "failed"})
    return Command(goto="route", update={"lang": lang, **update})


async def _open(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    log, lang = journal(runtime), state["lang"]
    session = state.get("session") or await log.session(runtime.context.thread)
    if session is None:
        progress(runtime, "connect", say(lang, "connect.connecting"))
    backend = await tools(runtime).backend(runtime.context.skill)
    await backend.connect()
    if session is None:
        return {"session": await _new_session(state, runtime, backend), "draft": None}
    try:
        snapshot = await backend.snapshot(session["session_id"])
    except SessionGone:
        tell(runtime, say(lang, "connect.session_gone"))
        return {"session": await _new_session(state, runtime, backend), "draft": None}
    await _tell_news(state | {"session": session}, runtime, backend, snapshot)
    return {"session": session, "draft": snapshot.draft}


async def _new_session(state: State, runtime: Runtime[Context], backend: Backend) -> Session:
    """A session in the person's language, remembered before anything is done in it."""
    fallback = {"en": "en", "zh": "zh-CN"}[state["lang"]]
    made = await backend.create_session(language(state["utterance"]) or fallback)
    session = Session(session_id=made.session_id, task_id=made.task_id or "", user_id=made.user_id or "")
    await journal(runtime).keep_session(runtime.context.thread, session)
    return session


async def _tell_news(state: State, runtime: Runtime[Context], backend: Backend, snapshot: Snapshot) -> None:
    """A send cut short by a crash, or changes the backend made by itself after we stopped listening."""
    if await settle_open_sends(state, runtime, backend, snapshot):
        return
    lines = news(Draft.read(state.get("draft")), Draft.read(snapshot.draft), state["lang"])
    if "draft" in state and lines:
        tell(runtime, "\n".join([say(state["lang"], "recover.since"), *lines]))
