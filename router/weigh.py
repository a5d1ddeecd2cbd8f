"""Weighing: what the rules' votes on a clause and the intent model's chances for it come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from router.decision import ROUTES, Route
from router.intent import loudest
from router.material import BROUGHT, GONE, ROLE
from router.phrases import phrase
from router.rules import ASK, CHAT, MAYBE, READ_ONLY, Vote, firm
from router.signs import Heard

__all__ = ["named", "weigh"]

_UNSURE = 0.79
_BOTH = 0.35
"""From this chance on each, a clause brings something and says what to do with it."""
_REMARK = 0.85
"""From this share on, what goes to chat is a remark."""
_NOT_CHAT = 0.2
_SURELY = 0.9
"""What a route needs that the rules speak against."""


def weigh(heard: Heard, odds: Mapping[str, float], listed: bool) -> Iterator[tuple[Vote, float]]:
    """The votes that carry a clause, scores as probabilities, and beside each how likely it says nothing.

    `listed`: the turn says nothing else, or names one thing after another.
    """
    if listed and (plain := _plain(heard, odds)) is not None:
        yield plain, 0.0
        return
    brought, used = odds["bring"] + odds["upload"], odds["bring"] + odds["edit"]
    if heard.roles == (GONE,):
        # What is to go is there already.
        yield GONE, 0.0
        return
    if min(brought, used) > _BOTH or (ROLE in heard.roles and brought > used):
        yield replace(BROUGHT, score=round(brought, 4)), 0.0
        yield replace(heard.wish or Vote("sse", 0, "intent", "intent:bring"), score=round(used, 4)), 0.0
        return
    chances: dict[Route, float] = {route: odds[route] for route in ROUTES if route != "sse"}
    chances["sse"] = odds["edit"] + odds["remark"]
    route = max(ROUTES, key=chances.__getitem__)
    route = route if _worth(route, chances) and not (_opposed(heard, route) and chances[route] < _SURELY) else "sse"
    quiet = odds["remark"] / chances["sse"] if route == "sse" else 0.0
    chances["upload"] = brought
    yield replace(_loudest(heard, route, quiet), score=round(chances[route], 4)), quiet


def named(heard: Heard) -> bool:
    """Whether a clause is nothing but one of the documents' own words, or a wish to see it."""
    asked = phrase("clauses.asked").pattern.sub("", heard.clause.text)
    return bool(heard.cast) and heard.cast[0].because == f"word:{asked}"


def _opposed(heard: Heard, route: Route) -> bool:
    """Whether the rules heard a route denied, or a plain edit and no word for it."""
    if heard.cast and heard.cast[0].because.startswith("negated:"):
        return True
    return firm(heard.wish) and not any(vote.route == route for vote in (*heard.cast, *heard.roles))


def _plain(heard: Heard, odds: Mapping[str, float]) -> Vote | None:
    """The first vote on a turn of one word, or of one that may mean many things."""
    first = heard.cast[0] if heard.cast else None
    if first is None:
        return None
    if named(heard):
        return first
    if heard.wish is None and first.score == MAYBE and first.route in ("export", "upload"):
        # Worth a question, whatever its chances.
        return replace(first, score=min(max(odds[first.route], ASK), _UNSURE))
    return None


def _loudest(heard: Heard, route: Route, quiet: float) -> Vote:
    """The rule that spoke for a route, or what the model heard."""
    rules = (*heard.roles, *heard.cast, *([heard.wish] if heard.wish else []))
    for vote in rules:
        if vote.route == route:
            return vote
    if quiet > _REMARK:
        return CHAT
    return Vote(route, 0, "intent", f"intent:{loudest(heard, 'edit' if route == 'sse' else route)}")


def _worth(route: Route, chances: Mapping[Route, float]) -> bool:
    """Whether a route is likely enough to be taken; of two tools the likelier, when it cannot be chat."""
    floor = READ_ONLY if route in ("credits", "state") and chances["sse"] > _NOT_CHAT else ASK
    return route == "sse" or chances[route] >= floor
