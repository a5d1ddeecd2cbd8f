"""Payloads of a chat stream -> what was said and done, in both of the backend's dialects, piece by piece.

ADK: events with an `author`. Deltas are marked `"partial": true`; an event without the mark replaces the deltas
before it, and what was shown is rewritten only where the two differ. Flat: `{"type":"text","content":"…"}` and
the like, where each text goes on from the one before it. Which one an event is in is decided event by event.

Event ids are no key (they repeat and they don't), and the same text twice is said twice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.backend.answers import LONGEST_MESSAGE, decode
from agent.backend.frames import code_of, failure, get, name_of, printable, visible
from agent.backend.lines import Payload

__all__ = [
    "APOLOGY",
    "Ended",
    "Failed",
    "Heartbeat",
    "Reconstruction",
    "Said",
    "StreamEvent",
    "ToolEnded",
    "ToolStarted",
]

APOLOGY = "I encountered a temporary issue"
"""What the backend may add to an answer that was fine."""
MOST_TEXT, MOST_SEGMENTS = 4_000_000, 10_000
"""Characters and segments of one stream past which nothing more is taken in."""

_BEATS = ("heartbeat", "ping", "keepalive", "keep-alive")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """Words of the backend. `append` goes on from what `segment` had; `replace` is all of it, even when empty.

    Segments are separate messages, counted from 0. A `final` one changes no more; it may append nothing.
    """

    segment: int
    text: str
    mode: Literal["append", "replace"] = "append"
    final: bool = False


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """The backend began to do something."""

    name: str


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """The backend has done something."""

    name: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Still here, nothing to say."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The backend gave up. Only `Ended(complete=False)` follows; what it did before may well have counted."""

    message: str
    code: int | None = None
    """One of the codes of errors.py where the backend gave one."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event. Not `complete`: it failed or closed in the middle of something; the outcome is unknown."""

    complete: bool


StreamEvent = Said | ToolStarted | ToolEnded | Heartbeat | Failed | Ended


@dataclass(slots=True)
class _Draft:
    """A segment that may still be replaced."""

    segment: int
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        self.pieces = ["".join(self.pieces)]
        return self.pieces[0]


@dataclass(slots=True)
class _Speaker:
    """What one author on one branch has said without having it confirmed."""

    pending: _Draft | None = None
    """The deltas so far."""
    open: list[_Draft] = field(default_factory=list)
    """Segments that ended without the event that confirms them."""


class Reconstruction:
    """One stream put together: `feed` its payloads, then `close` when it ended by itself."""

    def __init__(self) -> None:
        self.heard = 0
        """Payloads that were more than a sign of life."""
        self.failed = False
        self.overflowed = False
        """Whether it said more than anybody reads; the rest was not taken in."""
        self._whole = True
        self._segments = 0
        self._size = 0
        self._speakers: dict[tuple[str, str], _Speaker] = {}
        self._flat: int | None = None

    def feed(self, payload: Payload) -> list[StreamEvent]:
        """What one payload says."""
        text = payload.data.strip()
        if self.failed:
            return []
        if not text or payload.event in _BEATS or text in _BEATS:
            return [Heartbeat()]
        event = decode(text)
        if isinstance(event, dict):
            return self._event(event, payload.event)
        if several := _events(text):
            return [said for event in several if not self.failed for said in self._event(event, payload.event)]
        self.heard += 1
        if text == "[DONE]":
            return []
        first = text.partition("\n")[0]
        if first.startswith('{"error": "'):
            return self._fail(first.removeprefix('{"error": "').removesuffix('"}'))
        if payload.event == "error":
            return self._fail("" if first.startswith("{") else first)
        # Only a stream that broke off inside an event has lost something.
        self._whole &= payload.ended
        _log.debug("a payload of %d characters that is no event", len(text))
        return []

    def close(self) -> list[StreamEvent]:
        """What is left to say at the stream's own end. Text nobody confirmed makes it incomplete."""
        said = self._end_flat()
        drafts = [draft for s in self._speakers.values() for draft in [*s.open, s.pending] if draft]
        # An apology after an answer is no part of it, confirmed or not.
        unsure = any(not (draft.segment and draft.text.lstrip().startswith(APOLOGY)) for draft in drafts)
        whole = self._whole and not self.overflowed
        return [*said, Ended(complete=whole and not unsure and not self.failed)]

    def _event(self, event: dict[str, Any], name: str) -> list[StreamEvent]:
        author = event.get("author")
        if author is None and event.get("type") in _BEATS:
            return [Heartbeat()]
        self.heard += 1
        if author is None and (reason := failure(event, name)) is not None:
            return self._fail(reason, code_of(event))
        if author is None and (isinstance(event.get("type"), str) or isinstance(event.get("content"), str)):
            return self._flat_event(event)
        text = visible(event)
        if author == "user":
            return []
        if author == "system" and not get(event, "invocationId") and text.startswith("Error: "):
            return self._fail(text.removeprefix("Error: "))
        if code := get(event, "errorCode"):
            _log.info("the backend mentions %.60s", code)
        return self._adk_event(event, self._room_for(text), (str(author), str(event.get("branch"))))

    def _adk_event(self, event: dict[str, Any], text: str, key: tuple[str, str]) -> list[StreamEvent]:
        speaker = self._speakers.get(key) or _Speaker()
        if text:
            self._speakers[key] = speaker
        if event.get("partial") is True:
            return self._delta(speaker, text) if text else []
        said = self._confirm(speaker, text) if text else []
        tools = _tools(event)
        if not text and (tools or get(event, "finishReason") or get(event, "turnComplete")):
            _leave_open(speaker)
        return [*said, *tools]

    def _delta(self, speaker: _Speaker, text: str) -> list[StreamEvent]:
        if speaker.pending is None:
            speaker.pending = _Draft(self._next())
        speaker.pending.pieces.append(text)
        return [Said(speaker.pending.segment, text)]

    def _confirm(self, speaker: _Speaker, text: str) -> list[StreamEvent]:
        """Text that counts: it takes the place of the deltas, or of an open segment that it starts with."""
        pending = speaker.pending
        earlier = next((draft for draft in reversed(speaker.open) if text.startswith(draft.text)), None)
        if earlier is None or (pending and text.startswith(pending.text)):
            speaker.pending = None
            return [_final(pending or _Draft(self._next()), text)]
        speaker.open.remove(earlier)
        said: list[StreamEvent] = [_final(earlier, text)]
        if pending and text.startswith(earlier.text + pending.text):
            # A tool call came between, and the confirmation covers both sides of it.
            speaker.pending = None
            said.append(Said(pending.segment, "", "replace", final=True))
        return said

    def _flat_event(self, event: dict[str, Any]) -> list[StreamEvent]:
        kind, name = event.get("type", "text"), event.get("name")
        if kind == "tool_call":
            return [*self._end_flat(), ToolStarted(name_of(name))]
        if kind == "tool_result":
            return [*self._end_flat(), ToolEnded(name_of(name))]
        text = self._room_for(visible(event)) if kind == "text" else ""
        if kind != "text":
            _log.debug("an event of type %.40s", kind)
        if not text:
            return []
        if self._flat is None:
            self._flat = self._next()
        return [Said(self._flat, text)]

    def _end_flat(self) -> list[StreamEvent]:
        ended, self._flat = self._flat, None
        return [] if ended is None else [Said(ended, "", final=True)]

    def _fail(self, message: str, code: int | None = None) -> list[StreamEvent]:
        self.failed = True
        return [Failed(printable(message)[:LONGEST_MESSAGE], code)]

    def _room_for(self, text: str) -> str:
        """`text`, or nothing where the stream has said more than anybody reads."""
        self._size += len(text)
        self.overflowed |= self._size > MOST_TEXT or self._segments >= MOST_SEGMENTS
        return "" if self.overflowed else text

    def _next(self) -> int:
        self._segments += 1
        return self._segments - 1


def _events(text: str) -> list[dict[str, Any]]:
    """The events of a server that ends each with one line break in place of two; none when any line is no event."""
    lines = text.split("\n") if "\n" in text else []
    events = [event for line in lines if isinstance(event := decode(line), dict)]
    return events if len(events) == len(lines) else []


def _leave_open(speaker: _Speaker) -> None:
    """The author went on to something else without confirming what it had said."""
    if speaker.pending:
        speaker.open.append(speaker.pending)
        speaker.pending = None


def _final(shown: _Draft, text: str) -> Said:
    """Only the rest where the text goes on from what was shown, else all of it."""
    if text.startswith(shown.text):
        return Said(shown.segment, text[len(shown.text) :], final=True)
    return Said(shown.segment, text, "replace", final=True)


def _tools(event: dict[str, Any]) -> list[StreamEvent]:
    content = event.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    found: list[StreamEvent] = []
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, dict):
            continue
        if isinstance(call := get(part, "functionCall"), dict):
            found.append(ToolStarted(name_of(call.get("name"))))
        if isinstance(answer := get(part, "functionResponse"), dict):
            found.append(ToolEnded(name_of(answer.get("name"))))
    return found
