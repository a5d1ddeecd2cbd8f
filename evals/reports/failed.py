"""A failing run as a dialogue of its own: the same file, held to the seed that failed."""

from __future__ import annotations

import re
from pathlib import Path

from evals.trace import Trace

__all__ = ["pinned", "save_failed"]

_SEEDED = re.compile(r"^(?:runs|seeds):.*\n(?:[ \t]+.*\n|-.*\n)*", re.M)
_NAMED = re.compile(r"^dialogue:.*\n", re.M)


def pinned(text: str, trace: Trace) -> str:
    """The text of a dialogue's file, played only with the seed of `trace`; the findings stand above it."""
    found = [line for each in trace.findings for line in f"turn {each.turn}: {each.check}: {each.problem}".splitlines()]
    head = "".join(f"# {line}\n" for line in [f"Failed with seed {trace.seed}:", *(f"  {line}" for line in found)])
    rest = _SEEDED.sub("", text if text.endswith("\n") else text + "\n")
    return head + _NAMED.sub(lambda line: f"{line.group()}seeds: [{trace.seed}]\n", rest, count=1)


def save_failed(trace: Trace, source: Path, folder: Path) -> Path:
    """Writes it where its name is still the dialogue's, a folder a seed, and returns the path."""
    path = folder / f"seed-{trace.seed}" / f"{trace.dialogue}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pinned(source.read_text(encoding="utf-8"), trace), encoding="utf-8")
    return path
