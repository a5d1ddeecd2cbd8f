"""A run as a page for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evals.baseline import Diff
from evals.gates import Gate
from evals.metrics import Metrics
from evals.reports.figures import lasting, quantile
from evals.trace import Trace

__all__ = ["markdown"]

MOST_FAILED = 50


def markdown(metrics: Metrics, traces: Sequence[Trace], gates: Sequence[Gate] = (), diff: Diff | None = None) -> str:
    """The page."""
    return "\n".join([*_head(metrics, gates), *_bad_days(metrics), *_confusion(metrics), *_rest(traces, diff)]) + "\n"


def _head(metrics: Metrics, gates: Sequence[Gate]) -> Iterator[str]:
    wrong = [gate for gate in gates if not gate.held]
    mark = "❌" if wrong or metrics.steady.hits < metrics.steady.total else "✅"
    yield f"## {mark} Dialogues: {metrics.steady} pass under every seed"
    yield ""
    yield f"{metrics.runs} runs, {metrics.turns} turns, {lasting(metrics.virtual_s)} virtual in {metrics.real_s:.1f} s"
    yield ""
    yield from _table(["figure", "value"], _figures(metrics))
    if wrong:
        yield from ("", *(f"- **gate** {gate}" for gate in wrong))


def _figures(metrics: Metrics) -> Iterator[list[str]]:
    low, high = metrics.routing.interval
    found = metrics.findings
    yield ["pass^1 / pass^5", f"{metrics.passing(1):.3f} / {metrics.passing(5):.3f}"]
    yield ["routing", f"{metrics.routing} = {metrics.routing.value:.3f} [{low:.3f}, {high:.3f}]"]
    yield ["macro-F1", f"{metrics.macro_f1:.3f}"]
    yield ["wrongful spend, double charge", f"{metrics.wrongful.hits}, {metrics.overcharged:g}"]
    yield ["gui leak, token leak", f"{found['gui_leak']}/{metrics.messages}, {found['token_leak']}"]
    yield ["over-strip", str(metrics.strip)]
    yield ["silence, duplicate send", f"{found['silence']}/{metrics.turns}, {found['duplicate_send']}"]
    yield ["recovery", str(metrics.recovered)]
    yield ["longest quiet", f"{metrics.longest_quiet:.0f} s"]
    yield ["first output p50, p95", ", ".join(f"{quantile(metrics.first_output, q):.1f} s" for q in (0.5, 0.95))]
    yield ["overhead a turn p50, p95", ", ".join(f"{quantile(metrics.overhead_ms, q):.0f} ms" for q in (0.5, 0.95))]


def _bad_days(metrics: Metrics) -> Iterator[str]:
    if metrics.recovery:
        yield from ("", "### Bad days", "")
        kinds = ("recovered", "explained", "lost")
        rows = (
            [name, str(sum(counts.values())), *(str(counts[kind] or "–") for kind in kinds)]  # type: ignore[index]
            for name, counts in sorted(metrics.recovery.items())
        )
        yield from _table(["what", "seen", *kinds], rows)


def _confusion(metrics: Metrics) -> Iterator[str]:
    found = metrics.confusion()
    columns = sorted({got for row in found.values() for got in row})
    if columns:
        yield from ("", "### Routes wanted (rows) and taken", "")
        yield from _table(
            ["", *columns], ([name, *(str(row[got] or "·") for got in columns)] for name, row in sorted(found.items()))
        )


def _rest(traces: Sequence[Trace], diff: Diff | None) -> Iterator[str]:
    if diff is not None:
        yield from ("", "### Against the baseline", "", "```", *diff.lines(), "```")
    failed = [trace for trace in traces if trace.findings]
    if failed:
        yield from ("", "### Failed", "")
        for trace in failed[:MOST_FAILED]:
            first = trace.findings[0]
            problem = _cell(" ".join(first.problem.split())[:200])
            yield f"- `{trace.dialogue}` seed {trace.seed} turn {first.turn}: **{first.check}** {problem}"
        if len(failed) > MOST_FAILED:
            yield f"- and {len(failed) - MOST_FAILED} more runs"


def _table(head: Sequence[str], rows: Iterator[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _cell(text: str) -> str:
    """Nothing in it is markup."""
    for sign in "\\|<>*_`[]":
        text = text.replace(sign, "\\" + sign if sign not in "<>" else {"<": "&lt;", ">": "&gt;"}[sign])
    return text
