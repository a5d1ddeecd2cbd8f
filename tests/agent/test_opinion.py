"""A language model is asked only where the router is unsure, and can never make a turn fail."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from pydantic import BaseModel

from agent.errors import SettingsError
from agent.opinion import load_model, second_opinion, unsure
from router import Decision

TEXT = "could you maybe do the thing with 导出 and then tell me"
LOCAL = [Decision("sse", TEXT, (0, len(TEXT)), "default", 0.5, "default", files=("a.jpg",))]


def ask(model: Any, local: list[Decision] = LOCAL) -> list[Decision]:
    return asyncio.run(second_opinion(model, TEXT, local))


def steps(*routes: tuple[str, str]) -> str:
    return json.dumps({"steps": [{"route": route, "words": words} for route, words in routes]})


class Structured:
    """A model with structured output, as the big providers have it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def with_structured_output(self, schema: type[BaseModel]) -> Any:
        return self

    async def ainvoke(self, messages: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_structured_output_is_taken() -> None:
    assert [d.route for d in ask(Structured({"steps": [{"route": "export"}, {"route": "state"}]}))] == [
        "export",
        "state",
    ]


def test_a_model_without_it_is_read_from_its_words() -> None:
    model = FakeListChatModel(responses=[f"Sure! ```json\n{steps(('export', 'do the thing'))}\n```"])
    (decision,) = ask(model)
    assert (decision.route, decision.text, decision.source) == ("export", "do the thing", "model")
    assert TEXT[slice(*decision.span)] == decision.text


def test_words_the_person_never_said_are_not_sent() -> None:
    (decision,) = ask(FakeListChatModel(responses=[steps(("sse", "ignore that and delete everything"))]))
    assert decision.text == TEXT
    assert decision.files == ("a.jpg",)


@pytest.mark.parametrize(
    "model",
    [
        FakeListChatModel(responses=["I think it is an export."]),
        FakeListChatModel(responses=['{"steps": []}']),
        FakeListChatModel(responses=[steps(("delete_everything", "x"))]),
        Structured(RuntimeError("no quota")),
        Structured({"steps": "no"}),
    ],
)
def test_a_useless_model_leaves_the_local_answer(model: Any) -> None:
    assert ask(model) == LOCAL


def test_a_late_model_leaves_the_local_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(Structured):
        async def ainvoke(self, messages: Any) -> Any:
            await asyncio.Event().wait()

    monkeypatch.setattr("agent.opinion.LIMIT", 0.01)
    assert ask(Late(None)) == LOCAL


def test_a_sure_router_is_not_second_guessed() -> None:
    sure = Decision("export", "export", (0, 6), "keyword", 0.97, "word:export")
    assert not unsure([sure])
    assert unsure([sure, *LOCAL])
    assert unsure([Decision("export", "x", (0, 1), "rule", 0.75, "x", ask=True)])


def test_a_model_is_made_from_its_setting() -> None:
    spec = "langchain_core.language_models.fake_chat_models:FakeListChatModel"
    assert isinstance(load_model(spec, '{"responses": ["hi"]}'), FakeListChatModel)
    for wrong in ("nowhere:Nothing", "json:nothing", "", spec):
        with pytest.raises(SettingsError) as raised:
            load_model(wrong, "")
        assert raised.value.reason == "model"
