"""The timeline on demand: drawn in the terminal, or into a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import AgentError
from agent.events import Error, Event, Text, Timeline
from agent.repl.core import Core, Load, load
from agent.repl.greeting import refusal
from agent.repl.threads import last_thread
from agent.repl.view import View, view_for
from agent.settings import Settings
from agent.skills import Skill
from prompts import Lang, say

if TYPE_CHECKING:
    from agent.draft import Draft

__all__ = ["FORMATS", "draw", "show_timeline"]

FORMATS = (".svg", ".html")


async def show_timeline(
    settings: Settings,
    skill: Skill,
    thread: str | None,
    files: Sequence[Path],
    *,
    load: Load = load,
    view: View | None = None,
) -> int:
    """Shows a conversation's timeline, the last one's if `thread` is None, or draws it into `files`. Returns 0 or 1."""
    view, code = view or view_for(), 0
    named = thread or last_thread(settings.data)
    if named is None:
        view.line(say(settings.lang, "picture.no_conversation"), "error")
        return 1
    try:
        core = load()
        async with core.open_agent(settings, skill) as agent:
            with view.turn():
                async for event in draw(core, agent, named, files, settings.lang, named=thread is not None):
                    view.show(event)
                    code = code or int(isinstance(event, Error))
    except AgentError as error:
        view.line(refusal(error, settings, settings.lang), "error")
        return 1
    return code


async def draw(
    core: Core, agent: Any, thread: str, files: Sequence[Path], lang: Lang, *, named: bool = False
) -> AsyncIterator[Event]:
    """The timeline of `thread` as it is shown after an edit or, with `files`, drawn into each of them.

    That there is no such conversation is told only where the person has `named` it.
    """
    draft = await core.drawn(agent, thread)
    if draft is None and named:
        yield Error(code="no_thread", text=say(lang, "picture.no_thread", name=thread))
        return
    if draft is None or not draft.exportable:
        yield Error(code="empty_timeline", text=say(lang, "picture.empty"))
        return
    if not files:
        from agent.summarizer import timeline  # a file's picture has it already

        yield Timeline(text=timeline(draft, lang), draft=draft.raw)
    for path in files:
        yield _written(draft, path, lang)


def _written(draft: Draft, path: Path, lang: Lang) -> Event:
    """The file is whole or it is not there: a page half written would open as a broken one."""
    from agent.lanes import lanes
    from agent.picture import html, svg

    paint = {".svg": svg, ".html": html}.get(path.suffix.lower())
    if paint is None:
        known = say(lang, "unit.comma").join(FORMATS)
        return Error(code="wrong_name", text=say(lang, "picture.wrong_name", path=path, known=known))
    text = paint(lanes(draft, lang), draft.title or say(lang, "picture.title"))
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        why = error.strerror or type(error).__name__
        return Error(code="unwritable", text=say(lang, "picture.unwritable", path=path, why=why))
    return Text(id=f"picture {path}", text=say(lang, "picture.written", path=path) + "\n")
