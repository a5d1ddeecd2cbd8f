"""The conversation on a terminal: a prompt, a turn, a prompt; never two of them at once."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout

from agent.errors import AgentError
from agent.events import Ask, Progress
from agent.repl.actions import Begin, act
from agent.repl.commands import parse
from agent.repl.connection import Connection
from agent.repl.core import Core, Load, load
from agent.repl.greeting import greeting, refusal
from agent.repl.interrupt import interruptible
from agent.repl.session import prompt_session
from agent.repl.threads import new_thread, remember_thread
from agent.repl.view import View, view_for
from agent.settings import Settings
from agent.skills import Skill
from agent.state import LocalPath
from prompts import Lang, say
from router import spoken

__all__ = ["Repl"]

log = logging.getLogger("reelchat.repl")


class Repl:
    """One person at one terminal. `load`, `view` and `session` are seams for tests."""

    def __init__(
        self,
        settings: Settings,
        skill: Skill,
        thread: str | None = None,
        *,
        load: Load = load,
        view: View | None = None,
        session: PromptSession[str] | None = None,
    ) -> None:
        self.settings, self.skill = settings, skill
        self.lang: Lang = settings.lang
        self.wanted: Lang | None = None
        """The language that was chosen with /lang; None follows what is typed."""
        self.thread = thread or new_thread()
        self.view = view or view_for()
        self._returning = thread is not None
        self._load = load
        self._session = session or prompt_session(settings.data, lambda: self.lang)
        self._connection: Connection | None = None
        self._news: asyncio.Task[None] | None = None
        self._options: list[str] = []
        self._leaving = False
        self._wants_out = False
        """Whether the last thing typed was Ctrl-C: a second one leaves."""

    async def run(self) -> int:
        """Chats until the person leaves. Returns the exit code."""
        self.view.line(greeting(self.settings, self.skill, self.lang))
        self._connect()
        try:
            if self._returning:
                await self.show(lambda core, agent: core.recover(agent, self.thread))
            self.watch()
            while not self._leaving and (line := await self._read()) is not None:
                await self._heed(line)
        finally:
            await self._close()
        return 0

    def leave(self) -> None:
        """Ends the conversation after the present command."""
        self._leaving = True

    async def quiet(self) -> None:
        """Stops looking after renders, so that a command can act on them; the next turn begins again."""
        if self._news:
            self._news.cancel()
            with suppress(asyncio.CancelledError):
                await self._news

    async def take_turn(self, text: str, files: tuple[LocalPath, ...] = ()) -> None:
        """One turn of the present thread, shown as it happens."""
        remember_thread(self.settings.data, self.thread)
        exports, lang = self.settings.exports, self.wanted
        await self.show(lambda core, agent: core.turn(agent, self.thread, text, files, exports=exports, lang=lang))
        self.watch()

    async def show(self, begin: Begin) -> None:
        """Shows events until they end or Ctrl-C; then says what may still go on."""
        task = asyncio.create_task(self._play(begin))
        with interruptible(task):
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                task.cancel()
                raise
        if task.cancelled():
            self.view.line(say(self.lang, "repl.interrupted"), "aside")
        else:
            task.result()

    async def _play(self, begin: Begin) -> None:
        self._options = []
        with self.view.turn():
            if (held := await self._agent()) is None:
                return
            async for event in begin(*held):
                self.view.show(event)
                if isinstance(event, Ask):
                    self._options = event.options

    async def _agent(self) -> tuple[Core, Any] | None:
        """The core and an agent that speaks for the present persona; None when they can't be had."""
        connection = self._connect()
        if not connection.opened:
            self.view.show(Progress(about="connect", text=say(self.lang, "repl.connecting")))
        try:
            core, agent = await connection.agent()
        except AgentError as error:
            self.view.line(refusal(error, self.settings, self.lang), "error")
            return None
        except Exception as error:
            log.exception("the agent could not be opened")
            path = self.settings.data / "reelchat.log"
            self.view.line(say(self.lang, "repl.broken", what=type(error).__name__, log=path), "error")
            return None
        return core, agent.with_skill(self.skill)

    def _connect(self) -> Connection:
        """The connection; a new one where the last attempt failed."""
        if self._connection is None or self._connection.failed:
            self._connection = Connection(self._load, self.settings, self.skill)
        return self._connection

    async def _read(self) -> str | None:
        """The next line that says something; None when the person leaves."""
        while True:
            try:
                with patch_stdout(raw=True):
                    line = (await self._session.prompt_async()).strip()
            except EOFError:
                return None
            except KeyboardInterrupt:
                if self._wants_out:
                    return None
                self._wants_out = True
                self.view.line(say(self.lang, "repl.ctrl_c"), "aside")
                continue
            self._wants_out = False
            if line:
                return line

    async def _heed(self, line: str) -> None:
        """A command, the number of an answer, or the words of a turn."""
        if command := parse(line):
            await act(self, *command)
            return
        if line.isdecimal() and 1 <= int(line) <= len(self._options):
            line = self._options[int(line) - 1]
        self.lang = self.wanted or spoken(line, self.lang)
        await self.take_turn(line)

    def watch(self) -> None:
        """Looks after renders that no turn waits for: an earlier run's, or those of a turn that was stopped."""
        if self._news is None or self._news.done():
            self._news = asyncio.create_task(self._collect())

    async def _collect(self) -> None:
        try:
            core, agent = await self._connect().agent()
            async for event in core.collect(agent):
                if not isinstance(event, Progress):
                    self.view.show(event)
        except Exception:
            log.exception("collecting failed")

    async def _close(self) -> None:
        await self.quiet()
        if self._connection:
            await self._connection.close()
