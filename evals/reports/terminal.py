"""A run on one screen: the figures, the bad days beside the confusion, what is different, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import zip_longest

from evals.baseline import Diff
from evals.gates import Gate, broken
from evals.metrics import STEPS, Metrics, Share
from evals.reading import messages
from evals.reports.figures import lasting, quantile
from evals.trace import Exchange, Trace

__all__ = ["show", "terminal"]

LEFT = 37
MOST_FAILED = 20
LONGEST = 120
"""Characters of a problem."""
SEVERAL = "several"
LANE = 34


def terminal(metrics: Metrics, traces: Sequence[Trace], gates: Sequence[Gate] = (), diff: Diff | None = None) -> str:
    """The whole report; ends with a newline."""
    return (
        "\n".join([*_head(metrics), *_tables(metrics), *_coverage(metrics), *_diff(diff), *_failed(traces, gates)])
        + "\n"
    )


def _head(metrics: Metrics) -> Iterator[str]:
    k = max((len(group.seeds) for group in metrics.groups), default=1)
    low, high = metrics.routing.interval
    found = metrics.findings
    yield (
        f"{len(metrics.groups)} dialogues, {metrics.runs} runs, {metrics.turns} turns, {metrics.real_s:.1f} s "
        f"({lasting(metrics.virtual_s)} virtual)   seeds {_range(metrics.seeds)}"
    )
    yield (
        f"pass^1 {metrics.passing(1):.3f}   pass^{k} {metrics.passing(k):.3f} ({metrics.steady})   routing "
        f"{metrics.routing} {metrics.routing.value:.3f} [{low:.3f}, {high:.3f}]   macro-F1 {metrics.macro_f1:.3f}"
    )
    yield (
        f"wrongful spend {metrics.wrongful.hits}   gui leak {found['gui_leak']}/{metrics.messages}   "
        f"over-strip {metrics.strip}   silence {found['silence']}/{metrics.turns}   duplicate send "
        f"{found['duplicate_send']}   double charge {metrics.overcharged:g}   token leak {found['token_leak']}"
    )
    yield (
        f"first output {_both(metrics.first_output, '.1f', 's')}   longest quiet {metrics.longest_quiet:.0f} s   "
        f"recovery {metrics.recovered}   overhead a turn {_both(metrics.overhead_ms, '.0f', 'ms')}"
    )


def _both(ordered: Sequence[float], form: str, unit: str) -> str:
    return f"p50 {quantile(ordered, 0.5):{form}} {unit}  p95 {quantile(ordered, 0.95):{form}} {unit}"


def _range(seeds: Sequence[int]) -> str:
    if seeds and list(seeds) == list(range(seeds[0], seeds[-1] + 1)) and len(seeds) > 1:
        return f"{seeds[0]}-{seeds[-1]}"
    return ", ".join(map(str, seeds)) or "none"


def _tables(metrics: Metrics) -> Iterator[str]:
    yield ""
    for left, right in zip_longest(_recovery(metrics), _confusion(metrics), fillvalue=""):
        yield f"{left:{LEFT}} {right}".rstrip()


def _recovery(metrics: Metrics) -> Iterator[str]:
    yield "  bad day   seen recov. expl.  lost"
    for name, counts in sorted(metrics.recovery.items()):
        figures = (sum(counts.values()), counts["recovered"], counts["explained"], counts["lost"])
        yield f"  {name:9}" + "".join(f"{figure or '-':>6}" for figure in figures)


def _confusion(metrics: Metrics) -> Iterator[str]:
    """Lists of steps are one name each here; a list that was taken for another one stands under "other"."""
    found: Counter[tuple[str, str]] = Counter()
    for row in metrics.routed:
        wanted, got = (SEVERAL if STEPS in name else name for name in (row.wanted, row.got))
        found[wanted, got if row.right or wanted != got else "other"] += 1
    columns = sorted({name for pair in found for name in pair}, key=lambda name: (name in (SEVERAL, "other"), name))
    widths = [max(len(name), 4) for name in columns]
    yield " ".join([f"{'wanted':9}", *(f"{name:>{width}}" for name, width in zip(columns, widths, strict=True))])
    for name in sorted({wanted for wanted, _ in found}, key=columns.index):
        told = (f"{found[name, got] or '.':>{width}}" for got, width in zip(columns, widths, strict=True))
        yield " ".join([f"{name:9}", *told])


def _coverage(metrics: Metrics) -> Iterator[str]:
    covered = metrics.coverage
    excused = sum(1 for cell in covered.cells() if not covered.seen[cell] and covered.reason(cell))
    cells = Share(covered.reached, sum(1 for _ in covered.cells()))
    yield ""
    yield f"coverage route x language x act: {cells} seen, {excused} excused, {len(covered.holes)} empty"
    if 0 < len(covered.holes) <= 60 and len(metrics.groups) > 20:
        yield "  empty: " + ", ".join(" ".join(cell) for cell in covered.holes)


def _diff(diff: Diff | None) -> Iterator[str]:
    if diff is not None:
        yield from diff.lines()


def _failed(traces: Sequence[Trace], gates: Sequence[Gate]) -> Iterator[str]:
    """One line for each way a dialogue fails first, and how to see it."""
    first: dict[tuple[str, int, str], list[Trace]] = {}
    for trace in (trace for trace in traces if trace.findings):
        finding = trace.findings[0]
        first.setdefault((trace.dialogue, finding.turn, finding.check), []).append(trace)
    for (dialogue, number, check), runs in list(first.items())[:MOST_FAILED]:
        problem = " ".join(runs[0].findings[0].problem.split())
        problem = problem if len(problem) <= LONGEST else problem[: LONGEST - 1] + "…"
        seeds = _range(sorted(run.seed for run in runs))
        where = f" turn {number}" if number else ""
        yield f"FAILED {dialogue} seed {seeds}{where}: {check}: {problem}"
    if len(first) > MOST_FAILED:
        yield f"       and {len(first) - MOST_FAILED} more"
    if runs := next(iter(first.values()), []):
        yield f"       python -m evals show {runs[0].path or runs[0].dialogue} --seed {runs[0].seed}"
    yield from (f"GATE {gate}" for gate in broken(list(gates)))


# One run, moment by moment


def show(trace: Trace) -> str:
    """A run as it went: the wire on the left, what was shown on the right, virtual seconds between."""
    return "\n".join(_show(trace)) + "\n"


def _show(trace: Trace) -> Iterator[str]:
    verdict = "passed" if not trace.findings else f"{len(trace.findings)} findings"
    yield f"{trace.dialogue} seed {trace.seed}: {verdict}, {lasting(trace.lasted)} virtual, {trace.took:.2f} s"
    for turn in trace.turns:
        yield ""
        yield f"turn {turn.number} at {turn.begun:.1f}s [{' + '.join(turn.routes) or '-'}] {turn.said}"
        lane = [(each.at, 0, _wire(each)) for each in turn.exchanges]
        lane += [(message.at, 1, (message.kind, message.text)) for message in messages(turn, progress=True)]
        for at, side, (name, text) in sorted(lane, key=lambda row: row[:2]):
            moment = f"+{at - turn.begun:.1f}s"
            if side == 0:
                yield f"{name + ' ' + text:>{LANE}} {moment:>9} |"
            else:
                first, *rest = text.splitlines()
                yield f"{'':{LANE}} {moment:>9} | {'' if name == 'text' else name + ': '}{first}"
                yield from (f"{'':{LANE + 10}} | {line}" for line in rest)
        yield from (f"  !! {each.check}: {each.problem}" for each in trace.findings if each.turn == turn.number)
    yield ""
    booked = (f"{name} {figure:g}{_unlike(figure, trace.wanted_ledger.get(name))}" for name, figure in _books(trace))
    yield "ledger  " + "  ".join(booked)
    yield from (f"  !! {each.check}: {each.problem}" for each in trace.findings if not each.turn)


def _books(trace: Trace) -> list[tuple[str, float]]:
    return list(asdict(trace.ledger).items())


def _unlike(figure: float, wanted: float | None) -> str:
    return "" if wanted in (None, figure) else f" (wanted {wanted:g})"


def _wire(each: Exchange) -> tuple[str, str]:
    path = each.path if len(each.path) <= LANE - 16 else "…" + each.path[-(LANE - 17) :]
    answer = each.status if each.status is not None else "none"
    return f"{each.method} {path}", f"-> {answer}{' ' + each.fault if each.fault else ''}"
