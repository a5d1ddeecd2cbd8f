"""Which call may be made again, after what and when: the one table, and the loop that follows it."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar

import httpx

from agent.clock import Clock
from agent.errors import ApiError, BackendError, BadAnswer, RateLimited, StreamLost, Unreachable

__all__ = ["NOTHING_SENT", "RULES", "Endpoint", "Rule", "Verbatim", "body_of", "encoded", "failed", "persist"]

Endpoint = Literal[
    "token", "session", "credits", "state", "upload", "send", "render", "poll", "cancel", "claim", "download"
]
Trouble = Literal["unreachable", "broken"]

NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""What goes wrong before the first byte of a request has left."""
PAUSES = (0.5, 2.0)
"""Seconds before the first and the second try again."""
LIMITED_PAUSE, LONGEST_PAUSE = 30.0, 120.0
"""Seconds to wait after a 429 when the backend does not say; asked for more than the longest, we don't wait at all."""


LONGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of JSON; the draft of an hour's film has a hundredth of it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one endpoint's calls may be made again after, and how often."""

    after: frozenset[Trouble] = frozenset()
    """unreachable: nothing was sent; broken: a 5xx, an unreadable answer or none at all."""
    again: int = 2
    limited: int = 0
    """Tries more after a 429, each after its wait."""

    @property
    def reads(self) -> bool:
        """Whether a call changes nothing, so that one without an answer may simply be made again."""
        return "broken" in self.after


_WRITE = Rule(after=frozenset({"unreachable"}), limited=1)
_READ = Rule(after=frozenset({"unreachable", "broken"}), limited=1)

RULES: dict[Endpoint, Rule] = {
    "credits": _READ,
    "state": _READ,
    "poll": _READ,
    # A 429 is a no: nothing was done, so these may be asked for once more.
    "token": _WRITE,
    "session": _WRITE,
    "upload": _WRITE,
    "cancel": _WRITE,
    "claim": _WRITE,
    # A second submit could be a second job: the first is looked up by its id.
    "render": Rule(),
    # A second send is a second charge. Never.
    "send": Rule(),
    # Has tries of its own, which go on where the file broke off.
    "download": Rule(),
}

Answer = TypeVar("Answer")


class Verbatim(str):
    """JSON text that a body holds as it is."""

    __slots__ = ()


def encoded(body: dict[str, Any]) -> bytes:
    """A body in ASCII, with whatever JSON the backend itself wrote."""
    members = (f"{json.dumps(name)}:{_encoded(value)}" for name, value in body.items())
    return f"{{{','.join(members)}}}".encode()


def _encoded(value: Any) -> str:
    return value if isinstance(value, Verbatim) else json.dumps(value, separators=(",", ":"))


async def persist(rule: Rule, call: Callable[[], Awaitable[Answer]], clock: Clock) -> Answer:
    """The answer of `call`, made again as `rule` allows. Raises what the last try raised."""
    again, limited = rule.again, rule.limited
    while True:
        try:
            return await call()
        except BackendError as error:
            if isinstance(error, RateLimited):
                limited -= 1
                pause = _asked_for(error) if limited >= 0 else None
            else:
                again -= 1
                pause = PAUSES[-1 - min(again, 1)] if again >= 0 and _trouble(error) in rule.after else None
            if pause is None:
                raise
        await clock.sleep(pause)


async def body_of(response: httpx.Response) -> str:
    """The whole text of an open response, which is closed. Raises BadAnswer where it does not end within reason."""
    read = bytearray()
    async with aclosing(response):
        async for piece in response.aiter_bytes():
            read += piece
            if len(read) > LONGEST_ANSWER:
                raise BadAnswer("an answer without end", status=response.status_code)
    try:
        return read.decode(_charset(response.headers.get("content-type", "")), "replace")
    except LookupError:
        return read.decode("utf-8", "replace")


@lru_cache(64)
def _charset(content_type: str) -> str:
    return httpx.Response(200, headers={"content-type": content_type}).charset_encoding or "utf-8"


def failed(error: Exception, rule: Rule) -> BackendError:
    """What a request that got no answer means to whoever asked. Its message is httpx's word, without data."""
    word = type(error).__name__
    return Unreachable(word) if rule.reads or isinstance(error, NOTHING_SENT) else StreamLost(word)


def _trouble(error: BackendError) -> Trouble | None:
    if isinstance(error, Unreachable):
        return "unreachable"
    server_side = isinstance(error, ApiError) and 500 <= max(error.status, error.number) < 600
    return "broken" if server_side or isinstance(error, BadAnswer) else None


def _asked_for(error: RateLimited) -> float | None:
    """Seconds to wait after a 429; None when it is more than a person sits through: earlier would be too early."""
    wait = error.values.get("retry_after")
    if not isinstance(wait, float):
        return LIMITED_PAUSE
    if wait <= LONGEST_PAUSE:
        return wait
    error.reason, error.values["minutes"] = "later", math.ceil(wait / 60)
    return None
