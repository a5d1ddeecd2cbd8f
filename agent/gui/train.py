"""Training: `python -m agent.gui.train` turns prompts/screens into agent/gui/hearing.bin, the same bytes every time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.gui.clean import marker
from agent.gui.hearing import ARTEFACT, CLASSES
from agent.gui.pieces import Piece, pieces
from agent.gui.sentences import Sentences
from agent.gui.signs import Before, evidence_of, follows, signs
from prompts import FOLDER
from router.examples import Example
from router.intent import Model, pack
from router.train import digest, fit

__all__ = ["SCREENS", "examples", "marked", "sentences", "train"]

SCREENS = FOLDER / "screens"
_MARK = re.compile(r"⟦(\w+)\|(.*?)⟧", re.S)
PENALTY = 0.01
"""The price of a squared weight: many sentences, little noise."""
Span = tuple[int, int, str]
"""From, to and what a stretch stands for."""


def sentences(folder: Path = SCREENS) -> Iterator[dict[str, Any]]:
    """Every marked text: {"marked", "lang"}."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield json.loads(line)


def marked(text: str) -> tuple[str, list[Span]]:
    """A text without its marks ⟦kind|words⟧, and where they were."""
    plain, spans, at = "", [], 0
    for match in _MARK.finditer(text):
        plain += text[at : match.start()]
        spans.append((len(plain), len(plain) + len(match[2]), match[1]))
        plain += match[2]
        at = match.end()
    return plain + text[at:], spans


def examples(texts: Iterable[dict[str, Any]]) -> Iterator[Example]:
    """The pieces of marked texts."""
    for number, each in enumerate(texts):
        plain, spans = marked(each["marked"])
        yield from _examples(plain, spans, number)


def _examples(plain: str, spans: list[Span], number: int) -> Iterator[Example]:
    cutter, at, before = Sentences(), 0, Before()
    for sentence in [*cutter.feed(plain), *cutter.close()]:
        at += len(sentence.gap)
        if sentence.text and not sentence.verbatim:
            head, before = marker(sentence.text), before.behind(sentence.gap)
            found = pieces(sentence.text[len(head) :])
            labels = [_label(piece, at + len(head), plain, spans) for piece in found]
            last = f"^{before.last}"
            for label, said in zip(labels, signs(head, found, before, list(map(evidence_of, found))), strict=True):
                told = replace(said, evidence=(*said.evidence, *follows(last, said)))
                yield Example(told, tuple(label == name for name in CLASSES), number, "", ())
                last = label
            before = before.after(sentence.text, labels[-1] if labels else "content")
        at += len(sentence.text)


def _label(piece: Piece, offset: int, plain: str, spans: list[Span]) -> str:
    """What most of the piece's letters stand for."""
    votes = dict.fromkeys(CLASSES, 0)
    for at in range(offset + piece.start, offset + piece.end):
        if plain[at].isalnum():
            votes[next((kind for a, b, kind in spans if a <= at < b), "content")] += 1
    return max(votes, key=votes.__getitem__)


def train(texts: Sequence[dict[str, Any]]) -> Model:
    """The model of marked texts."""
    learned = digest(texts, examples)
    return fit(list(examples(texts)), learned=learned, bias=[0.0 for _ in CLASSES], penalty=PENALTY)


if __name__ == "__main__":
    ARTEFACT.write_bytes(pack(train(list(sentences())), CLASSES))
