"""What of the backend's words may reach a person: no token, whole or in pieces, and no apology after an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from agent.backend.stream import APOLOGY, Ended, Failed, Said, StreamEvent, ToolEnded, ToolStarted

__all__ = ["Hide", "Screen", "Tail", "beginnings"]

Hide = Callable[[str], str]
"""Takes tokens out of the backend's words."""
Tail = Callable[[str], int]
"""How many of a text's last characters may be the beginning of a token."""

LONGEST_APOLOGY = 300
"""Characters. What goes on for longer has something to say."""
TELLING = 12
"""Characters of a token that are not shown, even when the rest never comes."""
CONTEXT = 16
"""Characters kept of what was shown, to know where a sentence starts."""


def beginnings(word: str, text: str) -> Iterator[int]:
    """How many of the last characters of `text` are the beginning of `word` and no more: the most first."""
    at = text.find(word[:1], max(0, len(text) - len(word) + 1))
    while 0 <= at < len(text):
        if word.startswith(text[at:]):
            yield len(text) - at
        at = text.find(word[:1], at + 1)


@dataclass(slots=True)
class _Segment:
    before: str = ""
    """The end of what is shown."""
    held: str = ""
    """What is not shown before more is known."""
    final: bool = False


class Screen:
    """Takes the events of one stream and gives what is to be shown of them; `Ended` lets out what was held back."""

    def __init__(self, hide: Hide, tail: Tail) -> None:
        self.hide, self._tail = hide, tail
        self._segments: dict[int, _Segment] = {}
        self._sorry: set[int] = set()
        """Segments whose `held` is an apology that may be the last word."""
        self._answered = False
        """Whether words have been shown since the last tool."""

    def show(self, event: StreamEvent) -> list[StreamEvent]:
        """What a person may learn of one event."""
        if isinstance(event, Said):
            return self._said(event)
        if isinstance(event, ToolStarted | ToolEnded):
            released = self._release()
            self._answered = False
            return [*released, replace(event, name=self.hide(event.name))]
        if isinstance(event, Failed):
            return [*self.close(), replace(event, message=self.hide(event.message))]
        return [*self.close(), event] if isinstance(event, Ended) else [event]

    def _said(self, said: Said) -> list[StreamEvent]:
        segment = self._segments.setdefault(said.segment, _Segment())
        if said.mode == "replace":
            segment.before = segment.held = ""
        segment.final = said.final
        text = self.hide(segment.held + said.text)
        kept = self._kept(text, said.segment, segment)
        shown, segment.held = text[: len(text) - kept], text[len(text) - kept :]
        final = said.final and said.segment not in self._sorry
        if final:
            shown += self._rest(segment)
            del self._segments[said.segment]
        segment.before = (segment.before + shown)[-CONTEXT:]
        if not shown and not final and said.mode == "append":
            return []
        words = bool(shown.strip())
        self._answered |= words
        released = self._release(said.segment) if words else []
        return [*released, Said(said.segment, shown, said.mode, final)]

    def _kept(self, text: str, number: int, segment: _Segment) -> int:
        """How many of the last characters are to be held back."""
        self._sorry.discard(number)
        at = text.find(APOLOGY)
        if at >= 0 and len(text) - at <= LONGEST_APOLOGY and self._follows(segment.before + text[:at]):
            self._sorry.add(number)
            return len(text) - at
        return max(self._tail(text), 0 if segment.final else self._begun(text, segment.before))

    def _begun(self, text: str, before: str) -> int:
        """How many of the last characters may be the beginning of an apology."""
        sizes = beginnings(APOLOGY, text)
        return next((size for size in sizes if self._follows(before + text[:-size])), 0)

    def _follows(self, before: str) -> bool:
        """Whether a sentence can start here, with an answer before it."""
        words = before.rstrip()
        if not words:
            return self._answered
        unfinished = words[-1].isalnum() or words[-1] in ",;:-–—'’("
        return not unfinished or "\n" in before[len(words) :]

    def _release(self, but: int = -1) -> list[StreamEvent]:
        """Something came after the apologies, so they were a part of the story."""
        released: list[StreamEvent] = []
        for number in sorted(self._sorry - {but}):
            segment = self._segments.pop(number) if self._segments[number].final else self._segments[number]
            kept = 0 if segment.final else self._tail(segment.held)
            shown, segment.held = segment.held[: len(segment.held) - kept], segment.held[len(segment.held) - kept :]
            released.append(Said(number, shown, final=segment.final))
            segment.before = shown[-CONTEXT:]
            self._sorry.discard(number)
        return released

    def _rest(self, segment: _Segment) -> str:
        """What was held back and turned out to be nothing, or so much of a token that it is as good as one."""
        held, size = segment.held, self._tail(segment.held)
        return held if size < TELLING else f"{held[: len(held) - size]}[token]"

    def close(self) -> list[StreamEvent]:
        """The end: apologies are dropped, everything else is let out."""
        left: list[StreamEvent] = []
        for number, segment in sorted(self._segments.items()):
            text = "" if number in self._sorry else self._rest(segment)
            if text or segment.final:
                left.append(Said(number, text, final=segment.final))
        self._segments.clear()
        self._sorry.clear()
        return left
