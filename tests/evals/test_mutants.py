"""The agent broken on purpose: a sample here, all of them with `python -m evals mutants`."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.nodes import credits as node
from agent.report import tell
from evals.__main__ import main
from evals.mutants import MUTANTS
from evals.mutants.hunt import hunt, order
from evals.mutants.mutant import mutant, put
from evals.playing import find

SAMPLE = {
    "send_again_after_a_cut": "cut_after_charge",
    "journal_after_the_post": "kill_in_the_send",
    "same_render_id": "render_fails_once",
    "supplied_token_swapped": "code_1001_own_token",
    "question_answered_without_a_person": "question_by_number_en",
    "token_printed": "main_job_en",
    "seconds_invented": "main_job_en",
}
HOLDS = """\
dialogue: holds
about: Credits are told.
turns:
  - user: credits
    expect: {route: credits, reply: {contains: credits available}}
"""


@pytest.mark.parametrize("name", SAMPLE)
def test_a_dialogue_notices(name: str) -> None:
    found = hunt(name, find([SAMPLE[name]]))
    assert found.noticed, found


def test_there_are_enough_mutants_in_every_room() -> None:
    rooms = {one.room.split("/")[0] + "/" + one.room.partition("/")[2].split("/")[0] for one in MUTANTS.values()}
    assert len(MUTANTS) >= 30
    assert {"router/", "agent/graph", "agent/nodes", "agent/backend", "agent/journal", "agent/rendering"} <= rooms
    assert {"agent/recovery", "agent/versions", "agent/translator", "agent/summarizer", "agent/report"} <= rooms
    assert all(len(one.about) < 100 and "\n" not in one.about for one in MUTANTS.values())


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_leaves_the_agent_as_it_was(name: str) -> None:
    before = vars(node) | {"real": tell}
    with MUTANTS[name].broken():
        pass
    assert vars(node) | {"real": tell} == before


def test_a_mutant_that_nothing_notices_survives(tmp_path: Path) -> None:
    (tmp_path / "holds.yaml").write_text(HOLDS, encoding="utf-8")
    found = hunt("upload_sent_twice", [tmp_path / "holds.yaml"])
    assert (found.noticed, found.played) == (False, 1)
    assert str(found).startswith("SURVIVED  upload_sent_twice: Every file is given twice.")


def test_a_dialogue_that_fails_anyway_notices_nothing(tmp_path: Path) -> None:
    wrong = HOLDS.replace("credits available", "a million").replace("holds", "wrong")
    (tmp_path / "wrong.yaml").write_text(wrong, encoding="utf-8")
    assert not hunt("upload_sent_twice", [tmp_path / "wrong.yaml"]).noticed


def test_the_dialogues_most_likely_to_notice_come_first() -> None:
    first = next(order(MUTANTS["send_again_after_a_cut"], find([])))
    assert "cut" in first.tags


def test_two_mutants_of_one_name_and_a_swap_of_nothing_are_mistakes() -> None:
    def same_render_id() -> object:
        """Again."""

    with pytest.raises(AssertionError):
        mutant("agent")(same_render_id)  # type: ignore[arg-type]
    with pytest.raises(AttributeError), put(node, "no_such_function", None):
        pass


def test_the_command_ends_with_1_where_a_mutant_survives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "holds.yaml").write_text(HOLDS, encoding="utf-8")
    only = ["--in", str(tmp_path), "--jobs", "2"]
    assert main(["mutants", "upload_sent_twice", "credits_asked_by_chat", *only]) == 1
    told = capsys.readouterr().out
    assert "SURVIVED  upload_sent_twice" in told and "noticed   credits_asked_by_chat" in told
    assert "1 of 2 mutants noticed" in told
    assert main(["mutants", "--list"]) == 0
    assert "send_again_after_a_cut" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["mutants", "no_such_mutant"])
