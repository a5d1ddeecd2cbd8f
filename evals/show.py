"""A run as somebody would have watched it: words, the wire beside them, and the virtual time of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.text import Text as Line

from evals.reading import Message, messages
from evals.trace import Exchange, Finding, Trace, TurnTrace

__all__ = ["transcript"]

WIRE = 46
"""Characters of the wire's lane."""


class _Row(NamedTuple):
    at: float
    order: int
    """At the same moment what is asked comes before what is shown."""
    line: Line


def transcript(trace: Trace, about: str = "") -> Iterator[Line]:
    """The lines of a run, its findings where they belong."""
    yield Line.assemble(
        (trace.dialogue, "bold"), f"  seed {trace.seed}", (f"  {about.strip()}" if about else "", "dim")
    )
    for turn in trace.turns:
        yield from _turn(turn)
        yield from (_finding(one) for one in trace.findings if one.turn == turn.number)
    yield from (_finding(one) for one in trace.findings if not 0 < one.turn <= len(trace.turns))
    books = trace.ledger
    counted = f"sends {books.sends}, renders {books.renders}, uploads {books.uploads}, charged {books.charged:g}"
    yield Line(f"\n{counted} · {trace.lasted:.1f} s on its clock, {trace.took:.2f} s on ours", "dim")


def _turn(turn: TurnTrace) -> Iterator[Line]:
    routes = ", ".join(turn.routes) or "no step"
    acts = f" · the backend: {', '.join(turn.acts)}" if turn.acts else ""
    yield Line(f"\n── {turn.number} ── {routes} ── {turn.ended - turn.begun:.1f} s{acts}", "dim")
    yield Line.assemble((f"{turn.begun:9.1f}  ", "dim"), ("> ", "bold green"), (turn.said or "(a key)", "bold"))
    rows = [_wire(one) for one in turn.exchanges] + [_words(one) for one in messages(turn, progress=True)]
    for row in sorted(rows, key=lambda row: (row.at, row.order)):
        yield Line.assemble((f"{row.at:9.1f}  ", "dim"), row.line)


def _wire(one: Exchange) -> _Row:
    call = f"{one.method} {one.path}"
    call = call if len(call) <= WIRE else f"{call[: WIRE - 15]}…{call[-14:]}"
    answer = "no answer" if one.status is None else str(one.status)
    lasted = f" in {one.ended - one.at:.1f} s" if one.ended - one.at >= 0.1 else ""
    style = "cyan" if one.method == "GET" else "bold cyan"
    line = Line.assemble(("→ ", style), (f"{call:{WIRE}}", style), (f" {answer}{lasted}", "dim"))
    return _Row(one.at, 0, line.append(f"  ⚡ {one.fault}", "red") if one.fault else line)


def _words(one: Message) -> _Row:
    style = {"error": "red", "progress": "dim", "hint": "dim italic", "ask": "yellow", "delivered": "green"}
    words = one.event.text if one.kind == "hint" else one.text  # its suggestions are in it
    indented = words.strip().replace("\n", "\n" + " " * 13)
    return _Row(one.at, 1, Line(f"  {indented}", style.get(one.kind, "")))


def _finding(one: Finding) -> Line:
    return Line(f"  ✗ {one.check}: {one.problem}", "bold red")
