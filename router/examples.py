"""Examples: the clauses of labelled sentences, each given to the step of its sentence that it asks for."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from prompts import FOLDER
from router.intent import CLASSES, Model
from router.material import bare
from router.reading import read
from router.signs import Signs, hear, signs

__all__ = ["UTTERANCES", "Example", "aligned", "alone", "examples", "sentences"]

UTTERANCES = FOLDER / "utterances"
_CHAT = ("chat",)
_DOUBTFUL = ("chat", "negated", "abilities", "ability", "ideas", "")


@dataclass(frozen=True, slots=True)
class Example:
    """One clause somebody might say, and which of CLASSES it can be."""

    said: Signs
    fits: tuple[bool, ...]
    utterance: int
    """Which sentence it is from: its clauses stay together when folds are drawn."""
    ruled: str
    """What the rules make of the files in it; empty without any."""
    routes: tuple[str, ...]
    """What the whole sentence asks for."""


def sentences(folder: Path = UTTERANCES) -> Iterator[dict[str, Any]]:
    """Every labelled sentence: {"text", "routes", "lang", "category"}."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield json.loads(line)


def examples(labelled: Iterable[dict[str, Any]]) -> Iterator[Example]:
    """The clauses of labelled sentences. Those of several steps fit nothing yet; a bare path has no signs."""
    for number, sentence in enumerate(labelled):
        heard = hear(read(sentence["text"]))
        routes = sentence["routes"]
        for each, said in zip(heard, signs(heard), strict=True):
            if not each.clause.prose and not (each.files and bare(each.clause.text)):
                fits = _fits(sentence, len(heard)) if len(routes) == 1 else ()
                ruled = "+".join(vote.route for vote in each.roles)
                yield Example(said, fits, number, ruled, tuple(routes))
            elif each.files:
                yield Example(Signs(frozenset(), ()), (), number, "upload", tuple(routes))


def _fits(sentence: dict[str, Any], count: int) -> tuple[bool, ...]:
    """Which classes a clause can be: a sentence of several may hold remarks beside what it is labelled."""
    (route,), category = sentence["routes"], sentence["category"]
    if route != "sse":
        return tuple(name == route or (name == "remark" and count > 1) for name in CLASSES)
    edits, remarks = category not in _CHAT, category in _DOUBTFUL or count > 1
    return tuple((name == "edit" and edits) or (name == "remark" and remarks) for name in CLASSES)


def aligned(known: Iterable[Example], model: Model) -> Iterator[Example]:
    """Examples with each clause of a sentence of several given to the step it most likely is."""
    for _, group in groupby(known, key=lambda each: each.utterance):
        sentence = list(group)
        if sentence[0].routes == ("sse",) or (len(sentence) == 1 and sentence[0].fits and not sentence[0].ruled):
            yield from sentence
            continue
        for each, step in zip(sentence, _path(sentence, model), strict=True):
            yield replace(each, fits=tuple(name == step for name in CLASSES) if step else ())


def alone(each: Example) -> Example:
    """An example without what stands around it."""
    evidence = tuple(sign for sign in each.said.evidence if sign[0] not in "@<>")
    return replace(each, said=Signs(each.said.grams, evidence))


def _path(sentence: Sequence[Example], model: Model) -> list[str]:
    """The likeliest reading of the clauses as the labelled steps in order, with remarks between them.

    A class for each clause; all empty when there are fewer clauses than steps.
    """
    routes = sentence[0].routes
    best: dict[int, tuple[float, list[str]]] = {0: (0.0, [])}
    for each in sentence:
        chance = _chances(each, model)
        new: dict[int, tuple[float, list[str]]] = {}
        for done, (score, path) in best.items():
            for there, step in _ways(done, routes):
                total = score + math.log(chance[step] + 1e-6)
                if there not in new or total > new[there][0]:
                    new[there] = (total, [*path, step])
        best = new
    return best[len(routes)][1] if len(routes) in best else [""] * len(sentence)


def _ways(done: int, routes: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """How many steps can have begun after one more clause, and what that clause then is."""
    yield done, "remark"
    if done:
        yield done, _class(routes[done - 1])
    if done < len(routes):
        yield done + 1, _class(routes[done])
    if routes[done : done + 2] == ("upload", "sse"):
        yield done + 2, "bring"
    if done and routes[done - 1 : done + 1] == ("upload", "sse"):
        yield done + 1, "bring"


def _class(route: str) -> str:
    return "edit" if route == "sse" else route


def _chances(each: Example, model: Model) -> dict[str, float]:
    if not each.ruled:
        chance = dict(zip(CLASSES, model.probabilities(alone(each).said), strict=True))
        return {**chance, "bring": 1e-4}
    ruled = "bring" if each.ruled == "upload+sse" else _class(each.ruled)
    return {name: 0.7 if name == ruled else 0.2 if name in ("upload", "bring") else 0.1 for name in CLASSES}
