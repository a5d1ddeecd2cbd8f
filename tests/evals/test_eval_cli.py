"""`python -m evals`: what it plays, what it writes, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.command import SCHEMA
from evals.format import load, loads
from evals.interop import evalset, skeletons
from evals.playing import NotThere, find, play_all, play_one
from evals.show import transcript

ROOT = Path(__file__).parents[2]
HOLDS = """\
dialogue: holds
about: An export of what is there.
world: {draft: {t: [{tt: 0, sg: [{d: 10000, m: {name: city}}]}]}}
turns:
  - user: export as mp4
    expect: {route: export, wire: [POST /api/render/proxy/lambda], delivered: mp4}
  - user: credits
    expect: {route: credits, wire: []}
ledger: {sends: 0, renders: 1}
"""
FAILS = """\
dialogue: fails
about: Nobody has a million.
turns:
  - user: credits
    expect: {route: credits, reply: {contains: a million credits}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "dialogues"
    made.mkdir()
    (made / "holds.yaml").write_text(HOLDS, encoding="utf-8")
    (made / "fails.yaml").write_text(FAILS, encoding="utf-8")
    return made


def test_dialogues_that_hold_end_with_0_and_one_that_does_not_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder / "holds.yaml"), "--seeds", "1"]) == 0
    assert main([str(folder), "--seeds", "1", "--jobs", "1"]) == 1
    told = capsys.readouterr().out
    assert "a million credits" in told and "fails.yaml --seed 0" in told


def test_a_file_that_is_no_dialogue_and_a_name_that_nothing_has_end_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("dialogue: bad\nabout: x\nturns: [{user: hi, expect: {}, typo: 1}]\n", encoding="utf-8")
    assert main([str(bad)]) == 2
    assert f"{bad}:3" in capsys.readouterr().err
    assert main(["no_such_dialogue"]) == 2
    assert "no_such_dialogue" in capsys.readouterr().err


def test_every_report_is_written_where_it_was_asked_for(folder: Path, tmp_path: Path) -> None:
    out = {form: tmp_path / "out" / f"r.{form}" for form in ("html", "json", "junit", "markdown", "messages")}
    flags = [word for form, path in out.items() for word in (f"--{form}", str(path))]
    assert main([str(folder), "--seeds", "1", "--jobs", "1", *flags]) == 1
    assert "<html" in out["html"].read_text(encoding="utf-8")
    assert json.loads(out["json"].read_text(encoding="utf-8"))
    assert Xml.parse(out["junit"]).getroot().tag in ("testsuite", "testsuites")
    assert "fails" in out["markdown"].read_text(encoding="utf-8")
    said = [json.loads(line) for line in out["messages"].read_text(encoding="utf-8").splitlines()]
    assert [one["messages"][0]["content"] for one in said] == ["credits", "export as mp4"]


def test_a_baseline_shows_what_became_worse(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, paths = tmp_path / "b.json", [str(folder / "holds.yaml"), "--seeds", "1"]
    assert main([*paths, "--save-baseline", str(kept)]) == 0
    (folder / "holds.yaml").write_text(HOLDS.replace("delivered: mp4", "delivered: gif"), encoding="utf-8")
    capsys.readouterr()
    assert main([*paths, "--baseline", str(kept)]) == 1
    assert "holds 1/1 -> 0/1  REGRESSED" in capsys.readouterr().out


def test_a_failed_run_is_kept_as_a_dialogue_that_fails_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder / "fails.yaml"), "--save-failed", str(tmp_path / "failed")]) == 1
    kept = sorted((tmp_path / "failed").rglob("*.yaml"))
    assert [load(path).played() for path in kept] == [[0], [1], [2], [3], [4]]
    assert main([str(kept[3])]) == 1
    assert "--seed 3" in capsys.readouterr().out


def test_a_run_is_shown_with_its_wire_and_its_clock(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(folder / "holds.yaml"), "--seed", "2"]) == 0
    told = capsys.readouterr().out
    assert "> export as mp4" in told
    assert "→ POST /api/render/proxy/lambda" in told
    assert "✅ Ready" in told
    assert "sends 0, renders 1, uploads 0, charged 0" in told
    assert main(["show", str(folder / "fails.yaml")]) == 1
    assert "✗ reply: lacks 'a million credits'" in capsys.readouterr().out


def test_a_transcript_stands_in_the_order_of_time(folder: Path) -> None:
    trace = play_one(load(folder / "holds.yaml"), 0)
    lines = [line.plain for line in transcript(trace)]
    times = [float(line[:9]) for line in lines if line[:9].strip().replace(".", "").isdigit()]
    assert times == sorted(times) and len(times) > 8


def test_processes_play_the_same_as_one(folder: Path) -> None:
    def told(jobs: int) -> list[tuple[str, int, list[str]]]:
        traces = play_all(find([str(folder)]), 2, jobs)
        return [(trace.dialogue, trace.seed, [one.check for one in trace.findings]) for trace in traces]

    assert told(2) == told(1)
    assert [name for name, _, _ in told(1)] == ["fails", "fails", "holds", "holds"]


def test_dialogues_are_found_by_file_folder_group_and_name(folder: Path) -> None:
    assert find([str(folder), str(folder / "holds.yaml")]) == [folder / "fails.yaml", folder / "holds.yaml"]
    assert [path.stem for path in find(["main_job_en"])] == ["main_job_en"]
    assert {path.parent.name for path in find(["proofs"])} == {"proofs"}
    assert len(find([])) >= 60
    with pytest.raises(NotThere):
        find(["nothing_of_the_kind"])


def test_the_schema_beside_the_dialogues_is_that_of_the_format() -> None:
    assert main(["schema", "--check"]) == 0, "run python -m evals schema"
    assert json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]["turns"]


@pytest.mark.parametrize(
    "plugged", [["evals/dialogues/proofs/end_is_no_success.yaml"], ["-p", "evals.conftest", "FOLDER"]]
)
def test_pytest_collects_a_test_a_dialogue(plugged: list[str], folder: Path) -> None:
    words = [str(folder) if word == "FOLDER" else word for word in plugged]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    if "-p" in words:
        assert "1 failed, 1 passed" in told.stdout, told.stdout + told.stderr
        assert "✗ reply: lacks 'a million credits'" in told.stdout
        assert "python -m evals show fails --seed 0" in told.stdout
    else:
        assert told.returncode == 0, told.stdout + told.stderr


# Other people's formats


def test_an_evalset_says_what_was_said_and_written(folder: Path) -> None:
    made = evalset(play_all([folder / "holds.yaml"], 1, 1), "mine")
    first, second = made["eval_cases"][0]["conversation"]
    assert made["eval_set_id"] == "mine"
    assert first["user_content"]["parts"] == [{"text": "export as mp4"}]
    assert "POST /api/render/proxy/lambda" in [use["name"] for use in first["intermediate_data"]["tool_uses"]]
    assert "✅ Ready" in first["final_response"]["parts"][0]["text"]
    assert second["intermediate_data"]["tool_uses"] == []


def test_an_evalset_comes_back_as_dialogues_that_load(folder: Path, tmp_path: Path) -> None:
    made = evalset(play_all([folder / "holds.yaml"], 1, 1))
    (name, text), *none = skeletons(made).items()
    again = loads(text, Path(f"{name}.yaml"))
    assert not none and [turn.user.text for turn in again.turns] == [["export as mp4"], ["credits"]]
    assert again.turns[0].expect.wire and again.turns[0].expect.wire[-1].call == "POST /api/render/proxy/lambda"


def test_an_evalset_of_another_agent_becomes_a_skeleton() -> None:
    case = {
        "evalId": "say: hello!",
        "conversation": [
            {
                "userContent": {"parts": [{"text": "- no: [x] # 'y'"}]},
                "finalResponse": {"parts": [{"text": "Hello.\nYou."}]},
                "intermediateData": {"toolUses": [{"name": "roll_die", "args": {"sides": 6}}]},
            },
            {"userContent": {"parts": [{"text": "  "}]}},
        ],
    }
    made = skeletons({"evalSetId": "s", "evalCases": [case, {"eval_id": "empty", "conversation": None}]})
    dialogue = loads(made["say_hello"], Path("say_hello.yaml"))
    assert [turn.user.text for turn in dialogue.turns] == [["- no: [x] # 'y'"]]
    assert dialogue.turns[0].expect.wire is None
    assert "# The answer there: Hello. You." in made["say_hello"]


def test_what_is_no_evalset_is_refused() -> None:
    with pytest.raises(ValueError, match="eval_cases"):
        skeletons({"conversation": []})


def test_the_evalset_command_writes_one_and_reads_it(folder: Path, tmp_path: Path) -> None:
    file, there = tmp_path / "set.evalset.json", tmp_path / "there"
    assert main(["evalset", str(file), str(folder / "holds.yaml"), "--jobs", "1"]) == 0
    assert main(["evalset", str(file), "--read", str(there)]) == 0
    assert [path.name for path in there.glob("*.yaml")] == ["holds_0.yaml"]
    assert main(["evalset", str(file), "--read", str(there)]) == 0, "what is there is left as it is"


def test_google_adk_takes_our_evalset(folder: Path) -> None:
    adk = pytest.importorskip("google.adk.evaluation.eval_set")
    made = evalset(play_all(find([str(folder)]), 1, 1))
    assert len(adk.EvalSet.model_validate(made).eval_cases) == 2
