"""Intent: how likely each route is for a clause, learned from the sentences in prompts/utterances."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from router.signs import Heard, Signs, signs

__all__ = ["AROUND", "ARTEFACT", "CLASSES", "Model", "chances", "load", "loudest", "pack", "unpack"]

ARTEFACT: Final = Path(__file__).with_name("intent.bin")
CLASSES: Final = ("export", "credits", "state", "upload", "edit", "remark", "bring")
"""What a clause can be. An edit and a remark both go to chat; beside a step a remark says nothing.
To bring is to upload and to say what to do with it."""
AROUND: Final = 0.5
"""The length of what stands around a clause, beside that of its n-grams."""


@dataclass(frozen=True, slots=True)
class Model:
    """A multinomial logistic regression over signs, in whole numbers of `step`."""

    weights: dict[str, tuple[int, ...]]
    bias: tuple[float, ...]
    step: float
    """What a weight of 1 adds to a logarithm, temperature included."""
    share: float
    """The value of one piece of evidence; the n-grams share out a length of 1."""
    learned: str = ""
    """A digest of the examples it learned from."""

    def probabilities(self, seen: Signs) -> list[float]:
        """One for each class; they sum to 1."""
        logits = self.logits(seen)
        top = max(logits)
        powers = [math.exp(logit - top) for logit in logits]
        total = sum(powers)
        return [power / total for power in powers]

    def logits(self, seen: Signs) -> list[float]:
        """The logarithms of the probabilities, but for what is the same for every class."""
        grams = self._sum(seen.grams)
        evidence = self._sum(seen.evidence)
        around = self._sum(seen.around)
        norm = self.step / math.sqrt(len(seen.grams) or 1)
        share = self.step * self.share
        edge = self.step * AROUND / math.sqrt(len(seen.around) or 1)
        return [
            b + norm * g + share * e + edge * a for b, g, e, a in zip(self.bias, grams, evidence, around, strict=True)
        ]

    def _sum(self, keys: Sequence[str] | frozenset[str]) -> Sequence[int]:
        rows = [row for key in keys if (row := self.weights.get(key))]
        return [sum(column) for column in zip(*rows, strict=True)] if rows else [0] * len(self.bias)


def chances(heard: Sequence[Heard]) -> list[list[float]]:
    """One row of probabilities a clause, one for each of CLASSES."""
    model = load()
    return [model.probabilities(each) for each in signs(heard)]


def loudest(heard: Heard, name: str) -> str:
    """The word or n-gram of a clause that speaks most for one of CLASSES; empty when none is known."""
    weights, index = load().weights, CLASSES.index(name)
    known = ((weights[gram][index], gram) for gram in signs([heard])[0].grams if gram in weights)
    return max(known, default=(0, ""))[1].strip()


def pack(model: Model, classes: Sequence[str] = CLASSES) -> bytes:
    """The model as bytes: a line of JSON, the keys, then one signed byte a weight."""
    keys = sorted(model.weights)
    head = {
        "classes": classes,
        "bias": model.bias,
        "step": model.step,
        "share": model.share,
        "size": len(keys),
        "learned": model.learned,
    }
    names = "\n".join(json.dumps(key, ensure_ascii=False)[1:-1] for key in keys)
    body = bytes(weight & 0xFF for key in keys for weight in model.weights[key])
    return "\n".join([json.dumps(head), names, ""]).encode() + body


def unpack(data: bytes) -> Model:
    """The model of `pack`."""
    first, _, rest = data.partition(b"\n")
    head = json.loads(first)
    width, size = len(head["classes"]), head["size"]
    names, body = rest[: -width * size - 1], memoryview(rest[-width * size :]).cast("b")
    keys = json.loads(b'["' + names.replace(b"\n", b'","') + b'"]')
    rows = body.tolist()
    weights = {key: tuple(rows[at : at + width]) for key, at in zip(keys, range(0, width * size, width), strict=True)}
    return Model(weights, tuple(head["bias"]), head["step"], head["share"], head["learned"])


@cache
def load() -> Model:
    """The model that ships with the router."""
    return unpack(ARTEFACT.read_bytes())
