"""Versions under the person's eyes: the list of them, and what differs between two."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size

from agent.draft import Draft, changes
from agent.errors import AgentError
from agent.events import Error, Event, Text
from agent.repl.core import Core, Load, load
from agent.repl.greeting import refusal
from agent.repl.threads import last_thread
from agent.repl.view import PlainView, View
from agent.settings import Settings
from agent.skills import Skill
from agent.summarizer import describe, length
from prompts import Lang, say

if TYPE_CHECKING:
    from agent.entries import Version

__all__ = ["VersionsRefused", "compared", "listed", "look", "print_versions", "softly", "split_export"]

WIDTH = 40
"""Terminal cells that the words of a version may take."""
Tell = Callable[[Core, Any, str, Lang], Awaitable[str]]
"""Makes the text from the core, the agent, the conversation and the language. Raises VersionsRefused."""


class VersionsRefused(AgentError):
    """Nothing there, or no such number. Say which there are."""

    @property
    def key(self) -> str:
        """The sentence stands beside the others about versions."""
        return f"versions.{self.reason}"


async def listed(core: Core, agent: Any, thread: str, lang: Lang) -> str:
    """A line for each version, the present one marked. Raises VersionsRefused."""
    kept = await _kept(core, agent, thread)
    seen: dict[str, int] = {}
    return "\n".join(_line(one, seen, one is kept[-1], lang) for one in kept)


def compared(argument: str) -> Tell:
    """What differs between the versions named: both, one and the present one, or the last two."""

    async def tell(core: Core, agent: Any, thread: str, lang: Lang) -> str:
        kept = {one.number: one for one in await _kept(core, agent, thread)}
        before, after = _pair(argument, sorted(kept))
        found = changes(Draft.read(kept[before].draft), Draft.read(kept[after].draft))
        if not found:
            return say(lang, "versions.same", before=before, after=after)
        head = say(lang, "versions.from_to", before=before, after=after)
        return "\n".join([head, *(f"- {line}" for line in describe(found, lang))])

    return tell


def _pair(argument: str, numbers: list[int]) -> tuple[int, int]:
    words = argument.replace(",", " ").split()
    if len(words) > 2 or not all(re.fullmatch(r"[vV]?[0-9]{1,9}", word) for word in words):
        raise VersionsRefused(reason="which")
    if len(numbers) < 2 and len(words) < 2:
        raise VersionsRefused(reason="only_one", wanted=2)
    wanted = [int(word.lstrip("vV")) for word in words] or numbers[-2:]
    pair = (*wanted, numbers[-1])[:2]
    for number in pair:
        if number not in numbers:
            last = numbers[-1]
            raise VersionsRefused(reason="no_such" if last > 1 else "only_one", wanted=number, last=last)
    return pair[0], pair[1]


async def softly(tell: Tell, core: Core, agent: Any, thread: str, lang: Lang) -> AsyncIterator[Event]:
    """The text as events of a conversation, which a refusal does not end."""
    try:
        yield Text(id="versions", text=await tell(core, agent, thread, lang))
    except AgentError as error:
        yield Error(code=error.name, text=refusal(error, agent.settings, lang))


async def look(
    settings: Settings, skill: Skill, thread: str | None, tell: Tell, *, load: Load = load, view: View | None = None
) -> int:
    """For the command line, of the last conversation unless one is named.

    Returns 0, 1 where there is nothing to show, 2 when it was not clear what to show.
    """
    view = view or PlainView()
    try:
        if (thread := thread or last_thread(settings.data)) is None:
            raise VersionsRefused(reason="no_conversation")
        core = load()
        async with core.open_agent(settings, skill) as agent:
            view.line(await tell(core, agent, thread, settings.lang))
    except AgentError as error:
        view.line(refusal(error, settings, settings.lang), "error")
        return 2 if error.reason in ("which", "no_such") else 1
    return 0


def print_versions(settings: Settings, skill: Skill, thread: str | None, tell: Tell) -> int:
    """`look` for a caller without a loop."""
    return asyncio.run(look(settings, skill, thread, tell))


def split_export(argument: str) -> tuple[str | None, str]:
    """The version and the format of "/export 2 gif", in either order."""
    words = argument.split()
    number = next((word for word in words if re.fullmatch(r"[vV]?[0-9]{1,9}", word)), None)
    rest = [word for word in words if word is not number]
    return number and number.lstrip("vV"), " ".join(rest)


async def _kept(core: Core, agent: Any, thread: str) -> list[Version]:
    found: list[Version] = await core.versions(agent, thread)
    if not found:
        raise VersionsRefused(reason="none")
    return found


def _line(one: Version, seen: dict[str, int], present: bool, lang: Lang) -> str:
    from agent.versions import mark  # imports LangGraph, which is loaded by then

    draft = Draft.read(one.draft)
    first = seen.setdefault(mark(one.draft), one.number)
    lasts, count = draft.duration_ms, sum(len(track.segments) for track in draft.tracks)
    if not count:
        facts = [say(lang, "versions.empty")]
    else:
        facts = [length(lasts, lang)] if lasts else []
        facts.append(say(lang, "versions.segments" if count > 1 else "versions.segment", count=count))
    if first != one.number:
        facts.append(say(lang, "versions.as", number=first))
    at = datetime.fromisoformat(one.at).astimezone().strftime("%Y-%m-%d %H:%M")
    words = _cut(" ".join(one.words.split()))
    told = say(lang, "versions.words", words=words) if words else say(lang, "versions.by_itself")
    joined = say(lang, "unit.comma").join(facts)
    return say(lang, "versions.line", mark="*" if present else " ", number=one.number, at=at, words=told, facts=joined)


def _cut(text: str) -> str:
    return text if cell_len(text) <= WIDTH else set_cell_size(text, WIDTH - 1).rstrip() + "…"
