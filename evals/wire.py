"""What went over the wire against what a dialogue lists: every write in order, reads free, names bound as they come."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from evals.format import Call
from evals.trace import Exchange

__all__ = ["FREE", "Bindings", "fits", "headers", "unlike"]

FREE = ("/api/auth/*", "/api/tasks/me/with-session/*")
"""Writes that may be left out: nobody is charged for getting a token or a session."""
_NAME = re.compile(r"\$(new_)?(\w+)")
TOKENLESS = ("/api/auth/*", "/files/*")
"""Requests that carry no token."""


@dataclass
class Bindings:
    """What `$name` stands for in a dialogue; the same from its first turn to its last."""

    values: dict[str, Any] = field(default_factory=dict)
    seen: list[Any] = field(default_factory=list)

    def copy(self) -> Bindings:
        """For trying."""
        return Bindings(dict(self.values), list(self.seen))

    def bind(self, name: str, new: bool, value: Any) -> bool:
        """Whether the value may stand there."""
        if new and value in self.seen:
            return False
        if not new and name in self.values:
            return bool(self.values[name] == value)
        self.values[name] = value
        self.seen.append(value)
        return True


def fits(wanted: Any, got: Any, bound: Bindings) -> bool:
    """Whether `got` has all that is wanted: keys of a mapping, items of a list in their order."""
    if isinstance(wanted, str) and (name := _NAME.fullmatch(wanted)):
        return bound.bind(name[2], name[1] is not None, got)
    if isinstance(wanted, str) and wanted.startswith("re:"):
        return isinstance(got, str | int | float) and re.search(wanted[3:], str(got)) is not None
    if isinstance(wanted, Mapping):
        return isinstance(got, Mapping) and all(
            key in got and fits(value, got[key], bound) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(got, list) and _among(wanted, got, bound)
    return bool(wanted == got)


def unlike(wanted: Sequence[Call], exchanges: Sequence[Exchange], bound: Bindings) -> Iterator[str]:
    """What does not hold, at most one thing. `bound` learns the names."""
    left = list(exchanges)
    for call in wanted:
        while left:
            exchange = left.pop(0)
            attempt = bound.copy()
            if _is(call, exchange, attempt):
                bound.values, bound.seen = attempt.values, attempt.seen
                break
            if _counts(exchange):
                yield f"wanted {call.call}, got {_shown(exchange)}{_why(call, exchange)}"
                return
        else:
            yield f"{call.call}{_subset(call)} did not occur{_after(exchanges)}"
            return
    yield from (f"unexpected {_shown(exchange)}" for exchange in left if _counts(exchange))


def headers(wanted: Mapping[str, str], exchanges: Sequence[Exchange], bound: Bindings) -> Iterator[str]:
    """Headers that a request lacks or has otherwise."""
    for exchange in exchanges:
        for name, value in wanted.items():
            tokenless = any(fnmatchcase(exchange.path, glob) for glob in TOKENLESS)
            if name.lower() == "authorization" and tokenless:
                continue
            got = exchange.headers.get(name.lower())
            if not fits(value, got, bound):
                yield f"{exchange.method} {exchange.path}: {name} is {got!r}, wanted {value!r}"


def _is(call: Call, exchange: Exchange, bound: Bindings) -> bool:
    return (
        _called(call, exchange)
        and (call.body is None or fits(call.body, exchange.body, bound))
        and all(fits(value, exchange.headers.get(name.lower()), bound) for name, value in call.headers.items())
    )


def _called(call: Call, exchange: Exchange) -> bool:
    method, _, glob = call.call.partition(" ")
    return method in ("*", exchange.method) and fnmatchcase(exchange.path, glob)


def _counts(exchange: Exchange) -> bool:
    return exchange.method != "GET" and not any(fnmatchcase(exchange.path, glob) for glob in FREE)


def _among(wanted: Sequence[Any], got: Sequence[Any], bound: Bindings) -> bool:
    """In their order, others between them; an empty list is an empty list."""
    if not wanted:
        return not got
    left = iter(got)
    for item in wanted:
        for candidate in left:
            attempt = bound.copy()
            if fits(item, candidate, attempt):
                bound.values, bound.seen = attempt.values, attempt.seen
                break
        else:
            return False
    return True


def _shown(exchange: Exchange) -> str:
    return f"{exchange.method} {exchange.path} at {exchange.at:.1f} s"


def _subset(call: Call) -> str:
    return f" with {call.body!r}" if call.body is not None else ""


def _why(call: Call, exchange: Exchange) -> str:
    return f" with {exchange.body!r}, wanted{_subset(call)}" if _called(call, exchange) else ""


def _after(exchanges: Sequence[Exchange]) -> str:
    there = ", ".join(f"{exchange.method} {exchange.path}" for exchange in exchanges)
    return f"; there were {there}" if there else "; nothing went over the wire"
