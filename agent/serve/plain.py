"""Events as one growing text, for doors that can add to what they said and never redraw it."""

from __future__ import annotations

import re
from collections.abc import Callable

from agent.events import Ask, Delivered, Event, Progress, Text, Timeline
from agent.repl.view import printable

__all__ = ["Paper", "linked", "marked"]

PICTURES = ("gif", "png", "jpg", "webp")
"""Formats that a reader of markdown shows in place."""
_SIGNS = re.compile(r"[\\\[<]")
_JOINER = "\u2060"
"""Takes no room. An address with one in it is not taken for a link."""
_BREAK = re.compile(r"(?<!\n)\n(?!\n)")


def marked(text: str) -> str:
    """Plain words as markdown: lines stay lines, and no name somebody made up becomes a link, a picture or HTML."""
    return _BREAK.sub("  \n", _SIGNS.sub(lambda sign: f"\\{sign[0]}", printable(text)))


class Paper:
    """The answer of one turn so far. `words` makes text fit for the reader, `place` says where a file is."""

    def __init__(self, words: Callable[[str], str], place: Callable[[Delivered], str]) -> None:
        self._words, self._place = words, place
        self._said: dict[str, str] = {}
        self._open: str | None = None
        """The id of the text that the paper ends with."""
        self.text = ""

    def add(self, event: Event) -> str:
        """The piece that an event adds; "" for what is no part of an answer."""
        if isinstance(event, Progress):
            return ""
        piece = self._speak(event) if isinstance(event, Text) else self._paragraph(event)
        self.text += piece
        return piece

    def _speak(self, event: Text) -> str:
        """A piece of a text; a text that was rewritten comes as a paragraph of its own."""
        if event.mode == "replace" and not event.text:
            return ""  # Said is said: what only grows can't take it back.
        before = self._said.get(event.id, "")
        after = event.text if event.mode == "replace" else before + event.text
        self._said[event.id] = after
        if event.id == self._open and after.startswith(before):
            return self._words(after[len(before) :])
        if after == before:
            return ""
        self._open = event.id
        return self._gap() + self._words(after if event.mode == "replace" else event.text)

    def _paragraph(self, event: Event) -> str:
        assert not isinstance(event, Progress)
        self._open = None
        named = isinstance(event, Timeline | Delivered)
        parts = [self._words(_unlinked(event.text) if named else event.text)]
        if isinstance(event, Ask) and event.options:
            parts.append("\n".join(f"{number}. {self._words(one)}" for number, one in enumerate(event.options, 1)))
        if isinstance(event, Delivered):
            parts.append(self._place(event))
        return self._gap() + "\n\n".join(parts)

    def _gap(self) -> str:
        return "\n\n" if self.text else ""


def _unlinked(text: str) -> str:
    """Names that people gave, with no address in them that a reader would make a link of."""
    return text.replace("://", f":{_JOINER}//").replace("www.", f"www{_JOINER}.")


def linked(event: Delivered, url: str) -> str:
    """A file as a link, and a picture as the picture."""
    name = marked(_unlinked(event.path.rpartition("/")[2]))
    return f"{'!' if event.format in PICTURES else ''}[{name.replace(']', chr(92) + ']')}]({url})"
