"""Exports the draft: one render job, seen through until its file is here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime

from agent.again import end, step_id
from agent.context import Context, emit, journal, tools
from agent.draft import Draft
from agent.entries import Job
from agent.errors import NothingToExport
from agent.events import Error
from agent.rendering import NO_LOOK, Rendering, new_id
from agent.report import failing_softly, tell
from agent.spend import balance, may_spend, metered, tell_cost
from agent.state import FORMATS, Session, State
from agent.versions import no_such, remember
from prompts import say
from router import output_format, version

__all__ = ["export_video"]


@failing_softly
async def export_video(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Takes the draft as it is, or as it was in the version asked for; chooses the format, and delivers the file."""
    session, step = state["session"], state["steps"][0]
    assert session, "connect made one"
    backend = await tools(runtime).backend(runtime.context.skill)
    if runtime.context.turn and any(j.step == step_id(state, runtime) for j in await _jobs(runtime)):
        await end(state, runtime, backend)
        return {"outcome": "done"}
    try:
        now = (await backend.snapshot(session["session_id"])).draft
    except NO_LOOK as error:
        error.reason = error.reason or "export"  # A step before may have sent something: only this one did not start.
        raise
    await remember(state, runtime, now)
    number = version(step["text"]) if step["by"] == "person" else None
    kept = None if number is None else await journal(runtime).version(runtime.context.thread, number)
    if number is not None and kept is None:
        return await _no_such(number, state, runtime)
    raw, text = (kept.draft, kept.text) if kept else (now, tools(runtime).drafts.text(now))
    if not Draft.read(raw).exportable:
        if step["by"] == "backend":
            return {"outcome": "done"}  # It spoke of a button; there is nothing behind it.
        raise NothingToExport
    if metered(runtime) and (asked := may_spend("export", raw, await balance(backend), state, runtime)):
        return asked
    held = tools(runtime)
    rendering = Rendering(backend, journal(runtime), held, lambda event: emit(runtime, event))
    await rendering.run(_job(raw, text, session, number, state, runtime))
    if metered(runtime):
        before = held.purse.last
        tell_cost("export", before, await balance(backend), state, runtime)
    return {"outcome": "done", "draft": now}


def _job(raw: Any, text: str, session: Session, number: int | None, state: State, runtime: Runtime[Context]) -> Job:
    """The record of the render of `raw`, which is the version `number` where one was asked for."""
    draft = Draft.read(raw)
    suffix = _format(draft, state, runtime)
    return Job(
        id=new_id(tools(runtime).clock),
        thread=runtime.context.thread,
        session_id=session["session_id"],
        format=suffix,
        path=str(_path(draft, suffix, state, runtime, number)),
        draft=raw,
        text=text,
        at=tools(runtime).clock.now().isoformat(),
        skill=runtime.context.skill,
        lang=state["lang"],
        turn=runtime.context.turn,
        step=step_id(state, runtime),
    )


async def _jobs(runtime: Runtime[Context]) -> list[Job]:
    return await journal(runtime).jobs_of(runtime.context.turn)


async def _no_such(number: int, state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Nothing is exported in the place of a version that there never was."""
    last = len((await journal(runtime).ledger(runtime.context.thread)).marks)
    emit(runtime, Error(code="no_such_version", text=no_such(number, last, state["lang"])))
    return {"outcome": "failed"}


def _format(draft: Draft, state: State, runtime: Runtime[Context]) -> str:
    """The person's words, then the name they gave the file, then a picture for a still and a video for the rest."""
    named = Path(_named(state) or "").suffix.lstrip(".").lower()
    wanted = output_format(state["steps"][0]["text"]) or named.replace("jpeg", "jpg")
    if wanted and wanted not in FORMATS:
        tell(runtime, say(state["lang"], "export.format_instead", wanted=wanted))
        return "mp4"
    if not wanted and draft.is_still:
        tell(runtime, say(state["lang"], "export.still"))
        return "png"
    return wanted or "mp4"


def _named(state: State) -> str | None:
    """The file the person named in words ("export to ./out/x.mp4") or on the command line."""
    said = [name for name in state["steps"][0]["files"] if Path(name).suffix.lstrip(".").lower() in (*FORMATS, "jpeg")]
    return said[-1] if said else state.get("out")


def _path(draft: Draft, suffix: str, state: State, runtime: Runtime[Context], number: int | None) -> Path:
    """Where the person wants it, or a name made from the draft's and the version's in the exports folder."""
    first = next((piece.name for track in draft.tracks for piece in track.segments if piece.name), None)
    called = re.sub(r"\.\w{2,4}$|\s*\(\d+/\d+\)$", "", draft.title or first or "")  # "coffee (1/2)" is all of it
    name = re.sub(r"\W+", "-", called).strip("-_")[:48] or "video"
    name += f"-v{number}" if number is not None else ""
    held = tools(runtime)
    return held.desk.place(_named(state), name, suffix, runtime.context.exports, held.clock.now())
