"""Hearing: how likely a piece of a sentence is content, or what of a screen it stands for."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from agent.gui.edits import by_hand
from agent.gui.gestures import latin_buttons
from agent.gui.grammar import grammar
from agent.gui.pieces import Piece, shape
from agent.gui.signs import ADDRESS, Before, evidence_of, follows, signs
from prompts import table
from router.intent import Model, unpack
from router.signs import Signs

__all__ = ["ARTEFACT", "CLASSES", "hear", "is_plain", "load"]

ARTEFACT: Final = Path(__file__).with_name("hearing.bin")
CLASSES: Final = ("content", "export", "state", "tracks", "credits", "edit", "undo", "upload", "new", "none")
"""Content is shown; the others are not. "none" stands for nothing that is done."""

SHOWN = -0.4
"""What is added to the logarithm of content: below 0 an instruction shown weighs more than a word lost."""
PLAIN = 1.2
"""The same for a sentence without a word that belongs to a screen."""
TOLD = 1.5
"""What is taken away where the grammar reads an instruction to hands."""
DICTATED = 2.5
"""What is added in a text that was announced as somebody's."""
SCREEN = frozenset(
    (
        "=gesture",
        "=panel",
        "=timeline",
        "=account",
        "=knob",
        "=control",
        "=click",
        "=drag",
        "=location",
        "=upload_place",
    )
)


def hear(head: str, found: Sequence[Piece], before: Before) -> list[str]:
    """The likeliest class of every piece, each seen behind the one before it."""
    evidence = [evidence_of(piece) for piece in found]
    if before.last == "content" and not any(map(_of_a_screen, found, evidence)):
        return ["content"] * len(found)
    model, told = load(), signs(head, found, before, evidence)
    silent = not any(SCREEN & set(each.evidence) for each in told)
    best: list[tuple[float, tuple[str, ...]]] = [(0.0, (f"^{before.last}",))]
    for piece, each in zip(found, told, strict=True):
        logits = model.logits(each)
        logits[0] += SHOWN + (PLAIN if silent else 0.0) - (TOLD if "=told" in each.evidence else 0.0)
        logits[0] += DICTATED if before.dictation else 0.0
        best = _further(model, best, logits, each, _open_to(piece))
    return list(max(best)[1][1:]) if told else []


def is_plain(sentence: str) -> bool:
    """Whether an English sentence holds no word at all for hands, a screen or a button, so that no piece of it can.

    Most are like that, and it is ten times quicker to see than to take them apart.
    """
    if _NOT_PLAIN.search(sentence):
        return False
    text = sentence.lower()
    hands, screen, buttons = _screen_words()
    return not (hands.search(text) or screen.search(shape(text)) or buttons.search(text))


_NOT_PLAIN = re.compile("[^\x00-\x7f‘’“”–—…]")
"""Other letters, and those that are an s, an i or a k to a pattern that takes no notice of case."""


@cache
def _screen_words() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Whatever `_of_a_screen` looks for in a piece, wherever pieces are cut.

    In lower case: a pattern that takes no notice of it takes four times as long.
    """
    words = grammar("en").words
    # Gestures have two verbs that stand in no other list, and one kind of place.
    kinds = [sign.removeprefix("=") for sign in SCREEN if sign != "=gesture"] + ["clicking", "drop", "place"]
    shown = "|".join(words[kind] for kind in kinds if kind in words)
    hands = "|".join(filter(str.isascii, table("gui")["hands"]))
    return re.compile(hands, re.S), re.compile(rf"(?<!\w)(?:{shown})(?!\w)", re.S), re.compile(latin_buttons(), re.S)


def _of_a_screen(piece: Piece, evidence: Sequence[str]) -> bool:
    """Whether a piece has a word for hands, a screen or a button: without one there is nothing to take out."""
    return any(sign in SCREEN or sign.startswith("=button") for sign in evidence) or by_hand(piece.words)


def _further(
    model: Model, best: list[tuple[float, tuple[str, ...]]], logits: list[float], said: Signs, allowed: Sequence[int]
) -> list[tuple[float, tuple[str, ...]]]:
    """For every class of the next piece the likeliest way to it."""
    ways: dict[int, tuple[float, tuple[str, ...]]] = {}
    for score, path in best:
        odds = _logarithms(model, logits, follows(path[-1], said))
        for at in allowed:
            way = (score + odds[at], (*path, CLASSES[at]))
            if at not in ways or way[0] > ways[at][0]:
                ways[at] = way
    return list(ways.values())


def _logarithms(model: Model, logits: list[float], behind: tuple[str, ...]) -> list[float]:
    step = model.step * model.share
    moved = [a + step * b for a, b in zip(logits, model.sums(behind), strict=True)]
    top = max(moved)
    total = top + math.log(sum(math.exp(each - top) for each in moved))
    return [each - total for each in moved]


def _open_to(piece: Piece) -> Sequence[int]:
    """An address is always content: a person can follow it."""
    content = ADDRESS.search(piece.words) or not re.search(r"\w", piece.shape)
    return (0,) if content else range(len(CLASSES))


@cache
def load() -> Model:
    """The model that ships with the agent."""
    return unpack(ARTEFACT.read_bytes())
