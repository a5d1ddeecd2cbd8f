"""Gives the person's files and links to the backend."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.backend import Uploaded
from agent.context import Context, emit, tools
from agent.events import Ask, Meter
from agent.material import check, prepared
from agent.report import failing_softly, progress, tell
from agent.state import State
from agent.summarizer import length
from prompts import Lang, say

__all__ = ["upload"]


@failing_softly
async def upload(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Checks every file before the first byte leaves, sends them, and says what arrived."""
    lang, session = state["lang"], state["session"]
    assert session, "connect made one"
    wanted = list(dict.fromkeys([*state.get("files", ()), *state["steps"][0]["files"]]))
    if not wanted:
        emit(runtime, Ask(text=say(lang, "upload.which")))
        return {"outcome": "failed", "question": {"route": "upload", "text": ""}}
    held = tools(runtime)
    backend = await held.backend(runtime.context.skill)
    links = [name for name in wanted if "://" in name and not name.startswith("file:")]
    limit = held.skill(runtime.context.skill).max_mb
    paths = [check(name, limit) for name in wanted if name not in links]

    arrived: list[Uploaded] = []
    if paths:
        names = say(lang, "unit.comma").join(path.name for path in paths)
        sending = say(lang, "upload.sending", names=names)
        meter = Meter(lambda fraction: progress(runtime, "upload", sending, fraction))
        async with prepared(paths) as ready:
            arrived += await backend.upload(session["session_id"], ready, meter)
    if links:
        progress(runtime, "upload", say(lang, "upload.sending", names=say(lang, "unit.comma").join(links)))
        arrived += await backend.upload_urls(session["session_id"], links)
    lines = [f"- {_described(file, lang)}" for file in arrived]
    tell(runtime, "\n".join([say(lang, "upload.done", count=len(arrived) or len(wanted)), *lines]))
    if not state["steps"][1:]:
        tell(runtime, say(lang, "upload.next"))
    return {"outcome": "done"}


def _described(file: Uploaded, lang: Lang) -> str:
    """A name with its size or length, as far as the backend said."""
    facts = []
    if file.width and file.height:
        facts.append(f"{file.width}x{file.height}")
    if file.duration_ms:
        facts.append(length(file.duration_ms, lang))
    return f"{file.name} ({', '.join(facts)})" if facts else file.name
