"""Sends the person's words to the backend, once, and listens. A lost stream is looked up, never sent again."""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from typing import Any

from langgraph.runtime import Runtime

from agent.again import step_id, taken_up
from agent.backend import Backend, Snapshot
from agent.context import Context, emit, journal, tools
from agent.draft import fingerprint
from agent.ear import Ear
from agent.errors import BackendError, BadAnswer, StreamLost
from agent.journal import Send
from agent.notices import noticing
from agent.recovery import media_of, reconcile, tell_media, tell_unknown
from agent.report import error_event, failing_softly, progress, tell
from agent.spend import may_spend, tell_cost
from agent.state import State
from prompts import say

__all__ = ["chat"]

MOMENT = timedelta(seconds=1)
"""To look again would cost a person a round trip, and tell no more."""


@failing_softly
async def chat(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """One send: journal, POST, listen, outcome."""
    backend = await tools(runtime).backend(runtime.context.skill)
    session = state["session"]
    assert session, "connect made one"
    if known := await _begun(state, runtime, backend):
        return known
    before = _glanced(state, runtime) or await backend.snapshot(session["session_id"])
    if asked := await may_spend("sse", before.draft, state, runtime, backend):
        return {**asked, "before": before.draft}
    send = await _intend(state, runtime, backend, before)
    ear = Ear(runtime, state["lang"])
    progress(runtime, "send", say(state["lang"], "send.working"))
    try:
        async with noticing(state, runtime, "send"):
            async with aclosing(backend.send(send.session_id, send.text)) as events:
                async for event in events:
                    ear.hear(event)
    except (StreamLost, BadAnswer):
        ear.complete = False
    except BackendError:
        # Refused or never sent: nothing ran, so the person may say it again.
        await journal(runtime).settle(send, "not-started")
        raise
    ear.close()
    heard = ear.heard()
    known = {"looked": None, "outcome": "failed" if ear.failed else "done"}
    if ear.failed:
        emit(runtime, error_event(ear.failed, state["lang"], tools(runtime).settings, session))
    elif not ear.complete:
        known = await _look(send, state, runtime, backend)
    await journal(runtime).settle(send, "unknown" if known["outcome"] == "unknown" else "done")
    # Of an unknown outcome the credits have been told.
    await tell_cost("sse", send.credits, state, runtime, backend, aloud=known["outcome"] != "unknown")
    return {**heard, "before": before.draft, **known}


async def _begun(state: State, runtime: Runtime[Context], backend: Backend) -> dict[str, Any] | None:
    """What became of this send where an engine goes on here with a turn that another process had begun."""
    if state.get("opened"):  # The turn began in this one, and has no step twice.
        return None
    sent = await journal(runtime).send(runtime.context.thread, step_id(state, runtime))
    return await taken_up(sent, state, runtime, backend) if sent else None


def _glanced(state: State, runtime: Runtime[Context]) -> Snapshot | None:
    """What was seen of the session a moment ago; None where something may have happened since."""
    at, snapshot = state.get("glance") or (None, None)
    return snapshot if at and tools(runtime).clock.now() - at < MOMENT else None


async def _intend(state: State, runtime: Runtime[Context], backend: Backend, before: Snapshot) -> Send:
    """The record of the send, on disk before its POST."""
    try:
        available = (await backend.credits()).available
    except BackendError:
        available = None
    session = state["session"]
    assert session
    send = Send(
        id=step_id(state, runtime),
        turn=runtime.context.turn,
        thread=runtime.context.thread,
        session_id=session["session_id"],
        text=state["steps"][0]["text"].encode("utf-8", "replace").decode(),  # a lone surrogate breaks the session
        fingerprint=fingerprint(before.draft),
        media=media_of(before),
        at=tools(runtime).clock.now().isoformat(),
        credits=available,
        remaining=state["steps"][1:],
    )
    await journal(runtime).intend(send)
    return send


async def _look(send: Send, state: State, runtime: Runtime[Context], backend: Backend) -> dict[str, Any]:
    """After a lost stream: the state tells whether the edit landed, or nobody knows."""
    lang = state["lang"]
    tell(runtime, say(lang, "recover.lost"))
    landed = await reconcile(send, runtime, backend, lang)
    if landed is None:
        await tell_unknown(send, runtime, backend, lang)
        return {"looked": None, "outcome": "unknown"}
    # Told of the media, nobody is told that nothing changed.
    told = {"spoke": True} if tell_media(send, landed, runtime, lang) else {}
    return {"looked": landed.draft, "outcome": "done", **told}
