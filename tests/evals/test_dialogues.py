"""Dialogues tagged `studio` hold on a real studio, in real time; and a real run notices when one does not."""

from __future__ import annotations

import asyncio
from itertools import groupby
from pathlib import Path

import pytest

from evals.format import Dialogue, load
from evals.live import costs, on_server, on_studio
from evals.playing import DIALOGUES
from evals.stage import FAST, studio

REAL = [path for path in sorted(DIALOGUES.rglob("*.yaml")) if "studio" in load(path).tags]
JOBS = [list(same) for _, same in groupby(REAL, key=lambda path: path.stem.removesuffix("_en").removesuffix("_zh"))]
HERE = [same[at % len(same)] for at, same in enumerate(JOBS)]
"""Each once, its language in turn: `make soak` plays all of them."""


def dialogue(*turns: dict[str, object], tags: tuple[str, ...] = ("studio",)) -> Dialogue:
    return Dialogue.model_validate({"dialogue": "d", "about": "x", "tags": list(tags), "turns": list(turns)})


@pytest.mark.parametrize("path", HERE, ids=lambda path: path.stem)
def test_a_dialogue_for_a_real_studio_holds_on_one(path: Path, tmp_path: Path) -> None:
    assert on_studio(load(path), tmp_path).findings == []


def test_both_languages_are_played_on_a_real_studio() -> None:
    assert {load(path).lang for path in REAL} == {"en", "zh"}


def test_a_dialogue_that_expects_what_does_not_happen_is_noticed(tmp_path: Path) -> None:
    wrong = dialogue(
        {"user": "credits", "expect": {"route": "state", "timeline": "x", "reply": {"contains": "a million credits"}}},
        {"user": "export", "expect": {"wire": ["POST /api/render/proxy/lambda"]}},
    )
    found = [(finding.check, finding.turn) for finding in on_studio(wrong, tmp_path).findings]
    assert found == [("route", 1), ("reply", 1), ("reply", 1), ("wire", 2), ("unhandled_error", 2)]


def test_what_went_over_a_real_wire_is_written_down(tmp_path: Path) -> None:
    trace = on_studio(dialogue({"user": "generate a city at night", "expect": {"route": "sse"}}), tmp_path)
    calls = [(one.method, one.path, one.status) for one in trace.turns[0].exchanges]
    sent = next(one for one in trace.turns[0].exchanges if one.path == "/run_sse")
    assert ("POST", "/run_sse", 200) in calls
    assert sent.body["new_message"]["parts"][0]["text"] == "generate a city at night"
    assert sent.headers["x-skill-source"] == "generator-image"
    assert (trace.ledger.sends, trace.turns[0].routes) == (1, ["sse"])


def test_a_turn_that_may_cost_is_skipped_on_a_server_unless_it_may_spend(tmp_path: Path) -> None:
    told = dialogue(
        {"user": "generate a city at night", "expect": {"route": "sse"}},
        {"user": "credits", "expect": {"reply": {"contains": "nothing of the kind"}}},
        tags=(),
    )

    async def at_the_server(spend: bool) -> list[str]:
        async with studio(tmp_path / f"studio{spend}", *FAST) as url:
            trace = await asyncio.to_thread(on_server, told, url, tmp_path / f"run{spend}", spend=spend)
        assert trace.findings == []  # what is said of a reply belongs to a script, and no server follows one
        return [turn.said for turn in trace.turns]

    assert asyncio.run(at_the_server(False)) == ["credits"]
    assert asyncio.run(at_the_server(True)) == ["generate a city at night", "credits"]


def test_the_router_says_what_a_turn_costs_where_the_dialogue_does_not() -> None:
    turns = dialogue(
        {"user": "credits", "expect": {"wire": []}},
        {"user": "add lo-fi music", "expect": {"wire": []}},
        {"user": "make it nice", "expect": {"route": "state"}},
    ).turns
    assert [costs(turn) for turn in turns] == [False, True, False]
