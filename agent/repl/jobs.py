"""Render jobs under the person's hand: what became of every export, and collect, cancel or forget it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from agent.errors import AgentError, ApiError, Busy
from agent.events import Error, Event, Text
from agent.repl.core import Core, Load, load
from agent.repl.greeting import refusal
from agent.repl.view import PlainView, View
from agent.settings import Settings
from agent.skills import Skill
from prompts import Lang, say

if TYPE_CHECKING:
    from agent.entries import Job

__all__ = ["ACTIONS", "JobRefused", "Order", "carry_out", "manage", "order", "softly"]

Action = Literal["list", "collect", "cancel", "forget"]
ACTIONS: tuple[Action, ...] = ("list", "collect", "cancel", "forget")

USUAL = timedelta(minutes=5)
"""The documents' ten looks, 30 s apart: a render that takes longer is slow."""
SETTLED = ("delivered", "failed", "canceled", "forgotten")


class JobRefused(AgentError):
    """Not this job, or not without --yes. Say which id or option is wanted."""

    @property
    def key(self) -> str:
        """The sentence stands beside those about jobs."""
        return f"jobs.{self.reason}"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done with which job; an empty id is every job where that makes sense."""

    action: Action = "list"
    id: str = ""
    yes: bool = False
    """Whether to forget even what may still be charged."""


def order(argument: str) -> Order:
    """From what was typed behind /jobs. Raises JobRefused."""
    words = argument.split()
    yes = "--yes" in words
    words = [word for word in words if word != "--yes"]
    action: Action | None = next((one for one in ACTIONS if one == (words[0] if words else "list")), None)
    if action is None or len(words) > 2:
        raise JobRefused(reason="which_action")
    return Order(action, words[1] if len(words) > 1 else "", yes)


async def manage(
    settings: Settings, skill: Skill, wanted: Order, *, load: Load = load, view: View | None = None
) -> int:
    """Carries out `wanted` for the command line. Returns 0, 1 when something failed, 2 when it was not clear."""
    view, code = view or PlainView(), 0
    try:
        core = load()
        async with core.open_agent(settings, skill) as agent:
            with view.turn():
                async for event in carry_out(wanted, core, agent, settings.lang):
                    view.show(event)
                    code = code or int(isinstance(event, Error))
    except AgentError as error:
        view.line(refusal(error, settings, settings.lang), "error")
        return 2 if isinstance(error, JobRefused) else 1
    return code


async def carry_out(wanted: Order, core: Core, agent: Any, lang: Lang) -> AsyncIterator[Event]:
    """What the person sees of it. Raises AgentError where nothing was done."""
    if wanted.action == "list":
        yield _text(await _list(agent, lang))
        return
    if wanted.action == "collect":
        async for event in _collect(wanted, core, agent, lang):
            yield event
        return
    job = _find(await _jobs(agent), wanted)
    if job.status in SETTLED:
        raise JobRefused(reason="already", status=say(lang, f"jobs.{job.status}"))
    key = await (_cancel(job, agent) if wanted.action == "cancel" else _forget(job, wanted.yes, agent))
    text = say(lang, f"jobs.{key}", name=Path(job.path).name, id=job.id)
    yield _text(text) if key in ("canceled_now", "forgotten_now") else Error(code=key, text=text)


async def softly(wanted: Order, core: Core, agent: Any, lang: Lang) -> AsyncIterator[Event]:
    """The same in a conversation, which a refusal does not end."""
    try:
        async for event in carry_out(wanted, core, agent, lang):
            yield event
    except AgentError as error:
        yield Error(code=error.name, text=refusal(error, agent.settings, lang))


async def _list(agent: Any, lang: Lang) -> str:
    """Every render job, oldest first; those under way as the backend sees them at this moment."""
    lines, offline, fetch = [], "", False
    for job in await _jobs(agent):
        status: str = job.status
        share: float | None = None
        if status in ("intended", "submitted"):
            try:
                status, share = await _seen(job, agent)
            except AgentError as error:
                status = "not_seen" if job.status == "submitted" else "intended"
                offline = refusal(error, agent.settings, lang)
        fetch = fetch or status == "completed"
        told = say(lang, "jobs.running", share=f"{share:.0%}") if share else say(lang, f"jobs.{status}")
        at = datetime.fromisoformat(job.at).astimezone().strftime("%Y-%m-%d %H:%M")
        lines.append(say(lang, "jobs.line", at=at, format=job.format, status=told, path=job.path, id=job.id))
    if offline:
        lines.append(say(lang, "jobs.offline", why=offline))
    if fetch:
        lines.append(say(lang, "jobs.hint_collect"))
    return "\n".join(lines) or say(lang, "cli.no_jobs")


async def _seen(job: Job, agent: Any) -> tuple[str, float | None]:
    """The key for how a job stands, and how much of it is done while it is under way."""
    found = await (await _backend(job, agent)).render_status(job.id)
    if found.status == "unknown":
        return "never_arrived", None
    if found.status in ("completed", "failed"):
        return found.status, None
    now = agent.tools.clock.now().astimezone(UTC)
    if now - datetime.fromisoformat(job.at) > USUAL:
        return "still_running", None
    return "submitted", found.progress


async def _collect(wanted: Order, core: Core, agent: Any, lang: Lang) -> AsyncIterator[Event]:
    only = None
    if wanted.id:
        job = _find(await _jobs(agent), wanted)
        if job.status in SETTLED:
            raise JobRefused(reason="already", status=say(lang, f"jobs.{job.status}"))
        only = job.id
    told = False
    async for event in core.collect(agent, only):
        told = True
        yield event
    if not told and only:
        raise JobRefused(reason="elsewhere")
    if not told:
        yield _text(say(lang, "cli.no_jobs_left"))


async def _cancel(job: Job, agent: Any) -> str:
    """Asks the backend to stop the job. Returns the key of what became of it."""
    backend = await _backend(job, agent)
    async with _alone(job, agent):
        try:
            before = await backend.render_status(job.id)
            if before.status in ("pending", "processing"):
                await backend.cancel_render(job.id)
                after = await backend.render_status(job.id)
            else:
                after = before
        except ApiError as error:
            if 404 not in (error.status, error.number):
                raise
            after = await backend.render_status(job.id)
        if after.status in ("pending", "processing"):
            return "not_stopped"
        if after.status == "completed":
            await _settle(job, "completed", agent)
            return "too_late"
        if before.status == "failed":
            await _settle(job, "failed", agent)
            return "was_failed"
        await _settle(job, "canceled", agent)
        return "was_unknown" if before.status == "unknown" else "canceled_now"


async def _forget(job: Job, yes: bool, agent: Any) -> str:
    if not yes:
        raise JobRefused(
            reason="needs_yes_finished" if job.status == "completed" else "needs_yes",
            name=Path(job.path).name,
            id=job.id,
        )
    from agent.backend import discard_parts  # it brings httpx, and --help does not wait for that

    async with _alone(job, agent):
        await _settle(job, "forgotten", agent)
        discard_parts(Path(job.path))
    return "forgotten_now"


def _find(jobs: list[Job], wanted: Order) -> Job:
    """The job of that id or, as ids are long, the only one that ends with it. Raises JobRefused."""
    if not wanted.id:
        raise JobRefused(reason="which", usage=f"jobs {wanted.action} ID")
    found = [job for job in jobs if job.id == wanted.id] or [job for job in jobs if job.id.endswith(wanted.id)]
    if len(found) != 1:
        raise JobRefused(reason="several" if found else "no_such", id=wanted.id)
    return found[0]


@asynccontextmanager
async def _alone(job: Job, agent: Any) -> AsyncIterator[None]:
    """Holds the job's lease: whoever waits for a render would begin a canceled one again. Raises JobRefused."""
    try:
        async with agent.tools.leases.hold(job.id):
            yield
    except Busy as error:
        raise JobRefused(reason="elsewhere") from error


async def _jobs(agent: Any) -> list[Job]:
    from agent.journal import Journal  # imports LangGraph, which is loaded by then

    return list(await Journal(agent.store, agent.user).jobs())


async def _settle(job: Job, status: Any, agent: Any) -> None:
    from agent.journal import Journal

    await Journal(agent.store, agent.user).job(replace(job, status=status))


async def _backend(job: Job, agent: Any) -> Any:
    return await agent.tools.backend(job.skill or str(agent.skill.path))


def _text(words: str) -> Text:
    return Text(id="jobs", text=words)
