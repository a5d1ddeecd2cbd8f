"""A draft goes to a render as it came: its numbers spelled as they were, its keys in order, whatever else is in it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_nemo import CANARY, CITY, JumpingClock, ok
from hypothesis import given
from hypothesis import strategies as st
from langgraph.store.memory import InMemoryStore
from pydantic import SecretStr
from world import URL, World

from agent.backend import Attribution, Backend, Credentials, Drafts, Verbatim
from agent.backend.answers import decode
from agent.draft import Draft, fingerprint
from agent.entries import Job, Version
from agent.events import Delivered
from agent.journal import Journal

PIECE = json.dumps(CITY)
ODD = (
    '{ "zz":1e-7,"t" :[{"tt":0,"gain":1.50,"sg":[{"id":"v1","s":0,"d":10000,'
    '"m":{"name":"城市 \\u57ce \\/","tiny":0.00001,"loud":1E3,"b":-0,"a":-0.0,"x":1.10e+02}}]}],"0":[1.0,1.00]}'
)


def reply(text: str) -> httpx.Response:
    return httpx.Response(200, content=f'{{"code":0,"data":{{"state":{{"draft":{text}}}}}}}'.encode())


def show(world: World, text: str) -> None:
    """From now on the state endpoint answers with that very draft."""
    usual = type(world.nemo)._usual

    def answer(request: httpx.Request, path: str) -> httpx.Response:
        return reply(text) if path.startswith("/api/state") else usual(world.nemo, request, path)

    world.nemo._usual = answer  # type: ignore[method-assign]


def submitted(world: World) -> str:
    """The text of the last submit's draft."""
    body = [one.content.decode("ascii") for one in world.nemo.requests if one.url.path.endswith("/lambda")][-1]
    start, end = body.index('"draft":') + len('"draft":'), body.rindex(',"output":')
    return body[start:end]


class Spelled(str):
    """A number as it is spelled, which equals no other spelling."""


def spelled(text: str) -> Any:
    """The pairs and values of a JSON text in order, numbers as they are spelled."""
    return json.loads(
        text, parse_float=Spelled, parse_int=Spelled, parse_constant=Spelled, object_pairs_hook=lambda pairs: pairs
    )


def exported(world: World, *turns: str) -> str:
    assert any(isinstance(event, Delivered) for event in world.say(*turns))
    return submitted(world)


def test_the_draft_as_it_is_goes_to_the_render_as_it_came(world: World) -> None:
    show(world, ODD)
    assert spelled(exported(world, "status", "export")) == spelled(ODD)


def test_a_version_goes_to_the_render_as_it_came_in_a_later_process_too(world: World) -> None:
    show(world, ODD)
    world.say("status")
    show(world, f'{{"t":[{PIECE},{PIECE}]}}')
    assert spelled(exported(world, "status", "export version 1")) == spelled(ODD)
    assert spelled(exported(world, "export version 1")) == spelled(ODD)


def test_a_version_that_an_edit_made_keeps_its_numbers(world: World) -> None:
    show(world, '{"t":[]}')
    world.nemo.scripts.append([lambda nemo: show(world, ODD)])
    world.say("make a film of a city")
    show(world, f'{{"t":[{PIECE},{PIECE}]}}')
    assert spelled(exported(world, "export version 1")) == spelled(ODD)


def test_numbers_that_are_only_spelled_anew_are_sent_as_they_are_spelled_last(world: World) -> None:
    show(world, ODD)
    world.say("status")
    show(world, ODD.replace("1.50", "1.5"))
    assert '"gain":1.5,' in exported(world, "export")


def test_a_replacement_of_a_failed_job_has_the_same_text(world: World) -> None:
    show(world, ODD)
    failed = httpx.Response(200, json={"id": "x", "status": "failed"})
    world.nemo.answer("GET /api/render/proxy/lambda", failed)
    assert spelled(exported(world, "export")) == spelled(ODD)
    assert len(world.nemo.submits) == 2


@pytest.mark.parametrize(
    "extra",
    ["1e999", "NaN", "-Infinity", "9" * 40, "9" * 4000, "-" + "9" * 19, '"\\ud83d"', '"\u2028"', '{"a":1,"a":1.0}'],
)
def test_what_json_can_hold_and_we_cannot_crashes_nothing(world: World, extra: str) -> None:
    text = f'{{"odd":{extra},"odd":1.0,"keep":{extra},"t":[{PIECE}]}}'
    show(world, text)
    assert spelled(exported(world, "status", "export")) == spelled(text)


# The text of an answer


ENVELOPES = [
    '{"state":{"draft":%s}}',
    '{"code":0,"data":{"state":{"x":1.50,"draft":%s,"y":[]}},"state":{"draft":1.0}}',
    '{"draft":1.0,"data":{"draft":%s}}',
    '\ufeff {"state":{"draft":0.10},"data":{"state":{"draft":1e1,"draft":%s}}, "data2": {"draft": 2.00}}',
    '{ "data" : { "state" : { "draft" : %s } } , "e" : { } }',
    '{"data":null,"draft":%s,"user_id":"\\"draft\\":"}',
]

digits = st.text("0123456789", min_size=1, max_size=25)
numbers = st.builds(
    lambda sign, whole, part, power: sign + (whole.lstrip("0") or "0") + part + power,
    st.sampled_from(["", "-"]),
    digits,
    st.one_of(st.just(""), digits.map(lambda part: f".{part}")),
    st.one_of(
        st.just(""), st.builds(lambda e, n: f"{e}{n}", st.sampled_from(["e", "E", "e-", "E+"]), st.integers(0, 99))
    ),
)
strings = st.builds(
    json.dumps,
    st.one_of(st.text(), st.sampled_from(["draft", "state", "data", "\ud800", '{"', "\\"])),
    ensure_ascii=st.just(True),
) | st.text(st.characters(codec="utf-8", min_codepoint=0x23, exclude_characters="\\"), max_size=9).map(
    lambda text: f'"{text}"'
)
spaces = st.sampled_from(["", " ", "\n\t", "\r "])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.builds(
        lambda a, k, b, c, v, d: a + k + b + ":" + c + v + d, spaces, strings, spaces, spaces, inner, spaces
    )
    return st.one_of(
        st.lists(pairs, max_size=4).map(lambda all_: "{" + ",".join(all_) + "}"),
        st.lists(inner, max_size=4).map(lambda all_: "[ " + " ,".join(all_) + "]"),
    )


values = st.recursive(st.one_of(numbers, strings, st.sampled_from(["true", "null", "NaN"])), grown, max_leaves=12)


CREDENTIALS = Credentials("t", Path("unused"), Path("unused"), supplied=SecretStr(CANARY))


class Echo(httpx.AsyncBaseTransport):
    """Answers with one state, and holds the body of the submit."""

    def __init__(self, state: str) -> None:
        self.state, self.sent = state, b""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, content=self.state.encode())
        self.sent = await request.aread()
        return ok({"id": "r", "status": "pending"})


async def through(envelope: str) -> tuple[Any, str]:
    """The draft's value as it is read, and the draft's text as it is submitted."""
    echo, drafts = Echo(envelope), Drafts()
    async with httpx.AsyncClient(transport=echo) as http:
        made = Backend(URL, http, CREDENTIALS, Attribution("a", "1", "b"), JumpingClock(), drafts=drafts)
        draft = (await made.snapshot("s")).draft
        await made.submit_render("r", "s", Verbatim(drafts.text(draft)), {"format": "mp4"})
    body = echo.sent.decode("ascii")
    return draft, body[body.index('"draft":') + len('"draft":') : body.rindex(',"output":')]


@given(st.sampled_from(ENVELOPES), values)
def test_any_draft_is_submitted_with_its_keys_values_and_spellings(envelope: str, text: str) -> None:
    draft, sent = asyncio.run(through(envelope.replace("%s", text)))
    assert spelled(sent) == spelled(text)
    assert Draft.read(draft).raw == (draft if isinstance(draft, dict) else {})
    assert fingerprint(draft) == fingerprint(decode(text))


@pytest.mark.parametrize(
    "state",
    [
        '{"state":null}',
        '{"state":[{"draft":1.0}]}',
        '{"data":{"state":"draft"},"state":{"draft":1.0}}',
        '{"state":{}}',
        '{"data":{"data":' + '{"data":' * 300 + "1" + "}" * 302,
    ],
)
def test_an_answer_with_no_usual_draft_breaks_nothing(state: str) -> None:
    drafts = Drafts()
    drafts.keep(None, state)
    assert drafts.text(None) == "null"


def test_only_so_many_texts_are_held() -> None:
    drafts = Drafts()
    for number in range(100):
        drafts.keep(float(number), f'{{"draft":{number}.00}}')
    assert (drafts.text(99.0), drafts.text(1.0)) == ("99.00", "1.0")


def test_twenty_thousand_segments_cost_little() -> None:
    """Little beside parsing the answer, which is done in any case."""
    one = '{"id":"sg_%d","s":%d,"d":1.50e3,"m":{"name":"city at night","volume":0.350}}'
    answer = '{"state":{"draft":{"t":[{"tt":0,"sg":[' + ",".join(one % (n, n) for n in range(20_000)) + "]}]}}}"
    draft, drafts = json.loads(answer)["state"]["draft"], Drafts()

    def seconds(call: Callable[[], Any]) -> float:
        def once() -> float:
            start = time.process_time()
            call()
            return time.process_time() - start

        return min(once() for _ in range(3))

    parsing = seconds(lambda: json.loads(answer))
    assert seconds(lambda: drafts.keep(draft, answer)) < 8 * parsing + 0.1
    assert '"d":1.50e3' in drafts.text(draft)


# The journal


def test_records_hold_the_text_and_old_ones_are_still_read() -> None:
    async def scenario() -> None:
        store = InMemoryStore()
        book, value = Journal(store, "me"), json.loads(ODD)
        job = Job("r1", "t", "s", "mp4", "x.mp4", value, "2", text=ODD)
        old = Job("r0", "t", "s", "mp4", "x.mp4", value, "1")
        await store.aput(("reelchat", "me", "jobs"), "r0", {n: v for n, v in asdict(old).items() if n != "text"})
        await book.job(job)
        await book.keep_version(Version(1, "t", "1", "", value, text=ODD))
        await book.keep_version(Version(2, "t", "1", "", value))
        assert [(one.draft, one.text) for one in await book.jobs()] == [(value, ""), (value, ODD)]
        written = json.dumps(value, separators=(",", ":"))
        assert [(one.draft, one.text) for one in await book.versions("t")] == [(value, ODD), (value, written)]
        assert [one.status for one in await book.open_jobs()] == ["intended", "intended"]

    asyncio.run(scenario())
