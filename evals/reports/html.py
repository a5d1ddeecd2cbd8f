"""A run as one page that opens anywhere: the figures, what failed, and every conversation with its wire beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agent.events import Ask, Delivered, Hint, Progress
from evals.acts import ACTS
from evals.baseline import Diff
from evals.coverage import LANGS, PLAIN, ROUTES
from evals.gates import Gate
from evals.metrics import Metrics, outcome
from evals.reading import TROUBLES, messages, struck
from evals.reports.figures import lasting, quantile
from evals.trace import Exchange, Trace, TurnTrace

__all__ = ["html"]

PAGE = Path(__file__).with_name("page.html")
SPOT = "{{report}}"
LONGEST_BODY = 600
"""Characters of a request that are worth looking at."""
MOST_SAID = 60
"""Utterances a cell of the confusion lists."""


def html(metrics: Metrics, traces: Sequence[Trace], gates: Sequence[Gate] = (), diff: Diff | None = None) -> str:
    """The page: all data is in one block of JSON that can't end its element, and is only ever shown as text."""
    data = json.dumps(_data(metrics, traces, gates, diff), ensure_ascii=False, separators=(",", ":"), default=str)
    for sign in "<>&\u2028\u2029":
        data = data.replace(sign, f"\\u{ord(sign):04x}")
    data = data.encode("utf-8", "replace").decode()  # A lone surrogate is no text.
    return PAGE.read_text(encoding="utf-8").replace(SPOT, data)


def _data(metrics: Metrics, traces: Sequence[Trace], gates: Sequence[Gate], diff: Diff | None) -> dict[str, Any]:
    return {
        "head": {
            "dialogues": len(metrics.groups),
            "runs": metrics.runs,
            "turns": metrics.turns,
            "virtual": lasting(metrics.virtual_s),
            "real": lasting(metrics.real_s),
            "steady": str(metrics.steady),
        },
        "gates": [{"text": str(gate), "held": gate.held} for gate in gates],
        "tiles": list(_tiles(metrics, gates)),
        "bad": sorted(TROUBLES),
        "diff": diff.lines() if diff is not None else [],
        "confusion": _confusion(metrics),
        "recovery": _recovery(metrics, traces),
        "coverage": _coverage(metrics),
        "dialogues": [_dialogue(group.name, group.tags, group.faulty, traces) for group in metrics.groups],
    }


def _tiles(metrics: Metrics, gates: Sequence[Gate]) -> Iterator[dict[str, Any]]:
    """What is seen first; red where its gate is broken, or where there is something that should not be."""
    broken = {gate.name for gate in gates if not gate.held}
    for name, value, note, gate, bad in (*_passing(metrics), *_spilled(metrics), *_timing(metrics)):
        yield {"name": name, "value": value, "note": note, "bad": bad or gate in broken}


Tile = tuple[str, str, str, str, bool]
"""Name, value, what it is of, the gate that watches it, and whether it is bad whatever the gate."""


def _passing(metrics: Metrics) -> Iterator[Tile]:
    k = max((len(group.seeds) for group in metrics.groups), default=1)
    low, high = metrics.routing.interval
    routed = f"{metrics.routing} · {low:.3f}–{high:.3f} · F1 {metrics.macro_f1:.3f}"
    steady = f"{metrics.steady} dialogues, every seed"
    yield f"pass^{k}", f"{metrics.passing(k):.3f}", steady, f"pass^{min(5, k)}", False
    if k > 1:
        yield "pass^1", f"{metrics.passing(1):.3f}", f"of {metrics.runs} runs", "", False
    yield "routing", f"{metrics.routing.value:.3f}", routed, "routing", False
    yield "recovery", str(metrics.recovered), "bad days got over or explained", "lost recoveries", False


def _spilled(metrics: Metrics) -> Iterator[Tile]:
    found = metrics.findings
    free, twice = metrics.wrongful, found["duplicate_send"]
    yield "wrongful spend", str(free.hits), f"of {free.total} turns that are free", "", free.hits > 0
    charged = f"{metrics.overcharged:g}"
    yield "double charge", charged, f"credits · {twice} duplicate sends", "duplicate send", metrics.overcharged > 0
    yield "screen talk", str(found["gui_leak"]), f"leaks in {metrics.messages} messages", "gui leak", False
    yield "token leaks", str(found["token_leak"]), "in words, addresses, logs, stores", "token leak", False
    yield "silence", str(found["silence"]), f"of {metrics.turns} turns", "silence", False
    yield "over-strip", str(metrics.strip), "facts nobody got to read", "over-strip", False


def _timing(metrics: Metrics) -> Iterator[Tile]:
    quiet = metrics.quietest or "virtual"
    yield "longest quiet", f"{metrics.longest_quiet:.0f} s", quiet, "longest quiet, s", False
    half, most = (quantile(metrics.first_output, share) for share in (0.5, 0.95))
    note = f"p95 · p50 {half:.1f} s · {quantile(metrics.overhead_ms, 0.5):.0f} ms of ours"
    yield "first output", f"{most:.1f} s", note, "", False


def _confusion(metrics: Metrics) -> dict[str, Any]:
    counts: Counter[tuple[str, str, str, str]] = Counter()
    places: dict[tuple[str, str, str, str], list[Any]] = {}
    for row in metrics.routed:
        key = (row.wanted, row.got, row.said, row.source)
        counts[key] += 1
        places.setdefault(key, [row.dialogue, row.seed, row.turn])
    cells: dict[str, list[Any]] = {}
    for key, count in counts.most_common():
        wanted, got, said, source = key
        cells.setdefault(f"{wanted}>{got}", []).append([said, source, count, *places[key]])
    totals = {f"{wanted}>{got}": count for wanted, row in metrics.confusion().items() for got, count in row.items()}
    columns = sorted({name for row in metrics.routed for name in (row.wanted, row.got)}, key=_order)
    return {"names": columns, "totals": totals, "cells": {key: rows[:MOST_SAID] for key, rows in cells.items()}}


def _order(name: str) -> tuple[int, str]:
    return name.count("+"), name


def _recovery(metrics: Metrics, traces: Sequence[Trace]) -> list[dict[str, Any]]:
    cases: dict[str, list[Any]] = {}
    for trace in traces:
        for turn in trace.turns:
            for name in struck(turn):
                cases.setdefault(name, []).append(
                    [outcome(turn, trace), trace.dialogue, trace.seed, turn.number, turn.said]
                )
    return [
        {
            "name": name,
            "counts": [counts["recovered"], counts["explained"], counts["lost"]],
            "cases": sorted(cases[name], key=lambda case: (case[0] != "lost", case[1:]))[:MOST_SAID],
        }
        for name, counts in sorted(metrics.recovery.items())
    ]


def _coverage(metrics: Metrics) -> dict[str, Any]:
    covered = metrics.coverage
    return {
        "rows": [[route, lang] for route in ROUTES for lang in LANGS],
        "acts": [PLAIN, *ACTS],
        "seen": {" ".join(cell): covered.seen[cell] for cell in covered.cells() if covered.seen[cell]},
        "why": {" ".join(cell): why for cell in covered.cells() if (why := covered.reason(cell))},
        "holes": len(covered.holes),
    }


def _dialogue(name: str, tags: tuple[str, ...], faulty: bool, traces: Sequence[Trace]) -> dict[str, Any]:
    runs = sorted((trace for trace in traces if trace.dialogue == name), key=lambda trace: trace.seed)
    return {"name": name, "tags": list(tags), "faulty": faulty, "runs": [_run(trace) for trace in runs]}


def _run(trace: Trace) -> dict[str, Any]:
    numbers = {turn.number for turn in trace.turns}
    ledger = trace.ledger
    return {
        "seed": trace.seed,
        "ok": not trace.findings,
        "lasted": lasting(trace.lasted),
        "ledger": {
            name: [getattr(ledger, name), trace.wanted_ledger.get(name)]
            for name in ("sends", "renders", "uploads", "charged")
        },
        "findings": [[each.check, each.problem] for each in trace.findings if each.turn not in numbers],
        "turns": [_turn(turn, trace) for turn in trace.turns],
    }


def _turn(turn: TurnTrace, trace: Trace) -> dict[str, Any]:
    lane = [(each.at, _wire(each, turn.begun)) for each in turn.exchanges]
    for message in messages(turn, progress=True):
        share = message.event.fraction if isinstance(message.event, Progress) else None
        text = message.text if share is None else f"{message.text} {share:.0%}"
        told: dict[str, Any] = {"at": _since(message.at, turn.begun), "kind": message.kind, "text": text}
        if isinstance(message.event, Ask | Hint):
            told["text"] = message.event.text
        if isinstance(message.event, Ask):
            told["options"] = message.event.options
        if isinstance(message.event, Delivered):
            told["file"] = f"{message.event.format} · {message.event.size} bytes"
        lane.append((message.at, told))
    return {
        "n": turn.number,
        "said": turn.said,
        "at": round(turn.begun, 1),
        "took": lasting(max(0.0, turn.ended - turn.begun)),
        "routes": turn.routes,
        "wanted": turn.wanted if turn.wanted and turn.routes not in turn.wanted else [],
        "acts": turn.acts,
        "findings": [[each.check, each.problem] for each in trace.findings if each.turn == turn.number],
        "lane": [row for _, row in sorted(lane, key=lambda pair: pair[0])],
    }


def _wire(each: Exchange, begun: float) -> dict[str, Any]:
    body = "" if each.body is None else json.dumps(each.body, ensure_ascii=False, indent=1, default=str)
    return {
        "at": _since(each.at, begun),
        "wire": [each.method, each.path, each.status, each.fault],
        "took": round(max(0.0, each.ended - each.at), 2),
        "body": body if len(body) <= LONGEST_BODY else body[:LONGEST_BODY] + "…",
    }


def _since(at: float, begun: float) -> float:
    return round(at - begun, 1)
