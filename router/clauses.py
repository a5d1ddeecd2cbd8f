"""Clauses: where one step of an utterance ends and the next begins, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from router.frames import framed
from router.mask import PATH, QUOTE, URL
from router.phrases import phrase, phrases

__all__ = ["Clause", "clauses"]

_SENTENCE = re.compile(r"[^;!?\n.]*(?:\.(?!\s|$|[^\x00-\x7f])[^;!?\n.]*)*(?:[;!?\n.]+|$)")
_EDGE = re.compile(rf"^[\s,、.;!?:~+>&|/→➡–—{QUOTE}-]+|[\s,、.;!?:~+>&|/→➡–—{QUOTE}-]+$")
_UNSEEN = re.compile(f"[{QUOTE}{PATH}{URL}]+")
LONGEST = 600
"""Characters of a sentence that may still be a command, mentions apart; longer is prose."""
READ = 1000
"""Characters read from each end of a long text: what is between them is prose."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a text that says one thing; offsets are the text's."""

    start: int
    """Behind the connective that opens it."""
    end: int
    """Before the comma, behind the full stop."""
    text: str
    """What rules read: frames covered, connectives, courtesies and edge punctuation gone."""
    said: str = ""
    """The same with its frames open."""
    prose: bool = False
    """Too long or too deep inside a long text to hold a command."""


def clauses(text: str) -> Iterator[Clause]:
    """Every clause of a masked text in order. Linear."""
    for sentence in _SENTENCE.finditer(text):
        start, end = sentence.span()
        words = text[start:end]
        if not words.strip():
            continue
        deep = end - start > READ or (start > READ and end < len(text) - READ)
        if deep or len(_UNSEEN.sub("", words)) > LONGEST:
            yield Clause(start, end, words.strip(), prose=True)
            continue
        yield from _split(framed(words), words, start)


def _split(sentence: str, said: str, offset: int) -> Iterator[Clause]:
    cuts = {0, len(sentence)}
    for stop in phrase("clauses.stops").pattern.finditer(sentence):
        cuts.add(stop.end())
    for connective in _connectives().finditer(sentence):
        cuts.add(connective.start())
    marks = sorted(cuts)
    for start, end in zip(marks, marks[1:], strict=False):
        words = sentence[start:end]
        lead = phrase("clauses.lead").pattern.match(words)
        skip = lead.end() if lead else 0
        kept = words.rstrip(" ,、\t\r\n;")
        if kept[skip:].strip():
            yield Clause(
                offset + start + skip, offset + start + len(kept), _trim(words[skip:]), _trim(said[start + skip : end])
            )


def _trim(words: str) -> str:
    words = _EDGE.sub("", words)
    if opening := phrase("clauses.opening").pattern.match(words):
        words = words[opening.end() :] or words
    closing = phrase("clauses.closing").pattern.search(words)
    words = (words[: closing.start()] or words) if closing else words
    return _EDGE.sub("", words)


@cache
def _connectives() -> re.Pattern[str]:
    return re.compile("|".join(each.pattern.pattern for each in phrases("clauses.connectives")), re.ASCII)
