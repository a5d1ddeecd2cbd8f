"""The AG-UI door: its events in an order that front ends accept, and that a run over the same message replays."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from door_stage import EXPORT, GENERATE, PIXEL, Client, gated, makes, serving, sse
from world import World

URL = "/v1/agui"
ANSWER = {"id": "a1", "role": "assistant", "content": "Done."}


@pytest.fixture
def city(world: World) -> World:
    makes(world)
    return world


def user(content: Any, id: str = "m1") -> dict[str, Any]:
    return {"id": id, "role": "user", "content": content}


def body(*messages: dict[str, Any], run: str = "r1", **more: Any) -> dict[str, Any]:
    base = {"threadId": "t", "runId": run, "state": {}, "tools": [], "context": [], "forwardedProps": {}}
    return {**base, "messages": list(messages), **more}


def said(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")


def ordered(events: list[dict[str, Any]]) -> None:
    """What a strict client checks: a run around all, messages and steps that open and close, no empty piece."""
    assert events[0]["type"] == "RUN_STARTED" and events[-1]["type"] in ("RUN_FINISHED", "RUN_ERROR")
    message, step = "", ""
    for event in events[1:-1]:
        kind = event["type"]
        if kind == "TEXT_MESSAGE_START":
            assert not message
            message = event["messageId"]
        elif kind.startswith("TEXT_MESSAGE"):
            assert event["messageId"] == message and event.get("delta", "-")
            message = "" if kind == "TEXT_MESSAGE_END" else message
        elif kind == "STEP_STARTED":
            assert not step
            step = event["stepName"]
        elif kind == "STEP_FINISHED":
            assert event["stepName"] == step
            step = ""
    assert not message and not step


def custom(events: list[dict[str, Any]], name: str) -> list[Any]:
    return [event["value"] for event in events if event["type"] == "CUSTOM" and event["name"] == name]


def test_a_run_is_steps_one_message_and_the_draft_as_state(city: World) -> None:
    async def scenario(client: Client) -> list[Any]:
        first = sse(await client.post(URL, body(user(GENERATE))))
        second = body(user(GENERATE), ANSWER, user(EXPORT, "m2"), run="r2")
        return [first, sse(await client.post(URL, second))]

    first, second = serving(city, scenario)
    ordered(first)
    ordered(second)
    assert first[0] == {"type": "RUN_STARTED", "threadId": "t", "runId": "r1"}
    assert first[-1] == {"type": "RUN_FINISHED", "threadId": "t", "runId": "r1"}
    assert "Here is \\[your] city." in said(first)
    state = next(event["snapshot"] for event in first if event["type"] == "STATE_SNAPSHOT")
    assert state["timeline"] == "Timeline (1 track): 1. Video: city (0-10s)" and state["changed"] == ["v1"]
    assert state["draft"]["t"][0]["sg"][0]["id"] == "v1"
    assert {one["about"] for one in custom(first, "progress")} == {"connect", "send"}
    assert custom(first, "hint")[0]["suggestions"]
    file = custom(second, "delivered")[0]
    assert file["url"].startswith("http://127.0.0.1:8765/files/file_") and file["url"] in said(second)
    assert "path" not in file and len(city.nemo.submits) == 1


@pytest.mark.parametrize("run", ["r1", "r2"])
def test_a_run_over_the_same_message_replays(city: World, run: str) -> None:
    async def scenario(client: Client) -> list[Any]:
        return [sse(await client.post(URL, body(user(GENERATE), run=name))) for name in ("r1", run)]

    first, again = serving(city, scenario)
    ordered(again)
    assert said(first) == said(again) and again[-1]["runId"] == run
    states = [
        [event["snapshot"]["draft"] for event in one if event["type"] == "STATE_SNAPSHOT"] for one in (first, again)
    ]
    assert states[0] == states[1] and len(states[0]) == 1
    assert city.nemo.sends == [GENERATE]  # fmt: skip


def test_without_ids_of_messages_the_run_is_what_a_turn_is_known_by(city: World) -> None:
    async def scenario(client: Client) -> None:
        for run in ("r1", "r1", "r2"):
            sse(await client.post(URL, body(user(GENERATE, ""), run=run)))

    serving(city, scenario)
    assert city.nemo.sends == [GENERATE, GENERATE]


def test_another_conversation_is_another_turn(city: World) -> None:
    async def scenario(client: Client) -> None:
        for thread in ("t", "u"):
            sse(await client.post(URL, body(user(GENERATE), threadId=thread)))

    serving(city, scenario)
    assert city.nemo.sends == [GENERATE, GENERATE]


def test_a_front_end_that_leaves_finds_the_run_finished(world: World) -> None:
    async def scenario(client: Client) -> tuple[httpx.Response, Any]:
        begun, may = gated(world)
        asking = asyncio.create_task(client.post(URL, body(user(GENERATE))))
        await begun.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        busy = await client.post(URL, body(user(EXPORT, "m2")))
        may.set()
        return busy, sse(await client.post(URL, body(user(GENERATE))))

    busy, again = serving(world, scenario)
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "conversation_busy")
    ordered(again)
    assert "Here is your city." in said(again) and world.nemo.sends == [GENERATE]


def test_a_turn_that_nobody_waits_for_any_more_ends_in_an_error(world: World) -> None:
    async def scenario(client: Client) -> Any:
        begun, _ = gated(world)
        asking = asyncio.create_task(client.post(URL, body(user(GENERATE))))
        await begun.wait()
        await client.http.post("/v1/threads/t/cancel")
        return sse(await asking)

    events = serving(world, scenario)
    ordered(events)
    assert events[-1]["type"] == "RUN_ERROR" and events[-1]["code"] == "broken"
    assert events[-1]["message"].startswith("I stopped waiting.")


def test_two_keys_with_one_thread_id_have_two_conversations(city: World) -> None:
    async def scenario(client: Client) -> list[Any]:
        ann, bob = await client.key("ann"), await client.key("bob")
        await client.post(URL, body(user(GENERATE)), Authorization=ann)
        listed = await client.http.get("/v1/threads", headers={"Authorization": bob})
        again = await client.post(URL, body(user("status", "m2")), Authorization=bob)
        return [listed.json(), said(sse(again)), (await client.post(URL, body(user(GENERATE)))).status_code]

    listed, seen, stranger = serving(city, scenario)
    assert listed == {"threads": []} and "your city" not in seen and stranger == 401


def part(kind: str, value: str, how: str = "data") -> dict[str, Any]:
    return {"type": kind, "source": {"type": how, "value": value, "mimeType": "image/png"}}


@pytest.mark.parametrize(
    "given",
    [
        part("image", base64.b64encode(PIXEL).decode()),
        {"type": "binary", "mimeType": "image/png", "data": base64.b64encode(PIXEL).decode(), "filename": "a.png"},
    ],
)
def test_a_picture_in_a_message_is_uploaded_and_kept_once(world: World, given: dict[str, Any]) -> None:
    async def scenario(client: Client) -> Any:
        for _ in range(2):
            sse(await client.post(URL, body(user([{"type": "text", "text": "upload this"}, given]))))
        return (await client.http.get("/v1/files")).json()["data"]

    assert len(serving(world, scenario)) == 1
    assert len([path for path, _ in world.nemo.writes if path.startswith("/api/upload")]) == 1


def test_an_application_chooses_persona_and_language(world: World) -> None:
    async def scenario(client: Client) -> list[Any]:
        chosen = {"skill": "photo-generator", "lang": "zh"}
        told = sse(await client.post(URL, body(user("status"), forwardedProps=chosen)))
        refused = await client.post(URL, body(user("status"), forwardedProps={"skill": "../x"}))
        return [said(told), (await client.http.get("/v1/threads")).json()["threads"][0]["skill"], refused]

    told, skill, refused = serving(world, scenario)
    assert skill == "photo-generator" and any("\u4e00" <= one <= "\u9fff" for one in told)
    assert refused.status_code == 404


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (body(), 422, "no_user_message"),
        (body(user(GENERATE), ANSWER), 422, "no_user_message"),
        (
            body(user(GENERATE), {"id": "t1", "role": "tool", "toolCallId": "c", "content": "ok"}),
            422,
            "no_user_message",
        ),
        (body(user(GENERATE), threadId=""), 422, "bad_request"),
        ({"threadId": "t", "messages": []}, 422, "bad_request"),
        (body(user([part("image", "file:///etc/passwd", "url")])), 422, "bad_request"),
        (body(user([part("document", "/etc/passwd", "file")])), 404, "not_found"),
        (body(user([part("image", "aGVsbG8=")])), 415, "unsupported_type"),
    ],
)
def test_what_is_refused_does_nothing_and_says_why(city: World, given: Any, status: int, code: str) -> None:
    async def scenario(client: Client) -> httpx.Response:
        return await client.post(URL, given)

    refused = serving(city, scenario)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert city.nemo.writes == []


def test_the_protocols_own_models_read_every_event(city: World) -> None:
    core = pytest.importorskip("ag_ui.core", reason="ag-ui-protocol is not installed")
    from pydantic import TypeAdapter

    ours = core.RunAgentInput(
        thread_id="t", run_id="r1", state={}, tools=[], context=[], forwarded_props={},
        messages=[core.UserMessage(id="m1", role="user", content=GENERATE)],
    )  # fmt: skip

    async def scenario(client: Client) -> list[dict[str, Any]]:
        made = sse(await client.post(URL, json.loads(ours.model_dump_json(by_alias=True))))
        return [*made, *sse(await client.post(URL, body(user(GENERATE), ANSWER, user(EXPORT, "m2"), run="r2")))]

    read = [TypeAdapter(core.Event).validate_python(event) for event in serving(city, scenario)]
    assert {type(event).__name__ for event in read} >= {
        "RunStartedEvent", "StepStartedEvent", "StepFinishedEvent", "TextMessageStartEvent",
        "TextMessageContentEvent", "TextMessageEndEvent", "StateSnapshotEvent", "CustomEvent", "RunFinishedEvent",
    }  # fmt: skip
