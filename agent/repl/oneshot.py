"""Turns without a terminal: answers on stdout, progress on stderr, the outcome as an exit code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from agent.events import Delivered, Error, Event
from agent.repl.core import Core, Load, load
from agent.repl.greeting import refusal, where
from agent.repl.threads import new_thread, remember_thread
from agent.repl.view import PlainView, View
from agent.settings import Settings
from agent.skills import Skill
from prompts import say

__all__ = ["Script", "play", "tour"]

TOUR = ("generate", "music", "title", "export")


@dataclass(frozen=True, slots=True)
class Script:
    """What to do without asking anybody."""

    turns: Sequence[str]
    thread: str | None = None
    """The conversation to go on with; None starts a new one."""
    out: Path | None = None
    """What the exported file is to be called; its extension is the format."""
    aloud: bool = False
    """Whether every turn is printed before its answer, as in a transcript."""
    collect: bool = False
    """Whether to see renders through that an earlier run left."""


async def play(settings: Settings, skill: Skill, script: Script, *, load: Load = load, view: View | None = None) -> int:
    """Plays `script`. Returns 0, or 1 when a turn failed: the turns after it are not played."""
    view = view or PlainView()
    try:
        core = load()
        async with core.open_agent(settings, skill) as agent:
            return await _Play(settings, script, view, core, agent).run()
    except AgentError as error:
        view.line(refusal(error, settings, settings.lang), "error")
        return 1


async def tour(settings: Settings, skill: Skill, out: Path | None = None, *, load: Load = load) -> int:
    """The built-in script: from one sentence to a file that plays."""
    view = PlainView()
    view.line("\n".join([say(settings.lang, "tour.intro"), where(settings, settings.lang)]))
    turns = [say(settings.lang, f"tour.{step}") for step in TOUR]
    code = await play(settings, skill, Script(turns, out=out, aloud=True), load=load, view=view)
    view.line(say(settings.lang, "tour.failed" if code else "tour.done"), "error" if code else "answer")
    return code


class _Play:
    def __init__(self, settings: Settings, script: Script, view: View, core: Core, agent: Any) -> None:
        self._settings, self._script, self._view = settings, script, view
        self._core, self._agent = core, agent
        self._thread = script.thread or new_thread()
        self._delivered = False

    async def run(self) -> int:
        """The whole script. Returns the exit code."""
        if self._script.thread and not await self._show(self._core.recover(self._agent, self._thread)):
            return 1
        if self._script.turns:
            remember_thread(self._settings.data, self._thread)
        for text in self._script.turns:
            if not await self._turn(text):
                return 1
        if self._script.out and not self._delivered and not await self._turn(self._export()):
            return 1
        if self._script.collect and not await self._show(self._core.collect(self._agent)):
            return 1
        if self._script.collect and not self._script.thread and not self._delivered:
            self._view.line(say(self._settings.lang, "cli.no_jobs_left"))
        if self._script.out and not self._delivered:
            self._view.line(say(self._settings.lang, "cli.not_exported", path=self._script.out), "error")
            return 1
        return 0

    async def _turn(self, text: str) -> bool:
        if self._script.aloud:
            self._view.line(f"\n> {text}")
        exports = self._settings.exports
        turn = self._core.turn(self._agent, self._thread, text, exports=exports, out=self._script.out)
        return await self._show(turn)

    async def _show(self, events: AsyncIterator[Event]) -> bool:
        """Whether nothing failed."""
        well = True
        with self._view.turn():
            async for event in events:
                self._view.show(event)
                self._delivered = self._delivered or isinstance(event, Delivered)
                well = well and not isinstance(event, Error)
        return well

    def _export(self) -> str:
        assert self._script.out
        form = self._script.out.suffix.lstrip(".").lower()
        return say(self._settings.lang, "repl.word_export_as", format=form)
