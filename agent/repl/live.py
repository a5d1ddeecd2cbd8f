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

from agent.draft import Draft
from agent.events import Delivered, Event, Progress, Text, Timeline
from agent.lanes import lanes
from agent.repl.echo import no_echo
from agent.repl.inline import Showing
from agent.repl.lanes import Drawing
from agent.repl.view import Style, printable, told
from agent.settings import Graphics
from prompts import Lang, say

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

    def __init__(self, console: Console, graphics: Graphics | None = None) -> None:
        self._console, self._graphics = console, graphics
        self._showing: list[Showing] = []
        """Pictures of what this turn delivered."""
        self._live: Live | None = None
        self._id: str | None = None
        self._text = ""
        self._printed: dict[str, str] = {}
        self._progress: Progress | None = None
        self._spinner = Spinner("line" if console.options.ascii_only else "dots", style="cyan")

    @contextmanager
    def turn(self) -> Iterator[None]:
        self._printed.clear()
        self._showing.clear()
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
        self._pictures()

    def show(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._progress = event
        elif isinstance(event, Text):
            self._speak(event)
        elif found := told(event):
            self.line(*found)
        if isinstance(event, Timeline):
            self._console.print(Drawing(lanes(Draft.read(event.draft), _spoken(event.text), event.changed)))
        elif isinstance(event, Delivered) and self._graphics and self._live:
            self._showing.append(Showing(event.path, self._graphics, self._console.width))

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

    def _pictures(self) -> None:
        """At the end of a turn, so that no words wait for them and nothing redraws over them."""
        showing, self._showing = self._showing, []
        for one in showing:
            if text := one.text():
                self._console.file.write(text)
                self._console.file.flush()

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


def _spoken(line: str) -> Lang:
    """The language of a timeline's line, which its labels are to have too."""
    heads = [say("zh", key).partition("{")[0] for key in ("timeline.head", "timeline.head_one")]
    return "zh" if line.startswith(tuple(heads)) else "en"
