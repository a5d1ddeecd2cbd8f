"""The patterns of prompts/routes.toml, compiled once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from prompts import table
from router.mask import OBJECT, PATH, QUOTE, TITLE, TOPIC, URL
from router.text import FOLD

__all__ = ["Phrase", "compiled", "matches", "phrase", "phrases", "scripts", "section"]

_SIGNS = {"quote": QUOTE, "path": PATH, "url": URL, "title": TITLE, "topic": TOPIC, "object": OBJECT}
_PART = re.compile("<([A-Z]+)>")
_WORDS = re.compile(r"(?<![\\?<])[a-z]{2,}")
_BEYOND = re.compile("[^\x00-\x7f]")
_LATIN = re.compile("[a-z]")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One compiled pattern, and which scripts it can match in."""

    pattern: re.Pattern[str]
    latin: bool
    """Whether it can match a text without any character beyond ASCII."""
    beyond: bool
    """Whether it can match a text without any Latin letter."""

    def fits(self, latin: bool, beyond: bool) -> bool:
        """Whether trying it is worth the time on a text with Latin letters, with characters beyond ASCII."""
        return (self.latin and latin) or (self.beyond and beyond)


def section(name: str) -> dict[str, Any]:
    """One table of routes.toml, or an empty one."""
    found: dict[str, Any] = table("routes").get(name, {})
    return found


def compiled(source: str) -> Phrase:
    """A pattern of routes.toml with its parts put in, folded as the text will be."""
    parts = section("parts")
    while _PART.search(source):
        source = _PART.sub(lambda part: str(parts[part[1]]), source)
    source = source.translate(FOLD)
    beyond, latin = bool(_BEYOND.search(source)), bool(_WORDS.search(source))
    for name, sign in _SIGNS.items():
        # From its first character on: from every one would be quadratic in a long link.
        source = source.replace(f"<{name}>", f"(?<!{sign}){sign}+")
    return Phrase(re.compile(source, re.ASCII), latin or not beyond, beyond or not latin)


@cache
def phrase(where: str) -> Phrase:
    """The one pattern at "table.key"."""
    name, key = where.rsplit(".", 1)
    return compiled(section(name)[key])


@cache
def phrases(where: str) -> tuple[Phrase, ...]:
    """The list of patterns at "table.key"."""
    name, key = where.rsplit(".", 1)
    return tuple(compiled(source) for source in section(name)[key])


def scripts(text: str) -> tuple[bool, bool]:
    """Whether a folded text has Latin letters, and whether it has characters beyond ASCII."""
    return bool(_LATIN.search(text)), not text.isascii()


def matches(where: str, text: str) -> Iterator[re.Match[str]]:
    """Every match of every pattern of a list, pattern by pattern."""
    latin, beyond = scripts(text)
    for each in phrases(where):
        if each.fits(latin, beyond):
            yield from each.pattern.finditer(text)
