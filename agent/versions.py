"""Versions: every draft a conversation had, kept as it is seen and known again when it comes back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

from langgraph.runtime import Runtime

from agent.context import Context, journal, tools
from agent.draft import Draft, fingerprint
from agent.entries import Ledger, Opened, Version
from agent.journal import Journal
from agent.report import tell
from agent.state import State, Step
from prompts import Lang, say
from router import undo_asked, version

__all__ = ["Kept", "keep", "mark", "no_such", "not_undone", "remember", "tell_kept"]

EMPTY = "empty"
log = logging.getLogger("reelchat.versions")


@dataclass(frozen=True, slots=True)
class Kept:
    """How the draft stands among the versions."""

    number: int
    fresh: bool
    """Whether it has just been kept: it was not the last one."""
    same_as: int | None = None
    """The first version that was the same; None where it is the first of its kind."""
    marks: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """Of all versions."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing on it."""
        return self.marks[-1:] == (EMPTY,)

    def before(self, number: int) -> int:
        """The last version before that one with something on it; 0 where there is none."""
        return next((one for one in range(number - 1, 0, -1) if self.marks[one - 1] != EMPTY), 0)


def mark(draft: Any) -> str:
    """Equal for equal drafts, and for any two that have nothing on them."""
    return fingerprint(draft)[:16] if Draft.read(draft).exportable else EMPTY


async def keep(book: Journal, seen: Version, opened: Opened | None = None) -> Kept | None:
    """Keeps `seen` under the next number unless it is the last one kept; the number it comes with is not used.

    Two small records are read where nothing changed, whatever the number of versions. None for an empty draft of a
    session in which nothing was made yet.
    """
    mine, ledger = mark(seen.draft), await _ledger(book, seen.thread, opened)
    if ledger.marks[-1:] == (mine,):
        return _standing(ledger, mine, fresh=False)
    if mine == EMPTY and ledger.session_id != seen.session_id:
        return None
    await book.keep_version(replace(seen, number=len(ledger.marks) + 1))
    ledger = Ledger((*ledger.marks, mine), seen.session_id)
    await book.keep_ledger(seen.thread, ledger)
    if opened:
        opened.ledger = ledger
    return _standing(ledger, mine, fresh=True)


async def _ledger(book: Journal, thread: str, opened: Opened | None) -> Ledger:
    """What is known of the versions, those included that a process kept which was killed before it wrote so."""
    if opened and opened.whole:
        return opened.ledger
    ledger = opened.ledger if opened else await book.ledger(thread)
    while missed := await book.version(thread, len(ledger.marks) + 1):
        ledger = Ledger((*ledger.marks, mark(missed.draft)), missed.session_id)
    if opened:
        opened.ledger, opened.whole = ledger, True
    return ledger


def _standing(ledger: Ledger, mine: str, fresh: bool) -> Kept:
    number, first = len(ledger.marks), ledger.marks.index(mine) + 1
    return Kept(number, fresh, first if first < number else None, ledger.marks)


async def remember(state: State, runtime: Runtime[Context], draft: Any, step: Step | None = None) -> Kept | None:
    """Keeps the draft that a node has just seen: after `step`, or changed by the backend itself.

    A change that nobody asked for in this turn is that of a send which a crash cut off, where there is one.
    """
    session, thread, book = state["session"], runtime.context.thread, journal(runtime)
    assert session, "connect made one"
    words, by, opened = "", "backend", state.get("opened")
    if step:
        words, by = step["text"] or state["utterance"], step["by"]
    else:
        ledger, mine = await _ledger(book, thread, opened), mark(draft)
        if ledger.marks[-1:] == (mine,):
            return _standing(ledger, mine, fresh=False)
        if sends := opened.pending if opened else await book.open_sends(thread):
            words, by = sends[-1].text, "person"
    at = tools(runtime).clock.now().isoformat()
    try:
        text = tools(runtime).drafts.text(draft)
        return await keep(book, Version(0, thread, at, words, draft, by, session["session_id"], text), opened)
    except (TypeError, ValueError, RecursionError):
        log.exception("a draft that is no JSON is not kept")
        return None


def tell_kept(kept: Kept | None, step: Step, runtime: Runtime[Context], lang: Lang) -> None:
    """Says when the draft is an earlier version again, and when what was to be undone is none of them."""
    if kept is None or not kept.fresh:
        return
    if kept.same_as:
        tell(runtime, say(lang, "versions.again", number=kept.same_as))
    elif _is_undo(step) and not kept.empty and (earlier := _wanted(step, kept) or kept.before(kept.number - 1)):
        tell(runtime, say(lang, "versions.other", number=earlier))


def not_undone(kept: Kept | None, step: Step, lang: Lang) -> str:
    """What to say when an undo was asked for and nothing changed; "" where that is not so."""
    if not _is_undo(step) or (kept and kept.fresh):
        return ""
    earlier = (_wanted(step, kept) or kept.before(kept.same_as or kept.number)) if kept else 0
    return say(lang, "versions.not_undone", number=earlier) if earlier else say(lang, "versions.nothing_undone")


def no_such(number: int, last: int, lang: Lang) -> str:
    """That there is no version of this number, and which there are."""
    if last < 2:
        return say(lang, "versions.only_one" if last else "versions.none", wanted=number)
    return say(lang, "versions.no_such", wanted=number, last=last)


def _wanted(step: Step, kept: Kept) -> int:
    """The version that the person named ("go back to version 2") where there is one with something on it, else 0."""
    number = version(step["text"]) or 0
    return number if 0 < number <= kept.number and kept.marks[number - 1] != EMPTY else 0


def _is_undo(step: Step) -> bool:
    return step["route"] == "sse" and undo_asked(step["text"])
