"""What a turn ends with: a question with answers to pick, or what could come next."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from langgraph.runtime import Runtime

from agent.context import Context, emit, tools
from agent.draft import Change, Draft, Segment, Track
from agent.events import Ask, Hint
from agent.hints import by_itself, next_steps, vague
from agent.questions import Option, Question
from agent.report import tell
from agent.state import State
from agent.summarizer import track_label
from prompts import Lang, say, table

__all__ = ["close", "is_about_additions", "keep_or_remove", "let_go", "suggest"]


def keep_or_remove(found: list[Change], words: str, lang: Lang) -> dict[str, Any] | None:
    """Asks what to do with music and titles among the changes that nobody asked for; None where there are none."""
    added = by_itself(found, words)
    if not added:
        return None
    labels = sorted({track.label for track, _ in added})
    pick = table("questions")["pick"]
    options = [Option(say(lang, "added.keep"), "", pick["keep"])]
    for label in [*labels, *(["both"] if len(labels) > 1 else [])]:
        also = pick["remove"] if label == "both" or len(labels) == 1 else ""
        options.append(Option(say(lang, f"added.remove_{label}"), say(lang, f"added.send_{label}"), also))
    items = say(lang, "unit.comma").join(_named(track, segment, lang) for track, segment in added)
    return asdict(Question(say(lang, "added.ask", items=items), tuple(options)))


def is_about_additions(question: str) -> bool:
    """Whether the backend itself asks what to do with what it added."""
    return re.search(table("questions")["pick"]["about_additions"], question, re.I) is not None


def close(asked: dict[str, Any] | None, runtime: Runtime[Context]) -> dict[str, Any]:
    """Puts the question that is open to the person, and returns what to keep of it."""
    if asked is None:
        return {}
    emit(runtime, Ask(text=asked["text"], options=[option["label"] for option in asked["options"]]))
    return {"question": {"route": "sse", "text": asked["text"], "options": asked["options"]}}


def suggest(draft: Draft, changed: bool, state: State, runtime: Runtime[Context]) -> None:
    """After an edit two or three next steps; beside a wish without a direction, directions."""
    words, lang = state["steps"][0]["text"], state["lang"]
    unclear = vague(words)
    if not changed and not unclear:
        return
    persona = tools(runtime).skill(runtime.context.skill).name
    if steps := next_steps(draft, persona, lang, unclear=unclear):
        listed = say(lang, "hint.join").join(say(lang, "hint.one", words=step) for step in steps)
        emit(runtime, Hint(text=say(lang, "hint.vague" if unclear else "hint.next", steps=listed), suggestions=steps))


def let_go(asked: dict[str, Any] | None, runtime: Runtime[Context]) -> None:
    """Tells a question of the backend that is not going to be put: another one comes first."""
    if asked and asked.get("said"):
        tell(runtime, asked["said"])


def _named(track: Track, segment: Segment, lang: Lang) -> str:
    label = track_label(track, lang)
    return say(lang, "change.what", label=label, name=segment.name) if segment.name else label
