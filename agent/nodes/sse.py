"""Sends the person's words to the backend, once, and listens. A lost stream is looked up, never sent again."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from langgraph.runtime import Runtime

from agent.again import step_id, taken_up
from agent.backend import Backend, Credits, Snapshot
from agent.context import Context, emit, journal, tools
from agent.draft import fingerprint
from agent.ear import Ear
from agent.entries import Send
from agent.errors import BackendError, BadAnswer, StreamLost
from agent.notices import noticing
from agent.recovery import media_of, reconcile, tell_media, tell_unknown
from agent.report import error_event, failing_softly, progress, tell
from agent.spend import balance, may_spend, metered, tell_cost
from agent.state import State
from prompts import say

__all__ = ["chat"]

MOMENT = timedelta(seconds=1)
"""To look again would cost a person a round trip, and tell no more."""
JUST_NOW = 0.25
"""Seconds in which a balance is still the one before a send: fewer, for another conversation may pay from it, and none
where the person has set a limit."""


@failing_softly
async def chat(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """One send: journal, POST, listen, outcome."""
    backend = await tools(runtime).backend(runtime.context.skill)
    session = state["session"]
    assert session, "connect made one"
    if known := await _begun(state, runtime, backend):
        return known
    before, have = await _seen(state, runtime, backend)
    if asked := may_spend("sse", before.draft, have, state, runtime):
        return {**asked, "before": before.draft}
    send = await _intend(state, runtime, before, have)
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
    if ear.failed:
        emit(runtime, error_event(ear.failed, state["lang"], tools(runtime).settings, session))
    after = _end if ear.failed or ear.complete else _look
    known = await after(send, state, runtime, backend)
    if ear.failed:
        known["outcome"] = "failed"
    return {**heard, "before": before.draft, **known}


async def _begun(state: State, runtime: Runtime[Context], backend: Backend) -> dict[str, Any] | None:
    """What became of this send where an engine goes on here with a turn that another process had begun."""
    if state.get("opened"):  # The turn began in this one, and has no step twice.
        return None
    sent = await journal(runtime).send(runtime.context.thread, step_id(state, runtime))
    return await taken_up(sent, state, runtime, backend) if sent else None


async def _seen(state: State, runtime: Runtime[Context], backend: Backend) -> tuple[Snapshot, Credits]:
    """The session and the balance before the send; what was seen of the session a moment ago is still so."""
    within = 0.0 if metered(runtime) else JUST_NOW
    if glance := state.get("glance"):
        at, snapshot = glance
        if tools(runtime).clock.now() - at < MOMENT:
            return snapshot, await balance(backend, within)
    session = state["session"]
    assert session
    looked, have = await asyncio.gather(_looked(session["session_id"], backend), balance(backend, within))
    if isinstance(looked, BackendError):
        raise looked
    return looked, have


async def _looked(session_id: str, backend: Backend) -> Snapshot | BackendError:
    """Returns an error, so that what is asked for beside it is not left alone."""
    try:
        return await backend.snapshot(session_id)
    except BackendError as error:
        return error


async def _intend(state: State, runtime: Runtime[Context], before: Snapshot, have: Credits) -> Send:
    """The record of the send, on disk before its POST."""
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
        credits=have.available,
        remaining=state["steps"][1:],
    )
    await journal(runtime).intend(send)
    return send


async def _end(send: Send, state: State, runtime: Runtime[Context], backend: Backend) -> dict[str, Any]:
    """After a stream that was heard to its end: what the send has cost, and the draft where it can be had."""
    _, have, looked = await asyncio.gather(
        journal(runtime).settle(send, "done"), balance(backend), _looked(send.session_id, backend)
    )
    tell_cost("sse", send.credits, have, state, runtime)
    return {"looked": None if isinstance(looked, BackendError) else looked.draft, "outcome": "done"}


async def _look(send: Send, state: State, runtime: Runtime[Context], backend: Backend) -> dict[str, Any]:
    """After a lost stream: the state tells whether the edit landed, or nobody knows."""
    lang = state["lang"]
    tell(runtime, say(lang, "recover.lost"))
    landed = await reconcile(send, runtime, backend, lang)
    known: dict[str, Any] = {"looked": None, "outcome": "unknown"}
    if landed is None:
        await tell_unknown(send, runtime, backend, lang)
    else:
        known = {"looked": landed.draft, "outcome": "done"}
        # Told of the media, nobody is told that nothing changed.
        if tell_media(send, landed, runtime, lang):
            known["spoke"] = True
    await journal(runtime).settle(send, "done" if landed else "unknown")
    # Of an unknown outcome the credits have been told.
    tell_cost("sse", send.credits, await balance(backend), state, runtime, aloud=landed is not None)
    return known
