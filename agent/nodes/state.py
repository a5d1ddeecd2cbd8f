"""Shows the project as the backend has it: the timeline, the files and what is being rendered."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.backend import Backend
from agent.context import Context, emit, journal, tools
from agent.draft import Draft
from agent.entries import Job
from agent.errors import BackendError
from agent.events import Timeline
from agent.report import failing_softly, tell
from agent.state import State
from agent.summarizer import media, timeline
from agent.versions import remember
from prompts import say

__all__ = ["show_state"]


@failing_softly
async def show_state(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Reads the snapshot and says what is in it."""
    lang, session = state["lang"], state["session"]
    assert session, "connect made one"
    backend = await tools(runtime).backend(runtime.context.skill)
    snapshot = await backend.snapshot(session["session_id"])
    await remember(state, runtime, snapshot.draft)
    draft = Draft.read(snapshot.draft)
    emit(runtime, Timeline(text=timeline(draft, lang), draft=draft.raw))
    tell(runtime, "\n".join(media(snapshot.video_infos, snapshot.generated_media, lang)))
    jobs = [job for job in await journal(runtime).open_jobs(runtime.context.thread) if await _there(job, backend)]
    if jobs:
        tell(runtime, say(lang, "state.rendering", count=len(jobs)))
    return {"outcome": "done", "draft": snapshot.draft}


async def _there(job: Job, backend: Backend) -> bool:
    """Whether a job is under way. One that was cut off in its submit is so only where the backend knows it."""
    if job.status != "intended":
        return True
    try:
        return (await backend.render_status(job.id)).status != "unknown"
    except BackendError:
        return True
