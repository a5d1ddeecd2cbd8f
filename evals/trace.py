"""What happened when a dialogue was played: data only, the same whoever plays, checks or reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from agent.events import Event

__all__ = ["Check", "Exchange", "Finding", "Ledger", "Shown", "Trace", "TurnTrace"]

Check = Literal[
    "route",
    "wire",
    "headers",
    "reply",
    "actions",
    "draft",
    "quiet",
    "first_output",
    "ledger",
    "crash",
    "gui_leak",
    "token_leak",
    "silence",
    "duplicate_send",
    "export_forwarded",
    "missing_attribution",
    "wrong_language",
    "unhandled_error",
    "poll_too_fast",
    "untrue_summary",
]
"""What can fail: an expectation's name, or an invariant's."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of the agent and what came back."""

    at: float
    """Seconds since the dialogue began, on the virtual clock; in real time where the server is real."""
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    """The JSON that was sent; None where there was none; "<file name>" for each part of a form."""
    status: int | None
    """None when no answer came."""
    fault: str = ""
    """The act that struck it."""
    ended: float = 0.0
    """When the agent was done with it."""
    query: str = ""
    """What stood behind the path."""
    answer: str = ""
    """What came back, as far as it came and is text; cut after a while."""
    retry_after: float | None = None
    """Seconds after which the backend wants to be asked again; None where it did not say."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An event and when it was shown."""

    at: float
    event: Event


@dataclass(slots=True)
class TurnTrace:
    """One turn as it went."""

    number: int
    """From 1."""
    said: str
    """What the person wrote: the wording the seed picked."""
    lang: str
    """The language of the person: "en" or "zh"."""
    begun: float
    ended: float = 0.0
    routes: list[str] = field(default_factory=list)
    """Of the router's decisions, in order."""
    wanted: list[list[str]] = field(default_factory=list)
    """The acceptable lists of routes; empty where the dialogue does not say."""
    sources: list[str] = field(default_factory=list)
    """What each decision was made by."""
    actions: list[str] = field(default_factory=list)
    """Kinds of actions the translator heard, whether or not they became a step."""
    shown: list[Shown] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    """What the backend said in its stream, as the script has it."""
    acts: list[str] = field(default_factory=list)
    """Names of the acts that happened, "ctrl-c" among them."""
    before: Any = None
    draft: Any = None
    """The backend's draft before and after the turn."""
    overhead: float = 0.0
    """Real seconds the turn took."""


@dataclass(slots=True)
class Ledger:
    """What the backend counted over a dialogue."""

    sends: int = 0
    renders: int = 0
    uploads: int = 0
    charged: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that did not hold."""

    check: Check
    turn: int
    """0 for the dialogue as a whole."""
    problem: str


@dataclass(slots=True)
class Trace:
    """One dialogue played once."""

    dialogue: str
    tags: tuple[str, ...]
    seed: int
    turns: list[TurnTrace] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    wanted_ledger: dict[str, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    lasted: float = 0.0
    """Virtual seconds in all."""
    took: float = 0.0
    """Real seconds in all."""
    path: str = ""
    """The file it was played from, where it is none of the shelf's."""
    logs: str = ""
    """What the agent wrote into its log and left in its stores, as text: for the search for tokens."""
