"""The view on a terminal: text grows in place, one line below it says what is under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text as Words

from agent.events import Event, Progress, Text
from agent.repl.echo import no_echo
from agent.repl.view import Style, printable, told

__all__ = ["LiveView"]

STYLES: dict[Style, str] = {
    "answer": "",
    "aside": "dim",
    "timeline": "bold cyan",
    "delivered": "bold green",
    "question": "bold",
    "error": "red",
}
BAR = 24
"""Columns of a progress bar."""
ROOM = 4
"""Lines of the screen that a growing text leaves free."""


class LiveView:
    """Owns the screen while a turn runs; nobody else may print or prompt then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._id: str | None = None
        self._text = ""
        self._printed: dict[str, str] = {}
        self._progress: Progress | None = None
        self._spinner = Spinner("line" if console.options.ascii_only else "dots", style="cyan")

    @contextmanager
    def turn(self) -> Iterator[None]:
        self._printed.clear()
        with (
            no_echo(),
            Live(console=self._console, transient=True, refresh_per_second=8, get_renderable=self._draw) as live,
        ):
            self._live = live
            try:
                yield
            finally:
                self._settle()
                self._progress, self._live = None, None

    def show(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._progress = event
        elif isinstance(event, Text):
            self._speak(event)
        elif found := told(event):
            self.line(*found)

    def line(self, text: str, style: Style = "answer") -> None:
        self._settle()
        # A path stays on one line however long, so that it can be copied; words wrap at words.
        self._console.print(Words(printable(text), style=STYLES[style]), soft_wrap=style == "delivered")

    def _speak(self, event: Text) -> None:
        if event.id != self._id:
            self._settle()
            self._id, self._text = event.id, ""
        self._text = event.text if event.mode == "replace" else self._text + event.text
        if self._live is None:
            self._settle()

    def _settle(self) -> None:
        """Prints the text under way for good. A correction is printed again, an echo is not."""
        done, text = self._id, printable(self._text).strip("\n")
        self._id, self._text = None, ""
        if done is None or not text or self._printed.get(done) == text:
            return
        self._printed[done] = text
        self._console.print(Words(text), soft_wrap=False)

    def _draw(self) -> RenderableType:
        """What may still change: the text under way, and what is being done."""
        parts: list[RenderableType] = []
        if self._id is not None:
            lines = Words(printable(self._text)).wrap(self._console, self._console.width)
            parts += lines[-max(1, self._console.height - ROOM) :]
        if self._progress is not None:
            parts.append(self._status(self._progress))
        return Group(*parts)

    def _status(self, progress: Progress) -> RenderableType:
        row = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [self._spinner, Words(printable(progress.text), style="dim")]
        if progress.fraction is not None:
            cells += [
                ProgressBar(total=1.0, completed=progress.fraction, width=BAR),
                f"{progress.fraction:.0%}",
            ]
        row.add_row(*cells)
        return row
