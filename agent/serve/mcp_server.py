"""An MCP server over stdio, for an assistant on the person's own machine: the same turns, with their files by path.

It runs in this process with the settings of the terminal, so that both go on with the same conversations.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agent.events import Progress
from agent.house import Agent, open_agent
from agent.repl.view import printable
from agent.serve.plain import Paper
from agent.serve.turns import Running
from agent.settings import Settings
from agent.skills import Skill
from agent.state import LocalPath
from agent.turn import turn
from prompts import Lang, say

__all__ = ["Helper", "run"]

log = logging.getLogger("reelchat.mcp")
THREAD = "mcp"
"""The conversation where the assistant names none."""
DRAIN_S = 30.0
"""How long turns may go on after the assistant has left."""
Report = Callable[[float, str], Awaitable[None]]
"""Hears a growing number and what is under way."""


class Helper:
    """Turns for an assistant. One that stops waiting takes no turn along."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(
        self,
        text: str,
        thread: str,
        report: Report,
        *,
        files: Sequence[str] = (),
        out: str | None = None,
        lang: Lang | None = None,
    ) -> str:
        """One turn and all that it said."""
        running = Running(uuid.uuid4().hex, thread)
        task = asyncio.create_task(self._run(running, text, files, out, lang))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        paper = Paper(printable, lambda delivered: delivered.path)
        async for fresh in running.follow():
            for number, event in fresh:
                if isinstance(event, Progress):
                    share = "" if event.fraction is None else f" {event.fraction:.0%}"
                    await report(number + 1, printable(event.text) + share)
                else:
                    paper.add(event)
        return paper.text or say(lang or self._agent.settings.lang, "mcp.quiet")

    async def drain(self) -> None:
        """Lets turns finish for a while, then stops waiting for them: their journals tell what they were at."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, running: Running, text: str, files: Sequence[str], out: str | None, lang: Lang | None) -> None:
        try:
            paths = [LocalPath(name) for name in files]
            async for event in turn(self._agent, running.thread, text, paths, out=_place(out), lang=lang):
                running.add(event)
            running.end("done")
        except Exception:  # the words so far are an answer; the log has the rest
            log.exception("turn broke")
        finally:
            if running.status == "running":
                running.end("broken")


def build(helper: Helper, package: Any, lang: Lang) -> Any:
    """The server with its tools. `package` is mcp.server.mcpserver, which only those have who asked for it."""

    async def talk(ctx: Any, text: str, thread: str = THREAD, files: list[str] | None = None) -> str:
        return await helper.take(text, thread, _report(ctx), files=files or ())

    async def timeline(ctx: Any, thread: str = THREAD) -> str:
        return await helper.take("", thread, _report(ctx))

    async def credits(ctx: Any, thread: str = THREAD) -> str:
        return await helper.take("credits", thread, _report(ctx), lang=lang)

    async def export(ctx: Any, format: str = "", path: str = "", thread: str = THREAD) -> str:
        words = f"export as {format}" if format.isalnum() else "export"
        return await helper.take(words, thread, _report(ctx), out=path or None, lang=lang)

    server = package.MCPServer(
        "reelchat", instructions=say(lang, "mcp.instructions"), version=version("reelchat"), log_level="WARNING"
    )
    for name, tool in {"say": talk, "timeline": timeline, "credits": credits, "export": export}.items():
        tool.__annotations__["ctx"] = package.Context  # by which it knows what no assistant gives
        server.tool(name=name, description=say(lang, f"mcp.{name}"))(tool)
    return server


def run(settings: Settings, skill: Skill) -> int:
    """Serves until whoever started us closes our stdin; stdout is the protocol's alone. Returns the exit code."""
    try:
        package = importlib.import_module("mcp.server.mcpserver")
    except ImportError:
        sys.stderr.write(say(settings.lang, "mcp.missing") + "\n")
        return 1
    asyncio.run(_serve(replace(settings, somebody_answers=True), skill, package))
    return 0


async def _serve(settings: Settings, skill: Skill, package: Any) -> None:
    async with open_agent(settings, skill) as agent:
        helper = Helper(agent)
        try:
            await build(helper, package, settings.lang).run_stdio_async()
        finally:
            await helper.drain()


def _place(out: str | None) -> Path | None:
    return Path(out).expanduser().absolute() if out else None


def _report(ctx: Any) -> Report:
    async def report(number: float, text: str) -> None:
        await ctx.report_progress(number, None, text)

    return report
