"""What each slash command does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from agent.events import Event, Text
from agent.repl.commands import COMMANDS, Name, nearest
from agent.repl.core import Core
from agent.repl.greeting import persona, refusal
from agent.repl.threads import new_thread
from agent.skills import SkillError, load_skill, skill_names
from agent.state import LocalPath
from prompts import Lang, say
from router import Decision

if TYPE_CHECKING:
    from agent.repl.loop import Repl

__all__ = ["act", "reasons", "shelf"]


async def act(repl: Repl, name: str, argument: str) -> None:
    """Carries out "/name argument", or names the nearest command there is."""
    if action := _ACTIONS.get(_ALIASES.get(name, name)):
        await action(repl, argument)
    else:
        repl.view.line(say(repl.lang, "repl.no_command", name=f"/{name}", nearest=f"/{nearest(name)}"), "error")


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


async def _help(repl: Repl, _: str) -> None:
    width = max(len(command.usage) for command in COMMANDS)
    lines = [f"  {command.usage:<{width}}  {say(repl.lang, f'help.{command.name}')}" for command in COMMANDS]
    repl.view.line("\n".join([say(repl.lang, "help.intro"), *lines, say(repl.lang, "help.keys")]))


async def _status(repl: Repl, _: str) -> None:
    await repl.take_turn(say(repl.lang, "repl.word_status"))


async def _credits(repl: Repl, _: str) -> None:
    await repl.take_turn(say(repl.lang, "repl.word_credits"))


async def _export(repl: Repl, form: str) -> None:
    key = "repl.word_export_as" if form else "repl.word_export"
    await repl.take_turn(say(repl.lang, key, format=form))


async def _upload(repl: Repl, path: str) -> None:
    if not path:
        repl.view.line(say(repl.lang, "repl.upload_what"), "error")
        return
    await repl.take_turn(say(repl.lang, "repl.word_upload"), (LocalPath(_bare(path)),))


async def _skill(repl: Repl, wanted: str) -> None:
    if not wanted:
        repl.view.line(shelf(repl.lang, repl.skill.name))
        return
    try:
        repl.skill = load_skill(wanted)
    except SkillError as error:
        repl.view.line(refusal(error, repl.settings, repl.lang), "error")
    else:
        repl.view.line(persona(repl.skill, repl.lang))


async def _new(repl: Repl, _: str) -> None:
    repl.thread = new_thread()
    repl.view.line(say(repl.lang, "repl.new_thread"))


async def _lang(repl: Repl, wanted: str) -> None:
    if wanted not in ("en", "zh"):
        repl.view.line(say(repl.lang, "repl.which_lang"), "error")
        return
    repl.lang = repl.wanted = "zh" if wanted == "zh" else "en"
    repl.view.line(say(repl.lang, "repl.lang_set"))


async def _why(repl: Repl, _: str) -> None:
    await repl.show(lambda core, agent: _explained(core, agent, repl.thread, repl.lang))


async def _explained(core: Core, agent: Any, thread: str, lang: Lang) -> AsyncIterator[Event]:
    lines = reasons(await core.explain(agent, thread), lang)
    yield Text(id="why", text="\n".join(lines) or say(lang, "repl.nothing_to_explain"))


async def _quit(repl: Repl, _: str) -> None:
    repl.leave()


def shelf(lang: Lang, present: str) -> str:
    """The personas on our shelf, a line each, the present one marked."""
    skills = [load_skill(name) for name in skill_names()]
    return "\n".join(f"{'*' if one.name == present else ' '} {one.name}: {one.about(lang)}" for one in skills)


def _bare(path: str) -> str:
    """A path as it is on the disk: terminals quote or escape what is dropped on them."""
    if len(path) > 1 and path[0] == path[-1] and path[0] in "\"'":
        return path[1:-1]
    return path.replace("\\ ", " ")


_ALIASES: dict[str, Name] = {"": "help", "?": "help", "exit": "quit", "q": "quit", "balance": "credits"}
_ACTIONS: dict[str, Callable[[Repl, str], Awaitable[None]]] = {
    "help": _help,
    "status": _status,
    "credits": _credits,
    "export": _export,
    "upload": _upload,
    "skill": _skill,
    "new": _new,
    "lang": _lang,
    "why": _why,
    "quit": _quit,
}
