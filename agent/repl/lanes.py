"""Lanes on a terminal: a ruler, a row of coloured bars for each track, what changed marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import Style
from rich.text import Text

from agent.draft import Kind
from agent.lanes import Bar, Lane, Lanes, Tick, ruler
from prompts import say

__all__ = ["NARROWEST", "Drawing"]

NARROWEST = 40
"""Columns. On fewer there is only the line."""
LABEL = 0.25
"""Of the width, for the labels at most."""
TICK = 9
"""Columns from one mark of the ruler to the next at least."""
PADDED = 4
"""Columns that a name inside a bar takes beside its own: the bar's ends and a space at each side."""
SHORTEST = 4
"""Columns. A name that has to be cut to less is left out."""

COLOURS: dict[Kind, tuple[str, str]] = {
    "video": ("#3f72af", "#ffffff"),
    "audio": ("#2f7d5b", "#ffffff"),
    "text": ("#9a6414", "#ffffff"),
    "unknown": ("#66707b", "#ffffff"),
}
"""Of a bar and of the words on it."""


class Marks(NamedTuple):
    """The characters that a drawing is made of."""

    fill: str
    last: str
    open: str
    corner: str
    rule: str
    more: str
    times: str
    changed: str = "*"


BOXES = Marks(fill="█", last="▊", open="▸", corner="╷", rule="─", more="…", times="×")
ASCII = Marks(fill="=", last="|", open=">", corner="|", rule="-", more="~", times="x")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A rich renderable. Every row is as wide as the console; below NARROWEST columns there is none."""

    lanes: Lanes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width < NARROWEST or not self.lanes.lanes:
            return
        marks = ASCII if options.ascii_only else BOXES
        yield from _Page(self.lanes, options.max_width, marks, options.encoding).rows()


class _Page:
    """One drawing at one width."""

    def __init__(self, lanes: Lanes, width: int, marks: Marks, encoding: str) -> None:
        self.lanes, self.width, self.marks, self.encoding = lanes, width, marks, encoding
        heads = [self._head(lane) for lane in lanes.lanes]
        self.left = min(max(map(cell_len, heads)), int(width * LABEL)) + 2
        self.room = width - self.left - 1
        """Columns of the bars; one stays free so that the ruler's last mark has a place."""

    def rows(self) -> Iterator[Text]:
        if self.lanes.length_ms:
            yield from self._ruler(ruler(self.lanes.length_ms, self.lanes.lang, max(1, self.room // TICK)))
        for lane in self.lanes.lanes:
            yield from self._lane(lane)
        if self.lanes.folded:
            yield self._note(say(self.lanes.lang, "picture.folded", count=self.lanes.folded))
        if self.lanes.changed:
            yield self._note(say(self.lanes.lang, "picture.changed", mark=self.marks.changed))

    def _ruler(self, ticks: Sequence[Tick]) -> Iterator[Text]:
        labels, line = " " * self.left, ""
        for tick in ticks:
            text = self._safe(tick.label)
            at = min(self.left + self._column(tick.at_ms), self.width - cell_len(text))
            if cell_len(labels) < at or not labels.strip():
                labels += " " * (at - cell_len(labels)) + text
        places = {self._column(tick.at_ms) for tick in ticks}
        line = "".join(self.marks.corner if at in places else self.marks.rule for at in range(self.room + 1))
        yield self._row(Text(labels, style="dim"))
        yield self._row(Text(" " * self.left + line, style="dim"))

    def _lane(self, lane: Lane) -> Iterator[Text]:
        head = self._fitted(self._head(lane), self.left - 2)
        for number, bars in enumerate(lane.rows):
            row = Text(set_cell_size("" if number else head, self.left), style="bold")
            yield self._row(row.append_text(self._bars(bars, lane.kind)))
        notes = [say(self.lanes.lang, "picture.hidden", count=lane.hidden)] if lane.hidden else []
        if lane.unplaced:
            items = say(self.lanes.lang, "timeline.next").join(lane.unplaced)
            notes.append(say(self.lanes.lang, "picture.unplaced", items=items))
        for number, note in enumerate(notes, len(lane.rows)):
            yield self._note(note, "" if number else head)

    def _bars(self, bars: Sequence[Bar], kind: Kind) -> Text:
        """The cells of a row. A bar has a cell at least, unless the bar before it is there."""
        row, style = Text(), Style(color=COLOURS[kind][0])
        for bar, following in zip(bars, [*bars[1:], None], strict=True):
            at = row.cell_len
            start = max(self._column(bar.start_ms), at)
            end = max(self._column(bar.start_ms if bar.end_ms is None else bar.end_ms), start + 1)
            limit = self.room if following is None else max(self._column(following.start_ms), end)
            if start >= self.room:
                # Where there is no cell left, what changed is still marked on the last one.
                if bar.changed and row.plain and at >= self.room:
                    row = _marked(row, self.marks.changed)
                continue
            cells = self._bar(bar, min(end, self.room) - start, limit - start, kind, style)
            before = "" if " " in cells.plain else self._words(bar)
            if cell_len(before) + 2 > start - at:
                row.append(" " * (start - at))
            else:
                row.append(before.rjust(start - at - 1 - cell_len(before) + len(before)) + " ", style)
            row.append_text(cells)
        return row

    def _bar(self, bar: Bar, width: int, room: int, kind: Kind, style: Style) -> Text:
        """A bar `width` columns wide, its name on it or, where it is short, behind it in the `room` it has."""
        fill, last = self.marks.fill, self.marks.last
        mark, words = self.marks.changed if bar.changed else "", self._words(bar)
        if bar.end_ms is None:
            return self._behind(Text(self.marks.open, style), self._fitted(words, room - 3), style)
        fits = cell_len(words) <= width - PADDED
        behind = cell_len(words) + 2 <= room - width
        if fits or (not behind and width - PADDED >= SHORTEST):
            on = Style(color=COLOURS[kind][1], bgcolor=COLOURS[kind][0], bold=bar.changed)
            cells = Text(fill, style).append(f" {self._fitted(words, width - PADDED)} " if words else "", on)
            return cells.append(fill * (width - cells.cell_len - 1) + last, style)
        block = Text(fill * (width - 1) + last, style)
        if behind:
            return self._behind(block, words, style)
        return _marked(block, mark) if mark else block

    def _words(self, bar: Bar) -> str:
        return self._safe(f"{self.marks.changed} {bar.text}".rstrip() if bar.changed else bar.text)

    def _behind(self, block: Text, words: str, style: Style) -> Text:
        """`block` and the words after it."""
        return block.append(f" {words}", style) if words else block

    def _head(self, lane: Lane) -> str:
        count = f" {self.marks.times}{lane.count}" if lane.long else ""
        return self._safe(f"{lane.number} {lane.label}{count}")

    def _note(self, text: str, head: str = "") -> Text:
        row = Text(set_cell_size(head, self.left), style="bold")
        return self._row(row.append(self._fitted(self._safe(text), self.room), Style(dim=True, bold=False)))

    def _row(self, row: Text) -> Text:
        """Exactly as wide as the console."""
        row.append(" " * (self.width - row.cell_len))
        row.no_wrap, row.end = True, "\n"
        return row

    def _column(self, at_ms: int) -> int:
        return at_ms * self.room // self.lanes.length_ms if self.lanes.length_ms else 0

    def _fitted(self, text: str, width: int) -> str:
        if cell_len(text) <= width:
            return text
        if width < SHORTEST:
            return ""
        return set_cell_size(text, max(width - 1, 0)).rstrip() + self.marks.more

    def _safe(self, text: str) -> str:
        """What the terminal's encoding lacks is a question mark of the same width."""
        try:
            text.encode(self.encoding)
            return text
        except (UnicodeEncodeError, LookupError):
            text = text.replace(" · ", ", ").replace("…", self.marks.more)
            return "".join(one if one.isascii() else "?" * cell_len(one) for one in text)


def _marked(row: Text, mark: str) -> Text:
    """`row` with `mark` in the place of its last cell."""
    kept = row[: max(len(row) - 1, 0)]
    return kept.append(mark, Style(bold=True))
