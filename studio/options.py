"""How one studio process behaves: the switches of `python -m studio`, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["LOOPBACK", "Dialect", "Door", "Options"]

LOOPBACK = ("127.0.0.1", "localhost")
EVERYWHERE = "0.0.0.0"

Dialect = Literal["adk", "flat"]


@dataclass(frozen=True)
class Options:
    """The defaults stop nobody offline."""

    strict: bool = False
    """As strict as the cloud: one token a week for a client, and the purse never refills."""
    dialect: Dialect = "adk"
    cancel_on_disconnect: bool = False
    """Drop an edit when its reader leaves, instead of finishing it."""
    seed: int = 0
    silent_rate: float = 0.3
    """Share of edits that end without a word although the draft changed."""
    pace: float = 1.0
    """How slowly text is let out: 1 reads naturally, 0 is at once."""
    heartbeat: float | None = 10.0
    """Seconds of quiet before a heartbeat; None sends none but those the planner asks for."""


@dataclass(frozen=True)
class Door:
    """Where one process listens, and the names it answers to. The default is this machine alone."""

    host: str = LOOPBACK[0]
    port: int = 0
    """0 picks a free one."""
    names: tuple[str, ...] = ()
    """What else a Host header may say."""

    @property
    def private(self) -> bool:
        """Only programs on this machine reach it."""
        return self.host in LOOPBACK

    @property
    def allowed(self) -> list[str]:
        """A page in a browser may send a foreign name to a port: only these are answered."""
        own = () if self.host == EVERYWHERE else (self.host,)
        return list(dict.fromkeys([*LOOPBACK, *own, *self.names]))

    def url(self, port: int) -> str:
        """An address that works from this machine."""
        return f"http://{LOOPBACK[0] if self.host == EVERYWHERE else self.host}:{port}"
