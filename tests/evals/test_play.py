"""Dialogues are played in no time with the real agent, and what does not hold is found."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from agent.backend import Backend
from agent.errors import BackendError
from agent.events import Text
from evals.format import load, loads
from evals.play import play
from evals.screen import shown
from evals.trace import Trace, TurnTrace

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    """The studio's log of renders that fail on purpose."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def played(turns: str, folder: Path, *, seed: int = 0, world: str = "{}", lang: str = "en") -> Trace:
    """A dialogue of these turns."""
    text = f"dialogue: x\nabout: y\nlang: {lang}\nworld: {world}\nturns:\n{turns}"
    return play(loads(text, Path("x.yaml")), seed, folder / "stage")


def scripted(
    acts: str, folder: Path, *, when: str = "POST /run_sse", user: str = "add music", **more: Any
) -> TurnTrace:
    """One turn against a script."""
    script = f"{{when: {when}, do: [{acts}]}}"
    turn = f"  - user: {user}\n    backend: [{script}]\n    expect: {{reply: {{excludes: [Traceback]}}}}\n"
    trace = played(turn, folder, **more)
    assert not [finding for finding in trace.findings if finding.check in ("crash", "wire")]
    return trace.turns[0]


def read(turn: TurnTrace) -> str:
    """What stood on the screen."""
    return shown([one.event for one in turn.shown])


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_sample_holds(path: Path, seed: int, tmp_path: Path) -> None:
    assert play(load(path), seed, tmp_path / "stage").findings == []


def test_a_run_is_the_same_whenever_it_is_played(tmp_path: Path) -> None:
    dialogue = load(SAMPLES / "render_fails.yaml")
    one, other = (play(dialogue, 2, tmp_path / name) for name in "ab")
    assert [turn.exchanges for turn in one.turns] == [turn.exchanges for turn in other.turns]
    assert [read(turn) for turn in one.turns] == [
        read(turn).replace(str(tmp_path / "b"), str(tmp_path / "a")) for turn in other.turns
    ]


def test_seeds_pick_words_and_vary_times(tmp_path: Path) -> None:
    dialogue = load(SAMPLES / "silent_edit.yaml")
    runs = [play(dialogue, seed, tmp_path / str(seed)) for seed in range(6)]
    assert len({run.turns[0].said for run in runs}) == 2
    assert len({round(run.lasted, 6) for run in runs}) == 6


def test_a_dialogue_that_expects_what_does_not_happen_is_noticed(tmp_path: Path) -> None:
    trace = played(
        "  - user: credits\n"
        "    expect:\n"
        "      route: export\n"
        "      wire: [POST /run_sse]\n"
        "      headers: {x-skill-source: other}\n"
        "      reply: {contains: [a million], lang: zh}\n"
        "      actions: [export]\n"
        "      draft: {t: [{tt: 0}]}\n"
        "      timeline: Timeline\n"
        "      delivered: mp4\n"
        "      error: busy\n"
        "      ask: {contains: [what]}\n"
        "      at_most_silent_for: 1ms\n"
        "      first_output_within: 1ms\n"
        "ledger: {sends: 1}\n",
        tmp_path,
        world="{idle: 1h}",
    )
    wanted = {"route", "wire", "headers", "reply", "actions", "draft", "quiet", "first_output", "ledger"}
    assert wanted <= {finding.check for finding in trace.findings}


def test_a_script_that_nobody_meets_is_noticed(tmp_path: Path) -> None:
    turn = "  - user: credits\n    backend: [{when: POST /run_sse, do: [cut]}]\n    expect: {route: credits}\n"
    assert "never met" in played(turn, tmp_path).findings[0].problem


def test_what_breaks_the_stage_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evals.play.expected", lambda *_: 1 / 0)
    trace = played("  - user: credits\n    expect: {route: credits}\n", tmp_path)
    assert [finding.check for finding in trace.findings] == ["crash"]


def test_an_agent_that_sends_again_after_a_lost_stream_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = Backend.send

    async def twice(self: Backend, session: str, text: str) -> Any:
        try:
            async for event in once(self, session, text):
                yield event
        except BackendError:
            async for event in once(self, session, text):
                yield event

    monkeypatch.setattr(Backend, "send", twice)
    trace = play(load(SAMPLES / "lost_stream.yaml"), 0, tmp_path / "stage")
    assert {"wire", "ledger"} <= {finding.check for finding in trace.findings}


# Acts of the chat


@pytest.mark.parametrize("dialect", ["adk", "flat"])
def test_words_arrive_whole_however_they_are_cut(dialect: str, tmp_path: Path) -> None:
    acts = "partial: [城市在, 夜里。], say: It is done."
    for seed in range(3):
        turn = scripted(acts, tmp_path / str(seed), seed=seed, world=f"{{dialect: {dialect}}}")
        assert "城市在夜里。" in read(turn)
        assert "It is done." in read(turn)
        assert "".join(turn.heard) == "城市在夜里。It is done."


def test_a_thought_is_never_shown(tmp_path: Path) -> None:
    assert "secret" not in read(scripted("thought: A secret plan., say: Done.", tmp_path))


def test_an_edit_and_a_charge_are_booked(tmp_path: Path) -> None:
    acts = "edit: {tt: 1, sg: [{d: 10000, m: {name: Lo-fi}}]}, charge: 7, say: Done."
    turn = scripted(acts, tmp_path, world="{credits: 20}")
    assert "Credits: 7 used, 13 left." in read(turn)
    assert turn.before is None or not turn.before["t"]
    assert turn.draft["t"][0]["sg"][0]["m"] == {"name": "Lo-fi"}


def test_an_edit_takes_away_sets_and_goes_back(tmp_path: Path) -> None:
    music = "{tt: 1, sg: [{d: 9000, m: {name: Lo-fi, volume: 1}}]}"
    world = f"{{draft: {{t: [{{tt: 0, sg: [{{d: 9000, m: {{name: city}}}}]}}, {music}]}}}}"
    gone = scripted("edit: {remove: lo-fi}, say: Done.", tmp_path / "a", world=world)
    assert [track["tt"] for track in gone.draft["t"]] == [0]
    quiet = scripted("edit: {set: {BGM: {m: {volume: 0.2}}}}, say: Done.", tmp_path / "b", world=world)
    assert quiet.draft["t"][1]["sg"][0]["m"] == {"name": "Lo-fi", "volume": 0.2}
    back = scripted("edit: {remove: BGM}, edit: undo, say: Done.", tmp_path / "c", world=world)
    assert len(back.draft["t"]) == 2


@pytest.mark.parametrize("act", ["cut", "end", "hang", "garble, end"])
def test_a_stream_that_does_not_end_well_is_looked_up(act: str, tmp_path: Path) -> None:
    turn = scripted(f"say: Almost, edit: {{tt: 1, sg: [{{d: 10000, m: {{name: Lo-fi}}}}]}}, {act}", tmp_path)
    assert len([one for one in turn.exchanges if one.path == "/run_sse"]) == 1
    assert "Lo-fi" in read(turn)
    assert turn.exchanges[-1].at >= 30


@pytest.mark.parametrize(
    ("acts", "error"),
    [
        ("code: 2001", "out_of_credits"),
        ("{code: 429, retry_after: 30s}", "rate_limited"),
        ("status: 429", "rate_limited"),
        ("refuse", "unreachable"),
        ("say: Well., fail: it broke", "api_error"),
    ],
)
def test_a_send_that_is_refused_is_told(acts: str, error: str, tmp_path: Path) -> None:
    events = [one.event for one in scripted(acts, tmp_path).shown]
    assert [event.code for event in events if event.kind == "error"][:1] == [error]


def test_heartbeats_take_their_time(tmp_path: Path) -> None:
    turn = scripted("heartbeat: {every: 30s, for: 5m}, say: Done.", tmp_path)
    assert 300 < turn.ended - turn.begun < 310
    assert len([one for one in turn.shown if "Still working" in one.event.text]) == 2


def test_an_apology_after_good_output_is_not_shown(tmp_path: Path) -> None:
    text = read(scripted("say: The music is in., apologise, twice", tmp_path))
    assert "temporary issue" not in text


# Acts elsewhere


def test_a_look_survives_pages_refusals_and_rubbish(tmp_path: Path) -> None:
    for number, act in enumerate(["html: 502", "status: 503", "refuse", "garble", "cut", "end", "wait: 3s"]):
        turn = scripted(act, tmp_path / str(number), when="GET /api/credits/*", user="credits", world="{credits: 42}")
        assert "42 credits available" in read(turn), act


def test_a_render_that_fails_twice_is_told(tmp_path: Path) -> None:
    turn = (
        "  - user: export\n"
        "    backend:\n"
        "      - {when: POST /api/render/proxy/lambda, do: [fail]}\n"
        "      - {when: POST /api/render/proxy/lambda, do: [fail]}\n"
        "    expect: {route: export, error: render_failed, delivered: null}\n"
        "ledger: {renders: 2}\n"
    )
    world = "{draft: {t: [{tt: 0, sg: [{d: 9000, m: {name: city}}]}]}}"
    assert played(turn, tmp_path, world=world).findings == []


def test_a_plan_without_exports_says_so(tmp_path: Path) -> None:
    world = "{plan: no-export, draft: {t: [{tt: 0, sg: [{d: 9000, m: {name: city}}]}]}}"
    turn = (
        "  - user: export\n    expect: {route: export, error: export_blocked, delivered: null}\nledger: {renders: 0}\n"
    )
    assert played(turn, tmp_path, world=world).findings == []


# The world


def test_credits_are_as_the_world_says(tmp_path: Path) -> None:
    trace = played(
        "  - user: credits\n    expect: {reply: {contains: ['30 credits available', '12 ']}}\n",
        tmp_path,
        world="{credits: 30, frozen: 12}",
    )
    assert trace.findings == []


def test_a_token_that_is_too_old_is_renewed_before_anything_is_asked(tmp_path: Path) -> None:
    trace = played(
        "  - user: credits\n    expect: {route: credits, wire: [POST /api/auth/anonymous-token, GET /api/credits/*]}\n",
        tmp_path,
        world="{token_age: 8d}",
    )
    assert trace.findings == []
    assert trace.turns[0].begun == 0


def test_a_token_of_the_persons_own_is_never_replaced(tmp_path: Path) -> None:
    trace = played(
        "  - user: credits\n"
        "    backend: [{when: GET /api/credits/*, do: [code: 1001]}]\n"
        "    expect: {error: token_rejected}\n",
        tmp_path,
        world="{nemo_token: true}",
    )
    assert trace.findings == []
    assert not [one for one in trace.turns[0].exchanges if "anonymous-token" in one.path]


def test_a_reopened_process_knows_the_thread(tmp_path: Path) -> None:
    trace = played(
        "  - user: ''\n    expect: {timeline: '时间线（1 条轨道）：1. 视频：city (0-9秒)'}\n",
        tmp_path,
        world="{idle: 2d, draft: {t: [{tt: 0, sg: [{d: 9000, m: {name: city}}]}]}}",
        lang="zh",
    )
    assert trace.findings == []


def test_a_process_that_dies_in_an_export_finds_its_render_again(tmp_path: Path) -> None:
    trace = played(
        "  - user: export\n"
        "    backend: [{when: POST /api/render/proxy/lambda, do: [kill]}]\n"
        "    expect: {route: export, wire: [POST /api/render/proxy/lambda]}\n"
        "  - user: {key: wait, after: 5m}\n"
        "    expect: {delivered: mp4, wire: []}\n"
        "ledger: {renders: 1}\n",
        tmp_path,
        world="{draft: {t: [{tt: 0, sg: [{d: 9000, m: {name: city}}]}]}}",
    )
    assert trace.findings == []
    assert trace.turns[0].acts == ["kill"]


def test_the_log_and_the_stores_are_in_the_trace(tmp_path: Path) -> None:
    trace = played("  - user: add lo-fi music\n    expect: {route: sse}\n", tmp_path)
    assert "add lo-fi music" in trace.logs
    assert "nmv_usr_" not in trace.logs


def test_events_are_those_of_the_graph(tmp_path: Path) -> None:
    turn = scripted("say: Done. Click the Export button., edit: {tt: 0, sg: [{d: 9000, m: {name: a}}]}", tmp_path)
    assert turn.routes == ["sse"]
    assert turn.sources
    assert turn.actions == ["export"]
    assert any(isinstance(one.event, Text) for one in turn.shown)
