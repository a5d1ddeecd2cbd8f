"""Intent: how likely each route is for a clause, learned from the sentences in prompts/utterances."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Final

from router.signs import Heard, Signs, signs

__all__ = ["AROUND", "ARTEFACT", "CLASSES", "Model", "abreast", "chances", "load", "loudest", "pack", "unpack"]

ARTEFACT: Final = Path(__file__).with_name("intent.bin")
CLASSES: Final = ("export", "credits", "state", "upload", "edit", "remark", "bring")
"""What a clause can be. An edit and a remark both go to chat; beside a step a remark says nothing.
To bring is to upload and to say what to do with it."""
AROUND: Final = 0.5
"""The length of what stands around a clause, beside that of its n-grams."""
_LANE: Final = 32
"""Bits of one class in a row; a sum of signed bytes stays far from their half."""


@dataclass(frozen=True, slots=True)
class Model:
    """A multinomial logistic regression over signs, in whole numbers of `step`."""

    weights: dict[str, int]
    """A row for each sign, its classes `abreast`: to add up a hundred rows is to add up a hundred numbers."""
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
        grams = self.sums(seen.grams)
        evidence = self.sums(seen.evidence)
        around = self.sums(seen.around)
        norm = self.step / math.sqrt(len(seen.grams) or 1)
        share = self.step * self.share
        edge = self.step * AROUND / math.sqrt(len(seen.around) or 1)
        return [
            b + norm * g + share * e + edge * a for b, g, e, a in zip(self.bias, grams, evidence, around, strict=True)
        ]

    def sums(self, keys: Iterable[str]) -> list[int]:
        """The sum of the rows of `keys`, one for each class; an unknown one adds nothing."""
        width, half = len(self.bias), 1 << (_LANE - 1)
        total = sum(map(self.weights.get, keys, repeat(0)), _half(width))
        return [lane - half for lane in struct.unpack(f"<{width}I", total.to_bytes(4 * width, "little"))]


@cache
def _half(width: int) -> int:
    return abreast([1 << (_LANE - 1)] * width)


def abreast(row: Sequence[int]) -> int:
    """The weights of all classes side by side in one number."""
    return sum(weight << (_LANE * at) for at, weight in enumerate(row))


def chances(heard: Sequence[Heard]) -> list[list[float]]:
    """One row of probabilities a clause, one for each of CLASSES."""
    model = load()
    return [model.probabilities(each) for each in signs(heard)]


def loudest(heard: Heard, name: str) -> str:
    """The word or n-gram of a clause that speaks most for one of CLASSES; empty when none is known."""
    model, index = load(), CLASSES.index(name)
    known = ((model.sums([gram])[index], gram) for gram in signs([heard])[0].grams if gram in model.weights)
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
    body = bytes(weight & 0xFF for key in keys for weight in model.sums([key]))
    return "\n".join([json.dumps(head), names, ""]).encode() + body


def unpack(data: bytes) -> Model:
    """The model of `pack`."""
    first, _, rest = data.partition(b"\n")
    head = json.loads(first)
    width, size = len(head["classes"]), head["size"]
    names, body = rest[: -width * size - 1], rest[-width * size :]
    keys = json.loads(b'["' + names.replace(b"\n", b'","') + b'"]')
    wide, row = bytearray(4 * width * size), 4 * width
    wide[::4] = body.translate(_UNSIGNED)
    low, number = abreast([128] * width), int.from_bytes
    starts = range(0, row * size, row)
    weights = {key: number(wide[at : at + row], "little") - low for key, at in zip(keys, starts, strict=True)}
    return Model(weights, tuple(head["bias"]), head["step"], head["share"], head["learned"])


_UNSIGNED: Final = bytes((byte + 128) % 256 for byte in range(256))
"""Signed bytes from 0 on."""


@cache
def load() -> Model:
    """The model that ships with the router."""
    return unpack(ARTEFACT.read_bytes())
