"""A language model's second opinion on turns the router is unsure of. Optional: without one, or when it is late or
wrong, the router's own answer stands."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import re
from typing import Any, Protocol

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, Field, ValidationError

from agent.errors import SettingsError
from prompts import table
from router import Decision, Route

__all__ = ["ChatModel", "load_model", "second_opinion", "unsure"]

LIMIT = 2.0
"""Seconds a model may think; a person is waiting."""
SURE = 0.7
"""Below it the router has no firm opinion."""

log = logging.getLogger("reelchat.opinion")


class ChatModel(Protocol):
    """What is used of a langchain-core chat model."""

    def with_structured_output(self, schema: type[BaseModel]) -> Any: ...

    async def ainvoke(self, input: list[BaseMessage]) -> Any: ...


class _Step(BaseModel):
    route: Route
    words: str = ""


class _Steps(BaseModel):
    """The steps of one message, in the order they are to happen."""

    steps: list[_Step] = Field(min_length=1, max_length=4)


def load_model(spec: str, options: str) -> ChatModel:
    """The model that "module:Class" names, made with JSON `options`. Raises SettingsError."""
    module, _, name = spec.partition(":")
    try:
        made: ChatModel = getattr(importlib.import_module(module), name)(**json.loads(options or "{}"))
    except Exception as error:  # whatever a stranger's class raises, it is the setting that is wrong
        raise SettingsError(f"{type(error).__name__} for {spec!r}", reason="model", value=spec) from error
    return made


def unsure(decisions: list[Decision]) -> bool:
    """Whether somebody else should be asked."""
    return any(decision.ask or decision.score < SURE for decision in decisions)


async def second_opinion(model: ChatModel, text: str, decisions: list[Decision]) -> list[Decision]:
    """The model's steps for `text`, or `decisions` when it fails, is late or says something unusable."""
    messages = [SystemMessage(table("routes")["model"]["instructions"]), HumanMessage(text)]
    try:
        async with asyncio.timeout(LIMIT):
            steps = await _ask(model, messages)
    except Exception as error:  # a provider may raise anything; the turn goes on without it
        log.info("no second opinion: %s", type(error).__name__)
        return decisions
    return [_decision(step, text, decisions) for step in steps.steps]


async def _ask(model: ChatModel, messages: list[BaseMessage]) -> _Steps:
    """By structured output where the model has it, else from the JSON in its words."""
    try:
        answer = await model.with_structured_output(_Steps).ainvoke(messages)
        return _Steps.model_validate(answer)
    except (NotImplementedError, ValidationError):
        said = await model.ainvoke(messages)
        content = said.content if isinstance(said.content, str) else json.dumps(said.content)
        found = re.search(r"{.*}", content, re.DOTALL)
        return _Steps.model_validate_json(found[0] if found else "")


def _decision(step: _Step, text: str, local: list[Decision]) -> Decision:
    """The model chooses routes; the words sent stay the person's own."""
    start = text.find(step.words) if step.words else -1
    words, span = (step.words, (start, start + len(step.words))) if start >= 0 else (text, (0, len(text)))
    files = tuple(dict.fromkeys(name for decision in local for name in decision.files))
    return Decision(step.route, words, span, "model", SURE, "model", files)
