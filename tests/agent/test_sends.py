"""Sends and render jobs through whole turns: on record before they happen, made once, and their end always told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from fake_nemo import CITY, MUSIC, FakeNemo, code, cut, edit, say
from world import World

from agent.draft import fingerprint
from agent.events import Delivered, Error, Event
from agent.journal import Journal
from agent.nodes import sse
from agent.state import OVER
from agent.turn import Agent, collect, turn
from evals.screen import shown

EDIT = "make a film of a city"
FILE = "http://files.test/file.mp4"


def codes(events: list[Event]) -> list[str]:
    return [event.code for event in events if isinstance(event, Error)]


async def said(agent: Agent, text: str, thread: str = "t") -> list[Event]:
    return [event async for event in turn(agent, thread, text)]


async def records(agent: Agent) -> list[dict[str, Any]]:
    found = await agent.store.asearch(("reelchat", "local", "sends"), limit=100)
    return sorted((item.value for item in found), key=lambda value: value["at"])


def outcomes(world: World) -> list[str]:
    async def look(agent: Agent) -> list[str]:
        return [value["outcome"] for value in await records(agent)]

    found: list[str] = world.run(look)
    return found


# On record


def test_a_send_is_on_record_with_all_that_tells_its_end_before_its_post(world: World) -> None:
    seen: list[dict[str, Any]] = []

    async def scenario(agent: Agent) -> None:
        usual = world.nemo.handle_async_request

        async def look(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/run_sse":
                seen.extend(await records(agent))
            return await usual(request)

        world.nemo.handle_async_request = look  # type: ignore[method-assign]
        await said(agent, EDIT)

    world.nemo.draft = {"t": [CITY]}
    world.run(scenario)
    (record,) = seen
    assert record["turn"] and record["id"] == f"{record['turn']}-5-1"
    assert record["text_hash"] == sha256(EDIT.encode()).hexdigest()
    assert record["fingerprint"] == fingerprint({"t": [CITY]})
    assert (record["credits"], record["outcome"], record["session_id"]) == (90, "pending", "ses-secret-1")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (None, "done"),
        (httpx.ConnectError("refused"), "not-started"),
        (httpx.ConnectTimeout("x"), "not-started"),
        (code(2001), "not-started"),
        (code(429), "not-started"),
        (httpx.Response(403, html="<h1>no</h1>"), "not-started"),
        (httpx.ReadTimeout("x"), "unknown"),
        (httpx.RemoteProtocolError("x"), "unknown"),
        (httpx.WriteError("x"), "unknown"),
        (httpx.Response(502, html="<h1>no</h1>"), "unknown"),
    ],
)
def test_what_became_of_a_send_is_on_record(
    world: World, answer: httpx.Response | Exception | None, outcome: str
) -> None:
    if answer:
        world.nemo.answer("POST /run_sse", answer)
    world.say(EDIT)
    assert outcomes(world) == [outcome]
    assert len(world.nemo.sends) == 1
    assert "90 credits" in shown(world.say("credits"))


# Not started


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ConnectError("Name or service not known")])
def test_a_send_that_never_left_is_offered_and_a_yes_sends_it(world: World, error: Exception) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("POST /run_sse", error)
    events = world.say(EDIT + " and then export it")
    assert codes(events) == ["unreachable"]
    assert "nothing was sent" in shown(events)
    assert "Left undone because of this: the export." in shown(events)
    assert "Added" not in shown(events)
    assert [event.kind for event in events].count("ask") == 1
    world.nemo.scripts.append([edit(MUSIC)])
    events = world.say("yes")
    assert "Added BGM" in shown(events)
    assert world.nemo.sends == [EDIT, EDIT]
    assert outcomes(world) == ["not-started", "done"]


def test_a_no_to_the_offer_sends_nothing(world: World) -> None:
    world.nemo.answer("POST /run_sse", httpx.ConnectError("refused"))
    world.say(EDIT)
    assert shown(world.say("no")) == "All right."
    assert len(world.nemo.sends) == 1


def test_a_turn_that_never_got_through_is_offered_too(world: World) -> None:
    world.nemo.answer("POST /api/auth", *[httpx.ConnectError("no route")] * 3)
    events = world.say(EDIT)
    assert (codes(events), events[-1].kind) == (["unreachable"], "ask")
    world.nemo.scripts.append([edit(CITY)])
    assert "Added Video: city" in shown(world.say("yes"))
    assert world.nemo.sends == [EDIT]


def test_a_question_asked_before_survives_a_turn_that_never_got_through(world: World) -> None:
    world.nemo.answer("POST /run_sse", httpx.ConnectError("refused"))
    world.say(EDIT)
    world.nemo.answer("GET /api/state", *[httpx.ConnectError("no route")] * 3)
    assert codes(world.say("yes")) == ["unreachable"]
    world.say("yes")
    assert world.nemo.sends == [EDIT, EDIT]


# Lost


def test_a_lost_send_that_left_only_media_behind_is_told_by_the_media(world: World) -> None:
    video = {"draft": {"t": []}, "generated_media": [{"name": "city-raw.mp4"}]}

    def leave(nemo: FakeNemo) -> Exception:
        nemo.answer("GET /api/state", httpx.Response(200, json={"state": video}))
        return httpx.ReadError("cut")

    world.nemo.scripts.append([leave])
    told = shown(world.say(EDIT))
    assert "Generated (1)" in told and "city-raw.mp4" in told
    assert "nothing on the timeline changed" not in told and "I don't know" not in told
    assert (len(world.nemo.sends), world.clock.slept, outcomes(world)) == (1, [30], ["done"])


@pytest.mark.parametrize("then", ["export it", "upload ./a.jpg"])
def test_what_builds_on_a_send_nobody_knows_the_end_of_is_left_and_named(
    world: World, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    (world.folder / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 99)
    world.nemo.draft = {"t": [CITY]}
    world.nemo.scripts.append([cut])
    told = shown(world.say(f"add lo-fi music, then {then}"))
    assert "may charge twice" in told
    assert "Left undone because of this" in told
    assert [path for path, _ in world.nemo.writes if "render" in path or "upload" in path] == []
    assert world.clock.slept == [30, 60, 60, 60, 60]


def test_a_lost_send_that_landed_goes_on_to_its_export(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.scripts.append([edit(MUSIC), cut])
    events = world.say("add lo-fi music, then export it")
    assert "Added BGM: Lo-fi" in shown(events)
    assert [event.kind for event in events].count("delivered") == 1
    assert (len(world.nemo.sends), len(world.nemo.submits), world.clock.slept[:1]) == (1, 1, [30])


def test_one_thread_has_one_writer_and_two_threads_have_two(world: World) -> None:
    async def scenario(agent: Agent) -> list[list[Event]]:
        both = await asyncio.gather(said(agent, EDIT), said(agent, "a forest at dawn"))
        other = await asyncio.gather(said(agent, EDIT, "u"), said(agent, EDIT, "v"))
        return [*both, *other]

    first, second, *others = world.run(scenario)
    assert sorted(codes(first) + codes(second)) == ["busy"]
    assert [codes(events) for events in others] == [[], []]
    assert len(world.nemo.sends) == 3


# Cancellation


class Cut:
    """Cancels a task at the nth thing it does: before or after a request or a record."""

    def __init__(self, world: World, agent: Agent, at: int) -> None:
        self.count, self.at = 0, at
        self.task: asyncio.Task[Any] | None = None
        self.posting = False
        ask, put = world.nemo.handle_async_request, agent.store.aput

        async def asked(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/run_sse":
                self.posting = True  # from here on nobody can know whether it left
            await self.point()
            response = await ask(request)
            await self.point()
            return response

        async def written(*arguments: Any, **named: Any) -> None:
            await self.point()
            await put(*arguments, **named)
            await self.point()

        world.nemo.handle_async_request = asked  # type: ignore[method-assign]
        agent.store.aput = written  # type: ignore[method-assign]

    async def point(self) -> None:
        self.count += 1
        if self.count == self.at and self.task:
            self.task.cancel()
            await asyncio.sleep(0)


def canceled_at(world: World, at: int, text: str) -> tuple[bool, bool, list[Event]]:
    """Whether the turn was canceled, whether its send was being posted by then, and what the next turn says."""

    async def scenario(agent: Agent) -> tuple[bool, bool, list[Event]]:
        cutting = Cut(world, agent, at)
        cutting.task = asyncio.create_task(said(agent, text))
        canceled = False
        try:
            await cutting.task
        except asyncio.CancelledError:
            canceled = True
        cutting.task = None
        posting = cutting.posting
        return canceled, posting, [*await said(agent, "status"), *await said(agent, "credits")]

    found: tuple[bool, bool, list[Event]] = world.run(scenario)
    return found


@pytest.mark.parametrize("at", range(1, 27))
def test_a_turn_canceled_anywhere_leaves_a_thread_that_works_and_knows_its_send(world: World, at: int) -> None:
    world.nemo.scripts.append([say("On it."), edit(CITY)])
    canceled, left, events = canceled_at(world, at, EDIT)
    told = shown(events)
    assert codes(events) == []
    assert "90 credits" in told
    assert len(world.nemo.sends) <= 1
    assert set(outcomes(world)) <= {"done", "not-started", "unknown"}
    if not left:
        assert "became of" not in told and "cut off" not in told
        assert outcomes(world) in ([], ["not-started"])
    elif canceled and not world.nemo.draft["t"]:
        assert "I don't know what became of" in told


@pytest.mark.parametrize("at", range(1, 25))
def test_an_export_canceled_anywhere_is_submitted_once_and_its_job_is_never_lost(world: World, at: int) -> None:
    world.nemo.draft = {"t": [CITY]}
    canceled, _, events = canceled_at(world, at, "export")
    assert codes(events) == []
    assert "90 credits" in shown(events)
    assert len(world.nemo.submits) <= 1

    async def later(agent: Agent) -> tuple[list[Event], list[str]]:
        found = [event async for event in collect(agent)]
        return found, [job.status for job in await Journal(agent.store, agent.user).open_jobs()]

    collected, still_open = world.run(later)
    assert still_open == []
    if canceled and world.nemo.submits:
        assert len([event for event in collected if isinstance(event, Delivered)]) <= 1
        assert list((world.folder / "exports").glob("*.mp4"))


def test_a_look_that_is_stopped_is_taken_up_by_the_next_turn(world: World) -> None:
    async def scenario(agent: Agent) -> list[Event]:
        world.nemo.scripts.append([cut])
        task = asyncio.create_task(said(agent, EDIT))
        sleep = world.clock.sleep

        async def stop(seconds: float) -> None:
            if seconds == 60:
                task.cancel()
            await sleep(seconds)

        world.clock.sleep = stop  # type: ignore[method-assign]
        with pytest.raises(asyncio.CancelledError):
            await task
        world.nemo.draft = {"t": [CITY]}
        return await said(agent, "status")

    assert "had been cut off, but it arrived" in shown(world.run(scenario))
    assert len(world.nemo.sends) == 1
    assert outcomes(world) == ["done"]


# Render jobs


def status(**fields: Any) -> httpx.Response:
    return httpx.Response(200, json=fields)


@pytest.mark.parametrize(
    "reply",
    [
        {"status": "completed", "output": {"url": FILE}},
        {"success": True, "data": {"id": "x", "status": "completed", "outputUrl": FILE}},
        {"code": 0, "data": {"status": "completed", "output": {"url": FILE}}},
        {"data": {"status": "COMPLETED", "output_url": FILE, "progress": 100}},
    ],
)
def test_a_finished_render_comes_home_in_every_shape(world: World, reply: dict[str, Any]) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("GET /api/render", status(**reply))
    events = world.say("export")
    assert [event.kind for event in events].count("delivered") == 1


def test_a_finished_render_that_names_no_file_is_fetched_where_files_are(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("GET /api/render/proxy/lambda", status(status="completed"))
    world.nemo.answer("GET /api/render/proxy/render_", httpx.Response(200, content=b"movie"))
    events = world.say("export")
    assert [event.kind for event in events].count("delivered") == 1
    fetched = world.nemo.requests[-1]
    assert fetched.url.path == f"/api/render/proxy/{world.nemo.submits[0]}/download"
    assert fetched.headers["authorization"] == f"Bearer {world.nemo.token}"


def test_a_render_that_can_not_be_asked_after_goes_on_and_is_said_to(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("GET /api/render", status(status="processing"), *[httpx.ConnectError("unplugged")] * 99)
    told = shown(world.say("export"))
    assert "nothing was sent" not in told
    assert "on record" in told
    world.nemo.replies.clear()

    async def later(agent: Agent) -> list[Event]:
        return [event async for event in collect(agent)]

    assert [event.kind for event in world.run(later)].count("delivered") == 1
    assert len(world.nemo.submits) == 1


def test_a_render_that_never_left_is_not_said_to_be_under_way(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("POST /api/render", httpx.ReadTimeout("x"))
    world.nemo.answer("GET /api/render", *[httpx.ConnectError("x")] * 3)
    world.say("export")
    assert "Renders under way" not in shown(world.say("status"))


def test_a_render_whose_submit_was_lost_is_said_to_be_under_way_when_it_is(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}

    async def arrived(request: httpx.Request) -> httpx.Response:
        response = await usual(request)
        if request.method == "POST" and "render" in request.url.path:
            world.nemo.renders[world.nemo.submits[-1]] = "processing"
            raise httpx.ReadTimeout("x")
        return response

    usual = world.nemo.handle_async_request
    world.nemo.handle_async_request = arrived  # type: ignore[method-assign]
    world.nemo.answer("GET /api/render", *[httpx.ConnectError("x")] * 3)
    world.say("export")
    assert "Renders under way: 1" in shown(world.say("status"))
    assert len(world.nemo.submits) == 1


def test_a_limited_submit_is_told_and_left_to_the_person(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("POST /api/render", code(429))
    assert codes(world.say("export")) == ["rate_limited"]
    assert len(world.nemo.submits) == 1


def test_the_credits_of_an_unknown_send_are_unknown_where_nobody_can_ask(world: World) -> None:
    def unplug(nemo: FakeNemo) -> Exception:
        nemo.answer("GET /api/credits", *[httpx.ConnectError("x")] * 3)
        return httpx.ReadError("cut")

    world.nemo.scripts.append([unplug])
    assert "before: 90, now: unknown, reserved: unknown" in shown(world.say(EDIT))


# Looks


def looks(world: World) -> list[str]:
    """The looks at the state and the sends, in their order."""
    kinds = {"GET": "look", "POST": "send"}
    wanted = ("/api/state/", "/run_sse")
    return [kinds[one.method] for one in world.nemo.requests if one.url.path.startswith(wanted)]


def test_a_send_right_after_the_first_look_needs_no_second_one(world: World) -> None:
    world.nemo.scripts.extend([[edit(CITY), say("Done.")], [edit(CITY, MUSIC), say("Done.")]])

    async def scenario(agent: Agent) -> dict[str, Any]:
        await said(agent, EDIT)
        world.nemo.requests.clear()
        told = await said(agent, "add lo-fi music")
        assert [event.kind for event in told if event.kind == "timeline"] == ["timeline"]
        kept = await agent.graph.aget_state({"configurable": {"thread_id": agent.thread_id("t")}})
        return dict(kept.values)

    kept = world.run(scenario)
    assert looks(world) == ["look", "send", "look"]
    assert not {"glance", "opened"} & set(kept) and kept["draft"]
    assert [kept[name] for name in OVER] == [None] * len(OVER)


def test_a_second_send_of_a_turn_looks_again(world: World) -> None:
    world.nemo.scripts.extend([[edit(CITY), say("Done.")], [edit(CITY, MUSIC), say("Done.")]] * 2)

    async def scenario(agent: Agent) -> None:
        await said(agent, EDIT)
        world.nemo.requests.clear()
        await said(agent, "put the title “Night” at the start, then export, then add lo-fi music")

    world.run(scenario)
    assert len(world.nemo.sends) == 3
    assert looks(world)[:3] == ["look", "send", "look"] and looks(world)[-3:] == ["look", "send", "look"]


def test_what_was_seen_a_while_ago_is_looked_at_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MOMENT", timedelta(0))
    world.nemo.scripts.extend([[edit(CITY), say("Done.")], [edit(CITY, MUSIC), say("Done.")]])

    async def scenario(agent: Agent) -> None:
        await said(agent, EDIT)
        world.nemo.requests.clear()
        await said(agent, "add lo-fi music")

    world.run(scenario)
    assert looks(world) == ["look", "look", "send", "look"]
