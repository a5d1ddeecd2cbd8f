"""A run's figures kept for the next one, and what is different since."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evals.metrics import Metrics

__all__ = ["Diff", "compare", "kept", "load", "save"]

BETTER_HIGH = ("routing", "macro_f1", "pass_1", "pass_k")
_DIGITS = 4


def kept(metrics: Metrics) -> dict[str, Any]:
    """What a baseline holds: nothing that depends on the machine."""
    return {
        "figures": {
            "pass_1": round(metrics.passing(1), _DIGITS),
            "pass_k": round(metrics.passing(5), _DIGITS),
            "routing": round(metrics.routing.value, _DIGITS),
            "macro_f1": round(metrics.macro_f1, _DIGITS),
            "over_strip": round(metrics.strip.rate, _DIGITS),
            "wrongful_spend": metrics.wrongful.hits,
            "overcharged": metrics.overcharged,
            "lost": metrics.recovered.total - metrics.recovered.hits,
            "longest_quiet": round(metrics.longest_quiet),
            "empty_cells": len(metrics.coverage.holes),
            **{str(check): count for check, count in sorted(metrics.findings.items())},
        },
        "dialogues": {group.name: [group.passed, len(group.seeds)] for group in metrics.groups},
    }


def save(metrics: Metrics, path: Path) -> None:
    """Writes a baseline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept(metrics), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def load(path: Path) -> dict[str, Any]:
    """One that `save` wrote. Raises ValueError where it is something else."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or not {"figures", "dialogues"} <= found.keys():
        raise ValueError(f"{path} is no baseline: write one with --save-baseline")
    return found


@dataclass(slots=True)
class Diff:
    """What is different."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    regressed: list[str] = field(default_factory=list)
    """ "cut_after_charge 5/5 -> 3/5"."""
    improved: list[str] = field(default_factory=list)
    figures: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Name -> before and now, only those that moved."""

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.regressed, self.improved, self.figures))

    def lines(self) -> list[str]:
        """A line for the counts and one for each dialogue that fares otherwise."""
        if not self:
            return ["vs baseline: the same"]
        parts = [f"{sign}{len(names)} dialogues" for sign, names in (("+", self.added), ("-", self.removed)) if names]
        parts += [f"{now - before:+.4g} {name.replace('_', ' ')}" for name, (before, now) in self.figures.items()]
        head = "vs baseline: " + ("  ".join(parts) or "the figures are the same")
        fares = [f"  {line}  REGRESSED" for line in self.regressed] + [f"  {line}  improved" for line in self.improved]
        return [head, *fares]


def compare(metrics: Metrics, before: dict[str, Any]) -> Diff:
    """What `metrics` differ in from a baseline."""
    now = kept(metrics)
    old, new = before["dialogues"], now["dialogues"]
    diff = Diff(added=sorted(new.keys() - old.keys()), removed=sorted(old.keys() - new.keys()))
    for name in sorted(new.keys() & old.keys()):
        (was, runs), (passed, of) = old[name], new[name]
        change = passed / of - was / runs if of and runs else 0.0
        if change:
            line = f"{name} {was}/{runs} -> {passed}/{of}"
            (diff.improved if change > 0 else diff.regressed).append(line)
    for name in sorted(before["figures"].keys() | now["figures"].keys()):
        pair = before["figures"].get(name, 0), now["figures"].get(name, 0)
        if pair[0] != pair[1]:
            diff.figures[name] = pair
    return diff
