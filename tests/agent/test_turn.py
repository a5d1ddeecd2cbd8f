"""Whole turns against the fake cloud: what went over the wire, what is on disk, what the person saw."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_nemo import CANARY, CITY, MUSIC, FakeNemo, code, cut, edit, ok, say
from world import World

from agent.events import Delivered, Error, Event, Timeline
from agent.lease import lease
from agent.turn import Agent, collect, explain, recover, turn
from evals.screen import shown
from router import Decision


def codes(events: list[Event]) -> list[str]:
    return [event.code for event in events if isinstance(event, Error)]


# Routes


def test_status_and_credits_are_answered_without_a_send(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    assert "Timeline (1 track): 1. Video: city (0-10s)" in shown(world.say("status"))
    assert "90 credits available, 100 in all" in shown(world.say("credits"))
    assert world.nemo.sends == []


def test_an_edit_is_sent_once_in_the_persons_own_words(world: World) -> None:
    world.nemo.scripts.append([say("Done."), edit(CITY)])
    world.say("make me a city at night, please")
    assert world.nemo.sends == ["make me a city at night, please"]


def test_the_session_is_created_in_the_language_of_the_first_utterance(world: World) -> None:
    world.say("生成一张城市的图片")
    created = [body for path, body in world.nemo.writes if path.startswith("/api/tasks/")]
    assert created == [{"task_name": "project", "language": "zh-CN"}]


def test_every_request_to_the_backend_carries_the_attribution(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.say("status", "export as mp4")
    asked = [request for request in world.nemo.requests if request.url.host == "nemo.test"]
    assert len(asked) > 5
    for request in asked:
        assert request.headers["x-skill-source"] == "generator-image"
        assert request.headers["x-skill-version"]
        assert request.headers["x-skill-platform"] == "unknown"


def test_the_file_is_fetched_without_the_token(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.say("export")
    (download,) = [request for request in world.nemo.requests if request.url.host == "files.test"]
    assert "authorization" not in download.headers


# Edits


def test_a_silent_edit_is_told_from_the_drafts(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.scripts.append([edit(MUSIC)])
    events = world.say("add lo-fi at 35%")
    assert "Added BGM: Lo-fi (0-10s, 35%)" in shown(events)
    assert "2. BGM: Lo-fi (0-10s, 35%)" in [e.text for e in events if isinstance(e, Timeline)][-1]


def test_silence_without_a_change_is_said(world: World) -> None:
    assert "nothing on the timeline changed" in shown(world.say("make it pop"))


def test_an_edit_that_fails_takes_the_export_along_and_says_so(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("POST /run_sse", code(2001))
    events = world.say("add lo-fi and then export it")
    assert codes(events) == ["out_of_credits"]
    assert "Left undone because of this: the export." in shown(events)
    assert world.nemo.submits == []


# Gui phrases


def test_click_export_is_executed_and_never_shown(world: World) -> None:
    world.nemo.scripts.append([edit(CITY), say("Your video is ready! Click the Export button to download it.")])
    events = world.say("make a film of a city")
    assert "Your video is ready!" in shown(events)
    assert "lick the" not in shown(events)
    assert [event.format for event in events if isinstance(event, Delivered)] == ["mp4"]
    assert len(world.nemo.submits) == 1


def test_a_conditional_button_is_not_pressed(world: World) -> None:
    world.nemo.scripts.append([edit(CITY), say("Here it is. When you're happy with it, click the Export button.")])
    events = world.say("make a film of a city")
    assert world.nemo.submits == []
    assert "button" not in shown(events)


def test_what_the_backend_wants_clicked_after_a_lost_send_is_not_sent(world: World) -> None:
    world.nemo.scripts.append([say("Drag the clip to the end of the track.\n"), cut])
    world.say("make a film of a city")
    assert world.nemo.sends == ["make a film of a city"]


# Lost streams


def test_a_lost_stream_is_looked_up_and_never_sent_again(world: World) -> None:
    world.nemo.scripts.append([say("Working"), edit(CITY), cut])
    events = world.say("make a film of a city")
    assert len(world.nemo.sends) == 1
    assert "I won't send it again" in shown(events)
    assert "Added Video: city (0-10s)" in shown(events)
    assert world.clock.slept == [30]


def test_five_unchanged_looks_make_an_unknown_with_the_credits(world: World) -> None:
    world.nemo.scripts.append([cut])
    events = world.say("make a film of a city")
    assert world.clock.slept == [30, 60, 60, 60, 60]
    assert "may charge twice" in shown(events)
    assert "before: 90, now: 90, reserved: 0" in shown(events)
    assert len(world.nemo.sends) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_proxys_error_page_after_a_send_is_looked_up_too(world: World, status: int) -> None:
    world.nemo.answer("POST /run_sse", httpx.Response(status, html="<h1>Bad gateway</h1>"))
    world.say("make a film of a city")
    assert len(world.nemo.sends) == 1
    assert world.clock.slept == [30, 60, 60, 60, 60]


def test_a_send_that_never_left_may_be_said_again(world: World) -> None:
    world.nemo.answer("POST /run_sse", httpx.ConnectError("refused"))
    world.nemo.scripts.append([edit(CITY)])
    assert "Added Video: city" in shown(world.say("make a film of a city", "make a film of a city"))


def test_a_turn_canceled_in_its_send_is_told_at_the_next_turn(world: World) -> None:
    async def scenario(agent: Agent) -> tuple[list[Event], list[str]]:
        task: asyncio.Task[Any]

        async def stop(nemo: FakeNemo) -> None:
            nemo.draft = {"t": [CITY]}
            task.cancel()
            await asyncio.sleep(0)

        world.nemo.scripts.append([say("Working on"), stop, say("it")])  # type: ignore[list-item]  # an async act

        async def consume() -> None:
            async for _ in turn(agent, "t", "make a film of a city and then export it"):
                pass

        task = asyncio.create_task(consume())
        with pytest.raises(asyncio.CancelledError):
            await task
        return [event async for event in turn(agent, "t", "status")], list(world.nemo.sends)

    events, sends = world.run(scenario)
    assert "had been cut off, but it arrived" in shown(events)
    assert "Left undone because of this: the export." in shown(events)
    assert len(sends) == 1


# Codes


def test_our_own_token_is_renewed_once_and_the_turn_goes_on(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("GET /api/credits", code(1001))
    assert "90 credits" in shown(world.say("credits"))


def test_a_supplied_token_is_never_swapped(world: World) -> None:
    world.environ["NEMO_TOKEN"] = "my-own-token"
    events = world.say("credits")
    assert codes(events) == ["token_rejected"]
    assert "NEMO_TOKEN" in shown(events)
    assert not [path for path, _ in world.nemo.writes if "anonymous" in path]


def test_a_forgotten_session_is_replaced_and_the_loss_told(world: World) -> None:
    world.say("status")
    world.nemo.answer("GET /api/state", code(1002))
    assert "the timeline is empty" in shown(world.say("status"))
    assert world.nemo.session == 2


def test_out_of_credits_gives_the_link_that_binds(world: World) -> None:
    world.nemo.answer("POST /run_sse", code(2001))
    assert "https://nemovideo.com/?bind=u77" in shown(world.say("make a film of a city"))


def test_a_blocked_export_is_a_matter_of_the_plan(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("POST /api/render", code(402))
    events = world.say("export")
    assert codes(events) == ["export_blocked"]
    assert "isn't a matter of credits" in shown(events)


def test_no_network_is_one_sentence_and_the_conversation_goes_on(world: World) -> None:
    refused = [httpx.ConnectError("no route")] * 9
    world.nemo.answer("POST /api/auth", *refused)
    events = world.say("make a film of a city")
    assert codes(events) == ["unreachable"]
    assert "http://nemo.test can't be reached, and nothing was sent" in shown(events)
    world.nemo.replies.clear()
    assert "credits available" in shown(world.say("credits"))


@pytest.mark.parametrize("number", [1001, 1002, 2001, 4001, 4002, 400, 402, 429, 777])
@pytest.mark.parametrize(("text", "call"), [("make a city", "POST /run_sse"), ("credits", "GET /api/credits")])
def test_every_code_has_its_sentence_and_nothing_is_sent_twice(world: World, number: int, text: str, call: str) -> None:
    world.nemo.answer(call, *[code(number) for _ in range(4)])
    events = world.say(text)
    assert len(codes(events)) == 1
    assert "Traceback" not in shown(events)
    assert len(world.nemo.sends) <= 2  # a 1001 refusal means that nothing ran: once more with a new token
    if number != 1001:
        assert len(world.nemo.sends) <= 1


# Render jobs


def test_an_export_delivers_a_file_and_says_where(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    events = world.say("export")
    (delivered,) = [event for event in events if isinstance(event, Delivered)]
    assert Path(delivered.path).read_bytes() == b"movie"
    assert (delivered.size, delivered.duration_ms, delivered.format) == (5, 10000, "mp4")
    assert "✅ Ready:" in delivered.text


def test_nothing_on_the_timeline_is_nothing_to_export(world: World) -> None:
    assert codes(world.say("export")) == ["nothing_to_export"]
    assert world.nemo.submits == []


def test_a_failed_render_gets_one_new_id(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    failed = httpx.Response(200, json={"status": "failed"})
    world.nemo.answer("GET /api/render", failed)
    events = world.say("export")
    assert len(set(world.nemo.submits)) == 2
    assert [event.kind for event in events].count("delivered") == 1


def test_a_render_that_fails_twice_is_given_up_and_told(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("GET /api/render", *[httpx.Response(200, json={"status": "failed"}) for _ in range(2)])
    assert codes(world.say("export")) == ["render_failed"]
    assert len(world.nemo.submits) == 2


def test_a_lost_submit_is_settled_by_its_id(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("POST /api/render", httpx.ReadTimeout("no answer"))
    world.nemo.answer(
        "GET /api/render",
        httpx.Response(200, json={"status": "processing"}),
        httpx.Response(200, json={"status": "completed", "output": {"url": "http://files.test/file.mp4"}}),
    )
    events = world.say("export")
    assert len(world.nemo.submits) == 1
    assert [event.kind for event in events].count("delivered") == 1


def test_a_job_past_the_documented_polls_is_collected_later_under_its_own_id(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    busy = [httpx.Response(200, json={"status": "processing"}) for _ in range(10)]
    world.nemo.answer("GET /api/render", *busy)
    assert "still running" in shown(world.say("export"))
    assert world.clock.slept == [30.0] * 10

    async def later(agent: Agent) -> list[Event]:
        return [event async for event in collect(agent)]

    events = world.run(later)
    assert [event.kind for event in events].count("delivered") == 1
    assert len(world.nemo.submits) == 1


def test_a_job_that_never_arrived_is_told_and_not_submitted_behind_the_persons_back(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.answer("POST /api/render", httpx.ReadTimeout("no answer"))
    world.nemo.answer("GET /api/render", httpx.ReadTimeout("no answer"), httpx.ReadTimeout("x"), httpx.ReadTimeout("x"))
    world.say("export")

    async def later(agent: Agent) -> list[Event]:
        return [event async for event in collect(agent)]

    assert "Say “export” to start it again" in shown(world.run(later))
    assert len(world.nemo.submits) == 1


# Uploads


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.jpg", None, "There is no file"),
        ("notes.txt", b"hello", "none of the types the backend takes: mp4"),
        ("empty.png", b"", "is empty"),
    ],
)
def test_what_can_not_be_uploaded_never_leaves(world: World, name: str, content: bytes | None, words: str) -> None:
    path = world.folder / name
    if content is not None:
        path.write_bytes(content)
    events = world.say("use this", files=(str(path),))
    assert codes(events) == ["upload_refused"]
    assert words in shown(events)
    assert not [write for write, _ in world.nemo.writes if "upload" in write]


def test_a_photo_is_uploaded_and_described(world: World) -> None:
    path = world.folder / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 99)
    events = world.say(str(path))
    assert "- a.jpg (64x48)" in shown(events)
    assert any(event.kind == "progress" and event.about == "upload" for event in events)


# The thread


def test_a_thread_goes_on_in_another_process(world: World) -> None:
    world.nemo.scripts.append([edit(CITY)])
    world.say("make a city")

    async def back(agent: Agent) -> list[Event]:
        return [event async for event in recover(agent, "t")]

    assert [event.text for event in world.run(back)] == ["Timeline (1 track): 1. Video: city (0-10s)"]
    assert world.nemo.session == 1


def test_a_busy_thread_is_said_to_be_busy(world: World) -> None:
    async def scenario(agent: Agent) -> list[Event]:
        with lease(agent.settings.data / "leases", agent.thread_id("t")):
            return [event async for event in turn(agent, "t", "status")]

    assert codes(world.run(scenario)) == ["busy"]


def test_the_last_turn_can_be_explained(world: World) -> None:
    async def scenario(agent: Agent) -> list[str]:
        async for _ in turn(agent, "t", "check my balance and export"):
            pass
        return [decision.route for decision in await explain(agent, "t")]

    assert world.run(scenario) == ["credits", "export"]


def test_our_sentences_follow_the_language_turn_by_turn(world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    assert "Timeline (1 track)" in shown(world.say("status"))
    assert "时间线（1 条轨道）：1. 视频：city (0-10秒)" in shown(world.say("状态"))


def test_a_fault_of_our_own_is_told_and_the_thread_lives(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.nemo.answer("GET /api/state", ok({"state": {"draft": {"t": []}}}))
    world.nemo.scripts.append([lambda nemo: 1 / 0])  # type: ignore[list-item, return-value]
    events = world.say("make a city")
    assert codes(events) == ["internal"]
    assert "credits available" in shown(world.say("credits"))


# Secrets


def test_the_token_is_on_no_screen_in_no_log_and_in_no_store(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.nemo.draft = {"t": [CITY]}
    world.nemo.scripts.append([say(f"your token is {CANARY}"), edit(MUSIC)])
    world.nemo.answer("GET /api/credits", code(500, f"bad {CANARY}"), code(500, CANARY), code(500, CANARY))
    text = ""
    for words in ("add music", "credits", "export", "status"):
        text += shown(world.say(words))
    assert CANARY not in text
    assert "ses-secret" not in text
    assert CANARY not in caplog.text
    kept = [path for path in world.folder.rglob("*") if path.is_file() and not path.name.startswith("token-")]
    assert any(path.name.startswith("journal.db") for path in kept)
    for path in kept:
        assert CANARY.encode() not in path.read_bytes(), path


# Files named in words


def test_an_edit_that_names_a_file_which_is_here_uploads_it_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    (world.folder / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 99)
    world.nemo.scripts.append([edit(CITY)])
    events = world.say("turn a.jpg into a 10-second clip")
    writes = [path.split("/")[1:3] for path, _ in world.nemo.writes[-2:]]
    assert writes == [["api", "upload-video"], ["run_sse"]]
    assert "Added Video: city" in shown(events)


def test_an_edit_that_names_a_file_which_is_not_here_is_still_sent(world: World) -> None:
    world.say("turn holiday.jpg into a 10-second clip")
    assert world.nemo.sends == ["turn holiday.jpg into a 10-second clip"]


def test_an_export_goes_where_the_words_say(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.folder)
    world.nemo.draft = {"t": [CITY]}
    world.say("export to ./out/night.gif")
    assert (world.folder / "out" / "night.gif").read_bytes() == b"movie"
    assert world.nemo.writes[-1][1]["output"] == {"format": "gif", "quality": "high"}


# Questions


def test_a_bare_upload_asks_for_the_file_and_the_next_turn_gives_it(world: World) -> None:
    path = world.folder / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 99)
    assert world.say("upload")[-1].kind == "ask"
    assert "- a.jpg (64x48)" in shown(world.say(str(path)))


def test_a_no_to_a_question_is_heard_and_nothing_is_sent(world: World) -> None:
    world.say("upload")
    assert shown(world.say("no")) == "All right."
    assert world.nemo.sends == []


def test_a_doubtful_export_behind_an_edit_is_asked_about_and_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.nemo.scripts.append([edit(CITY)])
    doubtful = [
        Decision("sse", "a city", (0, 6), "rule", 0.99, "edit:a"),
        Decision("export", "hand it round", (8, 21), "intent", 0.7, "intent:hand", ask=True),
    ]
    with monkeypatch.context() as patched:
        patched.setattr("agent.nodes.route.decide", lambda turn: doubtful)
        events = world.say("a city, hand it round")
    assert world.nemo.sends == ["a city"]
    assert not [path for path, _ in world.nemo.writes if "render" in path]
    assert events[-1].kind == "ask"
    world.say("yes")
    assert [path for path, _ in world.nemo.writes if "render" in path]


def test_a_language_chosen_for_good_holds_whatever_is_written(world: World) -> None:
    async def scenario(agent: Agent) -> list[Event]:
        return [event async for event in turn(agent, "t", "credits", lang="zh")]

    assert "可用积分 90" in shown(world.run(scenario))


def test_a_file_that_was_sent_and_named_again_is_uploaded_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.folder)
    (world.folder / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 99)
    world.say("./a.jpg make it move")
    world.say("upload ./a.jpg and turn ./a.jpg into a 10-second clip")
    assert [path.split("/")[2] for path, _ in world.nemo.writes if "upload" in path] == ["upload-video"] * 2
