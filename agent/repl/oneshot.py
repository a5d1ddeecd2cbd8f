"""Turns without a terminal: answers on stdout, progress on stderr, the outcome as an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from agent.events import Delivered, Error
from agent.repl.actions import Begin, act
from agent.repl.commands import parse
from agent.repl.core import Core, Load, load
from agent.repl.greeting import refusal, where
from agent.repl.threads import new_thread, remember_thread
from agent.repl.view import PlainView, View
from agent.settings import Settings
from agent.skills import Skill
from agent.state import LocalPath
from prompts import Lang, say

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
            return await _Play(settings, script, view, core, agent.with_skill(skill)).run()
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
    """A conversation that nobody types: what slash commands act on is here too."""

    def __init__(self, settings: Settings, script: Script, view: View, core: Core, agent: Any) -> None:
        self.settings, self.view = settings, view
        self.lang: Lang = settings.lang
        self.wanted: Lang | None = None
        self.skill: Skill = agent.skill
        self.thread = script.thread or new_thread()
        self._script, self._core, self._agent = script, core, agent
        self._delivered, self._leaving = False, False
        self._well = True
        """Whether nothing failed in what was last shown."""

    async def run(self) -> int:
        """The whole script. Returns the exit code."""
        if self._script.thread and not await self._shown(lambda core, agent: core.recover(agent, self.thread)):
            self._skip(self._script.turns)
            return 1
        for number, line in enumerate(self._script.turns, 1):
            if not await self._heed(line):
                self._skip(self._script.turns[number:])
                return 1
            if self._leaving:
                return 0
        return 0 if await self._finish() else 1

    async def take_turn(self, text: str, files: tuple[LocalPath, ...] = ()) -> None:
        """One turn of the thread, shown as it happens."""
        remember_thread(self.settings.data, self.thread)
        exports, out, lang = self.settings.exports, self._script.out, self.wanted
        turn = {"exports": exports, "out": out, "lang": lang}
        await self.show(lambda core, agent: core.turn(agent, self.thread, text, files, **turn))  # type: ignore[arg-type]
        if not self._well:
            return
        outcome = await self._core.outcome(self._agent, self.thread)
        if outcome == "unknown":
            self.view.line(say(self.lang, "oneshot.unknown_outcome"), "error")
        self._well = outcome not in ("failed", "not-started", "unknown")

    async def show(self, begin: Begin) -> None:
        """Shows events until they end; whether one of them was an error is kept."""
        self._well = True
        with self.view.turn():
            async for event in begin(self._core, self._agent.with_skill(self.skill)):
                self.view.show(event)
                self._delivered = self._delivered or isinstance(event, Delivered)
                self._well = self._well and not isinstance(event, Error)

    async def quiet(self) -> None:
        """Nothing is looked after in the background here."""

    def watch(self) -> None:
        """Nor is it begun again."""

    def leave(self) -> None:
        """Ends the script after the present command."""
        self._leaving = True

    async def _heed(self, line: str) -> bool:
        """A command, or the words of a turn. Returns whether it went well."""
        self._well = True
        if self._script.aloud:
            self.view.line(f"\n> {line}")
        if command := parse(line):
            return await act(self, *command) and self._well
        await self.take_turn(line)
        return self._well

    async def _shown(self, begin: Begin) -> bool:
        await self.show(begin)
        return self._well

    async def _finish(self) -> bool:
        """The file that was asked for, and the renders that were left. Returns whether it went well."""
        script = self._script
        if script.out and not self._delivered and not await self._heed(self._export()):
            return False
        if script.collect and not await self._shown(lambda core, agent: core.collect(agent)):
            return False
        if script.collect and not script.thread and not self._delivered:
            self.view.line(say(self.lang, "cli.no_jobs_left"))
        if script.out and not self._delivered:
            self.view.line(say(self.lang, "cli.not_exported", path=script.out), "error")
            return False
        return True

    def _skip(self, turns: Sequence[str]) -> None:
        """Names what a failure leaves undone, the export to a named file included."""
        left = [*turns, *([self._export()] if self._script.out and not self._delivered else [])]
        if left:
            quoted = say(self.lang, "unit.comma").join(say(self.lang, "oneshot.turn", text=text) for text in left)
            self.view.line(say(self.lang, "oneshot.skipped", turns=quoted), "error")

    def _export(self) -> str:
        assert self._script.out
        form = self._script.out.suffix.lstrip(".").lower()
        return say(self.settings.lang, "repl.word_export_as", format=form)
