"""The backend's words for somebody at a screen, made into words for somebody in a chat, and into actions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from agent.gui.clean import clean
from agent.gui.edits import by_hand, request
from agent.gui.gestures import CHARGED, Phrase
from agent.gui.grammar import CJK
from agent.gui.sentences import Sentence, Sentences
from agent.gui.signs import Before

__all__ = ["Action", "ActionKind", "Phrase", "Stream", "Translation", "actions", "translate"]

ActionKind = Literal["export", "state", "tracks", "credits", "edit", "undo", "upload", "new"]

_ORDERED = re.compile(r"(\d{1,3})([.)、])")
_LIST_ITEM = re.compile(r"[-*+•]\s|\d{1,3}[.)、]")


@dataclass(frozen=True, slots=True)
class Action:
    """What we do instead of a gui phrase."""

    kind: ActionKind
    text: str = ""
    """What an edit or an undo sends to the chat, in the backend's language."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A text without its gui phrases, and the phrases."""

    text: str
    phrases: tuple[Phrase, ...]


class Stream:
    """Takes text in pieces and gives clean sentences as they end. Joined they are what `translate` gives."""

    def __init__(self) -> None:
        self.phrases: list[Phrase] = []
        self._sentences = Sentences()
        self._gap = ""
        """White space that waits for the next sentence that is shown."""
        self._dropped = False
        """Whether a sentence was taken out since the last one that was shown."""
        self._shown = False
        self._before = Before()
        self._held = ""
        """A heading such as "To export:", which waits for what it announces."""
        self._items_gone = 0
        """Items taken out of the numbered list we are in."""

    def feed(self, piece: str) -> list[str]:
        """The sentences that end in this piece, each with the white space before it."""
        return self._take(self._sentences.feed(piece))

    def close(self) -> list[str]:
        """What was waiting for its end. Nothing more when called again."""
        shown = self._take(self._sentences.close())
        held, self._held = self._held, ""
        if held and not self._dropped:
            shown.append(held)
        if self._gap and not self._dropped:
            shown.append(self._gap)
        self._gap = ""
        return shown

    def _take(self, sentences: Iterable[Sentence]) -> list[str]:
        shown: list[str] = []
        for sentence in sentences:
            gap = _stronger(self._gap, sentence.gap) if self._dropped else self._gap + sentence.gap
            text = self._cleaned(sentence)
            if text:
                shown += self._show(gap if self._shown or self._held or not self._dropped else "", text)
            else:
                self._gap = gap
                self._dropped = self._dropped or bool(sentence.text)
        return shown

    def _cleaned(self, sentence: Sentence) -> str:
        """The sentence without its gui phrases, its number in a list put right."""
        if sentence.verbatim or not sentence.text:
            return sentence.text
        number = _ORDERED.match(sentence.text)
        self._before = self._before.behind(sentence.gap)
        cleaned = clean(sentence.text, self._before)
        text = cleaned.text
        self.phrases += cleaned.phrases
        self._before = self._before.after(sentence.text, cleaned.last)
        if number is None:
            self._items_gone = 0 if "\n" in sentence.gap else self._items_gone
        elif not text:
            self._items_gone += 1
        elif self._items_gone:
            return f"{int(number[1]) - self._items_gone}{text[len(number[1]) :]}"
        return text

    def _show(self, gap: str, text: str) -> list[str]:
        held, self._held = self._held, ""
        if held and self._dropped and not _LIST_ITEM.match(text):
            held, gap = "", _stronger(held[: len(held) - len(held.lstrip())], gap) if self._shown else ""
        self._gap, self._dropped = "", False
        shown = [held] if held else []
        if text.rstrip().endswith((":", "：")):
            self._held = gap + text
        else:
            shown.append(gap + text)
        self._shown = self._shown or bool(shown)
        return shown


def translate(text: str) -> Translation:
    """The whole of a text at once."""
    stream = Stream()
    shown = [*stream.feed(text), *stream.close()]
    return Translation("".join(shown), tuple(stream.phrases))


def actions(phrases: Iterable[Phrase]) -> list[Action]:
    """What the phrases ask for, in their order, each kind at most once."""
    found: dict[str, Action] = {}
    for phrase in phrases:
        if phrase.kind not in ("unknown", "idle") and (phrase.kind not in CHARGED or by_hand(phrase.words)):
            kind = cast(ActionKind, phrase.kind)
            found.setdefault(kind, Action(kind, _text(phrase)))
    return list(found.values())


def _text(phrase: Phrase) -> str:
    """What is sent for a phrase; "" where it stands for something else than a send."""
    if phrase.kind == "undo":
        return "撤销" if CJK.search(phrase.words) else "undo"
    return request(phrase.words) if phrase.kind == "edit" else ""


def _stronger(one: str, other: str) -> str:
    """Of two gaps the one with more lines; the later one where they are alike."""
    return one if one.count("\n") > other.count("\n") else other
