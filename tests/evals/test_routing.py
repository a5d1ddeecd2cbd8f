"""The routing measurement: what it counts, on a few sentences with a known answer."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from evals.routing import Case, calibration, cases, main, measure, report, wilson
from router import Decision, Route

LINES = [
    {"text": "export it", "accept": [["export"], ["sse", "export"]], "lang": "en", "category": "plain"},
    {"text": "余额", "routes": ["credits"], "lang": "zh", "category": "plain"},
    {"text": "a status bar", "route": "sse", "lang": "en", "kind": "hard"},
    {"text": "cut it, then export", "routes": ["sse", "export"], "lang": "en", "category": "several"},
]


def says(*routes: Route, score: float = 0.9, ask: bool = False) -> list[Decision]:
    return [Decision(route, "", (0, 0), "rule", score, "", ask=ask) for route in routes]


def _always(answer: list[Decision], _text: str) -> list[Decision]:
    return answer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in LINES) + "\n", encoding="utf-8")
    return path


def test_cases_are_read_in_each_of_their_forms(file: Path) -> None:
    one, two, three, _ = cases(file)
    assert one == Case("export it", (("export",), ("sse", "export")), "en", "plain")
    assert two.accept == (("credits",),)
    assert (three.accept, three.category) == ((("sse",),), "hard")


def test_only_the_exact_list_in_order_is_right(file: Path) -> None:
    *_, several = cases(file)
    answers: list[tuple[tuple[Route, ...], bool]] = [
        (("sse", "export"), True),
        (("export", "sse"), False),
        (("sse",), False),
    ]
    for routes, right in answers:
        answer = says(*routes)
        (row,) = measure([several], partial(_always, answer))
        assert row.right is right


def test_the_report_counts_edits_sent_to_a_tool_and_wrong_exports(file: Path) -> None:
    rows = measure(cases(file), lambda _text: says("export"))
    lines = {line.rsplit(None, 4)[0].strip(): line.split()[-1] for line in report(rows) if line[-1:].isdigit()}
    assert lines["exact"] == "1/4"
    assert lines["edits sent to a tool"] == "1/1"
    assert lines["exports nobody asked for"] == "2/2"
    asked = measure(cases(file), lambda _text: says("export", score=0.6, ask=True))
    assert any(line.startswith("exports nobody asked for") and line.endswith("0/2") for line in report(asked))


def test_the_interval_holds_the_share_and_narrows() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(90, 100)
    assert 0.82 < low < 0.9 < high < 0.95
    assert wilson(900, 1000)[0] > low


def test_scores_that_are_true_have_no_calibration_error(file: Path) -> None:
    plain = list(cases(file))[:2]
    assert calibration(measure(plain, lambda _text: says("export", score=0.5))) == pytest.approx(0)
    assert calibration(measure(plain, lambda _text: says("export", score=0.95))) == pytest.approx(0.45)


def test_a_run_prints_failures_unless_told_not_to(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(file)]) == 0
    assert "failures" in capsys.readouterr().out.splitlines()
    assert main([str(file), "--summary"]) == 0
    assert "failures" not in capsys.readouterr().out.splitlines()
