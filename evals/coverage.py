"""Which routes were taken in which language on which bad day, and why the empty cells are."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from evals.acts import ACTS
from evals.trace import Trace, TurnTrace

__all__ = ["LANGS", "ROUTES", "Cell", "Coverage", "cover"]

REASONS = Path(__file__).with_name("coverage.toml")
ROUTES = ("export", "credits", "state", "upload", "sse")
LANGS = ("en", "zh")
PLAIN = "-"
"""The act of a turn in which the backend simply did its work."""
Cell = tuple[str, str, str]
"""Route, language, act."""
_WORD = re.compile(r"[a-z]+")


@dataclass(slots=True)
class Coverage:
    """How often each cell was seen."""

    seen: Counter[Cell] = field(default_factory=Counter)

    def cells(self) -> Iterator[Cell]:
        """All there are."""
        return ((route, lang, act) for route in ROUTES for lang in LANGS for act in (PLAIN, *ACTS))

    def reason(self, cell: Cell) -> str | None:
        """Why it may be empty."""
        return _reasons().get(cell)

    @property
    def holes(self) -> list[Cell]:
        """Cells that nobody has seen and nobody has excused."""
        return [cell for cell in self.cells() if not self.seen[cell] and not self.reason(cell)]

    @property
    def reached(self) -> int:
        """How many were seen."""
        return sum(bool(self.seen[cell]) for cell in self.cells())


def cover(traces: Iterable[Trace]) -> Coverage:
    """What `traces` have seen."""
    found = Coverage()
    for trace in traces:
        for turn in trace.turns:
            found.seen.update(_cells(turn))
    return found


def _cells(turn: TurnTrace) -> set[Cell]:
    told = [*turn.acts, *(each.fault for each in turn.exchanges)]
    acts = {word.group() for act in told if (word := _WORD.match(act.lower()))} & ACTS.keys()
    return {(route, turn.lang, act) for route in turn.routes for act in (acts or {PLAIN})}


@cache
def _reasons() -> dict[Cell, str]:
    """Raises ValueError for a word that is no route, language or act, and for a rule without a reason."""
    found: dict[Cell, str] = {}
    for rule in tomllib.loads(REASONS.read_text(encoding="utf-8")).get("empty", []):
        if not str(rule.get("reason", "")).strip():
            raise ValueError(f"{REASONS.name}: a rule without a reason: {rule}")
        for route in _each(rule, "routes", ROUTES):
            for lang in _each(rule, "langs", LANGS):
                for act in _each(rule, "acts", (PLAIN, *ACTS)):
                    found.setdefault((route, lang, act), rule["reason"])
    return found


def _each(rule: dict[str, Any], key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    given = tuple(rule.get(key, ["*"]))
    if given == ("*",):
        return known
    if odd := set(given) - set(known):
        raise ValueError(f"{REASONS.name}: {key} has {', '.join(sorted(odd))}; there are {', '.join(known)}")
    return given
