"""What can go wrong on a wire, and what is written down of every request: data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Fault", "Kind", "Pace", "Record", "Where"]

Kind = Literal["reset", "hang", "eof", "garble", "repeat", "reply", "stop"]
"""reset: the connection breaks. hang: silence, until the client's own timeout. eof: a clean end, too early. garble: one
byte becomes another. repeat: a piece comes twice. reply: somebody between answers instead. stop: `on_stop` is called
and nothing more comes, as when a person gives up."""
Where = Literal["connect", "request", "swallowed", "answer", "body"]
"""connect: nothing leaves. request: after `at` bytes of the request's body. swallowed: all of it left, and the app
never saw it. answer: the app did its work, its headers never arrive. body: after `at` bytes of the answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the `nth` request (from 1) that matches, and the `times - 1` after it."""

    method: str
    path: str
    """Shell patterns, both."""
    kind: Kind
    where: Where = "answer"
    nth: int = 1
    at: int = 0
    times: int = 1
    status: int = 502
    content: bytes = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
    type: str = "text/html"

    def __str__(self) -> str:
        place = f"{self.where} at byte {self.at}" if self.where in ("request", "body") else self.where
        what = f"{self.kind} {self.status}" if self.kind == "reply" else self.kind
        often = "" if self.times == 1 else f" and {self.times - 1} more"
        return f"{what}, {place}, {self.method} {self.path} no. {self.nth}{often}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How an answer's pieces come: cut to these sizes in turn (as the app made them where empty), seconds apart."""

    sizes: tuple[int, ...] = ()
    delay: float = 0.0
    join: bool = False
    """Whether pieces that are ready at the same time come as one."""


@dataclass(slots=True)
class Record:
    """One request as it happened."""

    at: float
    """The loop's time, in seconds."""
    method: str
    path: str
    body: bytes = b""
    reached: bool = False
    """Whether the app got all of it."""
    fault: Fault | None = None
    status: int | None = None
    """What the client was told; None when no headers came."""
    answer: bytes = b""
    """What the client was given of the body."""
    pieces: list[int] = field(default_factory=list)
    """Sizes in bytes as the app made them."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of the request, by their names in small letters."""
    query: str = ""
    ended: float = 0.0
    """When the client was done with it, in the loop's seconds."""
    struck: list[str] = field(default_factory=list)
    """Acts of a script that happened in it."""

    def __str__(self) -> str:
        fate = f" [{self.fault}]" if self.fault else ""
        told = "-" if self.status is None else self.status
        return f"{self.at:8.1f} {self.method} {self.path} -> {told} {self.answer[:60]!r}{fate}"
