"""Measures the translator on tables of backend sentences: `python -m evals.translating FILES [--summary] [--wrong]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.translator import actions, translate

__all__ = ["Score", "Sentence", "load", "measure"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One reply of a backend, and what is to become of it."""

    heard: str
    lang: str
    kind: str
    """content: shown as it is; mixed, instruction, idle: some or all of it goes."""
    gone: tuple[str, ...]
    """What a person without a screen must not read."""
    kept: tuple[str, ...]
    """What has to be shown."""
    actions: tuple[str, ...]
    may: tuple[str, ...]
    """Kinds that may be done or left."""


@dataclass(slots=True)
class Score:
    """Counts over a table, and the sentences behind them."""

    count: int = 0
    leaked: list[str] = field(default_factory=list)
    stripped: list[str] = field(default_factory=list)
    with_content: int = 0
    right: int = 0
    done: int = 0
    wanted: int = 0
    mistaken: list[str] = field(default_factory=list)

    @property
    def over_strip(self) -> float:
        """Share of the sentences with content that lost some of it."""
        return len(self.stripped) / max(1, self.with_content)

    @property
    def precision(self) -> float:
        """Share of the actions done that were meant."""
        return self.right / max(1, self.done)

    @property
    def recall(self) -> float:
        """Share of the actions meant that were done."""
        return self.right / max(1, self.wanted)

    def __str__(self) -> str:
        return (
            f"{self.count} sentences: leaked {len(self.leaked)}, over-stripped {self.over_strip:.4f} "
            f"of {self.with_content}, actions {self.done} done / {self.wanted} meant: "
            f"precision {self.precision:.4f}, recall {self.recall:.4f}"
        )


def load(path: Path) -> list[Sentence]:
    """A table, one JSON object a line."""
    return [_sentence(json.loads(line)) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _sentence(raw: dict[str, Any]) -> Sentence:
    lists = {name: tuple(raw.get(name, ())) for name in ("gone", "kept", "actions", "may")}
    return Sentence(raw["heard"], raw["lang"], raw["kind"], **lists)


def measure(sentences: Iterable[Sentence]) -> Score:
    """What the translator makes of them."""
    score = Score()
    for each in sentences:
        _count(score, each)
    return score


def _count(score: Score, each: Sentence) -> None:
    found = translate(each.heard)
    done = {action.kind for action in actions(found.phrases)}
    wanted = set(each.actions)
    line = f"[{each.kind}] {each.heard!r} -> {found.text!r} {sorted(done)} (meant {sorted(wanted)})"
    score.count += 1
    if any(piece in found.text for piece in each.gone):
        score.leaked.append(line)
    if each.kind == "content" or each.kept:
        score.with_content += 1
        shown = found.text.casefold()  # What is left of a sentence begins with a capital of its own.
        whole = found.text == each.heard if each.kind == "content" else all(p.casefold() in shown for p in each.kept)
        if not whole:
            score.stripped.append(line)
    score.right += len(done & wanted)
    score.done += len(done - set(each.may) | (done & wanted))
    score.wanted += len(wanted)
    if (done ^ wanted) - set(each.may):
        score.mistaken.append(line)


def main(argv: Sequence[str] | None = None) -> None:
    """Prints a line a file; with --wrong the sentences that went wrong."""
    parser = argparse.ArgumentParser(prog="python -m evals.translating")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--wrong", action="store_true", help="print what went wrong, sentence by sentence")
    given = parser.parse_args(argv)
    for path in given.files:
        score = measure(load(path))
        print(f"{path.stem}: {score}")  # noqa: T201  # a report
        for name in ("leaked", "stripped", "mistaken") if given.wrong else ():
            for line in getattr(score, name):
                print(f"  {name}: {line}")  # noqa: T201


if __name__ == "__main__":
    main()
