"""Learns what became of a send after a crash, a canceled turn or a lost stream. Looks, never sends."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.backend import Backend, Credits, Snapshot
from agent.context import Context, journal, tools
from agent.draft import Draft, changes, fingerprint
from agent.entries import Send
from agent.errors import BackendError
from agent.report import progress, tell
from agent.state import State, Step
from agent.summarizer import describe, media
from prompts import Lang, say

__all__ = ["media_of", "reconcile", "settle_open_sends", "tell_media", "tell_unknown", "undone"]


async def reconcile(send: Send, runtime: Runtime[Context], backend: Backend, lang: Lang) -> Snapshot | None:
    """The first snapshot that differs from the one before `send`, or None when every look found it unchanged."""
    held = tools(runtime)
    for wait in held.look_after:
        progress(runtime, "look", say(lang, "recover.looking"))
        await held.clock.sleep(wait)
        try:
            snapshot = await backend.snapshot(send.session_id)
        except BackendError:
            continue  # Not being able to look is no evidence either way.
        if _differs(send, snapshot):
            return snapshot
    return None


def media_of(snapshot: Snapshot) -> str:
    """A fingerprint of the project's files and of what was generated."""
    return fingerprint([snapshot.video_infos, snapshot.generated_media])


def tell_media(send: Send, snapshot: Snapshot, runtime: Runtime[Context], lang: Lang) -> bool:
    """Says which media there are when they have changed since `send`; returns whether they have."""
    changed = bool(send.media) and media_of(snapshot) != send.media
    if changed:
        lines = media(snapshot.video_infos, snapshot.generated_media, lang)
        tell(runtime, "\n".join([say(lang, "recover.media"), *(f"- {line}" for line in lines)]))
    return changed


def _differs(send: Send, snapshot: Snapshot) -> bool:
    return fingerprint(snapshot.draft) != send.fingerprint or bool(send.media and media_of(snapshot) != send.media)


async def settle_open_sends(
    sends: list[Send], state: State, runtime: Runtime[Context], backend: Backend, snapshot: Snapshot
) -> None:
    """Tells what became of `sends`, which a crash or a canceled turn cut off."""
    lang = state["lang"]
    for send in sends:
        landed: Snapshot | None = snapshot
        if not _differs(send, snapshot):
            landed = await reconcile(send, runtime, backend, lang) if await _working(backend) else None
        if landed:
            found = changes(Draft.read(state.get("draft")), Draft.read(landed.draft))
            lines = [f"- {line}" for line in describe(found, lang)]
            tell(runtime, "\n".join([say(lang, "recover.landed", text=send.text), *lines]))
            tell_media(send, landed, runtime, lang)
        else:
            await tell_unknown(send, runtime, backend, lang)
        tell(runtime, undone(send.remaining, lang))
        await journal(runtime).settle(send, "done" if landed else "unknown")


async def tell_unknown(send: Send, runtime: Runtime[Context], backend: Backend, lang: Lang) -> None:
    """Says that nobody knows, with the credits before and after, and that a retry may charge twice."""
    try:
        have = await backend.credits()
    except BackendError:
        have = Credits(available=None, frozen=None, total=None)
    unknown = say(lang, "recover.no_number")
    numbers = {
        "before": unknown if send.credits is None else f"{send.credits:g}",
        "after": unknown if have.available is None else f"{have.available:g}",
        "frozen": unknown if have.frozen is None else f"{have.frozen:g}",
    }
    tell(runtime, say(lang, "recover.unknown", text=send.text, **numbers))


def undone(steps: list[Step], lang: Lang) -> str:
    """Which steps were left, or "" when none were."""
    names = [say(lang, f"step.{step['route']}") for step in steps]
    return say(lang, "recover.undone", steps=say(lang, "step.and").join(names)) if names else ""


async def _working(backend: Backend) -> bool:
    """Whether credits are reserved: the backend is still at it."""
    try:
        frozen = (await backend.credits()).frozen
    except BackendError:
        return True
    return frozen is None or frozen > 0  # Not being told is no zero.
