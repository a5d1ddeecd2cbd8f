"""What each slash command does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from agent.errors import AgentError
from agent.events import Event, Text
from agent.repl.commands import COMMANDS, Name, nearest
from agent.repl.core import Core
from agent.repl.greeting import persona, refusal
from agent.repl.jobs import order, softly
from agent.repl.threads import new_thread
from agent.repl.timeline import draw
from agent.repl.versions import compared, listed, split_export
from agent.repl.versions import softly as versions_of
from agent.repl.view import View
from agent.settings import Settings
from agent.skills import Skill, SkillError, load_skill, skill_names
from agent.state import FORMATS, LocalPath
from prompts import Lang, say
from router import Decision

__all__ = ["Begin", "Chat", "act", "reasons", "shelf"]

Begin = Callable[[Core, Any], AsyncIterator[Event]]
"""Starts what is to be shown, with the core and the agent."""


class Chat(Protocol):
    """The conversation that a command acts on: at a terminal, or a script's."""

    settings: Settings
    skill: Skill
    lang: Lang
    wanted: Lang | None
    thread: str
    view: View

    async def take_turn(self, text: str, files: tuple[LocalPath, ...] = ()) -> None: ...

    async def show(self, begin: Begin) -> None: ...

    async def quiet(self) -> None: ...

    def watch(self) -> None: ...

    def leave(self) -> None: ...


async def act(chat: Chat, name: str, argument: str) -> bool:
    """Carries out "/name argument", or names the nearest command there is. Returns whether there was one to do."""
    if action := _ACTIONS.get(_ALIASES.get(name, name)):
        return await action(chat, argument) is not False
    chat.view.line(say(chat.lang, "repl.no_command", name=f"/{name}", nearest=f"/{nearest(name)}"), "error")
    return False


def reasons(decisions: list[Decision], lang: Lang) -> list[str]:
    """One line a step: where it goes, which words, on what evidence."""
    return [
        say(
            lang,
            "repl.decision",
            number=number,
            route=decision.route,
            words=decision.text,
            start=decision.span[0],
            end=decision.span[1],
            source=decision.source,
            score=f"{decision.score:.2f}",
            because=decision.because,
        )
        + (say(lang, "repl.would_ask") if decision.ask else "")
        for number, decision in enumerate(decisions, 1)
    ]


async def _help(chat: Chat, _: str) -> None:
    width = max(len(command.usage) for command in COMMANDS)
    lines = [f"  {command.usage:<{width}}  {say(chat.lang, f'help.{command.name}')}" for command in COMMANDS]
    chat.view.line("\n".join([say(chat.lang, "help.intro"), *lines, say(chat.lang, "help.keys")]))


async def _status(chat: Chat, _: str) -> None:
    await chat.take_turn(say(chat.lang, "repl.word_status"))


async def _credits(chat: Chat, _: str) -> None:
    await chat.take_turn(say(chat.lang, "repl.word_credits"))


async def _export(chat: Chat, wanted: str) -> bool | None:
    number, form = split_export(wanted)
    if form and form.lower().lstrip(".") not in FORMATS:
        chat.view.line(say(chat.lang, "repl.which_format", formats=say(chat.lang, "unit.comma").join(FORMATS)), "error")
        return False
    key = f"{'versions' if number else 'repl'}.word_export{'_as' if form else ''}"
    await chat.take_turn(say(chat.lang, key, number=number, format=form))
    return None


async def _versions(chat: Chat, _: str) -> None:
    await chat.show(lambda core, agent: versions_of(listed, core, agent, chat.thread, chat.lang))


async def _diff(chat: Chat, numbers: str) -> None:
    await chat.show(lambda core, agent: versions_of(compared(numbers), core, agent, chat.thread, chat.lang))


async def _undo(chat: Chat, _: str) -> None:
    await chat.take_turn(say(chat.lang, "versions.word_undo"))


async def _timeline(chat: Chat, path: str) -> None:
    files = [_local(path)] if path else []
    await chat.show(lambda core, agent: draw(core, agent, chat.thread, files, chat.lang))


async def _upload(chat: Chat, path: str) -> bool | None:
    if not path:
        chat.view.line(say(chat.lang, "repl.upload_what"), "error")
        return False
    await chat.take_turn(say(chat.lang, "repl.word_upload"), (LocalPath(_bare(path)),))
    return None


async def _jobs(chat: Chat, argument: str) -> bool | None:
    try:
        wanted = order(argument)
    except AgentError as error:
        chat.view.line(refusal(error, chat.settings, chat.lang), "error")
        return False
    if wanted.action == "list":
        await chat.show(lambda core, agent: softly(wanted, core, agent, chat.lang))
        return None
    await chat.quiet()  # It may be waiting for the very job.
    await chat.show(lambda core, agent: softly(wanted, core, agent, chat.lang))
    chat.watch()
    return None


async def _skill(chat: Chat, wanted: str) -> bool | None:
    if not wanted:
        chat.view.line(shelf(chat.lang, chat.skill.name))
        return None
    try:
        chat.skill = load_skill(wanted)
    except SkillError as error:
        chat.view.line(refusal(error, chat.settings, chat.lang), "error")
        return False
    chat.view.line(persona(chat.skill, chat.lang))
    return None


async def _new(chat: Chat, _: str) -> None:
    chat.thread = new_thread()
    chat.view.line(say(chat.lang, "repl.new_thread"))


async def _lang(chat: Chat, wanted: str) -> bool | None:
    if wanted not in ("en", "zh"):
        chat.view.line(say(chat.lang, "repl.which_lang"), "error")
        return False
    chat.lang = chat.wanted = "zh" if wanted == "zh" else "en"
    chat.view.line(say(chat.lang, "repl.lang_set"))
    return None


async def _why(chat: Chat, _: str) -> None:
    await chat.show(lambda core, agent: _explained(core, agent, chat.thread, chat.lang))


async def _explained(core: Core, agent: Any, thread: str, lang: Lang) -> AsyncIterator[Event]:
    lines = reasons(await core.explain(agent, thread), lang)
    yield Text(id="why", text="\n".join(lines) or say(lang, "repl.nothing_to_explain"))


async def _quit(chat: Chat, _: str) -> None:
    chat.leave()


def shelf(lang: Lang, present: str) -> str:
    """The personas on our shelf, a line each, the present one marked."""
    skills = [load_skill(name) for name in skill_names()]
    return "\n".join(f"{'*' if one.name == present else ' '} {one.name}: {one.about(lang)}" for one in skills)


def _local(path: str) -> Path:
    return Path(_bare(path)).expanduser()


def _bare(path: str) -> str:
    """A path as it is on the disk: terminals quote or escape what is dropped on them."""
    if len(path) > 1 and path[0] == path[-1] and path[0] in "\"'":
        return path[1:-1]
    return path.replace("\\ ", " ")


_ALIASES: dict[str, Name] = {"": "help", "?": "help", "exit": "quit", "q": "quit", "balance": "credits"}
_ACTIONS: dict[str, Callable[[Chat, str], Awaitable[bool | None]]] = {
    "help": _help,
    "status": _status,
    "credits": _credits,
    "versions": _versions,
    "diff": _diff,
    "undo": _undo,
    "export": _export,
    "upload": _upload,
    "timeline": _timeline,
    "jobs": _jobs,
    "skill": _skill,
    "new": _new,
    "lang": _lang,
    "why": _why,
    "quit": _quit,
}
