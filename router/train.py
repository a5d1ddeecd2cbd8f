"""Training: `python -m router.train` turns prompts/utterances into router/intent.bin, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.examples import Example, aligned, alone, examples, sentences
from router.intent import AROUND, ARTEFACT, CLASSES, Model, abreast, pack
from router.regression import PENALTY, Floats, Table, descend

__all__ = ["digest", "fit", "train"]

SHARE = 0.1
"""The value of one piece of the rules' evidence beside n-grams of length 1."""
LEAST = 2
"""Examples a sign must stand in to count."""
KEPT = 40_000
"""Signs that ship: the ones that say most."""
FOLDS = 5


def digest(labelled: Sequence[Any], read: Callable[[Sequence[Any]], Iterable[Example]]) -> str:
    """What tells whether a model has learned from these sentences: all of them, and what is read in every fifth."""
    found = hashlib.sha256(json.dumps(labelled, sort_keys=True).encode())
    for each in read(labelled[::FOLDS]):
        said = each.said
        seen = (sorted(said.grams), said.evidence, sorted(said.around))
        found.update(repr((seen, each.fits, each.ruled, each.routes)).encode("utf-8", "backslashreplace"))
    return found.hexdigest()[:16]


def train(labelled: Sequence[dict[str, Any]]) -> Model:
    """The model of labelled sentences, its temperature set on a fifth it did not learn from."""
    known = list(examples(labelled))
    first = fit([alone(each) for each in known if each.fits and not each.ruled])
    given = [each for each in aligned(known, first) if any(each.fits) and each.said.grams]
    learned = [each for each in given if each.utterance % FOLDS]
    held = [each for each in given if each.utterance % FOLDS == 0]
    return fit(given, temperature(fit(learned), held), digest(labelled, examples))


# Between its classes an example says nothing yet: an edit is likelier than a remark.
_BIAS = tuple(0.5 * (name == "edit") - 0.5 * (name == "remark") for name in CLASSES)


def fit(
    known: list[Example],
    heat: float = 1.0,
    learned: str = "",
    bias: Sequence[float] = _BIAS,
    penalty: float = PENALTY,
) -> Model:
    """A model of examples at a temperature; `bias` is what it thinks before it has seen any."""
    names = _vocabulary(known)
    table = _table(known, {name: index for index, name in enumerate(names)})
    found = descend(table, len(names), np.array(bias), penalty)
    weights, settled = found[:-1], found[-1] / heat
    order = np.argsort(-np.abs(weights).max(axis=1), kind="stable")[:KEPT]
    step = float(np.abs(weights).max()) / 127 or 1.0
    whole = np.rint(weights / step).astype(int)
    kept = {names[index]: abreast(whole[index].tolist()) for index in order.tolist() if whole[index].any()}
    return Model(kept, tuple(round(float(each), 6) for each in settled), round(step / heat, 9), SHARE, learned)


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
        counts.update(each.said.around)
    return sorted(name for name, count in counts.items() if count >= LEAST)


def _table(known: list[Example], index: dict[str, int]) -> Table:
    columns: list[int] = []
    values: list[float] = []
    rows: list[int] = []
    for each in known:
        rows.append(len(columns))
        # Sorted: a set has another order in every process, and sums depend on it.
        grams = sorted(index[name] for name in each.said.grams if name in index)
        evidence = [index[name] for name in each.said.evidence if name in index]
        around = sorted(index[name] for name in each.said.around if name in index)
        # The last column is the bias: every row has it.
        columns += [*grams, *evidence, *around, len(index)]
        values += [len(each.said.grams) ** -0.5] * len(grams) + [SHARE] * len(evidence)
        values += [AROUND * (len(each.said.around) or 1) ** -0.5] * len(around) + [1.0]
    starts = np.array(rows)
    lengths = np.diff(np.append(starts, len(columns)))
    return Table(
        starts,
        np.repeat(np.arange(len(rows)), lengths),
        np.array(columns),
        np.array(values),
        np.array([each.fits for each in known], dtype=float),
    )


if __name__ == "__main__":
    ARTEFACT.write_bytes(pack(train(list(sentences()))))
