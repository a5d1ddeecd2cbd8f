"""The Responses door: its shapes, its conversations, and that a request sent again does nothing again."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import httpx
import pytest
from door_stage import EXPORT, GENERATE, PIXEL, ROOT, Client, gated, makes, serving, sse
from world import World

from agent.events import Ask, Progress, Text, Timeline
from agent.serve.plain import Paper, marked
from agent.serve.responses_shapes import About, Script

DONE = {"role": "assistant", "content": "Done."}
URL = "/v1/responses"
NOBODY = f"resp_{'0' * 64}"


@pytest.fixture
def city(world: World) -> World:
    makes(world)
    return world


def said(response: dict[str, Any]) -> str:
    texts = [item["content"][0]["text"] for item in response["output"] if item["type"] == "message"]
    return "".join(texts)


def built(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The output items as a client puts them together from the pieces."""
    items: list[dict[str, Any]] = []
    for event in events:
        kind = event["type"].removeprefix("response.")
        if kind == "output_item.added":
            assert event["output_index"] == len(items)
            items.append(event["item"])
        elif kind == "content_part.added":
            items[-1]["content"].append(event["part"])
        elif kind == "output_text.delta":
            items[event["output_index"]]["content"][0]["text"] += event["delta"]
        elif kind == "reasoning_summary_part.added":
            items[-1]["summary"].append(event["part"])
        elif kind == "reasoning_summary_text.delta":
            items[event["output_index"]]["summary"][event["summary_index"]]["text"] += event["delta"]
    return items


def test_a_response_goes_on_where_the_one_before_it_ended(city: World) -> None:
    async def scenario(client: Client) -> tuple[Any, Any, httpx.Response]:
        first = (await client.post(URL, {"input": GENERATE, "model": "reelchat"})).json()
        second = (await client.post(URL, {"input": EXPORT, "previous_response_id": first["id"]})).json()
        link = re.search(r"\]\((http://127\.0\.0\.1:8765/files/[^)]+)\)", said(second))
        assert link, second
        return first, second, await client.http.get(link[1])

    first, second, file = serving(city, scenario)
    assert first["status"] == "completed" and first["object"] == "response"
    assert "Here is \\[your] city." in said(first)
    assert "Timeline (1 track): 1. Video: city (0-10s)" in said(first)
    assert first["output"][0]["summary"][-1] == {"type": "summary_text", "text": "Working on it…"}
    assert first["usage"]["total_tokens"] == first["usage"]["input_tokens"] + first["usage"]["output_tokens"]
    assert second["conversation"] == first["conversation"] and second["previous_response_id"] == first["id"]
    assert file.content == b"movie" and len(city.nemo.submits) == 1


def test_the_pieces_of_a_stream_are_numbered_and_build_up_the_response(city: World) -> None:
    async def scenario(client: Client) -> list[dict[str, Any]]:
        return sse(await client.post(URL, {"input": GENERATE, "stream": True}))

    events = serving(city, scenario)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:3]] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
    ]
    assert events[0]["response"]["output"] == [] and events[0]["response"]["usage"] is None
    assert events[-1]["type"] == "response.completed"
    whole = events[-1]["response"]
    assert built(events) == [{**item, "status": "in_progress"} for item in whole["output"]]
    assert {item["status"] for item in whole["output"]} == {"completed"}


def test_items_take_turns_and_their_texts_in_a_row_are_the_answer() -> None:
    script = Script(About("resp_1", "conv_1", "reelchat", "hi", 0), lambda event: "", "broken")
    events = script.begin()
    for event in (
        Progress(about="send", text="Working", fraction=0.1),
        Progress(about="send", text="Working", fraction=0.2),
        Text(id="a", text="One"),
        Text(id="a", text=" and two."),
        Progress(about="render", text="Rendering"),
        Text(id="b", text="Three."),
        Ask(text="Really?", options=["Yes", "No"]),
    ):
        events += script.add(event)
    events += script.end("done")
    whole = events[-1]["response"]
    assert [item["type"] for item in whole["output"]] == ["reasoning", "message", "reasoning", "message"]
    assert said(whole) == "One and two.\n\nThree.\n\nReally?\n\n1. Yes\n2. No"
    assert whole["output"][0]["summary"] == [{"type": "summary_text", "text": "Working"}]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_no_name_becomes_a_link_a_picture_or_html() -> None:
    paper = Paper(marked, lambda event: "")
    paper.add(Text(id="a", text="![x](http://e.test/p.png) <img src=x> \\[y](z)"))
    assert paper.text == "!\\[x](http://e.test/p.png) \\<img src=x> \\\\\\[y](z)"
    piece = paper.add(Timeline(text="Title: http://evil.test", draft={}))
    assert "http://evil.test" not in piece
    assert paper.add(Text(id="a", mode="replace", text="")) == ""
    assert paper.add(Text(id="a", mode="replace", text="Better.")) == "\n\nBetter."


@pytest.mark.parametrize("how", ["key", "previous", "retry", "conversation"])
def test_a_request_sent_again_is_the_same_turn(city: World, how: str) -> None:
    async def scenario(client: Client) -> tuple[Any, Any]:
        body: dict[str, Any] = {"input": GENERATE}
        headers = [{}, {"x_stainless_retry_count": "1"}]
        if how == "key":
            headers = [{"Idempotency_Key": "k1"}] * 2
        if how == "previous":
            first = (await client.post(URL, {"input": "status"})).json()
            body["previous_response_id"], headers = first["id"], [{}, {}]
        if how == "conversation":
            body["conversation"] = (await client.post("/v1/conversations", {})).json()["id"]
        one, two = [(await client.post(URL, body, **more)).json() for more in headers]
        return one, two

    one, two = serving(city, scenario)
    assert one["id"] == two["id"] and said(one) == said(two) and "city." in said(one)
    assert city.nemo.sends == [GENERATE]


def test_the_same_words_in_a_new_request_are_a_new_turn(city: World) -> None:
    async def scenario(client: Client) -> None:
        await client.post(URL, {"input": GENERATE}, Idempotency_Key="k1")
        await client.post(URL, {"input": GENERATE}, Idempotency_Key="k2")

    serving(city, scenario)
    assert city.nemo.sends == [GENERATE, GENERATE]


def test_a_client_that_leaves_takes_nothing_along(world: World) -> None:
    async def scenario(client: Client) -> tuple[Any, ...]:
        begun, may = gated(world)
        asking = asyncio.create_task(client.post(URL, {"input": GENERATE, "stream": True}, Idempotency_Key="k"))
        await begun.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        thread = (await client.http.get("/v1/threads")).json()["threads"][0]["thread"]
        busy = await client.post(URL, {"input": "status", "conversation": thread})
        may.set()
        again = (await client.post(URL, {"input": GENERATE}, Idempotency_Key="k")).json()
        return busy, again, (await client.http.get(f"{URL}/{again['id']}")).json()

    busy, again, shown = serving(world, scenario)
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "conversation_busy")
    assert "Here is your city." in said(again) and shown["status"] == "completed" and said(shown) == said(again)
    assert world.nemo.sends == [GENERATE]


def test_a_response_in_the_background_is_there_when_it_is_done(world: World) -> None:
    async def scenario(client: Client) -> tuple[Any, ...]:
        begun, may = gated(world)
        asked = (await client.post(URL, {"input": GENERATE, "background": True})).json()
        await begun.wait()
        meanwhile = (await client.http.get(f"{URL}/{asked['id']}")).json()
        kept = await client.http.delete(f"{URL}/{asked['id']}")
        may.set()
        streamed = sse(await client.http.get(f"{URL}/{asked['id']}?stream=true&starting_after=1"))
        return asked, meanwhile, kept, streamed

    asked, meanwhile, kept, streamed = serving(world, scenario)
    assert asked["status"] == meanwhile["status"] == "in_progress" and asked["usage"] is None
    assert kept.status_code == 409
    assert streamed[0]["sequence_number"] == 2 and "your city." in said(streamed[-1]["response"])


def test_a_turn_that_nobody_waits_for_any_more_has_failed(world: World) -> None:
    async def scenario(client: Client) -> Any:
        begun, _ = gated(world)
        asked = (await client.post(URL, {"input": GENERATE, "background": True})).json()
        await begun.wait()
        return (await client.http.post(f"{URL}/{asked['id']}/cancel")).json()

    stopped = serving(world, scenario)
    assert stopped["status"] == "failed" and stopped["error"]["code"] == "server_error"
    assert "I stopped waiting." in said(stopped)


def test_a_deleted_response_is_gone_and_its_retry_does_nothing(city: World) -> None:
    async def scenario(client: Client) -> tuple[Any, ...]:
        made = (await client.post(URL, {"input": GENERATE}, Idempotency_Key="k")).json()
        gone = await client.http.delete(f"{URL}/{made['id']}")
        return (
            gone.json(),
            await client.http.get(f"{URL}/{made['id']}"),
            (await client.post(URL, {"input": GENERATE}, Idempotency_Key="k")),
        )

    gone, shown, again = serving(city, scenario)
    assert gone["deleted"] and shown.status_code == 404
    assert again.status_code == 200 and said(again.json()) == ""
    assert city.nemo.sends == [GENERATE]


def test_nobody_reaches_responses_and_conversations_of_others(city: World) -> None:
    async def scenario(client: Client) -> tuple[str, list[httpx.Response]]:
        ann, bob = await client.key("ann"), await client.key("bob")
        made = (await client.post(URL, {"input": GENERATE}, Authorization=ann)).json()
        id, thread = made["id"], made["conversation"]["id"]
        client.http.headers["Authorization"] = bob
        tries = [
            await client.http.get(f"{URL}/{id}"),
            await client.http.delete(f"{URL}/{id}"),
            await client.http.post(f"{URL}/{id}/cancel"),
            await client.http.get(f"/v1/conversations/{thread}"),
            await client.http.delete(f"/v1/conversations/{thread}"),
            await client.post(URL, {"input": EXPORT, "previous_response_id": id}),
            await client.post(URL, {"input": EXPORT, "conversation": thread}),
            await client.post(URL, {"input": EXPORT, "conversation": {"id": "anything"}}),
        ]
        own = await client.http.get(f"{URL}/{id}", headers={"Authorization": ann})
        return own.json()["status"], tries

    own, tries = serving(city, scenario)
    assert own == "completed"
    assert {(one.status_code, one.json()["error"]["code"]) for one in tries} == {(404, "not_found")}
    assert city.nemo.submits == []


def test_a_conversation_is_opened_shown_and_forgotten(city: World) -> None:
    async def scenario(client: Client) -> tuple[Any, ...]:
        thread = (await client.post("/v1/conversations", {})).json()["id"]
        for text in (GENERATE, EXPORT):
            await client.post(URL, {"input": text, "conversation": {"id": thread}})
        shown = (await client.http.get(f"/v1/conversations/{thread}")).json()
        gone = (await client.http.delete(f"/v1/conversations/{thread}")).json()
        return thread, shown, gone, await client.http.get(f"/v1/conversations/{thread}")

    thread, shown, gone, after = serving(city, scenario)
    assert re.fullmatch("conv_[0-9a-f]{32}", thread)
    assert (shown["id"], shown["object"]) == (thread, "conversation") and gone["deleted"]
    assert after.status_code == 404 and len(city.nemo.submits) == 1


def image(url: str) -> dict[str, Any]:
    return {"type": "input_image", "image_url": url, "detail": "auto"}


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def test_a_picture_in_the_request_is_uploaded_and_kept_once(world: World) -> None:
    data = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    items = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "Hi."}]
    body = {"input": [*items, *user({"type": "input_text", "text": "upload this"}, image(data))]}

    async def scenario(client: Client) -> list[Any]:
        for _ in range(2):
            assert (await client.post(URL, body, Idempotency_Key="k")).status_code == 200
        files = (await client.http.get("/v1/files")).json()["data"]
        given = {"type": "input_file", "file_id": files[0]["id"]}
        await client.post(URL, {"input": user({"type": "input_text", "text": "upload this"}, given)})
        return list(files)

    files = serving(world, scenario)
    assert [one["filename"] for one in files] == ["file.png"]
    assert len([path for path, _ in world.nemo.writes if path.startswith("/api/upload")]) == 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"input": GENERATE, "model": "gpt-5"}, 404, "no_such_model"),
        ({"input": []}, 422, "no_user_message"),
        ({"input": [{"role": "user", "content": GENERATE}, DONE]}, 422, "no_user_message"),
        ({"input": user(image("file:///etc/passwd"))}, 422, "bad_request"),
        ({"input": user(image("data:image/png;base64,@@"))}, 422, "bad_request"),
        ({"input": user(image("data:image/png;base64,aGVsbG8="))}, 415, "unsupported_type"),
        ({"input": user({"type": "input_file", "file_id": "../../etc/passwd"})}, 404, "not_found"),
        ({"input": user({"type": "input_file", "file_id": "file_" + "0" * 32})}, 404, "not_found"),
        ({"input": user({"type": "computer_call"})}, 422, "bad_request"),
        ({"input": GENERATE, "previous_response_id": NOBODY}, 404, "not_found"),
        ({"input": GENERATE, "previous_response_id": NOBODY, "conversation": "conv_1"}, 422, "bad_request"),
        ({"input": GENERATE, "stream": "perhaps"}, 422, "bad_request"),
    ],
)  # fmt: skip
def test_what_is_refused_does_nothing_and_says_why(city: World, body: dict[str, Any], status: int, code: str) -> None:
    async def scenario(client: Client) -> httpx.Response:
        return await client.post(URL, body)

    refused = serving(city, scenario)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (status, code) and error["message"] and error["request_id"]
    assert city.nemo.writes == []


def test_openais_own_client_reads_all_of_it(city: World) -> None:
    openai = pytest.importorskip("openai", reason="openai's own client is not installed")

    async def scenario(client: Client) -> tuple[Any, ...]:
        own = openai.AsyncOpenAI(api_key="none", base_url=f"{ROOT}/v1", http_client=client.http, max_retries=0)
        kinds = []
        async with own.responses.stream(model="reelchat", input=GENERATE) as stream:
            async for event in stream:
                kinds.append(event.type)
            first = await stream.get_final_response()
        second = await own.responses.create(model="reelchat", input=EXPORT, previous_response_id=first.id)
        shown = await own.responses.retrieve(second.id)
        conversation = await own.conversations.create()
        with pytest.raises(openai.NotFoundError):
            await own.responses.create(model="reelchat", input=EXPORT, previous_response_id=NOBODY)
        await own.responses.delete(second.id)
        return kinds, first, second, shown, conversation

    kinds, first, second, shown, conversation = serving(city, scenario)
    assert kinds[-1] == "response.completed" and "response.output_text.delta" in kinds
    assert "city." in first.output_text and first.status == "completed"
    assert "/files/" in second.output_text and shown.output_text.split("?")[0] == second.output_text.split("?")[0]
    assert conversation.id.startswith("conv_") and len(city.nemo.submits) == 1
