"""Intent: how likely each route is for a clause, learned from the sentences in prompts/utterances."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from router.clauses import Clause
from router.rules import Vote

__all__ = ["ARTEFACT", "CLASSES", "Model", "Signs", "load", "pack", "signs", "unpack"]

ARTEFACT: Final = Path(__file__).with_name("intent.bin")
CLASSES: Final = ("export", "credits", "state", "upload", "edit", "remark")
"""What a clause can be. An edit and a remark both go to chat; beside a step a remark says nothing."""
LONGEST: Final = 4
"""Characters of the longest n-gram."""
READ: Final = 160
"""Characters of a clause that are read, half from each end of a longer one."""
_RUN = re.compile("([\ue000-\ue00f])\\1+")
_DIGITS = re.compile("[0-9]+")
_WORD = re.compile("[a-z\u00e0-\u024f\u0400-\u04ff']+")


@dataclass(frozen=True, slots=True)
class Signs:
    """What the model is told of one clause."""

    grams: frozenset[str]
    """Its n-grams, words and pairs of words."""
    evidence: tuple[str, ...]
    """What the rules saw in it."""


@dataclass(frozen=True, slots=True)
class Model:
    """A multinomial logistic regression over signs, in whole numbers of `step`."""

    weights: dict[str, tuple[int, ...]]
    bias: tuple[float, ...]
    step: float
    """What a weight of 1 adds to a logarithm, temperature included."""
    share: float
    """The value of one piece of evidence; the n-grams share out a length of 1."""

    def probabilities(self, seen: Signs) -> list[float]:
        """One for each of CLASSES; they sum to 1."""
        grams = self._sum(seen.grams)
        evidence = self._sum(seen.evidence)
        norm = self.step / math.sqrt(len(seen.grams) or 1)
        share = self.step * self.share
        logits = [b + norm * g + share * e for b, g, e in zip(self.bias, grams, evidence, strict=True)]
        top = max(logits)
        powers = [math.exp(logit - top) for logit in logits]
        total = sum(powers)
        return [power / total for power in powers]

    def loudest(self, seen: Signs, index: int) -> str:
        """The word or n-gram that speaks most for one of CLASSES; empty when none is known."""
        known = ((self.weights[gram][index], gram) for gram in seen.grams if gram in self.weights)
        return max(known, default=(0, ""))[1].strip()

    def _sum(self, keys: Sequence[str] | frozenset[str]) -> tuple[int, ...]:
        a = b = c = d = e = f = 0
        get = self.weights.get
        for key in keys:
            if found := get(key):
                a += found[0]
                b += found[1]
                c += found[2]
                d += found[3]
                e += found[4]
                f += found[5]
        return a, b, c, d, e, f


def signs(clause: Clause, cast: Sequence[Vote], wish: Vote | None) -> Signs:
    """What the model is told of a clause and the votes on it: the same when it learns and when it answers."""
    text = clause.said
    if len(text) > READ:
        text = f"{text[: READ // 2]} {text[-READ // 2 :]}"
    words = _WORD.findall(text)
    text = " " + _DIGITS.sub("0", _RUN.sub(r"\1", text)) + " "
    grams = {text[at : at + size] for size in range(1, LONGEST + 1) for at in range(len(text) - size + 1)}
    grams.update(words)
    grams.update(map("{}_{}".format, ["", *words], [*words, ""]))
    return Signs(frozenset(grams), tuple(dict.fromkeys(_evidence(cast, wish))))


def _evidence(cast: Sequence[Vote], wish: Vote | None) -> list[str]:
    found = [f"={vote.route}:{vote.score}" for vote in cast]
    found += [f"={vote.because}" for vote in cast]
    if wish is not None:
        found += [f"=edit:{wish.score}", f"={wish.because}"]
    if wish is None or not cast:
        found.append(f"=none:{int(wish is None)}{int(not cast)}")
    if cast and wish is not None:
        found.append(f"=both:{cast[0].route}:{cast[0].score}:{wish.score}")
    return found


def pack(model: Model) -> bytes:
    """The model as bytes: a line of JSON, the keys, then one signed byte a weight."""
    keys = sorted(model.weights)
    head = {"classes": CLASSES, "bias": model.bias, "step": model.step, "share": model.share, "size": len(keys)}
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
    return Model(weights, tuple(head["bias"]), head["step"], head["share"])


@cache
def load() -> Model:
    """The model that ships with the router."""
    return unpack(ARTEFACT.read_bytes())
