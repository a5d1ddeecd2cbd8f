"""Opens the way to the backend: token, session, and what happened since the person last heard from us."""

from __future__ import annotations

from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from agent.again import begun, end
from agent.asking import ask
from agent.backend import Backend, Snapshot
from agent.closing import keep_or_remove
from agent.context import Context, emit, journal, tools
from agent.draft import Draft, changes
from agent.entries import Opened
from agent.errors import AgentError, SessionGone, Unreachable
from agent.recovery import settle_open_sends, tell_unknown
from agent.report import error_event, progress, tell
from agent.state import OVER, Session, State
from agent.summarizer import news
from agent.versions import remember
from prompts import say
from router import Turn, decide, language, spoken

__all__ = ["connect"]


async def connect(state: State, runtime: Runtime[Context]) -> Command[Literal["route", "__end__"]]:
    """Leaves the thread with a session and the draft as it is now; ends the turn where there is no way through."""
    held = tools(runtime)
    follows = spoken(state["utterance"], state.get("lang", held.settings.lang))
    lang = state.get("wanted_lang") or follows
    try:
        opened = await journal(runtime).opened(runtime.context.thread, runtime.context.turn)
        # The journal first: a turn that was killed after it had replaced a session left the old one in the state.
        opened.session = opened.session or state.get("session")
        if not (state["utterance"].strip() or state.get("files") or opened.session):
            # A session begins with the first utterance, in its language.
            return Command(goto="__end__", update={"lang": lang, **OVER})
        update = await _open(state | {"lang": lang, "opened": opened}, runtime, opened)
        if begun(opened, runtime):
            await end(state | {"lang": lang}, runtime, await held.backend(runtime.context.skill))
            return Command(goto="__end__", update={"lang": lang, **update, **OVER, "question": None})
    except AgentError as error:
        emit(runtime, error_event(error, lang, held.settings))
        offer = _offer(state | {"lang": lang}, runtime) if isinstance(error, Unreachable) else {}
        return Command(goto="__end__", update={"lang": lang, **OVER, "outcome": "failed", **offer})
    return Command(goto="route", update={"lang": lang, **update})


def _offer(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Asks whether to send what never left, where that is all the turn was about."""
    if state.get("question") or state.get("files"):
        return {}  # What we asked before is still open; a file is dropped anew.
    decisions = decide(Turn(text=state["utterance"]))
    if len(decisions) != 1 or decisions[0].route != "sse" or decisions[0].files:
        return {}
    return {"question": ask("sse", decisions[0].text, state["lang"], runtime, say(state["lang"], "ask.again"))}


async def _open(state: State, runtime: Runtime[Context], opened: Opened) -> dict[str, Any]:
    session, known = opened.session, {"opened": opened}
    if session is None:
        progress(runtime, "connect", say(state["lang"], "connect.connecting"))
    backend = await tools(runtime).backend(runtime.context.skill)
    await backend.connect()
    if session is None:
        return {**known, "session": await _new_session(state, runtime, backend), "draft": None, "asked": None}
    try:
        if not session["session_id"]:
            raise SessionGone
        at = tools(runtime).clock.now()
        snapshot = await backend.snapshot(session["session_id"])
    except SessionGone:
        session = await _replace_session(state, runtime, backend, opened)
        return {**known, "session": session, "draft": None, "asked": None}
    if snapshot.user_id and not session["user_id"]:
        session = Session(**{**session, "user_id": snapshot.user_id})
        await journal(runtime).keep_session(runtime.context.thread, session)
    await remember(state | {"session": session}, runtime, snapshot.draft)
    asked = await _tell_news(state | {"session": session}, runtime, backend, snapshot)
    seen = {"session": session, "draft": snapshot.draft}
    fresh = {name: value for name, value in seen.items() if name not in state or state.get(name) != value}
    return {**known, **fresh, "asked": asked, "glance": (at, snapshot)}


async def _new_session(state: State, runtime: Runtime[Context], backend: Backend) -> Session:
    """A session in the person's language, remembered before anything is done in it."""
    fallback = {"en": "en", "zh": "zh-CN"}[state["lang"]]
    made = await backend.create_session(language(state["utterance"]) or fallback)
    session = Session(session_id=made.session_id, task_id=made.task_id or "", user_id=made.user_id or "")
    await journal(runtime).keep_session(runtime.context.thread, session)
    return session


async def _replace_session(state: State, runtime: Runtime[Context], backend: Backend, opened: Opened) -> Session:
    """A session for one that is gone, once it is there. What an unsettled send did there can't be learned any more."""
    session, log = await _new_session(state, runtime, backend), journal(runtime)
    tell(runtime, say(state["lang"], "connect.session_gone"))
    for send in opened.pending:
        if send.session_id != session["session_id"]:
            await tell_unknown(send, runtime, backend, state["lang"])
            await log.settle(send, "unknown")
    opened.pending = []
    return session


async def _tell_news(
    state: State, runtime: Runtime[Context], backend: Backend, snapshot: Snapshot
) -> dict[str, Any] | None:
    """A send cut short by a crash, or changes the backend made by itself after we stopped listening.

    Returns what there is to ask about them.
    """
    opened = state["opened"]
    if cut_off := opened.pending:
        await settle_open_sends(cut_off, state, runtime, backend, snapshot)
        opened.pending = []
        return None
    lang, was, now = state["lang"], Draft.read(state.get("draft")), Draft.read(snapshot.draft)
    if "draft" not in state or not (lines := news(was, now, lang)):
        return None
    tell(runtime, "\n".join([say(lang, "recover.since"), *lines]))
    return keep_or_remove(changes(was, now), "", lang)
