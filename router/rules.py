"""Rules: what the words of a clause vote for, and what makes a vote void."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from router.decision import ROUTES, Route, Source
from router.mask import OBJECT, TITLE, TOPIC
from router.phrases import Phrase, compiled, matches, phrase, scripts, section

__all__ = ["ACT", "ASK", "CHAT", "MAYBE", "READ_ONLY", "SURE", "Vote", "edit", "firm", "votes"]

SURE: Final = 0.97
"""The score of a pattern that stands even in a clause that begins as an edit."""
MAYBE: Final = 0.6
"""The score of a pattern that is only a guess."""
ACT: Final = 0.8
"""From this score on, a route with an effect acts without asking."""
ASK: Final = 0.45
"""From this score on it asks; below, the words go to chat."""
READ_ONLY: Final = 0.7
"""Below this, an answer from the API is less likely to be what the person wants than one from chat."""

_LEVELS: tuple[tuple[str, Source, float], ...] = (
    ("sure", "rule", SURE),
    ("likely", "rule", 0.9),
    ("words", "keyword", 0.86),
    ("maybe", "rule", MAYBE),
)
_LONG_LATIN, _LONG_HAN = 14, 26
"""Words, or Chinese characters, from which a keyword alone says less."""
_LONE_IN_LONG = 0.65
_HAN = re.compile("[\u3400-\u9fff]")
_ACTING: tuple[Route, ...] = ("export", "upload")
_FRAMES = {TITLE: "frame:title", TOPIC: "frame:topic", OBJECT: "frame:object"}


@dataclass(frozen=True, slots=True)
class Vote:
    """What one pattern says about a clause."""

    route: Route
    score: float
    source: Source
    because: str


CHAT: Final = Vote("sse", 0.5, "default", "default")


@dataclass(frozen=True, slots=True)
class _Rule:
    route: Route
    score: float
    source: Source
    name: str
    pattern: re.Pattern[str]


def votes(text: str) -> list[Vote]:
    """The votes of a clause, best first. A denied export or upload votes for chat with "negated:…"."""
    latin, beyond = scripts(text)
    cast: list[Vote] = []
    denied: list[Vote] = []
    spans = list(_denials(text, latin, beyond))
    for rule in _rules(latin, beyond):
        for hit in rule.pattern.finditer(text):
            if rule.route in _ACTING and _denied(hit, spans):
                denied.append(Vote("sse", 0.9, "rule", f"negated:{rule.route}"))
                continue
            cast.append(_vote(rule, hit, text))
            break
    return sorted(cast, key=lambda vote: -vote.score) or denied[:1]


def edit(text: str) -> Vote | None:
    """The vote for chat of a clause that asks for a change or shows something; None when it gives no sign of either."""
    for heads in _heads():
        if head := heads.match(text):
            return Vote("sse", 0.93, "rule", f"edit:{head[1][:16].strip()}")
    framed = next((because for sign, because in _FRAMES.items() if sign in text), None)
    if any(matches("frames.scene", text)):
        return Vote("sse", 0.9, "rule", framed or "frame:scene")
    if framed:
        return Vote("sse", 0.85, "rule", framed)
    for where in ("edit.signs", "edit.other"):
        if sign_found := phrase(where).pattern.search(text):
            return Vote("sse", 0.75, "rule", f"edit:{sign_found.group()[:16].strip()}")
    return None


def firm(vote: Vote | None) -> bool:
    """Whether a vote for chat outweighs keywords in the same clause: its verb or its scene decides."""
    return vote is not None and vote.score >= 0.9


def _vote(rule: _Rule, hit: re.Match[str], text: str) -> Vote:
    if rule.source != "keyword":
        return Vote(rule.route, rule.score, rule.source, f"rule:{rule.name}")
    long = len(text.split()) > _LONG_LATIN or len(_HAN.findall(text)) > _LONG_HAN
    return Vote(rule.route, _LONE_IN_LONG if long else rule.score, "keyword", f"word:{hit.group()[:16].strip()}")


def _denials(text: str, latin: bool, beyond: bool) -> Iterator[tuple[int, int]]:
    """Where a denied word may begin: from each negation on, and before each one that follows its word."""
    harmless = phrase("negation.never").pattern
    calm = harmless.sub(lambda hit: "\x00" * len(hit.group()), text)
    settings = section("negation")
    for hit in phrase("negation.before").pattern.finditer(calm):
        yield hit.end() - 1, hit.end() + settings["reach"]
    for hit in phrase("negation.after").pattern.finditer(calm):
        yield hit.start() - settings["span"], hit.start() + 1


def _denied(hit: re.Match[str], spans: list[tuple[int, int]]) -> bool:
    return any(first <= hit.start() <= last for first, last in spans)


@cache
def _rules(latin: bool, beyond: bool) -> tuple[_Rule, ...]:
    """Those that fit a text in these scripts."""
    return tuple(rule for rule, phrase in _all_rules() if phrase.fits(latin, beyond))


@cache
def _all_rules() -> tuple[tuple[_Rule, Phrase], ...]:
    return tuple(
        (_Rule(route, score, source, name, phrase.pattern), phrase)
        for route in ROUTES
        for level, source, score in _LEVELS
        for name, pattern in section(route).get(level, {}).items()
        for phrase in [compiled(pattern)]
    )


@cache
def _heads() -> tuple[re.Pattern[str], ...]:
    parts = section("edit")
    return (
        compiled(rf"(?:(?:{parts['politely']})\b[ ,]*)*({parts['verbs']})\b").pattern,
        compiled(rf"(?:{parts['zh_politely']})*({parts['zh_verbs']})").pattern,
    )
