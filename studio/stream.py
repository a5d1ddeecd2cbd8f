"""The chat stream: what the backend does, act by act, and how it looks on the wire in either dialect."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from studio.clock import Clock
from studio.edits import Asset
from studio.options import Dialect
from studio.store import Session
from studio.tracks import Draft

__all__ = [
    "Act",
    "Beat",
    "Call",
    "Commit",
    "Cut",
    "Encoder",
    "Fail",
    "Hold",
    "Planner",
    "Raw",
    "Refuse",
    "Returned",
    "Say",
    "Turn",
]


@dataclass(frozen=True)
class Say:
    """Text for the person: pieces first, then the whole."""

    text: str
    pieces: bool = True


@dataclass(frozen=True)
class Call:
    """A tool starts. `id` pairs it with what it returned."""

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True)
class Returned:
    """The tool is done."""

    name: str
    response: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True)
class Beat:
    """Still here."""


@dataclass(frozen=True)
class Hold:
    """Freeze credits; where there are too few the turn ends with 2001."""

    amount: int


@dataclass(frozen=True)
class Commit:
    """Write and charge, in one transaction. `back`: the draft is the one before the last."""

    draft: Draft | None = None
    charge: int = 0
    assets: Sequence[Asset] = ()
    back: bool = False
    told: bool = False


@dataclass(frozen=True)
class Refuse:
    """A code instead of an answer, when it comes first; later, an error in the stream. `status` is HTTP's."""

    code: int
    message: str
    status: int = 200


@dataclass(frozen=True)
class Fail:
    """The turn breaks: an error frame, then a clean end."""

    message: str


@dataclass(frozen=True)
class Raw:
    """Bytes as they are: rubbish, half a frame, a proxy's page."""

    data: bytes


@dataclass(frozen=True)
class Cut:
    """The connection breaks here; acts that follow still happen, unheard."""


Act = Say | Call | Returned | Beat | Hold | Commit | Refuse | Fail | Raw | Cut


@dataclass(frozen=True)
class Turn:
    """One message to a session, which nobody else changes meanwhile."""

    session: Session
    number: int
    """From 1 within the session."""
    text: str
    assets: tuple[Asset, ...] = ()
    previous: Draft | None = None


class Planner(Protocol):
    """What decides what happens: our own, or a script on a stage. Waiting is its own affair."""

    def acts(self, turn: Turn) -> AsyncIterator[Act]:
        """Acts in order; each takes effect before the next is asked for."""


class Encoder:
    """Acts to frames for one turn: `data: {json}` and a blank line, UTF-8 as it is, nothing at the end."""

    def __init__(self, dialect: Dialect, clock: Clock) -> None:
        self._flat = dialect == "flat"
        self._clock = clock
        self._invocation = f"e-{secrets.token_hex(8)}"

    def frames(self, act: Act) -> Iterator[bytes]:
        """Frames of one act; those that only have effects make none."""
        match act:
            case Say():
                yield from self._text(act)
            case Call() | Returned():
                yield self._tool(act)
            case Beat():
                yield _frame({"type": "heartbeat"}) if self._flat else b"data:\n\n"
            case Fail(message):
                yield _frame(
                    {"error": message, "error_details": {"error_type": "RuntimeError", "error_message": message}}
                )
            case Refuse(code, message):
                yield _frame({"error": message, "code": code})
            case Raw(data):
                yield data

    def _text(self, act: Say) -> Iterator[bytes]:
        if self._flat:
            yield from (
                _frame({"type": "text", "content": piece})
                for piece in (_pieces(act.text) if act.pieces else [act.text])
            )
            return
        for piece in _pieces(act.text) if act.pieces else ():
            yield self._event([{"text": piece}], partial=True)
        yield self._event([{"text": act.text}], finishReason="STOP")

    def _tool(self, act: Call | Returned) -> bytes:
        payload = dict(act.args if isinstance(act, Call) else act.response)
        if self._flat:
            kind, body = ("tool_call", "args") if isinstance(act, Call) else ("tool_result", "result")
            return _frame({"type": kind, "name": act.name, body: payload})
        key, body = ("functionCall", "args") if isinstance(act, Call) else ("functionResponse", "response")
        part = {key: {"id": act.id or f"fc-{act.name}", "name": act.name, body: payload}}
        return self._event([part], role="model" if isinstance(act, Call) else "user")

    def _event(self, parts: list[dict[str, Any]], *, role: str = "model", **extra: Any) -> bytes:
        event: dict[str, Any] = {"content": {"parts": parts, "role": role}} | extra
        event |= {"invocationId": self._invocation, "author": "nemo_agent"}
        event |= {"actions": {"stateDelta": {}, "artifactDelta": {}, "requestedAuthConfigs": {}}}
        return _frame(event | {"id": secrets.token_hex(8), "timestamp": self._clock.now().timestamp()})


def _pieces(text: str) -> list[str]:
    """A few words at a time, Chinese a few characters."""
    return re.findall(r"(?:[^\s\u3000-\u9fff\uff00-\uffef]+\s*){1,4}|[\u3000-\u9fff\uff00-\uffef]{1,6}\s*|\s+", text)


def _frame(payload: dict[str, Any]) -> bytes:
    return (
        b"data: " + json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n\n"
    )
