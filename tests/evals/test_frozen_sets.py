"""The router on sentences that nobody tuned on: it does not fall behind what it has reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.routing import cases, measure

FROZEN = Path(__file__).parents[2] / "evals" / "frozen"


@pytest.mark.parametrize(
    ("name", "exact", "to_a_tool"),
    [("frozen_a", 0.83, 0.11), ("frozen_zh", 0.87, 0.10), ("prompts_1000", 0.985, 0.015)],
)
def test_the_router_does_not_fall_behind(name: str, exact: float, to_a_tool: float) -> None:
    rows = measure(cases(FROZEN / f"{name}.jsonl"))
    edits = [row for row in rows if row.chat_only]
    assert sum(row.right for row in rows) / len(rows) >= exact
    assert sum(set(row.routes) != {"sse"} for row in edits) / len(edits) <= to_a_tool
