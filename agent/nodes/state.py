"""Shows the project as the backend has it: the timeline, the files and what is being rendered."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.context import Context, emit, journal, tools
from agent.draft import Draft
from agent.events import Timeline
from agent.report import failing_softly, tell
from agent.state import State
from agent.summarizer import media, timeline
from prompts import say

__all__ = ["show_state"]


@failing_softly
async def show_state(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Reads the snapshot and says what is in it."""
    lang, session = state["lang"], state["session"]
    assert session, "connect made one"
    backend = await tools(runtime).backend(runtime.context.skill)
    snapshot = await backend.snapshot(session["session_id"])
    draft = Draft.read(snapshot.draft)
    emit(runtime, Timeline(text=timeline(draft, lang), draft=draft.raw))
    tell(runtime, "\n".join(media(snapshot.video_infos, snapshot.generated_media, lang)))
    jobs = await journal(runtime).open_jobs(runtime.context.thread)
    if jobs:
        tell(runtime, say(lang, "state.rendering", count=len(jobs)))
    return {"outcome": "done", "draft": snapshot.draft}
