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

from agent.backend.answers import decode
from agent.backend.lines import Payload

__all__ = [
    "Ended",
    "Failed",
    "Heartbeat",
    "Reconstruction",
    "Said",
    "StreamEvent",
    "ToolEnded",
    "ToolStarted",
]

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
    text: str


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
        self._whole = True
        self._segments = 0
        self._speakers: dict[tuple[str, str], _Speaker] = {}
        self._flat: int | None = None

    def feed(self, payload: Payload) -> list[StreamEvent]:
        """What one payload says."""
        text = payload.data.strip()
        if self.failed:
            return []
        if not text:
            return [Heartbeat()]
        event = decode(text)
        if isinstance(event, dict):
            return self._event(event, payload.name)
        self.heard += 1
        if text == "[DONE]":
            return []
        if payload.name == "error" or text.startswith('{"error": "'):
            return self._fail(text.removeprefix('{"error": "').removesuffix('"}'))
        # Only a stream that broke off inside an event has lost something.
        self._whole &= payload.ended
        _log.debug("a payload of %d characters that is no event", len(text))
        return []

    def close(self) -> list[StreamEvent]:
        """What is left to say at the stream's own end. Text nobody confirmed makes it incomplete."""
        said = self._end_flat()
        unsure = any(speaker.pending or speaker.open for speaker in self._speakers.values())
        return [*said, Ended(complete=self._whole and not unsure and not self.failed)]

    def _event(self, event: dict[str, Any], name: str) -> list[StreamEvent]:
        author = event.get("author")
        if event.get("type") in ("heartbeat", "ping") and author is None:
            return [Heartbeat()]
        self.heard += 1
        if author is None and (failure := _failure(event, name)) is not None:
            return self._fail(failure, _code(event))
        if author is None and (isinstance(event.get("type"), str) or isinstance(event.get("content"), str)):
            return self._flat_event(event)
        text = _visible(event)
        if author == "user":
            return []
        if author == "system" and not _get(event, "invocationId") and text.startswith("Error: "):
            return self._fail(text.removeprefix("Error: "))
        if code := _get(event, "errorCode"):
            _log.info("the backend mentions %.60s", code)
        speaker = self._speakers.setdefault((str(author), str(event.get("branch"))), _Speaker())
        if event.get("partial") is True:
            return self._delta(speaker, text) if text else []
        said = self._confirm(speaker, text) if text else []
        tools = _tools(event)
        if not text and (tools or _get(event, "finishReason") or _get(event, "turnComplete")):
            _leave_open(speaker)
        return [*said, *tools]

    def _delta(self, speaker: _Speaker, text: str) -> list[StreamEvent]:
        if speaker.pending is None:
            speaker.pending = _Draft(self._next(), "")
        speaker.pending.text += text
        return [Said(speaker.pending.segment, text)]

    def _confirm(self, speaker: _Speaker, text: str) -> list[StreamEvent]:
        """Text that counts: it takes the place of the deltas, or of an open segment that it starts with."""
        pending = speaker.pending
        earlier = next((draft for draft in reversed(speaker.open) if text.startswith(draft.text)), None)
        if earlier is None or (pending and text.startswith(pending.text)):
            speaker.pending = None
            return [_final(pending or _Draft(self._next(), ""), text)]
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
            return [*self._end_flat(), ToolStarted(_name(name))]
        if kind == "tool_result":
            return [*self._end_flat(), ToolEnded(_name(name))]
        text = _visible(event) if kind == "text" else ""
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
        return [Failed(_printable(message), code)]

    def _next(self) -> int:
        self._segments += 1
        return self._segments - 1


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


def _visible(event: dict[str, Any]) -> str:
    """The text a person may read: no thoughts, no calls, no pictures."""
    content = event.get("content")
    if isinstance(content, str):
        return _printable(content)
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list):
        return ""
    shown = [part for part in parts if isinstance(part, dict) and not part.get("thought")]
    return _printable("".join(part["text"] for part in shown if isinstance(part.get("text"), str)))


def _tools(event: dict[str, Any]) -> list[StreamEvent]:
    content = event.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    found: list[StreamEvent] = []
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, dict):
            continue
        if isinstance(call := _get(part, "functionCall"), dict):
            found.append(ToolStarted(_name(call.get("name"))))
        if isinstance(answer := _get(part, "functionResponse"), dict):
            found.append(ToolEnded(_name(answer.get("name"))))
    return found


def _failure(event: dict[str, Any], name: str) -> str | None:
    """What an event without an author says went wrong; None when it says no such thing."""
    if event.get("type") in ("text", "tool_call", "tool_result"):
        return None  # An error in these is the tool's, and no end.
    refusal = "type" not in event and "content" not in event and _code(event) is not None
    if not (refusal or "error" in event or event.get("type") == "error" or name == "error"):
        return None
    told = event.get("error")
    told = told.get("message") if isinstance(told, dict) else told
    words = (told, event.get("message"), event.get("content"))
    return next((word for word in words if isinstance(word, str) and word), "")


def _code(event: dict[str, Any]) -> int | None:
    held = event.get("error")
    code = event.get("code", held.get("code") if isinstance(held, dict) else None)
    return code if isinstance(code, int) and not isinstance(code, bool) and code else None


def _get(event: dict[str, Any], name: str) -> Any:
    """A field in today's camelCase or in the snake_case of old servers."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return event.get(name, event.get(snake))


def _name(value: object) -> str:
    return _printable(value) if isinstance(value, str) else ""


def _printable(text: str) -> str:
    """Without lone surrogates, which JSON can spell and no terminal, file or socket takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
