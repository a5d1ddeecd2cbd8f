"""The map of one turn. Wiring only: what a node does is in `agent/nodes/`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, cast

from langgraph.channels import UntrackedValue
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.context import Context
from agent.nodes.connect import connect
from agent.nodes.credits import check_credits
from agent.nodes.export import export_video
from agent.nodes.route import route
from agent.nodes.sse import chat
from agent.nodes.state import show_state
from agent.nodes.summarize import summarize
from agent.nodes.translate import translate
from agent.nodes.upload import upload
from agent.state import State
from router import ROUTES

__all__ = ["Graph", "build", "builder"]

Graph = CompiledStateGraph[State, Context, State, State]


class _Channels(State, total=False):
    """The state as LangGraph keeps it. `agent.state` is read before the first prompt, and LangGraph takes a second."""

    glance: Annotated[Any, UntrackedValue]
    opened: Annotated[Any, UntrackedValue]


def builder(around: Callable[[Any], Any] = lambda node: node) -> StateGraph[State, Context, State, State]:
    """The nodes and edges. No retry policy anywhere: a repeated `sse` would be a second charge.

    `around` is put around every node: where an engine runs them, each has to find our tools first.
    """
    graph = cast(StateGraph[State, Context, State, State], StateGraph(_Channels, context_schema=Context))
    graph.add_node("connect", around(connect))
    graph.add_node("route", around(route))
    graph.add_node("export", around(export_video))
    graph.add_node("credits", around(check_credits))
    graph.add_node("state", around(show_state))
    graph.add_node("upload", around(upload))
    graph.add_node("sse", around(chat))
    graph.add_node("translate", around(translate))
    graph.add_node("summarize", around(summarize))

    graph.add_edge(START, "connect")
    # connect -> route or END, route -> a step or END, summarize -> the next step or END: their Commands say so.
    for step in ROUTES:
        if step == "sse":
            graph.add_conditional_edges(step, _heard)
        else:
            graph.add_edge(step, "summarize")
    graph.add_edge("translate", "summarize")
    return graph


async def _heard(state: State) -> Literal["translate", "summarize"]:
    """Only the chat speaks of a screen, and most of what it says does not. Async: LangGraph gives others a thread."""
    return "translate" if state["phrases"] else "summarize"


@cache
def _compiled() -> Graph:
    """Compiled once: LangGraph reads the source of every node for it."""
    return builder().compile(name="reelchat")


def build(checkpointer: Any, store: Any) -> Graph:
    """The graph, keeping threads in `checkpointer` and the journal in `store`."""
    return _compiled().copy({"checkpointer": checkpointer, "store": store})
