"""The figures are what they are said to be, counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from made import CITY, LOFI, call, run_of, trace, turn

from agent.events import Ask, Error, Progress
from evals import baseline
from evals.coverage import ROUTES
from evals.format import loads
from evals.gates import broken, gates
from evals.metrics import measure, outcome
from evals.reports.failed import pinned, save_failed
from evals.spoken import facts
from evals.trace import Finding, Ledger


def test_pass_k_is_the_chance_that_k_runs_all_pass() -> None:
    runs = [run_of("a", seed, fails=seed == 0) for seed in range(5)] + [run_of("b", seed) for seed in range(5)]
    metrics = measure(runs)
    assert metrics.passing(1) == pytest.approx((0.8 + 1) / 2)
    assert metrics.passing(2) == pytest.approx((6 / 10 + 1) / 2)
    assert metrics.passing(5) == pytest.approx(0.5)
    assert str(metrics.steady) == "1/2"


def test_routing_counts_turns_and_macro_f1_weighs_routes_alike() -> None:
    right = run_of("a", 0)
    wrong = trace(turn("render it", "ok", routes=["sse"], wanted=[["export"]]), dialogue="b")
    metrics = measure([right, wrong])
    assert (metrics.routing.hits, metrics.routing.total) == (1, 2)
    assert metrics.confusion() == {"sse": {"sse": 1}, "export": {"sse": 1}}
    assert metrics.macro_f1 == pytest.approx((2 / 3 + 0) / 2)
    assert metrics.routing_by("wanted")["export"].value == 0


def test_any_acceptable_list_of_steps_is_right() -> None:
    either = turn("x", "ok", routes=["export"], wanted=[["sse"], ["export"]])
    assert measure([trace(either)]).routing.value == 1.0


def test_a_free_turn_that_reaches_the_chat_is_wrongful_spend() -> None:
    sent = [call("POST /run_sse", text="credits?")]
    bad = turn("credits?", "ok", routes=["sse"], wanted=[["credits"]], exchanges=sent)
    good = turn("credits?", "ok", routes=["credits"], wanted=[["credits"]])
    metrics = measure([trace(bad), trace(good, seed=1)])
    assert str(metrics.wrongful) == "1/2"


def test_credits_beyond_what_is_written_are_a_double_charge() -> None:
    over = trace(turn(), ledger=Ledger(2, 0, 0, 20), wanted_ledger={"charged": 10})
    under = trace(turn(), ledger=Ledger(1, 0, 0, 10), wanted_ledger={"charged": 20}, seed=1)
    assert measure([over, under]).overcharged == 10


def test_the_longest_quiet_counts_from_the_words_to_the_end() -> None:
    beats = turn("x", Progress(about="send", text="…"), "done", begun=100.0, ended=150.0)
    metrics = measure([trace(beats)])
    assert metrics.longest_quiet == pytest.approx(48.0)
    assert metrics.first_output == [1.0]
    assert metrics.quietest == "made_by_hand seed 0 turn 1"


def test_a_fact_that_nobody_reads_is_stripped_and_talk_of_a_screen_is_no_fact() -> None:
    heard = ["The drums enter at 0:08. Click the Export button to finish.\nI encountered a temporary issue."]
    assert facts(heard) == ["The drums enter at 0:08."]
    metrics = measure([trace(turn("x", "Nothing.", heard=heard))])
    assert str(metrics.strip) == "1/1" and metrics.stripped[0][3] == "The drums enter at 0:08."
    assert str(measure([trace(turn("x", "the drums enter at 0:08", heard=heard))]).strip) == "0/1"


def test_what_explains_an_answer_to_pick_is_no_fact() -> None:
    asks = Ask(text="Which shape?", options=["Portrait"])
    assert str(measure([trace(turn("x", asks, heard=["1. Portrait - for stories and reels"]))]).strip)[0] == "0"


def test_a_bad_day_is_got_over_explained_or_lost() -> None:
    cut = call("POST /run_sse", text="x", fault="cut")
    landed = turn("x", "It arrived.", exchanges=[cut], before=CITY, draft=LOFI)
    unknown = turn("x", "Nobody knows.", exchanges=[cut], before=CITY, draft=CITY)
    told = turn("x", Error(code="out_of_credits", text="None left."), acts=["code"], exchanges=[_code(2001)])
    assert outcome(landed, trace(landed)) == "recovered"
    assert outcome(unknown, trace(unknown)) == "explained"
    assert outcome(told, trace(told)) == "explained"
    assert outcome(landed, trace(landed, findings=[Finding("reply", 1, "lacks")])) == "lost"
    metrics = measure([trace(landed), trace(told, seed=1)])
    assert metrics.recovery == {"cut": {"recovered": 1}, "2001": {"explained": 1}}
    assert str(metrics.recovered) == "2/2"


def _code(number: int) -> object:
    return call("POST /run_sse", text="x", fault="code", answer=f'{{"code": {number}, "message": "no"}}')


def test_bad_days_go_by_their_code() -> None:
    struck = [
        _code(1001),
        call("GET /api/x", fault="status", status=503),
        call("GET /api/x", fault="status", status=429),
    ]
    assert set(measure([trace(turn("x", "ok", exchanges=struck))]).recovery) == {"1001", "5xx", "429"}


def test_coverage_names_every_cell_that_nobody_saw_and_nobody_excused() -> None:
    covered = measure([run_of("a", 0, turn={"acts": ["say", "cut"]})]).coverage
    assert covered.seen[("sse", "en", "cut")] == covered.seen[("sse", "en", "say")] == 1
    assert ("sse", "zh", "cut") in covered.holes and ("sse", "en", "cut") not in covered.holes
    assert covered.reason(("credits", "en", "say"))
    assert {cell[0] for cell in covered.cells()} == set(ROUTES)


def test_gates_hold_for_a_good_run_and_name_what_breaks() -> None:
    good = [run_of("a", seed) for seed in range(5)]
    assert broken(gates(measure(good), whole=False)) == []
    bad = [*good[:4], run_of("a", 4, fails=True, wanted_ledger={"charged": 0})]
    names = [gate.name for gate in broken(gates(measure(bad), whole=False))]
    assert names == ["pass^5", "double charge"]
    assert "empty coverage cells" in [gate.name for gate in broken(gates(measure(good)))]


def test_a_baseline_tells_what_is_new_gone_better_and_worse(tmp_path: Path) -> None:
    before = [run_of("a", seed) for seed in range(2)] + [run_of("old", 0), run_of("b", 0, fails=True)]
    baseline.save(measure(before), tmp_path / "main.json")
    now = [run_of("a", 0), run_of("a", 1, fails=True), run_of("new", 0), run_of("b", 0)]
    diff = baseline.compare(measure(now), baseline.load(tmp_path / "main.json"))
    assert (diff.added, diff.removed) == (["new"], ["old"])
    assert (diff.regressed, diff.improved) == (["a 2/2 -> 1/2"], ["b 0/1 -> 1/1"])
    assert diff.lines()[1] == "  a 2/2 -> 1/2  REGRESSED"
    same = baseline.compare(measure(now), baseline.kept(measure(now)))
    assert not same and same.lines() == ["vs baseline: the same"]


def test_something_else_is_no_baseline(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="no baseline"):
        baseline.load(tmp_path / "x.json")


DIALOGUE = """dialogue: lost_one   # as the file is called
about: A lost stream.
runs: 5
turns:
  - user: add lo-fi
    expect: {route: sse}
"""


def test_a_failed_run_is_kept_as_a_dialogue_of_one_seed(tmp_path: Path) -> None:
    source = tmp_path / "lost_one.yaml"
    source.write_text(DIALOGUE, encoding="utf-8")
    path = save_failed(run_of("lost_one", 3, fails=True), source, tmp_path / "failed")
    kept = loads(path.read_text(encoding="utf-8"), path)
    assert kept.played() == [3]
    assert path.read_text(encoding="utf-8").startswith("# Failed with seed 3:\n#   turn 1: wire: unexpected POST")


def test_seeds_in_a_list_are_pinned_too() -> None:
    text = DIALOGUE.replace("runs: 5", "seeds:\n  - 1\n  - 3")
    assert loads(pinned(text, run_of("lost_one", 3)), Path("lost_one.yaml")).played() == [3]
