"""Training: `python -m router.train` turns prompts/utterances into router/intent.bin, the same bytes every time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prompts import FOLDER
from router.clauses import clauses
from router.intent import ARTEFACT, CLASSES, Model, Signs, pack, signs
from router.phrases import phrase
from router.reading import read
from router.rules import edit, votes

__all__ = ["UTTERANCES", "Example", "examples", "fit", "train"]

UTTERANCES = FOLDER / "utterances"
SHARE = 0.1
"""The value of one piece of the rules' evidence beside n-grams of length 1."""
LEAST = 2
"""Examples a sign must stand in to count."""
KEPT = 20_000
"""Signs that ship: the ones that say most."""
PENALTY = 0.02
"""The price of a squared weight, against one example."""
ROUNDS = 80
FOLDS = 5
_REMARK, _EDIT = CLASSES.index("remark"), CLASSES.index("edit")
_CHAT = ("chat",)
_DOUBTFUL = ("chat", "negated", "abilities", "ability", "ideas", "")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """One clause somebody might say, and which of CLASSES it can be."""

    said: Signs
    fits: tuple[bool, ...]
    utterance: int
    """Which sentence it is from: its clauses stay together when folds are drawn."""


@dataclass(frozen=True, slots=True)
class _Table:
    """Examples as a sparse matrix, row by row."""

    rows: NDArray[np.int64]
    """Where each row begins."""
    row: NDArray[np.int64]
    """The row of each value."""
    column: NDArray[np.int64]
    value: Floats
    fits: Floats
    """1 where a class is allowed, examples by classes."""


def sentences(folder: Path = UTTERANCES) -> Iterator[dict[str, str]]:
    """Every labelled sentence: {"text", "route", "lang", "kind"}."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield json.loads(line)


def examples(labelled: Iterable[dict[str, str]]) -> Iterator[Example]:
    """The clauses of labelled sentences; those that mention a file are left to the rules."""
    for number, sentence in enumerate(labelled):
        reading = read(sentence["text"])
        heard = [
            clause
            for clause in clauses(reading.text)
            if not clause.prose and clause.text and not phrase("clauses.filler").pattern.fullmatch(clause.text)
        ]
        for clause in heard:
            if not reading.between(clause.start, clause.end):
                said = signs(clause, votes(clause.text), edit(clause.text))
                yield Example(said, _fits(sentence, len(heard)), number)


def _fits(sentence: dict[str, str], count: int) -> tuple[bool, ...]:
    """Which classes a clause can be: a sentence of several may hold remarks beside what it is labelled."""
    route, kind = sentence["route"], sentence.get("kind", "")
    if route != "sse":
        return tuple(name == route or (name == "remark" and count > 1) for name in CLASSES)
    edits, remarks = kind not in _CHAT, kind in _DOUBTFUL or count > 1
    return tuple((name == "edit" and edits) or (name == "remark" and remarks) for name in CLASSES)


def train(labelled: Iterable[dict[str, str]]) -> Model:
    """The model of labelled sentences, its temperature set on a fifth it did not learn from."""
    known = list(examples(labelled))
    learned = [each for each in known if each.utterance % FOLDS]
    held = [each for each in known if each.utterance % FOLDS == 0]
    return fit(known, temperature(fit(learned), held))


def fit(known: list[Example], heat: float = 1.0) -> Model:
    """A model of examples at a temperature."""
    names = _vocabulary(known)
    table = _table(known, {name: index for index, name in enumerate(names)})
    found = _descend(table, len(names))
    weights, bias = found[:-1], found[-1] / heat
    order = np.argsort(-np.abs(weights).max(axis=1), kind="stable")[:KEPT]
    step = float(np.abs(weights).max()) / 127 or 1.0
    whole = np.rint(weights / step).astype(int)
    kept = {names[index]: tuple(whole[index].tolist()) for index in order.tolist() if whole[index].any()}
    return Model(kept, tuple(round(float(each), 6) for each in bias), round(step / heat, 9), SHARE)


def temperature(model: Model, held: list[Example]) -> float:
    """What to divide logarithms by so that probabilities are true of examples the model has not seen."""
    found = np.array([model.probabilities(each.said) for each in held])
    fits = np.array([each.fits for each in held])
    heats = [0.5 + 0.05 * step for step in range(50)]
    return min(heats, key=lambda heat: _surprise(np.log(found + 1e-12) / heat, fits))


def _surprise(logits: Floats, fits: NDArray[np.bool_]) -> float:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    right = (odds * fits).sum(axis=1) / odds.sum(axis=1)
    return float(-np.log(right + 1e-12).mean())


def _vocabulary(known: list[Example]) -> list[str]:
    counts: Counter[str] = Counter()
    for each in known:
        counts.update(each.said.grams)
        counts.update(each.said.evidence)
    return sorted(name for name, count in counts.items() if count >= LEAST)


def _table(known: list[Example], index: dict[str, int]) -> _Table:
    columns: list[int] = []
    values: list[float] = []
    rows: list[int] = []
    for each in known:
        rows.append(len(columns))
        # Sorted: a set has another order in every process, and sums depend on it.
        grams = sorted(index[name] for name in each.said.grams if name in index)
        evidence = [index[name] for name in each.said.evidence if name in index]
        # The last column is the bias: every row has it.
        columns += [*grams, *evidence, len(index)]
        values += [len(each.said.grams) ** -0.5] * len(grams) + [SHARE] * len(evidence) + [1.0]
    starts = np.array(rows)
    lengths = np.diff(np.append(starts, len(columns)))
    return _Table(
        starts,
        np.repeat(np.arange(len(rows)), lengths),
        np.array(columns),
        np.array(values),
        np.array([each.fits for each in known], dtype=float),
    )


def _descend(table: _Table, size: int, memory: int = 8) -> Floats:
    """The weights that explain the table best, by a quasi-Newton descent; the last row is the bias."""
    weights = np.zeros((size + 1, len(CLASSES)))
    # Between its classes an example says nothing yet: an edit is likelier than a remark.
    weights[-1, _EDIT], weights[-1, _REMARK] = 0.5, -0.5
    loss, slope = _loss(table, weights)
    past: list[tuple[Floats, Floats, float]] = []
    for _ in range(ROUNDS):
        way = -_newton(slope, past)
        pace = 1.0 if past else 1.0 / max(1.0, float(np.abs(slope).max()))
        while True:
            there = weights + pace * way
            new_loss, new_slope = _loss(table, there)
            if new_loss <= loss + 1e-4 * pace * float((slope * way).sum()) or pace < 1e-6:
                break
            pace /= 2
        moved, turned = there - weights, new_slope - slope
        curve = float((moved * turned).sum())
        if curve > 1e-10:
            past = [*past[-memory + 1 :], (moved, turned, 1 / curve)]
        done = loss - new_loss < 1e-6 * abs(loss)
        weights, loss, slope = there, new_loss, new_slope
        if done:
            break
    return weights


def _newton(slope: Floats, past: list[tuple[Floats, Floats, float]]) -> Floats:
    way = slope.copy()
    shares = []
    for moved, turned, rate in reversed(past):
        share = rate * float((moved * way).sum())
        shares.append(share)
        way -= share * turned
    if past:
        moved, turned, rate = past[-1]
        way /= rate * float((turned * turned).sum())
    for (moved, turned, rate), share in zip(past, reversed(shares), strict=True):
        way += (share - rate * float((turned * way).sum())) * moved
    return way


def _loss(table: _Table, weights: Floats) -> tuple[float, Floats]:
    """How surprising the table is under the weights, and which way that grows."""
    logits = np.add.reduceat(weights[table.column] * table.value[:, None], table.rows, axis=0)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    allowed = odds * table.fits
    right = allowed.sum(axis=1, keepdims=True) + 1e-300
    error = odds - allowed / right
    slope = np.empty_like(weights)
    for each in range(weights.shape[1]):
        pull = error[table.row, each] * table.value
        slope[:, each] = np.bincount(table.column, pull, minlength=len(weights))
    slope[:-1] += PENALTY * weights[:-1]
    loss = -float(np.log(right).sum()) + PENALTY / 2 * float((weights[:-1] ** 2).sum())
    return loss, slope


if __name__ == "__main__":
    ARTEFACT.write_bytes(pack(train(sentences())))
