"""The router on sentences that nobody tuned on, by other hands than its rules and what it learned from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from evals.routing import Row, calibration, cases, measure
from router.examples import sentences

FROZEN = Path(__file__).parents[2] / "evals" / "frozen"
SETS = ("frozen_a", "frozen_c", "frozen_zh")


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Row]]:
    return {name: measure(cases(FROZEN / f"{name}.jsonl")) for name in SETS}


@pytest.mark.parametrize("name", SETS)
def test_nine_in_ten_turns_take_exactly_their_steps(rows: dict[str, list[Row]], name: str) -> None:
    assert sum(row.right for row in rows[name]) / len(rows[name]) >= 0.90


@pytest.mark.parametrize("name", SETS)
def test_turns_of_several_steps_are_taken_apart(rows: dict[str, list[Row]], name: str) -> None:
    several = [row for row in rows[name] if all(len(routes) > 1 for routes in row.case.accept)]
    assert len(several) > 40
    assert sum(row.right for row in several) / len(several) >= 0.85


@pytest.mark.parametrize("name", SETS)
def test_edits_stay_out_of_the_tools(rows: dict[str, list[Row]], name: str) -> None:
    edits = [row for row in rows[name] if row.chat_only]
    assert sum(set(row.routes) != {"sse"} for row in edits) / len(edits) <= 0.04


def test_a_score_is_how_often_the_router_is_right(rows: dict[str, list[Row]]) -> None:
    assert calibration([row for name in SETS for row in rows[name]]) <= 0.05


def test_prompts_for_pictures_and_films_stay_out_of_the_tools() -> None:
    prompts = measure(cases(FROZEN / "prompts_1000.jsonl"))
    assert sum(set(row.routes) != {"sse"} for row in prompts) / len(prompts) <= 0.01


def test_the_sets_are_large_and_hard_enough(rows: dict[str, list[Row]]) -> None:
    known = [row.case for name in SETS for row in rows[name]]
    langs = [case.lang for case in known]
    assert len(known) >= 600
    assert langs.count("zh") >= 300
    assert all(langs.count(lang) >= 20 for lang in ("es", "fr", "de", "pt", "it", "ja", "ko", "ru"))


def test_no_sentence_of_the_sets_was_learned() -> None:
    learned = {_key(sentence["text"]) for sentence in sentences()}
    for path in FROZEN.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert _key(json.loads(line)["text"]) not in learned, line


def _key(text: str) -> str:
    return re.sub(r"\W+", "", text.lower()) or text
