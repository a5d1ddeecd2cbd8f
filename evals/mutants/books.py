"""Mutants of the journal, of render jobs, of recovery and of versions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.entries import Job, Send
from agent.errors import RenderFailed
from agent.journal import Journal
from agent.rendering import Rendering
from evals.mutants.mutant import Break, mutant, put, together

__all__: list[str] = []


@mutant("agent/journal", "kill", "sse")
def journal_after_the_post() -> Break:
    """A send is written down only when it is over."""

    async def intend(self: Journal, send: Send) -> None:
        return

    return put(Journal, "intend", intend)


@mutant("agent/journal", "kill", "sse")
def open_sends_forgotten() -> Break:
    """Whoever comes back hears nothing of a send that was cut off."""

    async def none(self: Journal, thread: str) -> list[Send]:
        return []

    return put(Journal, "open_sends", none)


@mutant("agent/journal", "ctrl-c", "kill", "export")
def open_jobs_forgotten() -> Break:
    """Whoever comes back hears nothing of a render job that goes on."""

    async def none(self: Journal, thread: str | None = None) -> list[Job]:
        return []

    return put(Journal, "open_jobs", none)


@mutant("agent/rendering", "ctrl-c", "export")
def cancel_loses_the_job() -> Break:
    """Ctrl-C during an export strikes its job from the books."""
    real = Rendering.run

    async def run(self: Rendering, job: Job) -> None:
        try:
            await real(self, job)
        except asyncio.CancelledError:
            await self.journal.job(replace(job, status="forgotten"))
            raise

    return put(Rendering, "run", run)


@mutant("agent/rendering", "fail", "export")
def same_render_id() -> Break:
    """Every render job has the same id."""
    return together(
        put("agent.rendering", "new_id", lambda clock: "render_1"),
        put("agent.nodes.export", "new_id", lambda clock: "render_1"),
    )


@mutant("agent/rendering", "fail", "export")
def failed_render_given_up() -> Break:
    """A job that fails is not tried again."""
    real = Rendering.run

    async def run(self: Rendering, job: Job) -> None:
        await real(self, replace(job, again=True))

    return put(Rendering, "run", run)


@mutant("agent/rendering", "fail", "others", "export")
def failed_render_delivered() -> Break:
    """A job that fails is told as a file that is ready."""
    real = Rendering._deliver

    async def deliver(self: Rendering, job: Job) -> None:
        try:
            await real(self, job)
        except RenderFailed:
            self._delivered(job, Path(job.path), 0, None)

    return put(Rendering, "_deliver", deliver)


@mutant("agent/rendering", "export")
def polled_every_second() -> Break:
    """A render job is looked at every second."""
    real = Rendering._poll

    async def poll(self: Rendering, job: Job) -> Any:
        self.tools.poll_every, self.tools.poll_at_most = 1.0, 300
        return await real(self, job)

    return put(Rendering, "_poll", poll)


@mutant("agent/recovery", "cut")
def lost_send_never_looked_up() -> Break:
    """A lost stream is told as unknown without a look."""

    async def none(*_: Any) -> None:
        return None

    return put("agent.nodes.sse", "reconcile", none)


@mutant("agent/recovery", "cut", "before")
def unknown_told_as_nothing() -> Break:
    """Of a send whose outcome nobody knows nothing is said."""

    async def none(*_: Any) -> None:
        return None

    return put("agent.nodes.sse", "tell_unknown", none)


@mutant("agent/versions", "undo", "versions")
def undo_unchecked() -> Break:
    """What an undo brought about is not compared with what was there before."""
    return together(
        put("agent.nodes.summarize", "not_undone", lambda *_: ""),
        put("agent.nodes.summarize", "tell_kept", lambda *_: None),
    )


@mutant("agent/versions", "versions", "version", "export")
def version_asked_for_ignored() -> Break:
    """ "Export version 1" exports what is there now."""
    return put("agent.nodes.export", "version", lambda text: None)
