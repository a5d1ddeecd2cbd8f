"""How a turn's events look: as lines in a pipe, or drawn by rich on a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol, TextIO

from agent.events import Ask, Delivered, Error, Event, Hint, Progress, Text, Timeline

__all__ = ["PlainView", "Style", "View", "printable", "view_for"]

Style = Literal["answer", "aside", "timeline", "delivered", "question", "error"]

# Terminals obey control characters, and a backend's words are not ours to trust.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
QUARTERS = 4
"""How many lines at most a progress with a known end may print in a pipe."""


class View(Protocol):
    """What the terminal shows. `turn()` surrounds the events of one turn."""

    @contextmanager
    def turn(self) -> Iterator[None]: ...

    def show(self, event: Event) -> None: ...

    def line(self, text: str, style: Style = "answer") -> None: ...


def printable(text: str) -> str:
    """`text` without control characters, direction overrides and lone surrogates; lines and tabs stay."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def view_for(out: TextIO | None = None) -> View:
    """A drawing view on a terminal that can redraw and wants colour, else a plain one."""
    from rich.console import Console  # a pipe never needs it

    from agent.repl.live import LiveView
    from agent.settings import graphics_here

    console = Console(file=out, highlight=False)
    if console.is_terminal and not console.is_dumb_terminal and not console.no_color:
        return LiveView(console, graphics_here())
    return PlainView(out, out)


def told(event: Event) -> tuple[str, Style] | None:
    """The words and the style of an event that is one finished thing; None for Progress and Text."""
    if isinstance(event, Ask):
        choices = [f"  {number}. {option}" for number, option in enumerate(event.options, 1)]
        return "\n".join([event.text, *choices]), "question"
    if isinstance(event, Timeline):
        return event.text, "timeline"
    if isinstance(event, Delivered):
        return event.text, "delivered"
    if isinstance(event, Hint):
        return event.text, "aside"
    return (event.text, "error") if isinstance(event, Error) else None


class PlainView:
    """Answers go to `out` and progress to `err`, each line once. What is printed cannot be redrawn."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out, self._err = out, err
        self._open: str | None = None
        """The id of the text being printed."""
        self._turning = False
        self._said: dict[str, str] = {}
        self._noted: tuple[str, int] = ("", -1)

    @contextmanager
    def turn(self) -> Iterator[None]:
        self._said.clear()
        self._noted = ("", -1)
        self._turning = True
        try:
            yield
        finally:
            self._turning = False
            self._finish()

    def show(self, event: Event) -> None:
        if isinstance(event, Text):
            self._speak(event)
        elif isinstance(event, Progress):
            self._note(event)
        elif found := told(event):
            self.line(*found)

    def line(self, text: str, style: Style = "answer") -> None:
        self._finish()
        self._write(printable(text) + "\n", to=self._err or sys.stderr if style in ("error", "aside") else None)

    def _speak(self, event: Text) -> None:
        before = self._said.get(event.id, "")
        after = event.text if event.mode == "replace" else before + event.text
        self._said[event.id] = after
        if event.id == self._open and after.startswith(before):
            self._write(printable(after[len(before) :]))
        elif after != before:
            self._finish()
            self._open = event.id
            self._write(printable(after if event.mode == "replace" else event.text))
        if not self._turning:
            self._finish()

    def _note(self, event: Progress) -> None:
        """A line when the words change, and at most every quarter of the way."""
        quarter = -1 if event.fraction is None else int(event.fraction * QUARTERS)
        if (event.text, quarter) == self._noted:
            return
        self._noted = (event.text, quarter)
        self._finish()
        share = "" if event.fraction is None else f" {event.fraction:.0%}"
        self._write(f"{printable(event.text)}{share}\n", to=self._err or sys.stderr)

    def _finish(self) -> None:
        """Ends the paragraph under way."""
        if self._open is not None:
            ended = self._said.get(self._open, "").endswith("\n")
            self._open = None
            self._write("" if ended else "\n")

    def _write(self, text: str, to: TextIO | None = None) -> None:
        stream = to or self._out or sys.stdout
        stream.write(text)
        stream.flush()
