"""How one studio process behaves: the switches of `python -m studio`, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Dialect", "Options"]

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
