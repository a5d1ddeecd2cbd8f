"""Which of the protocol's shapes a live backend speaks, in sentences."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TextIO

from agent.backend.contract import Finding, ask_everything_free
from agent.doctor import Line, report, write
from agent.repl.greeting import refusal
from agent.settings import Settings
from agent.skills import Skill
from prompts import say

__all__ = ["probe"]


async def probe(settings: Settings, skill: Skill, out: TextIO | None = None) -> int:
    """Asks the backend what is free to ask and prints which shapes it speaks. Returns 0, or 1 where it lacks one."""
    write(say(settings.lang, "contract.head", address=settings.host), out)
    return await report(_contract(settings, skill), settings.lang, "contract", out)


async def _contract(settings: Settings, skill: Skill) -> AsyncIterator[Line]:
    lang = settings.lang
    async for finding in ask_everything_free(settings, skill.attribution(settings.platform)):
        yield _finding(finding, settings)
    yield Line("note", say(lang, "contract.stream"))


def _finding(found: Finding, settings: Settings) -> Line:
    lang, name = settings.lang, found.name
    if found.error is not None:
        why = refusal(found.error, settings, lang)
        return Line("bad", say(lang, "contract.failed", name=name, why=why))
    if found.held:
        return Line("note", say(lang, "contract.held_token"))
    if found.skipped:
        return Line("bad", say(lang, "contract.skipped", name=name))
    place = ("top", "enveloped")[found.enveloped]
    key = f"contract.{place}" if found.code is not None else f"contract.{place}_plain"
    envelope = say(lang, key, code=found.code) if found.code is not None else say(lang, key)
    known = ", ".join(found.known) or say(lang, "contract.none")
    shape = say(lang, "contract.fields", envelope=envelope, known=known)
    if found.extra:
        shape += say(lang, "contract.extra", names=", ".join(found.extra))
    if found.draft:
        shape += say(lang, f"contract.draft_{found.draft}")
    return Line("good", say(lang, "contract.call", name=name, status=found.status, ms=found.ms, shape=shape))
