"""What stands on the screen before the first prompt, and sentences for errors that come before any turn."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from agent.errors import AgentError
from agent.settings import Settings
from agent.skills import Skill
from prompts import Lang, say

__all__ = ["greeting", "persona", "refusal", "where"]


def greeting(settings: Settings, skill: Skill, lang: Lang) -> str:
    """The persona's greeting, three things to try, and what leaves this computer."""
    return "\n".join([persona(skill, lang), "", where(settings, lang), say(lang, "repl.hint")])


def persona(skill: Skill, lang: Lang) -> str:
    """Who is speaking, in that persona's words; a file without a greeting gets a plain one."""
    hello = (skill.greeting or {}).get(lang) or say(lang, "skill.greeting")
    tries = (skill.tries or {}).get(lang) or _own_tries(lang)
    return "\n".join([f"{skill.name}: {hello}", say(lang, "skill.try"), *(f"  - {one}" for one in tries[:3])])


def where(settings: Settings, lang: Lang) -> str:
    """Which backend is in use and what leaves this computer."""
    if settings.base_url is None:
        return say(lang, "repl.studio")
    host = urlsplit(settings.base_url).netloc.rpartition("@")[2]
    if settings.backend == "nemo":
        return say(lang, "repl.nemo", host=host)
    return say(lang, "repl.other", host=host)


def refusal(error: AgentError, settings: Settings | None, lang: Lang) -> str:
    """The sentence for an error, by its reason if that has one, else by its class."""
    values: dict[str, Any] = {
        "host": settings.host if settings else "studio",
        "message": str(error),
    }
    for key in (error.key, f"error.{error.name}.plain", f"error.{error.name}"):
        try:
            return say(lang, key, **{**values, **error.values})
        except KeyError:
            continue
    return say(lang, "cli.failed", what=str(error) or error.name)


def _own_tries(lang: Lang) -> tuple[str, ...]:
    return tuple(say(lang, f"tour.{step}") for step in ("generate", "music", "title"))
