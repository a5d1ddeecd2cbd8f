"""Writes match in order, reads are free, names are bound once for a dialogue."""

from __future__ import annotations

from typing import Any

import pytest

from evals.format import Call
from evals.trace import Exchange
from evals.wire import Bindings, fits, headers, unlike

SEND, STATE, RENDER = "POST /run_sse", "GET /api/state/nemo_agent/me/s1/latest", "POST /api/render/proxy/lambda"


def went(*calls: str, body: Any = None) -> list[Exchange]:
    """Requests one second after the other."""
    parts = [call.split(" ") for call in calls]
    return [
        Exchange(float(n), method, path, {"x-skill-source": "a"}, body, 200) for n, (method, path) in enumerate(parts)
    ]


def problems(wanted: list[str], *calls: str) -> list[str]:
    """What is found."""
    return list(unlike([Call(call=call) for call in wanted], went(*calls), Bindings()))


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [
        ([SEND], (STATE, SEND, STATE)),
        ([SEND, "GET /api/state/*/latest"], (STATE, SEND, STATE)),
        ([], (STATE, "POST /api/auth/anonymous-token", "POST /api/tasks/me/with-session/nemo_agent")),
        (["POST /api/auth/*", SEND], ("POST /api/auth/anonymous-token", SEND)),
        (["* /run_sse"], (SEND,)),
    ],
)
def test_what_is_listed_and_what_is_free_fits(wanted: list[str], calls: tuple[str, ...]) -> None:
    assert problems(wanted, *calls) == []


@pytest.mark.parametrize(
    ("wanted", "calls", "said"),
    [
        ([], (SEND,), "unexpected POST /run_sse"),
        ([SEND], (SEND, SEND), "unexpected POST /run_sse at 1.0 s"),
        ([SEND], (STATE,), "POST /run_sse did not occur"),
        ([SEND, RENDER], (RENDER, SEND), "wanted POST /run_sse, got POST /api/render"),
        ([SEND, "GET /api/state/*"], (STATE, SEND), "GET /api/state/* did not occur"),
    ],
)
def test_what_is_too_much_missing_or_in_another_order_is_told(
    wanted: list[str], calls: tuple[str, ...], said: str
) -> None:
    assert said in problems(wanted, *calls)[0]


def test_a_name_is_bound_and_must_be_equal_from_then_on() -> None:
    bound = Bindings()
    first, second = [Call(call=RENDER, body={"id": "$job"})], [Call(call=RENDER, body={"id": "$job"})]
    assert list(unlike(first, went(RENDER, body={"id": "a"}), bound)) == []
    assert list(unlike(second, went(RENDER, body={"id": "a"}), bound)) == []
    assert list(unlike(second, went(RENDER, body={"id": "b"}), bound))


def test_a_new_name_must_be_unseen() -> None:
    bound, again = Bindings(), [Call(call=RENDER, body={"id": "$new_job"})]
    assert list(unlike(again, went(RENDER, body={"id": "a"}), bound)) == []
    assert list(unlike(again, went(RENDER, body={"id": "b"}), bound)) == []
    assert list(unlike(again, went(RENDER, body={"id": "a"}), bound))


def test_a_subset_is_keys_of_a_mapping_and_items_in_their_order() -> None:
    got = {"t": [{"tt": 0, "sg": [{"d": 1}]}, {"tt": 7, "sg": []}], "n": 5}
    assert fits({"t": [{"tt": 7}]}, got, Bindings())
    assert fits({"n": "re:^5$", "t": [{"tt": 0}, {"sg": []}]}, got, Bindings())
    assert not fits({"t": [{"tt": 7}, {"tt": 0}]}, got, Bindings())
    assert not fits({"t": []}, got, Bindings())
    assert not fits({"m": 1}, got, Bindings())


def test_headers_are_wanted_of_every_request_but_the_token_not_where_it_is_made() -> None:
    exchanges = went("POST /api/auth/anonymous-token", SEND)
    assert list(headers({"X-Skill-Source": "a"}, exchanges, Bindings())) == []
    assert len(list(headers({"X-Skill-Source": "b"}, exchanges, Bindings()))) == 2
    assert len(list(headers({"authorization": "re:Bearer"}, exchanges, Bindings()))) == 1
