"""Every code through a whole turn: what the person reads, what went over the wire, and that the next turn works."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from fake_nemo import CITY, code, edit, ok, say
from world import World

from agent.events import Error, Event
from agent.turn import Agent, turn
from evals.screen import shown

TOKEN = "/api/auth/anonymous-token"
EDIT = "make a film of a city"


def codes(events: list[Event]) -> list[str]:
    return [event.code for event in events if isinstance(event, Error)]


def calls(world: World, path: str) -> int:
    return sum(request.url.path.startswith(path) for request in world.nemo.requests)


def nested(number: int, status: int = 200) -> httpx.Response:
    """The second envelope: no code at top level."""
    return httpx.Response(status, json={"success": False, "error": {"code": number, "message": "no"}})


def http(number: int) -> httpx.Response:
    return httpx.Response(number if number < 1000 else 400, json={"code": number, "message": "no"})


# 1001


def test_turns_of_two_threads_renew_one_token_once(world: World) -> None:
    async def scenario(agent: Agent) -> list[list[Event]]:
        async def one(thread: str) -> list[Event]:
            return [event async for event in turn(agent, thread, "credits")]

        await one("a"), await one("b")
        world.nemo.token = "nmv_usr_second"
        return list(await asyncio.gather(one("a"), one("b")))

    first, second = world.run(scenario)
    assert "90 credits" in shown(first) and "90 credits" in shown(second)
    assert calls(world, TOKEN) == 2


@pytest.mark.parametrize("refusal", [code(1001), nested(1001), http(1001), httpx.Response(401, html="<h1>no</h1>")])
def test_a_send_refused_for_its_token_is_sent_with_a_new_one(world: World, refusal: httpx.Response) -> None:
    world.nemo.answer("POST /run_sse", refusal)
    world.nemo.scripts.append([edit(CITY)])
    events = world.say(EDIT)
    assert "Added Video: city" in shown(events)
    assert codes(events) == []
    assert calls(world, TOKEN) == 2


@pytest.mark.parametrize("call", ["GET /api/state", "POST /run_sse", "POST /api/render", "POST /api/tasks"])
def test_a_supplied_token_is_told_and_never_swapped_wherever_it_is_refused(world: World, call: str) -> None:
    world.environ["NEMO_TOKEN"] = world.nemo.token
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer(call, code(1001))
    events = world.say("export" if "render" in call else EDIT)
    assert codes(events) == ["token_rejected"]
    assert "NEMO_TOKEN" in shown(events)
    assert calls(world, TOKEN) == 0
    assert "90 credits" in shown(world.say("credits"))


def test_a_weekly_token_that_is_used_up_has_its_own_sentence(world: World) -> None:
    world.say("credits")
    world.nemo.answer("GET /api/state", code(1001))
    world.nemo.answer(f"POST {TOKEN}", code(429), code(429))
    events = world.say("credits")
    assert "one free access a week" in shown(events)
    assert world.clock.slept == [30]
    assert "90 credits" in shown(world.say("credits"))


def test_a_first_start_that_is_stopped_keeps_the_token_it_had_asked_for(world: World) -> None:
    async def scenario(agent: Agent) -> list[Event]:
        gate = asyncio.Event()
        asked = asyncio.Event()
        usual = world.nemo.handle_async_request

        async def slow(request: httpx.Request) -> httpx.Response:
            if request.url.path == TOKEN:
                asked.set()
                await gate.wait()
            return await usual(request)

        world.nemo.handle_async_request = slow  # type: ignore[method-assign]
        task = asyncio.create_task(_consume(agent, "credits"))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        return await _consume(agent, "credits")

    assert "90 credits" in shown(world.run(scenario))
    assert calls(world, TOKEN) == 1


async def _consume(agent: Agent, text: str) -> list[Event]:
    return [event async for event in turn(agent, "t", text)]


# 1002


@pytest.mark.parametrize(
    "gone", [code(1002), nested(1002), httpx.Response(404, json={"detail": "Session not found: ses-secret-1"})]
)
def test_a_session_that_is_gone_is_replaced_once_and_the_loss_told(world: World, gone: httpx.Response) -> None:
    world.say("credits")
    world.nemo.answer("GET /api/state", gone)
    events = world.say("credits")
    assert "a new one has started and the timeline is empty" in shown(events)
    assert codes(events) == []
    assert "a new one has started" not in shown(world.say("credits"))
    assert world.nemo.session == 2


def test_a_send_whose_session_is_gone_is_not_repeated_and_the_next_turn_has_a_new_one(world: World) -> None:
    world.nemo.answer("POST /run_sse", code(1002))
    events = world.say(EDIT)
    assert codes(events) == ["session_gone"]
    assert len(world.nemo.sends) == 1
    world.nemo.scripts.append([edit(CITY)])
    events = world.say(EDIT)
    assert "a new one has started" in shown(events)
    assert "Added Video: city" in shown(events)
    sessions = [body["session_id"] for path, body in world.nemo.writes if path == "/run_sse"]
    assert sessions == ["ses-secret-1", "ses-secret-2"]


def test_a_cut_off_send_of_a_session_that_is_gone_never_passes_for_landed(world: World) -> None:
    async def scenario(agent: Agent) -> list[Event]:
        async def stop(nemo: Any) -> None:
            task.cancel()
            await asyncio.sleep(0)

        world.nemo.scripts.append([stop, say("…")])  # type: ignore[list-item]  # an async act
        task = asyncio.create_task(_consume(agent, EDIT))
        with pytest.raises(asyncio.CancelledError):
            await task
        world.nemo.answer("GET /api/state", code(1002))
        world.nemo.draft = {"t": [CITY]}
        first = await _consume(agent, "credits")
        return first + await _consume(agent, "status")

    told = shown(world.run(scenario))
    assert told.count("I don't know what became of") == 1
    assert "it arrived" not in told


def test_a_session_that_can_not_be_replaced_yet_is_replaced_later(world: World) -> None:
    world.say("credits")
    world.nemo.answer("GET /api/state", code(1002), code(1002))
    world.nemo.answer("POST /api/tasks", httpx.Response(502, html="<h1>Bad gateway</h1>"))
    assert codes(world.say("credits")) == ["bad_answer"]
    events = world.say("credits")
    assert "a new one has started" in shown(events)
    assert world.nemo.session == 2


# 2001


@pytest.mark.parametrize("refusal", [code(2001), nested(2001), http(2001)])
def test_out_of_credits_is_a_link_that_binds_and_changes_nothing(world: World, refusal: httpx.Response) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("POST /run_sse", refusal)
    events = world.say(EDIT)
    assert "https://nemovideo.com/?bind=u77" in shown(events)
    assert "Added" not in shown(events)
    assert len(world.nemo.sends) == 1
    assert "90 credits" in shown(world.say("credits"))


def test_whom_the_link_binds_may_stand_in_the_state_or_in_the_refusal(world: World) -> None:
    bare = ok({"task_id": "t1", "session_id": "s1"})
    world.nemo.answer("POST /api/tasks", bare)
    world.nemo.answer("POST /run_sse", httpx.Response(200, json={"code": 2001, "data": {"user_id": "a/b"}}), code(2001))
    assert "?bind=a%2Fb" in shown(world.say(EDIT))
    state = {"state": {"draft": {"t": []}}, "user_id": "u88"}
    world.nemo.answer("GET /api/state", ok(state))
    assert "?bind=u88" in shown(world.say(EDIT))


def test_a_path_that_calls_everybody_me_is_nobody_to_bind(world: World) -> None:
    world.nemo.answer("POST /api/tasks", ok({"task_id": "t1", "session_id": "s1", "user_id": "me"}))
    world.nemo.answer("POST /run_sse", code(2001))
    told = shown(world.say(EDIT))
    assert "bind" not in told and "Top up at https://nemovideo.com" in told


def test_whoever_brought_a_token_tops_up(world: World) -> None:
    world.environ["NEMO_TOKEN"] = world.nemo.token
    world.nemo.answer("POST /run_sse", code(2001))
    told = shown(world.say(EDIT))
    assert "Top up at https://nemovideo.com" in told and "bind" not in told


def test_no_credits_for_a_session_is_told_too(world: World) -> None:
    world.nemo.answer("POST /api/tasks", httpx.Response(200, json={"code": 2001, "user_id": "u9"}))
    assert "?bind=u9" in shown(world.say(EDIT))
    assert world.nemo.sends == []
    assert "90 credits" in shown(world.say("credits"))


# 4001, 4002


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (code(4001), "Accepted: mp4, mov, avi, webm, mkv, jpg, png, gif, webp, mp3, wav, m4a, aac"),
        (nested(4001), "Accepted: mp4"),
        (httpx.Response(415, html="<h1>no</h1>"), "Accepted: mp4"),
        (code(4002), "Compress or trim it"),
        (httpx.Response(413, html="<h1>nginx</h1>"), "Compress or trim it"),
    ],
)
def test_a_file_the_backend_refuses_is_told_and_not_sent_again(
    world: World, refusal: httpx.Response, words: str
) -> None:
    path = world.folder / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 99)
    world.nemo.answer("POST /api/upload", refusal)
    events = world.say("make it move", files=(str(path),))
    assert words in shown(events)
    assert calls(world, "/api/upload") == 1
    assert world.nemo.sends == []
    assert "90 credits" in shown(world.say("credits"))


# 400, 402


def test_a_client_id_that_is_missing_is_made_and_the_turn_goes_on(world: World) -> None:
    world.nemo.answer(f"POST {TOKEN}", http(400))
    assert "90 credits" in shown(world.say("credits"))
    first, second = (r.headers["x-client-id"] for r in world.nemo.requests if r.url.path == TOKEN)
    assert first != second


@pytest.mark.parametrize("refusal", [code(402), nested(402), http(402), httpx.Response(402, html="<h1>pay</h1>")])
def test_a_blocked_export_names_the_plan_and_leaves_no_job(world: World, refusal: httpx.Response) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("POST /api/render", refusal)
    events = world.say("export")
    assert codes(events) == ["export_blocked"]
    assert "isn't a matter of credits" in shown(events)
    assert len(world.nemo.submits) == 1
    assert "Renders under way" not in shown(world.say("status"))


# 429


@pytest.mark.parametrize("call", ["GET /api/state", "GET /api/credits", "POST /api/tasks", f"POST {TOKEN}"])
@pytest.mark.parametrize("refusal", [code(429), nested(429), httpx.Response(429, html="<h1>slow down</h1>")])
def test_a_limit_is_waited_out_once(world: World, call: str, refusal: httpx.Response) -> None:
    if "state" in call:
        world.say("credits")
    world.nemo.answer(call, refusal)
    assert "90 credits" in shown(world.say("credits"))
    assert world.clock.slept == [30]


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"retry-after": "7"}, [7]),
        ({"retry-after": "Thu, 01 Jan 2026 05:00:50 GMT", "date": "Thu, 01 Jan 2026 05:00:00 GMT"}, [50]),
        ({"retry-after": "0"}, [0]),
        ({"retry-after": "later"}, [30]),
    ],
)
def test_a_limit_says_how_long_by_the_servers_own_watch(
    world: World, headers: dict[str, str], slept: list[float]
) -> None:
    world.nemo.answer("GET /api/credits", httpx.Response(429, headers=headers, json={"code": 429}))
    assert "90 credits" in shown(world.say("credits"))
    assert world.clock.slept == slept


def test_a_limit_longer_than_anybody_waits_is_told_in_minutes(world: World) -> None:
    world.nemo.answer("GET /api/credits", httpx.Response(429, headers={"retry-after": "901"}, json={"code": 429}))
    assert "try again in 16 minutes" in shown(world.say("credits"))
    assert (world.clock.slept, calls(world, "/api/credits")) == ([], 1)


def test_a_limited_send_is_offered_again_and_sent_by_a_yes_alone(world: World) -> None:
    world.nemo.answer("POST /run_sse", code(429))
    events = world.say(EDIT)
    assert codes(events) == ["rate_limited"]
    assert len(world.nemo.sends) == 1
    world.nemo.scripts.append([edit(CITY)])
    assert "Added Video: city" in shown(world.say("yes"))
    assert world.nemo.sends == [EDIT, EDIT]


# 5xx and proxies


@pytest.mark.parametrize(
    "broken",
    [
        httpx.Response(500, json={"code": 500, "message": "oops"}),
        httpx.Response(200, json={"code": 500, "message": "oops"}),
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.Response(200, html="<h1>log in</h1>"),
        httpx.Response(504, text=""),
        httpx.ReadTimeout("x"),
    ],
)
@pytest.mark.parametrize("call", ["GET /api/state", "GET /api/credits"])
def test_a_broken_read_is_made_again(world: World, call: str, broken: httpx.Response | Exception) -> None:
    world.say("credits")
    world.nemo.answer(call, broken, broken)
    assert "90 credits" in shown(world.say("credits"))
    assert world.clock.slept == [0.5, 2]


@pytest.mark.parametrize(
    "broken", [httpx.Response(200, json={"code": 500}), httpx.Response(200, html="<h1>log in</h1>")]
)
def test_a_send_the_backend_broke_under_is_looked_up_and_never_made_again(world: World, broken: httpx.Response) -> None:
    world.nemo.answer("POST /run_sse", broken)
    assert "may charge twice" in shown(world.say(EDIT))
    assert len(world.nemo.sends) == 1


@pytest.mark.parametrize("status", [302, 403, 404, 407, 431])
def test_a_page_that_turns_a_send_away_is_a_refusal_and_nobody_waits_for_an_outcome(world: World, status: int) -> None:
    world.nemo.answer("POST /run_sse", httpx.Response(status, html="<h1>no</h1>"))
    events = world.say(EDIT)
    assert codes(events) == ["api_error"]
    assert f"code {status}" in shown(events)
    assert (len(world.nemo.sends), world.clock.slept) == (1, [])
    assert "became of" not in shown(world.say("credits"))


def test_after_a_send_that_ran_nobody_says_that_nothing_was_sent(world: World) -> None:
    def unplug(nemo: Any) -> None:
        nemo.answer("GET /api/state", *[httpx.ConnectError("x")] * 6)  # looked at twice, three times each

    world.nemo.scripts.append([say("Here is your city."), unplug])
    told = shown(world.say(EDIT))
    assert "nothing was sent" not in told
    assert "Don't say it again" in told


@pytest.mark.parametrize("answer", [b"[" * 200_000, b'{"code":' + b"9" * 5000 + b"}", b"\xff\xfe\x00", b"null", b"7"])
def test_json_nobody_can_read_is_an_answer_nobody_can_read(world: World, answer: bytes) -> None:
    world.nemo.answer("GET /api/credits", *[httpx.Response(200, content=answer) for _ in range(3)])
    assert codes(world.say("credits")) == ["bad_answer"]
    assert "90 credits" in shown(world.say("credits"))


def test_a_nested_code_beside_a_render_job_is_the_jobs_own(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    failed = {"success": False, "data": {"status": "failed"}, "error": {"code": 402, "message": "no font"}}
    world.nemo.answer("GET /api/render", *[httpx.Response(200, content=json.dumps(failed)) for _ in range(2)])
    assert codes(world.say("export")) == ["render_failed"]
