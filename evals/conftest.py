"""`pytest evals`: every dialogue is a test, played with its seeds; it fails with what did not hold."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from evals.format import FormatError, load
from evals.playing import DIALOGUES, play_one, quiet
from evals.show import transcript
from evals.trace import Trace

__all__ = ["DialogueFile", "DialogueItem", "pytest_collect_file"]

MOST_SHOWN = 2
"""Runs of a failed dialogue that are told in full."""


class DidNotHold(AssertionError):
    """Runs with findings."""

    def __init__(self, traces: list[Trace]) -> None:
        super().__init__(", ".join(f"seed {trace.seed}" for trace in traces))
        self.traces = traces


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Takes the YAML files of a folder called dialogues."""
    if file_path.suffix == ".yaml" and DIALOGUES.name in file_path.parts:
        return DialogueFile.from_parent(parent, path=file_path)
    return None


class DialogueFile(pytest.File):
    """One file: one dialogue."""

    def collect(self) -> Iterator[pytest.Item]:
        """A file that cannot be loaded is an error of collection, told in its own words."""
        try:
            dialogue = load(self.path)
        except FormatError as error:
            raise self.CollectError(str(error)) from None
        item: DialogueItem = DialogueItem.from_parent(self, name=dialogue.dialogue)
        item.dialogue = dialogue
        yield item


class DialogueItem(pytest.Item):
    """One dialogue with all of its seeds."""

    dialogue: Any = None

    def runtest(self) -> None:
        """Plays it. Raises DidNotHold."""
        quiet()
        traces = [play_one(self.dialogue, seed) for seed in self.dialogue.played()]
        failed = [trace for trace in traces if trace.findings]
        self.user_properties += [("runs", len(traces)), ("passed", len(traces) - len(failed))]
        if failed:
            raise DidNotHold(failed)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The transcript of the failed runs, and how to see one again."""
        if not isinstance(excinfo.value, DidNotHold):
            return super().repr_failure(excinfo, style)
        out = Console(file=StringIO(), width=120, color_system=None)
        for trace in excinfo.value.traces[:MOST_SHOWN]:
            for line in transcript(trace, self.dialogue.about):
                out.print(line, soft_wrap=True)
            out.print(f"\npython -m evals show {trace.dialogue} --seed {trace.seed}\n", soft_wrap=True)
        told = out.file.getvalue() if isinstance(out.file, StringIO) else ""
        return f"{told}{self.name} did not hold with {excinfo.value}"

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it is, and its name."""
        return self.path, None, self.name
