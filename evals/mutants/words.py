"""Mutants of what a person reads: language, translation, summaries and notices."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.runtime import Runtime

from agent.context import Context, tools
from agent.draft import changes
from agent.ear import Ear
from agent.gui.clean import Cleaned, clean
from agent.report import tell
from agent.translator import Stream
from agent.units import span
from evals.mutants.mutant import Break, mutant, put
from prompts import Lang
from router import spoken

__all__: list[str] = []


@mutant("agent/nodes/connect", "chinese", "routes")
def wrong_language() -> Break:
    """English is answered in Chinese, and Chinese in English."""
    return put("agent.nodes.connect", "spoken", lambda text, default: "zh" if spoken(text, default) == "en" else "en")


@mutant("agent/nodes/connect", "language", "switch", "chinese")
def language_never_switched() -> Break:
    """A conversation keeps the language it began in."""
    return put("agent.nodes.connect", "spoken", lambda text, default: default)


class _Deaf:
    """Lets everything through."""

    def __init__(self) -> None:
        self.phrases: list[Any] = []

    def feed(self, piece: str) -> list[str]:
        return [piece]

    def close(self) -> list[str]:
        return []


@mutant("agent/translator", "gui", "actions", "export")
def translator_off() -> Break:
    """What the backend says of buttons is shown as it is."""
    return put("agent.ear", "Stream", _Deaf)


@mutant("agent/translator", "gui", "content", "edits")
def content_stripped() -> Break:
    """Every sentence with a word of a screen is taken out, content or not."""
    words = re.compile(r"screen|click|button|timeline|tap|屏幕|点击|按钮|时间线", re.I)

    def greedy(sentence: str, before: Any) -> Cleaned:
        return Cleaned("", (), "none") if words.search(sentence) else clean(sentence, before)

    return put("agent.translator", "clean", greedy)


@mutant("agent/translator", "cut short", "others", "say")
def last_sentence_lost() -> Break:
    """What waits for the end of its sentence is never shown."""
    return put(Stream, "close", lambda self: [])


@mutant("agent/ear", "ask", "question", "say")
def question_dropped() -> Break:
    """A question that ends an answer is neither shown nor put."""

    def dropped(self: Ear, lang: Lang) -> None:
        self._held = None

    return put(Ear, "_question", dropped)


@mutant("agent/nodes/summarize", "silent", "edits")
def silent_edits_untold() -> Break:
    """The draft is not looked at after a send."""

    async def blind(state: Any, runtime: Any, step: Any) -> dict[str, Any]:
        return {"draft": state["before"]}

    return put("agent.nodes.summarize", "_look", blind)


@mutant("agent/nodes/summarize", "two-stage", "keep", "remove")
def additions_unasked() -> Break:
    """What the backend adds by itself stays without a question."""
    return put("agent.nodes.summarize", "keep_or_remove", lambda *_: None)


@mutant("agent/nodes/summarize", "edits", "remove", "volume")
def sides_swapped() -> Break:
    """Changes are told the wrong way round."""
    return put("agent.nodes.summarize", "changes", lambda before, after: changes(after, before))


@mutant("agent/summarizer", "edits", "timeline")
def seconds_invented() -> Break:
    """Everything on the timeline ends a second later than it does."""
    return put("agent.summarizer", "span", lambda start, end, lang: span(start, end + 1000, lang))


@mutant("agent/summarizer", "fold", "timeline", "long")
def timeline_unfolded() -> Break:
    """However much is on the timeline, all of it is told."""
    return put("agent.summarizer", "MOST_SEGMENTS", 10_000)


@mutant("agent/nodes/sse", "heartbeat", "heartbeats")
def heartbeat_notice_removed() -> Break:
    """While the backend works for minutes nothing is said."""

    @asynccontextmanager
    async def quiet(*_: Any) -> AsyncIterator[None]:
        yield

    return put("agent.nodes.sse", "noticing", quiet)


@mutant("agent/nodes/sse", "charge", "money", "credits")
def cost_untold() -> Break:
    """What a send cost is not said."""

    async def nothing(*_: Any, **__: Any) -> None:
        return

    return put("agent.nodes.sse", "tell_cost", nothing)


@mutant("agent/nodes/credits", "credits")
def token_printed() -> Break:
    """The answer about credits shows the token."""

    def blurt(runtime: Runtime[Context], text: str) -> None:
        issued = tools(runtime).credentials._issued
        tell(runtime, f"{text} ({issued.token.get_secret_value() if issued else ''})")

    return put("agent.nodes.credits", "tell", blurt)


@mutant("agent/report", "codes", "2001", "402", "4001")
def bare_codes_told() -> Break:
    """An error is told as its number."""
    return put("agent.report", "_sentence", lambda error, lang, values: f"Error {values.get('number') or error.name}.")
