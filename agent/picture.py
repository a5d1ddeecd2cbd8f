"""Lanes as a picture: an SVG that stands by itself, and a page with the same, its line and a table."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from html import escape
from itertools import islice

from agent.lanes import Bar, Lane, Lanes
from prompts import say

__all__ = ["html", "svg"]

WIDTH, EDGE = 960, 24
TOP, RULER = 60, 34
"""Heights of the title's band and of the ruler."""
BAR, GAP, APART = 30, 6, 12
"""Heights: of a bar, between the rows of a lane, and between lanes."""
NOTE = 20
LABEL = 150
"""Width of the labels at most."""
TEXT = 13.0
"""Pixels of the words on bars."""
MOST_ROWS = 500
"""Of the page's table."""

_NO_XML = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML has no place for, other control characters, and marks that turn the reading direction."""
_STYLE = """
svg { --paper:#ffffff; --ink:#1f2933; --soft:#66727f; --line:#e3e7ec; --lane:#f5f7f9; --mark:#c2410c;
  --video:#3f72af; --audio:#2f7d5b; --text:#9a6414; --unknown:#66707b; --on:#ffffff }
@media (prefers-color-scheme: dark) {
  svg { --paper:#14181d; --ink:#e6eaee; --soft:#97a3af; --line:#2b333c; --lane:#1b2127; --mark:#fb923c;
    --video:#4276b6; --audio:#31805e; --text:#9c6717; --unknown:#66707b; --on:#ffffff } }
svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "PingFang SC",
  "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Apple Color Emoji", "Segoe UI Emoji",
  "Noto Color Emoji", sans-serif; font-size: 13px; fill: var(--ink) }
.paper { fill: var(--paper) } .ground { fill: var(--lane) } .grid { stroke: var(--line); stroke-width: 1 }
svg .head { font-size: 18px; font-weight: 600 } svg .tick, svg .note { font-size: 11.5px; fill: var(--soft) }
svg .tick { font-variant-numeric: tabular-nums } svg .label { font-weight: 600 } svg .count { fill: var(--soft) }
.video { fill: var(--video) } .audio { fill: var(--audio) } .text { fill: var(--text) }
.unknown { fill: var(--unknown) } svg .on { fill: var(--on) } svg .beside { fill: var(--soft) }
.new { stroke: var(--mark); stroke-width: 2.5 } svg .mark { fill: var(--mark); font-weight: 700 }
""".strip()
_PAGE = """
:root { color-scheme: light dark }
body { max-width: 1000px; margin: 2rem auto; padding: 0 1rem; background: #fff; color: #1f2933;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei",
  "Noto Sans CJK SC", "Apple Color Emoji", "Noto Color Emoji", sans-serif }
h1 { font-size: 1.4rem; margin: 0 0 1rem; overflow-wrap: anywhere }
.drawing { overflow-x: auto; border: 1px solid #e3e7ec; border-radius: 10px }
.drawing svg { display: block; width: 100%; min-width: 560px; height: auto }
.line { overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; font-size: .92rem }
td:first-child { word-break: keep-all }
th, td { text-align: start; vertical-align: top; padding: .45rem .7rem .45rem 0; border-bottom: 1px solid #e3e7ec;
  overflow-wrap: anywhere }
td.when { white-space: nowrap; font-variant-numeric: tabular-nums } th { color: #66727f; font-weight: 600 }
@media (prefers-color-scheme: dark) { body { background: #14181d; color: #e6eaee }
  .drawing, th, td { border-color: #2b333c } th { color: #97a3af } }
@media print { body { margin: 0; max-width: none } .drawing { overflow: visible } .drawing svg { min-width: 0 }
  tr { break-inside: avoid } * { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
""".strip()


def svg(lanes: Lanes, title: str) -> str:
    """A picture in one file: valid XML whatever the names are, light or dark as the reader's screen is."""
    return "\n".join(_Sheet(lanes, _clean(title)).drawn()) + "\n"


def html(lanes: Lanes, title: str) -> str:
    """A page with the picture, the timeline's line and a table of the segments."""
    lang, heads = lanes.lang, ("track", "name", "when", "details")
    columns = "".join(f'<th scope="col">{_words(say(lang, f"picture.{head}"))}</th>' for head in heads)
    rows = "\n".join(islice(_table(lanes), MOST_ROWS))
    table = f"<table>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n" if rows else ""
    drawing = f'<div class="drawing" tabindex="0">\n{svg(lanes, title)}</div>\n' if lanes.lanes else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_words(title)}</title>\n<style>\n{_PAGE}\n</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{_words(title)}</h1>\n{drawing}"
        f'<p class="line">{_words(lanes.line)}</p>\n{table}</main>\n</body>\n</html>\n'
    )


def _table(lanes: Lanes) -> Iterator[str]:
    for lane in lanes.lanes:
        bars = sorted((bar for row in lane.rows for bar in row), key=lambda bar: bar.start_ms)
        label = _words(f"{lane.number}. {lane.label}")
        for bar in bars:
            marks = (*bar.facts, *([say(lanes.lang, "picture.marked")] if bar.changed else ()))
            details = _words(say(lanes.lang, "timeline.fact").join(marks))
            yield (
                f'<tr><td>{label}</td><td dir="auto">{_words(bar.name)}</td>'
                f'<td class="when">{_words(bar.when)}</td><td>{details}</td></tr>'
            )
        for note in _notes(lane, lanes):
            yield f'<tr><td>{label}</td><td colspan="3" dir="auto">{_words(note)}</td></tr>'


class _Sheet:
    """The drawing of one timeline."""

    def __init__(self, lanes: Lanes, title: str) -> None:
        self.lanes, self.title = lanes, title
        widest = max((_measure(self._label(lane)) * 1.08 for lane in lanes.lanes), default=0.0)
        self.left = EDGE + min(widest, LABEL) + 18
        self.right = WIDTH - EDGE - 8
        self.clips = 0

    def drawn(self) -> Iterator[str]:
        """The lines of the file."""
        body, bottom = [], float(TOP + (RULER if self.lanes.ticks else 0))
        begin = bottom
        for lane in self.lanes.lanes:
            pieces, bottom = self._lane(lane, bottom)
            body += pieces
        grid = self._ruler(begin, bottom - APART)
        feet, bottom = self._feet(bottom)
        height = bottom + EDGE - APART
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_n(height)}" width="{WIDTH}" '
            f'height="{_n(height)}" role="img" aria-labelledby="timeline-title timeline-desc">'
        )
        yield f'<title id="timeline-title">{_words(self.title)}</title>'
        yield f'<desc id="timeline-desc">{_words(self.lanes.line)}</desc>'
        yield f"<style>\n{_STYLE}\n</style>"
        yield f'<rect class="paper" width="{WIDTH}" height="{_n(height)}" rx="10"/>'
        yield _text(EDGE, 38, _cut(self.title, (WIDTH - 2 * EDGE) / 1.6), "head")
        yield from (*grid, *body, *feet, "</svg>")

    def _ruler(self, top: float, bottom: float) -> Iterator[str]:
        taken = 0.0
        for tick in self.lanes.ticks:
            x, width = self._x(tick.at_ms), _measure(tick.label) * 0.9
            yield f'<line class="grid" x1="{_n(x)}" x2="{_n(x)}" y1="{_n(top - 10)}" y2="{_n(bottom)}"/>'
            start = min(x - (0 if tick.at_ms == 0 else width / 2), WIDTH - 10 - width)
            if start >= taken:
                yield _text(start, top - 16, tick.label, "tick")
                taken = start + width + 8

    def _lane(self, lane: Lane, top: float) -> tuple[list[str], float]:
        """What a track is drawn with, and where the next begins."""
        inner = len(lane.rows) * (BAR + GAP) - (GAP if lane.rows else 0)
        ground = f'<rect class="ground" x="{_n(self.left)}" y="{_n(top)}" width="{_n(self.right - self.left)}" '
        pieces = [f'{ground}height="{_n(inner)}" rx="6"/>'] if lane.rows else []
        count = f' <tspan class="count">×{lane.count}</tspan>' if lane.long else ""
        label = _words(_cut(f"{lane.number}  {lane.label}", (LABEL - (40 if lane.long else 0)) / 1.08))
        pieces.append(f'<text class="label" x="{EDGE}" y="{_n(top + BAR / 2 + 4.5)}">{label}{count}</text>')
        y = top
        for row in lane.rows:
            taken = self.left
            for bar, following in zip(row, [*row[1:], None], strict=True):
                limit = self._x(following.start_ms) if following else WIDTH - EDGE
                pieces += self._bar(bar, lane.kind, y, (taken, limit))
                # The words behind a short bar reach to the middle of the gap at most.
                taken = (self._x(bar.end_ms or bar.start_ms) + limit) / 2
            y += BAR + GAP
        y -= GAP if lane.rows else 0
        for note in _notes(lane, self.lanes):
            pieces.append(_text(self.left, y + 15, _cut(note, (self.right - self.left) / 0.9), "note"))
            y += NOTE
        return pieces, max(y, top + BAR) + APART

    def _bar(self, bar: Bar, kind: str, y: float, free: tuple[float, float]) -> Iterator[str]:
        start = min(self._x(bar.start_ms), self.right - 3)
        end = self._x(bar.start_ms if bar.end_ms is None else bar.end_ms)
        width = max(end - start - 1.5, 3.0)
        tip = _words(" · ".join(filter(None, (bar.text, bar.when, self._marked(bar)))))
        new = " new" if bar.changed else ""
        yield f"<g><title>{tip}</title>"
        yield (
            f'<rect class="{kind}{new}" x="{_n(start)}" y="{_n(y)}" width="{_n(width)}" height="{BAR}" '
            f'rx="{_n(min(5, width / 2))}"/>'
        )
        yield from self._name(bar, (start, width), y, free)
        yield "</g>"

    def _name(self, bar: Bar, at: tuple[float, float], y: float, free: tuple[float, float]) -> Iterator[str]:
        """The words on a bar; beside a short one where there is room between its neighbours; else none."""
        words = f"● {bar.text}".rstrip() if bar.changed else bar.text
        (start, width), need, line = at, _measure(words) * 1.05, y + BAR / 2 + 4.5
        behind = (start + width + free[1]) / 2 if free[1] < WIDTH - EDGE else free[1]
        if need + 16 <= width or not words:
            yield from self._inside(words, start, width, y)
        elif bar.end_ms is None or start + width + 8 + need < behind:
            yield _text(start + width + 8, line, _cut(words, free[1] - start - width - 14), "beside")
        elif start - 8 - need > free[0]:
            yield f'<text class="beside" text-anchor="end" x="{_n(start - 8)}" y="{_n(line)}">{_words(words)}</text>'
        elif width >= 46:
            yield from self._inside(_cut(words, width - 16), start, width, y)
        elif bar.changed and width >= 14:
            yield _text(start + width / 2 - 4.5, line, "●", "on")

    def _inside(self, words: str, start: float, width: float, y: float) -> Iterator[str]:
        """Clipped to the bar, because how wide words are is only estimated."""
        if not words:
            return
        self.clips += 1
        box = f'<rect x="{_n(start)}" y="{_n(y)}" width="{_n(width - 4)}" height="{BAR}"/>'
        yield f'<clipPath id="bar-{self.clips}">{box}</clipPath>'
        place = f'x="{_n(start + 9)}" y="{_n(y + BAR / 2 + 4.5)}"'
        yield f'<text class="on" {place} clip-path="url(#bar-{self.clips})">{_words(words)}</text>'

    def _feet(self, top: float) -> tuple[list[str], float]:
        """What the lanes don't show, and what the mark means."""
        found, lang, y = [], self.lanes.lang, top
        if self.lanes.folded:
            found.append(_text(self.left, y + 8, say(lang, "picture.folded", count=self.lanes.folded), "note"))
            y += NOTE
        if self.lanes.changed:
            said = _words(say(lang, "picture.changed", mark="").strip())
            mark = '<tspan class="mark">●</tspan>'
            found.append(f'<text class="note" x="{_n(self.left)}" y="{_n(y + 8)}">{mark} {said}</text>')
            y += NOTE
        return found, y

    def _marked(self, bar: Bar) -> str:
        return say(self.lanes.lang, "picture.marked") if bar.changed else ""

    def _label(self, lane: Lane) -> str:
        return f"{lane.number}  {lane.label}" + (f" ×{lane.count}" if lane.long else "")

    def _x(self, at_ms: int) -> float:
        total = self.lanes.length_ms
        return self.left + (self.right - self.left) * at_ms / total if total else self.left


def _notes(lane: Lane, lanes: Lanes) -> Iterator[str]:
    if lane.hidden:
        yield say(lanes.lang, "picture.hidden", count=lane.hidden)
    if lane.unplaced:
        items = say(lanes.lang, "timeline.next").join(lane.unplaced)
        yield say(lanes.lang, "picture.unplaced", items=items)


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}">{_words(text)}</text>'


def _words(text: str) -> str:
    return escape(_clean(text))


def _clean(text: str) -> str:
    return _NO_XML.sub("", text)


def _cut(text: str, room: float) -> str:
    """As much of `text` as is probably not wider than `room` pixels, at a place where a character ends."""
    if _measure(text) <= room:
        return text
    used, kept = _measure("…"), ""
    for one in text:
        used += _wide(one)
        if used > room:
            break
        kept += one
    return kept.rstrip("\u200d\ufe0f ") + "…"


def _measure(text: str) -> float:
    """Pixels that `text` probably takes at the size of a bar's words."""
    return sum(map(_wide, text))


def _wide(one: str) -> float:
    if one in "\u200d\ufe0f" or unicodedata.combining(one):
        return 0.0
    if unicodedata.east_asian_width(one) in "WF":
        return TEXT * 1.05
    if one in "iljtf.,:;'|!I()[] ":
        return TEXT * 0.36
    return TEXT * (0.95 if one in "mwMW@%—…●" else 0.7 if one.isupper() else 0.62)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
