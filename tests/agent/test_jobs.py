"""Exports under the person's hand: listed as they are, collected, canceled and forgotten, with clear exit codes."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_nemo import CITY
from through import Through, keep_rendering
from world import World

from agent.entries import Job
from agent.journal import Journal
from agent.lease import lease
from agent.repl.jobs import JobRefused, Order, manage, order
from agent.repl.view import PlainView
from agent.skills import load_skill
from agent.turn import Agent


def jobs(world: World, *words: str, lang: Any = "en") -> tuple[int, str]:
    """Exit code and what was printed, of `reelchat jobs WORDS`."""
    screen = io.StringIO()
    settings, wanted = replace(world.settings(), lang=lang), order(" ".join(words))
    through: Any = Through(world)
    made = manage(settings, load_skill("generator-image"), wanted, load=lambda: through, view=PlainView(screen, screen))
    return asyncio.run(made), screen.getvalue()


def recorded(world: World) -> list[Job]:
    async def look(agent: Agent) -> list[Job]:
        return await Journal(agent.store, agent.user).jobs()

    found: list[Job] = world.run(look)
    return found


@pytest.fixture
def running(world: World) -> World:
    """An export that the backend is still at: the turn gave up waiting."""
    world.nemo.draft = {"t": [CITY]}
    keep_rendering(world.nemo)
    world.say("export as mp4")
    assert [job.status for job in recorded(world)] == ["submitted"]
    world.nemo.requests.clear()
    return world


def test_without_exports_the_list_says_so(world: World) -> None:
    assert jobs(world) == (0, "There are no exports yet.\n")
    assert world.nemo.requests == []


def test_a_delivered_export_is_listed_without_asking_anybody(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.say("export as mp4")
    world.nemo.requests.clear()
    code, said = jobs(world)
    assert code == 0 and "  mp4  delivered  " in said and f"({recorded(world)[0].id})" in said
    assert world.nemo.requests == []


def test_a_running_export_is_listed_as_the_backend_sees_it(running: World) -> None:
    assert "still running, longer than usual" in jobs(running)[1]
    running.nemo.answer(
        "GET /api/render", httpx.Response(200, json={"id": "x", "status": "processing", "progress": 0.4})
    )
    running.clock._now = running.clock._now.replace(year=2025)
    assert "  rendering, 40%  " in jobs(running)[1]


def test_a_finished_export_is_listed_with_how_to_fetch_it(running: World) -> None:
    running.nemo.renders[recorded(running)[0].id] = "completed"
    code, said = jobs(running)
    assert code == 0 and "finished, not fetched yet" in said and "reelchat jobs collect" in said
    assert [job.status for job in recorded(running)] == ["submitted"], "a look changes nothing"


@pytest.mark.parametrize(("status", "word"), [("failed", "failed"), (None, "never reached the backend")])
def test_a_failed_or_unknown_export_is_listed_as_that(running: World, status: str | None, word: str) -> None:
    name = recorded(running)[0].id
    running.nemo.renders[name] = status or ""
    if status is None:
        del running.nemo.renders[name]
    assert f"  {word}  " in jobs(running)[1]


def test_a_backend_that_cannot_be_asked_is_said_and_the_list_still_comes(running: World) -> None:
    running.nemo.answer("GET /api/render", *[httpx.ConnectError("no network")] * 9)
    code, said = jobs(running)
    assert code == 0
    assert "rendering when last seen" in said and "can't be asked at the moment: " in said


def test_collect_fetches_one_by_the_end_of_its_id(running: World) -> None:
    name = recorded(running)[0].id
    running.nemo.renders[name] = "completed"
    code, said = jobs(running, "collect", name[-6:])
    assert code == 0 and "✅ Ready: " in said
    assert recorded(running)[0].status == "delivered"
    assert jobs(running, "collect") == (0, "There is nothing left to fetch.\n")
    assert jobs(running, "collect", name) == (2, "That export is settled already: delivered.\n")


def test_collecting_a_failed_export_is_exit_code_1(running: World) -> None:
    running.nemo.renders[recorded(running)[0].id] = "failed"
    assert jobs(running, "collect")[0] == 1
    assert len(running.nemo.submits) == 1


def test_cancel_stops_the_render_and_never_starts_another(running: World) -> None:
    (job,) = recorded(running)
    code, said = jobs(running, "cancel", job.id)
    assert (code, said.endswith("will not be rendered. The timeline is as it was.\n")) == (0, True)
    assert [one.status for one in recorded(running)] == ["canceled"]
    assert len(running.nemo.submits) == 1
    assert "  canceled  " in jobs(running)[1]


@pytest.mark.parametrize(
    ("status", "sentence", "kept"),
    [
        ("completed", "Too late to cancel", "completed"),
        ("failed", "There was nothing to cancel: the render", "failed"),
        (None, "the backend never received", "canceled"),
    ],
)
def test_what_cannot_be_canceled_any_more_is_said(running: World, status: str | None, sentence: str, kept: str) -> None:
    (job,) = recorded(running)
    running.nemo.renders[job.id] = status or ""
    if status is None:
        del running.nemo.renders[job.id]
    code, said = jobs(running, "cancel", job.id)
    assert code == 1 and sentence in said
    assert recorded(running)[0].status == kept


def test_a_job_that_goes_on_after_cancel_stays_on_record(running: World) -> None:
    (job,) = recorded(running)
    running.nemo.answer(f"POST /api/render/proxy/lambda/{job.id}/cancel", httpx.Response(200, json={"id": job.id}))
    code, said = jobs(running, "cancel", job.id)
    assert code == 1 and "has not stopped yet" in said
    assert recorded(running)[0].status == "submitted"


def test_a_job_that_another_window_waits_for_is_left_to_it(running: World) -> None:
    (job,) = recorded(running)
    with lease(running.settings().data / "leases", job.id):
        for words in (["cancel", job.id], ["collect", job.id], ["forget", job.id, "--yes"]):
            code, said = jobs(running, *words)
            assert code == 2 and said.startswith("Another window is seeing this export through."), words
    assert recorded(running)[0].status == "submitted"


def test_forgetting_what_may_be_charged_wants_a_yes(running: World) -> None:
    (job,) = recorded(running)
    code, said = jobs(running, "forget", job.id)
    assert code == 2 and "may still be charged" in said and f"jobs forget {job.id} --yes" in said
    assert recorded(running)[0].status == "submitted"
    path = Path(job.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    left = [path.with_name(f"{path.name}.0a1b2c3d.part{end}") for end in ("", ".json")]
    for part in (*left, path.with_name("other.mp4.0a1b2c3d.part")):
        part.write_bytes(b"half")
    code, said = jobs(running, "forget", job.id, "--yes")
    assert code == 0 and said.startswith("Forgotten: ")
    assert [each.name for each in path.parent.iterdir()] == ["other.mp4.0a1b2c3d.part"]
    assert recorded(running)[0].status == "forgotten"
    assert jobs(running, "collect") == (0, "There is nothing left to fetch.\n")


def test_a_missing_a_wrong_and_a_double_id_are_refused(running: World) -> None:
    assert jobs(running, "cancel") == (2, "Which export? Give its id: jobs cancel ID. “jobs” lists them.\n")
    assert jobs(running, "cancel", "nope")[1] == "There is no export “nope”. “jobs” lists them with their ids.\n"
    running.say("export as gif")
    first, second = (job.id for job in recorded(running))
    assert first != second
    running.nemo.requests.clear()
    same = next(tail for tail in (first[-1:], "") if first.endswith(tail) and second.endswith(tail))
    if same:
        assert "fits several exports" in jobs(running, "cancel", same)[1]


def test_the_jobs_speak_chinese(running: World) -> None:
    (job,) = recorded(running)
    assert "还在渲染，比平时久" in jobs(running, lang="zh")[1]
    assert "可能还会扣积分" in jobs(running, "forget", job.id, lang="zh")[1]
    assert jobs(running, "cancel", job.id, lang="zh")[1].startswith("已取消：")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", Order()),
        ("list", Order()),
        ("collect", Order("collect")),
        ("forget abc --yes", Order("forget", "abc", yes=True)),
        ("--yes forget abc", Order("forget", "abc", yes=True)),
    ],
)
def test_a_typed_order_is_understood(typed: str, meant: Order) -> None:
    assert order(typed) == meant


@pytest.mark.parametrize("typed", ["delete x", "collect a b"])
def test_an_order_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(JobRefused):
        order(typed)
