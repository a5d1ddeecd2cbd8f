"""Render jobs as a list: what became of every export."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agent.errors import AgentError
from agent.repl.core import load
from agent.repl.greeting import refusal
from agent.repl.oneshot import Script, play
from agent.repl.view import PlainView
from agent.settings import Settings
from agent.skills import Skill
from prompts import say

__all__ = ["collect_jobs", "list_jobs"]


async def list_jobs(settings: Settings, skill: Skill) -> int:
    """Prints every render job of this backend, oldest first. Returns the exit code."""
    view = PlainView()
    try:
        async with load().open_agent(settings, skill) as agent:
            lines = [_line(job, settings) for job in await _jobs(agent)]
    except AgentError as error:
        view.line(refusal(error, settings, settings.lang), "error")
        return 1
    view.line("\n".join(lines) or say(settings.lang, "cli.no_jobs"))
    return 0


async def collect_jobs(settings: Settings, skill: Skill) -> int:
    """Sees unfinished render jobs through and delivers their files. Returns the exit code."""
    return await play(settings, skill, Script((), collect=True))


async def _jobs(agent: Any) -> list[Any]:
    from agent.journal import Journal  # imports LangGraph, which is loaded by then

    return list(await Journal(agent.store, agent.user).jobs())


def _line(job: Any, settings: Settings) -> str:
    at = datetime.fromisoformat(job.at).astimezone().strftime("%Y-%m-%d %H:%M")
    status = say(settings.lang, f"cli.job_{job.status}")
    return say(settings.lang, "cli.job", at=at, format=job.format, status=status, path=job.path)
