"""The hunt: each mutant meets the dialogues until one of them notices it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from evals.format import Dialogue, load
from evals.mutants import MUTANTS, Mutant
from evals.playing import begin, play_one
from evals.trace import Finding

__all__ = ["Hunt", "hunt", "hunt_all", "order"]


@dataclass(frozen=True, slots=True)
class Hunt:
    """What became of one mutant."""

    mutant: str
    played: int
    """Dialogues it was shown to."""
    took: float
    """Real seconds."""
    dialogue: str = ""
    """The one that noticed; "" where none did."""
    seed: int = 0
    finding: Finding | None = None

    @property
    def noticed(self) -> bool:
        """Whether a dialogue that holds with the real agent failed with this one."""
        return self.finding is not None

    def __str__(self) -> str:
        if self.finding is None:
            return f"SURVIVED  {self.mutant}: {MUTANTS[self.mutant].about} ({self.played} dialogues, {self.took:.1f} s)"
        where = f"{self.dialogue} seed {self.seed} turn {self.finding.turn}"
        return f"noticed   {self.mutant:34} {self.finding.check:20} {where}"


def hunt_all(
    names: Sequence[str], paths: Sequence[Path], jobs: int, show: Callable[[Hunt], object] = lambda hunt: None
) -> list[Hunt]:
    """Every mutant of these names, in processes of their own; `show` is called as each one ends."""
    found: list[Hunt] = []
    with ProcessPoolExecutor(max(1, jobs), mp_context=get_context("spawn"), initializer=begin) as pool:
        for done in as_completed([pool.submit(hunt, name, list(paths)) for name in names]):
            found.append(done.result())
            show(found[-1])
    return sorted(found, key=lambda one: names.index(one.mutant))


def hunt(name: str, paths: Sequence[Path]) -> Hunt:
    """One mutant: it stops at the first finding that the real agent does not cause."""
    mutant, began, played = MUTANTS[name], time.perf_counter(), 0
    for dialogue in order(mutant, paths):
        played += 1
        for seed in dialogue.played()[: mutant.seeds]:
            with mutant.broken():
                found = play_one(dialogue, seed).findings
            if found and (new := _new(found, dialogue, seed)):
                return Hunt(name, played, time.perf_counter() - began, dialogue.dialogue, seed, _telling(new))
    return Hunt(name, played, time.perf_counter() - began)


def order(mutant: Mutant, paths: Sequence[Path]) -> Iterator[Dialogue]:
    """The dialogues most likely to notice first, short ones before long ones; then all the others."""
    dialogues = _all(tuple(paths))
    return iter(sorted(dialogues, key=lambda one: (-_looks(mutant, one), len(one.turns), one.dialogue)))


def _looks(mutant: Mutant, dialogue: Dialogue) -> int:
    words = " ".join([dialogue.dialogue, *dialogue.tags, dialogue.lang])
    script = " ".join(act.name for turn in dialogue.turns for one in turn.backend for act in one.do)
    return sum((look in words) + (look in script) for look in mutant.looks)


def _new(found: Sequence[Finding], dialogue: Dialogue, seed: int) -> list[Finding]:
    """Those that the real agent does not cause."""
    known = {(one.check, one.turn) for one in _clean(dialogue, seed)}
    return [one for one in found if (one.check, one.turn) not in known]


def _telling(found: Sequence[Finding]) -> Finding:
    """A broken promise says more than a crash that followed from it."""
    return next((one for one in found if one.check != "crash"), found[0])


_CLEAN: dict[tuple[str, int], list[Finding]] = {}


def _clean(dialogue: Dialogue, seed: int) -> list[Finding]:
    """What the real agent leaves to be found, played once a process."""
    if (dialogue.dialogue, seed) not in _CLEAN:
        _CLEAN[dialogue.dialogue, seed] = play_one(dialogue, seed).findings
    return _CLEAN[dialogue.dialogue, seed]


@cache
def _all(paths: tuple[Path, ...]) -> tuple[Dialogue, ...]:
    return tuple(load(path) for path in paths)
