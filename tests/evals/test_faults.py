"""A seeded sample of the matrix, and an agent broken on purpose for every check: each must be caught."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from agent import rendering
from agent.backend import Backend, RenderStatus
from agent.entries import Job, Send
from agent.errors import BackendError, RenderFailed
from agent.journal import Journal
from agent.nodes import sse
from evals.faulty import Fault
from evals.matrix import ACTS, Act, Case, cases, play
from evals.verdict import CHECKS

SEED, SAMPLE = 4, 12
"""Cases an act."""
BY_NAME = {act.name: act for act in ACTS}
LOST = Fault("POST", "/run_sse", "reset", "answer")
SUBMIT, POLL = "/api/render/proxy/lambda", "/api/render/proxy/lambda/*"


def found(act: str, fault: Fault | None) -> set[str]:
    """Which checks a case fails."""
    return {violation.check for violation in play(Case(BY_NAME[act], fault)).violations}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_a_sample_of_faults_leaves_nothing_doubled_lost_silent_or_untrue(act: Act) -> None:
    every = list(cases(act))
    for case in random.Random(SEED).sample(every, min(SAMPLE, len(every))):
        outcome = play(case)
        assert not outcome.violations, str(outcome)


def test_the_matrix_cuts_a_short_stream_at_every_byte() -> None:
    flat = [case.fault for case in cases(BY_NAME["flat edit"]) if case.fault and case.fault.path == "/run_sse"]
    cuts = sorted({fault.at for fault in flat if (fault.kind, fault.where) == ("reset", "body")})
    assert cuts == list(range(cuts[-1] + 1))
    assert cuts[-1] > 200


def test_a_render_that_cannot_be_looked_at_for_a_while_is_delivered_all_the_same() -> None:
    outcome = play(Case(BY_NAME["export"], Fault("GET", POLL, "reset", "connect", nth=2, times=6)))
    assert not outcome.violations, str(outcome)
    assert "✅ Ready:" in outcome.read


def test_a_submit_that_is_lost_and_cannot_be_asked_for_is_not_said_to_be_unsent() -> None:
    outcome = play(Case(BY_NAME["export"], Fault("*", "/api/render/*", "hang", "answer", times=12)))
    assert not outcome.violations, str(outcome)
    assert "Its number is on record" in outcome.read
    assert "nothing was sent" not in outcome.read


def test_an_outage_between_an_edit_and_its_export_does_not_deny_the_edit() -> None:
    away = Fault("GET", "/api/state/*", "reset", "connect", nth=2, times=12)
    outcome = play(Case(BY_NAME["edit and export"], away))
    assert not outcome.violations, str(outcome)
    assert "The export has not begun" in outcome.read
    assert "nothing was sent" not in outcome.read


def test_a_submit_that_never_arrived_is_told_as_such() -> None:
    outcome = play(Case(BY_NAME["export"], Fault("POST", SUBMIT, "reset", "swallowed")))
    assert not outcome.violations, str(outcome)
    assert "Say “export” to start it again" in outcome.read


def test_no_check_is_without_an_agent_that_fails_it() -> None:
    assert CHECKS == ("second send", "second submit", "lost job", "silent turn", "untrue outcome")


def test_an_agent_that_sends_again_after_a_lost_stream_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Backend.send

    async def twice(self: Backend, session_id: str, text: str) -> AsyncIterator[Any]:
        try:
            async for event in once(self, session_id, text):
                yield event
        except BackendError:
            async for event in once(self, session_id, text):
                yield event

    monkeypatch.setattr(Backend, "send", twice)
    assert "second send" in found("edit", LOST)


def test_an_agent_that_submits_again_without_asking_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Backend.submit_render

    async def twice(self: Backend, *arguments: Any) -> RenderStatus:
        try:
            return await once(self, *arguments)
        except BackendError:
            return await once(self, f"{arguments[0]}b", *arguments[1:])

    monkeypatch.setattr(Backend, "submit_render", twice)
    assert "second submit" in found("export", Fault("POST", SUBMIT, "reset", "answer"))


def test_an_agent_that_gives_a_running_job_up_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    async def give_up(self: rendering.Rendering, job: Job) -> None:
        await self.journal.job(replace(job, status="failed"))
        raise RenderFailed("it may well run", reason="never_started")

    monkeypatch.setattr(rendering.Rendering, "_ask_after", give_up)
    assert "lost job" in found("export", Fault("POST", SUBMIT, "reset", "answer"))


def test_an_agent_that_writes_no_job_down_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forget(self: Journal, job: Job) -> None:
        pass

    monkeypatch.setattr(Journal, "job", forget)
    assert "lost job" in found("export", Fault("GET", POLL, "stop", "connect"))


def test_an_agent_that_says_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.turn.error_event", _raise(KeyError("no sentence")))
    monkeypatch.setattr("agent.nodes.connect.error_event", _raise(KeyError("no sentence")))
    monkeypatch.setattr("agent.turn.say", _raise(KeyError("no sentence")))
    assert "silent turn" in found("credits", Fault("GET", "/api/state/*", "reset", "connect", times=3))


@pytest.mark.parametrize("word", ["done", "not-started", "pending"])
def test_an_agent_whose_record_is_untrue_is_caught(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Journal.settle

    async def lie(self: Journal, send: Send, outcome: Any) -> None:
        await settle(self, send, word)  # type: ignore[arg-type]  # from the table above

    monkeypatch.setattr(Journal, "settle", lie)
    monkeypatch.setattr("agent.nodes.connect.settle_open_sends", _nothing)
    where = Fault("POST", "/run_sse", "reset", "swallowed") if word == "done" else LOST
    assert "untrue outcome" in found("edit", where)


def test_an_agent_that_does_not_look_before_it_says_unknown_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "reconcile", _nothing)
    assert "untrue outcome" in found("edit", LOST)


def _raise(error: Exception) -> Callable[..., Any]:
    def fail(*arguments: Any, **more: Any) -> Any:
        raise error

    return fail


async def _nothing(*arguments: Any) -> None:
    return None
