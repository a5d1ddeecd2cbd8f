"""`python -m evals.routing FILE.jsonl…`: how often the router takes exactly the steps a sentence asks for."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router import Decision, decide

__all__ = ["Case", "Row", "calibration", "cases", "measure", "report", "wilson"]

Router = Callable[[str], list[Decision]]
_TOOLS = ("export", "credits", "state", "upload")


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence and every list of routes that is right for it."""

    text: str
    accept: tuple[tuple[str, ...], ...]
    lang: str
    category: str


@dataclass(frozen=True, slots=True)
class Row:
    """A case and what the router made of it, in how many milliseconds."""

    case: Case
    decisions: tuple[Decision, ...]
    took_ms: float

    @property
    def routes(self) -> tuple[str, ...]:
        """What the router answered, in order."""
        return tuple(each.route for each in self.decisions)

    @property
    def right(self) -> bool:
        """Whether that is one of the accepted lists, exactly."""
        return self.routes in self.case.accept

    @property
    def chat_only(self) -> bool:
        """Whether nothing but chat is accepted."""
        return all(set(routes) <= {"sse"} for routes in self.case.accept)


def cases(path: Path) -> Iterator[Case]:
    """The cases of a file of {"text", "accept": [[…], …] or "routes": […] or "route", "lang", "category"}."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            row: dict[str, Any] = json.loads(line)
            accept = row.get("accept") or [row.get("routes") or [row["route"]]]
            lists = tuple(tuple(routes) for routes in accept)
            yield Case(row["text"], lists, row.get("lang", "?"), row.get("category") or row.get("kind") or "?")


def measure(known: Iterable[Case], router: Router = decide) -> list[Row]:
    """Every case through the router; the first time a sentence is routed is not timed, it compiles and loads."""
    rows = []
    router("warm up 热身")
    for case in known:
        start = time.perf_counter()
        decisions = tuple(router(case.text))
        rows.append(Row(case, decisions, (time.perf_counter() - start) * 1000))
    return rows


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if not total:
        return 0.0, 1.0
    share = right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * (share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5
    return max(0.0, middle - reach), min(1.0, middle + reach)


def calibration(rows: Iterable[Row], bins: int = 10) -> float:
    """Expected calibration error of single-step answers: how far scores are from how often they are right."""
    groups: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for row in rows:
        if len(row.decisions) == 1 and any(len(routes) == 1 for routes in row.case.accept):
            score = row.decisions[0].score
            groups[min(int(score * bins), bins - 1)].append((score, row.right))
    total = sum(map(len, groups.values())) or 1
    return sum(abs(sum(score - right for score, right in group)) for group in groups.values()) / total


def report(rows: list[Row], failures: bool = True) -> Iterator[str]:
    """The figures of a run, line by line."""
    yield _share("exact", [row.right for row in rows])
    for name in ("category", "language"):
        groups: dict[str, list[bool]] = defaultdict(list)
        for row in rows:
            groups[row.case.category if name == "category" else row.case.lang].append(row.right)
        yield f"by {name}"
        yield from (_share(f"  {group}", groups[group]) for group in sorted(groups))
    several = [row.right for row in rows if all(len(routes) > 1 for routes in row.case.accept)]
    yield _share("several steps", several)
    chat = [row for row in rows if row.chat_only]
    yield _share("edits sent to a tool", [bool(set(row.routes) & set(_TOOLS)) for row in chat])
    no_export = [row for row in rows if not any("export" in routes for routes in row.case.accept)]
    yield _share("exports nobody asked for", [_exports(row) for row in no_export])
    yield f"calibration error {calibration(rows):.3f}"
    times = sorted(row.took_ms for row in rows) or [0.0]
    yield f"latency p50 {times[len(times) // 2]:.3f} ms, p95 {times[int(len(times) * 0.95)]:.3f} ms"
    yield "confusion (accepted -> answered)"
    yield from (f"  {count:4d}  {pair}" for pair, count in _confusion(rows).most_common(20))
    if failures:
        yield "failures"
        yield from (_failure(row) for row in rows if not row.right)


def _exports(row: Row) -> bool:
    """An export that only asks whether it was meant is not one."""
    return any(each.route == "export" and not each.ask for each in row.decisions)


def _share(name: str, hits: list[bool]) -> str:
    low, high = wilson(sum(hits), len(hits))
    return f"{name:32} {sum(hits) / (len(hits) or 1):.4f}  [{low:.3f}, {high:.3f}]  {sum(hits)}/{len(hits)}"


def _confusion(rows: list[Row]) -> Counter[str]:
    return Counter(f"{' '.join(row.case.accept[0])} -> {' '.join(row.routes) or '-'}" for row in rows if not row.right)


def _failure(row: Row) -> str:
    why = "; ".join(f"{each.route} {each.score:.2f} {each.because}" for each in row.decisions)
    return f"  {row.case.text[:120]!r}: {' '.join(row.case.accept[0])} -> {why}"


def main(arguments: list[str]) -> int:
    """Prints a report for each file. `--summary` leaves the failing sentences out."""
    failures = "--summary" not in arguments
    for name in (each for each in arguments if not each.startswith("--")):
        print(name)  # noqa: T201
        for line in report(measure(cases(Path(name))), failures):
            print(line)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
