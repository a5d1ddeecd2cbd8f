"""Which conversation and which turn a chat completion means: its clients resend the history and name neither.

The conversation is what a header names (Open WebUI, LibreChat), else `metadata.thread_id`. A client that names none
gets a conversation of its own, and its name stands in the answer: a last line that markdown does not show,
`[//]: # (reelchat c-…)`. Such a client sends our answers back with its next message, and the last one says where we
were. Nothing else in a history does: the same words may begin two conversations. A terminal shows that line as it is.
A handle only leads to conversations of whoever is asking, and nobody can guess one.

A turn is known by its conversation, how many messages its user wrote up to it, the answer before it, and its words and
files: the same request again (a retry, "regenerate") is the same turn. The answer before it counts because clients
drop old messages, and then "once more" would for ever be the message number 20. A client that keeps no history and
repeats itself sends an `Idempotency-Key` for each message; with one, the key alone tells turns apart.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from starlette.requests import Request

from agent.house import Agent
from agent.serve.door import Host, Refused
from agent.serve.parts import Given, digest

__all__ = ["Place", "find_place", "plain_text"]

RETRIES = timedelta(minutes=10)
"""How old the request may be that a client repeats which says that it does, but not which one."""
LONGEST = 200
"""Characters of a conversation's name."""
NAMELESS = ("", "new", "null", "none", "undefined", "pending")
"""What clients send as the name of a conversation that they have not saved yet."""
_HANDLE = re.compile(r"\[//\]: # \(reelchat (c-[0-9a-f]{32})\)\s*\Z")
_ANY_HANDLE = re.compile(r"\[//\]: # \(reelchat c-[0-9a-f]{32}\)")
_OWN = re.compile(r"c-[0-9a-f]{32}")
_ADDRESS = re.compile(r"https?://\S+")


class Message(Protocol):
    """One message of a history."""

    role: str
    content: Any


@dataclass(frozen=True, slots=True)
class Place:
    """The conversation and the turn that a request means."""

    thread: str
    id: str
    told: bool
    """Whether the answer has to carry the name of the conversation, because the client has none for it."""

    @property
    def handle(self) -> str:
        """The line that carries it."""
        return f"[//]: # (reelchat {self.thread})"


@dataclass(frozen=True, slots=True)
class _Turn:
    """What makes a turn the same, whichever conversation it belongs to."""

    count: int
    before: str
    mark: str
    key: str

    def id(self, thread: str) -> str:
        if self.key:
            return digest("chat", thread, "key", self.key)
        return digest("chat", thread, str(self.count), self.before, self.mark)


async def find_place(
    host: Host, agent: Agent, request: Request, history: Sequence[Message], message: Given, metadata: dict[str, Any]
) -> Place:
    """Where a request belongs. `history` ends with the message that the turn is about. Raises Refused."""
    before = next((plain_text(one.content) for one in reversed(history) if one.role == "assistant"), "")
    turn = _Turn(
        sum(one.role == "user" for one in history),
        _comparable(before),
        message.mark,
        request.headers.get("idempotency-key", ""),
    )
    records = host.turns.records(agent.user)
    named, said = _named(host, request, metadata), _HANDLE.search(before)
    # A client may have found a name for a conversation that had none when it began: it goes on under its handle.
    if said and not (named and await records.conversation(named)) and await records.conversation(said[1]):
        return Place(said[1], turn.id(said[1]), told=True)
    if named:
        return Place(named, turn.id(named), told=False)
    if turn.key:
        thread = f"c-{digest(agent.user, 'key', turn.key)}"
        return Place(thread, turn.id(thread), told=True)
    if request.headers.get("x-stainless-retry-count", "0") != "0" and (again := await _repeated(host, agent, turn)):
        return again
    thread = f"c-{secrets.token_hex(16)}"
    return Place(thread, turn.id(thread), told=True)


def plain_text(content: Any) -> str:
    """The words of a message, whatever else it holds."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))


async def _repeated(host: Host, agent: Agent, turn: _Turn) -> Place | None:
    """The nameless conversation whose latest turns include this very one. Any process finds it: it is on record."""
    records, since = host.turns.records(agent.user), (host.house.clock.now() - RETRIES).isoformat()
    for one in await records.conversations():
        if one.at < since:
            break
        if _OWN.fullmatch(one.thread) and await records.turn(agent.thread_id(one.thread), turn.id(one.thread)):
            return Place(one.thread, turn.id(one.thread), told=True)
    return None


def _named(host: Host, request: Request, metadata: dict[str, Any]) -> str:
    """The name that a client has for the conversation; "" for none. Raises Refused."""
    given = [request.headers.get(header, "") for header in host.options.thread_headers]
    names = [name.strip() for name in (*given, str(metadata.get("thread_id") or ""))]
    named = next((name for name in names if name.lower() not in NAMELESS and not name.startswith("{{")), "")
    if len(named) > LONGEST or not named.isprintable():
        raise Refused("bad_request", param="metadata.thread_id", reason="openai.thread", limit=LONGEST)
    return named


def _comparable(answer: str) -> str:
    """An answer without what changes when it is told again: links are signed anew each time."""
    return " ".join(_ADDRESS.sub("", _ANY_HANDLE.sub("", answer)).split())
