"""Mutants of the router, the graph and its nodes: which step is taken, how often, and by whose wish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, cast

from langgraph.graph import StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, RetryPolicy

from agent import graph as graphs
from agent.context import Context
from agent.errors import StreamLost
from agent.graph import builder
from agent.nodes import summarize as summarizing
from agent.nodes import upload as uploading
from agent.nodes.sse import chat
from agent.state import State, Step
from evals.mutants.mutant import Break, mutant, put, together
from router import Decision, Route, Turn, decide
from router.intent import CLASSES
from router.signs import Heard

__all__: list[str] = []


@mutant("router", "routes")
def keywords_alone() -> Break:
    """The router hears nothing but the documents' own words."""

    def odds(heard: Sequence[Heard]) -> list[list[float]]:
        voted = [each.cast[0].route if each.cast else "sse" for each in heard]
        wanted = ["edit" if route == "sse" else route for route in voted]
        return [[0.94 if name == one else 0.01 for name in CLASSES] for one in wanted]

    return put("router.decide", "chances", odds)


def _as_chat(route: Route) -> Break:
    def decided(turn: Turn | str) -> list[Decision]:
        return [replace(one, route="sse", ask=False) if one.route == route else one for one in decide(turn)]

    return put("agent.nodes.route", "decide", decided)


@mutant("agent/nodes/route", "export")
def export_sent_to_chat() -> Break:
    """A wish for the file is sent to the chat, and paid for."""
    return _as_chat("export")


@mutant("agent/nodes/route", "credits")
def credits_asked_by_chat() -> Break:
    """A question about credits is sent to the chat, and costs some."""
    return _as_chat("credits")


@mutant("agent/nodes/route", "state")
def state_asked_by_chat() -> Break:
    """A question about the project is sent to the chat."""
    return _as_chat("state")


@mutant("agent/nodes/route", "steps", "several", "batch")
def only_the_first_step() -> Break:
    """Of several wishes in one turn only the first is heard."""
    return put("agent.nodes.route", "decide", lambda turn: decide(turn)[:1])


@mutant("agent/nodes/route", "options", "ask", "question")
def options_ignored() -> Break:
    """ "2" goes to the chat as it is, whatever the second answer was."""
    return put("agent.nodes.route", "picked", lambda text, options: None)


def _compiled_anew() -> Break:
    """A process compiles its graph once; a broken one has to be its own."""
    return put("agent.graph", "_compiled", lambda: graphs.builder().compile(name="reelchat"))


@mutant("agent/graph", "cut")
def retry_policy_on_the_send() -> Break:
    """LangGraph runs the node that sends again when its stream is lost."""

    async def lost(*_: Any) -> None:
        raise StreamLost

    def retrying() -> StateGraph[State, Context, State, State]:
        graph = builder()
        del graph.nodes["sse"]
        bare = cast(Any, chat).__wrapped__
        return graph.add_node("sse", bare, retry_policy=RetryPolicy(retry_on=StreamLost))

    return together(put("agent.graph", "builder", retrying), _compiled_anew(), put("agent.nodes.sse", "_look", lost))


@mutant("agent/nodes/summarize", "ask", "question", "options")
def question_answered_without_a_person() -> Break:
    """A question of the backend is answered by its last option."""
    real = summarizing.summarize

    @wraps(real)
    async def answering(state: State, runtime: Runtime[Context]) -> Command[Any]:
        command = await real(state, runtime)
        update: dict[str, Any] = dict(cast(Any, command.update) or {})
        options = (update.get("question") or {}).get("options")
        if not options:
            return command
        step = Step(route="sse", text=options[-1]["send"] or "yes", files=[], by="backend", unsure=False)
        fresh = {"steps": [step], "question": None, "asked": None, "spoke": False, "outcome": "done", "looked": None}
        return Command(goto="sse", update={**update, **fresh})

    return together(put("agent.graph", "summarize", answering), _compiled_anew())


@mutant("agent/nodes/summarize", "steps", "several", "2001")
def steps_go_on_after_a_failure() -> Break:
    """What builds on a step that failed is done all the same."""
    return put("agent.nodes.summarize", "_without_dependents", lambda rest, state, runtime: rest)


@mutant("agent/nodes/translate", "actions", "export")
def actions_ignored() -> Break:
    """ "Click Export" brings nothing about."""
    return put("agent.nodes.translate", "actions", lambda phrases: [])


@mutant("agent/nodes/export", "formats", "png", "gif", "export")
def format_ignored() -> Break:
    """Whatever format is named, the default one is made."""
    return put("agent.nodes.export", "output_format", lambda text: None)


@mutant("agent/nodes/upload", "upload")
def upload_sent_twice() -> Break:
    """Every file is given twice."""
    real = uploading._Giving.files

    async def files(self: uploading._Giving, paths: Sequence[Path]) -> None:
        await real(self, paths)
        await real(self, paths)

    return put(uploading._Giving, "files", files)


@mutant("agent/nodes/upload", "upload", "4002", "4001")
def upload_unchecked() -> Break:
    """Files leave without a look at their type and size."""
    return put("agent.desk", "check", lambda name, limit: Path(name))


@mutant("agent/nodes/connect", "1002", "two-stage", "since")
def news_untold() -> Break:
    """Neither a lost session nor what changed meanwhile is told."""
    return put("agent.nodes.connect", "tell", lambda *_: None)


@mutant("agent/spend", "max_spend", "limit", "money")
def spend_limit_ignored() -> Break:
    """The person's own limit stops nothing."""

    async def fine(*_: Any) -> None:
        return None

    return together(put("agent.nodes.sse", "may_spend", fine), put("agent.nodes.export", "may_spend", fine))
