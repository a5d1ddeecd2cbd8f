"""Reports for other programs: everything as JSON, and the conversations as messages, one run a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from evals.baseline import kept
from evals.gates import Gate
from evals.metrics import Metrics, outcome
from evals.reading import struck, visible, writes
from evals.reports.figures import quantile
from evals.trace import Exchange, Trace, TurnTrace

__all__ = ["as_json", "errors", "messages"]


def as_json(metrics: Metrics, traces: Sequence[Trace], gates: Sequence[Gate] = ()) -> str:
    """The figures, the gates and every run with its findings."""
    low, high = metrics.routing.interval
    made = {
        **kept(metrics),
        "runs": metrics.runs,
        "turns": metrics.turns,
        "virtual_s": round(metrics.virtual_s, 1),
        "real_s": round(metrics.real_s, 2),
        "seeds": metrics.seeds,
        "routing": {
            "right": metrics.routing.hits,
            "total": metrics.routing.total,
            "wilson_95": [round(low, 4), round(high, 4)],
            "by_language": {name: share.value for name, share in metrics.routing_by("lang").items()},
            "by_source": {name: share.value for name, share in metrics.routing_by("source").items()},
            "confusion": metrics.confusion(),
        },
        "recovery": metrics.recovery,
        "first_output_s": {"p50": quantile(metrics.first_output, 0.5), "p95": quantile(metrics.first_output, 0.95)},
        "overhead_ms": {"p50": quantile(metrics.overhead_ms, 0.5), "p95": quantile(metrics.overhead_ms, 0.95)},
        "stripped": [dict(zip(("dialogue", "seed", "turn", "fact"), row, strict=True)) for row in metrics.stripped],
        "coverage": {"seen": metrics.coverage.reached, "empty": [" ".join(cell) for cell in metrics.coverage.holes]},
        "gates": [{"name": gate.name, "value": gate.value, "limit": gate.limit, "held": gate.held} for gate in gates],
        "plays": [_run(trace) for trace in traces],
    }
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _run(trace: Trace) -> dict[str, Any]:
    return {
        "dialogue": trace.dialogue,
        "seed": trace.seed,
        "passed": not trace.findings,
        "lasted_s": round(trace.lasted, 3),
        "ledger": asdict(trace.ledger),
        "findings": [asdict(finding) for finding in trace.findings],
        "turns": [
            {
                "said": turn.said,
                "routes": turn.routes,
                "bad_days": {name: outcome(turn, trace) for name in struck(turn)},
            }
            for turn in trace.turns
        ],
    }


def errors(traces: Sequence[Trace]) -> str:
    """Only what did not hold, one object a finding: for reading over."""
    rows = [
        {"dialogue": trace.dialogue, "seed": trace.seed, **asdict(finding), "said": _said(trace, finding.turn)}
        for trace in traces
        for finding in trace.findings
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def _said(trace: Trace, number: int) -> str:
    return next((turn.said for turn in trace.turns if turn.number == number), "")


def messages(traces: Sequence[Trace]) -> str:
    """One line a run, as chat completions have them: writes are tool calls, and answers are what the person read."""
    rows = (
        {
            "dialogue": trace.dialogue,
            "seed": trace.seed,
            "passed": not trace.findings,
            "messages": [message for turn in trace.turns for message in _turn(turn)],
        }
        for trace in traces
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _turn(turn: TurnTrace) -> Iterator[dict[str, Any]]:
    yield {"role": "user", "content": turn.said}
    calls = [(f"call_{turn.number}_{number}", each) for number, each in enumerate(writes(turn), 1)]
    if calls:
        yield {"role": "assistant", "content": None, "tool_calls": [_call(name, each) for name, each in calls]}
        for name, each in calls:
            answer = f"HTTP {each.status}" if each.status is not None else "no answer"
            yield {"role": "tool", "tool_call_id": name, "content": f"{answer} {each.fault}".strip()}
    yield {"role": "assistant", "content": visible(turn)}


def _call(name: str, each: Exchange) -> dict[str, Any]:
    told = {"name": f"{each.method} {each.path}", "arguments": json.dumps(each.body, ensure_ascii=False, default=str)}
    return {"id": name, "type": "function", "function": told}
