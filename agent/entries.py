"""What the journal holds: sends, render jobs, versions of the draft, and what a turn knows of them when it begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from agent.state import Session, Step

__all__ = ["OPEN", "Job", "JobStatus", "Ledger", "Opened", "Outcome", "Send", "Version"]

Outcome = Literal["pending", "done", "not-started", "unknown"]
"""pending: it may have been sent and nobody has looked since; unknown: looked at and told, still not known."""
JobStatus = Literal["intended", "submitted", "completed", "delivered", "failed", "canceled", "forgotten"]
OPEN: tuple[JobStatus, ...] = ("intended", "submitted", "completed")
"""Jobs whose file may still come."""


@dataclass(frozen=True, slots=True)
class Send:
    """One intended `POST /run_sse`."""

    id: str
    thread: str
    session_id: str
    text: str
    fingerprint: str
    """Of the draft before the send."""
    at: str
    """UTC, ISO 8601."""
    credits: float | None = None
    """Available before the send; None when unknown."""
    remaining: list[Step] = field(default_factory=list)
    """Steps of the turn that would come after it."""
    outcome: Outcome = "pending"
    media: str = ""
    """Fingerprint of the files and of what was generated before the send; "" where it was not taken."""
    turn: str = ""
    """The turn it belongs to; `id` tells the step of it."""
    text_hash: str = ""
    """SHA-256 of the text in UTF-8, in hex: the same words are known again after the text is gone."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text_hash", sha256(self.text.encode("utf-8", "replace")).hexdigest())


@dataclass(frozen=True, slots=True)
class Job:
    """One render job, from before its submit until its file is here."""

    id: str
    thread: str
    session_id: str
    format: str
    path: str
    """Where the file is to go."""
    draft: Any
    at: str
    """UTC, ISO 8601."""
    status: JobStatus = "intended"
    again: bool = False
    """Whether it replaces a job that failed: there is no third."""
    skill: str = ""
    lang: str = "en"
    turn: str = ""
    """The turn it belongs to."""
    step: str = ""
    """The step of that turn: one that is run again finds the job it made."""
    text: str = field(default="", compare=False, repr=False)
    """The draft as the JSON text that it came as; "" where only its value is known."""

    @property
    def open(self) -> bool:
        """Whether its file may still come."""
        return self.status in OPEN


@dataclass(frozen=True, slots=True)
class Version:
    """One draft that a conversation had."""

    number: int
    """From 1, in the order they were seen; never given twice in a thread."""
    thread: str
    at: str
    """UTC, ISO 8601."""
    words: str
    """What was asked for; "" where the backend changed it by itself."""
    draft: Any
    by: str = "backend"
    """Who asked for it: "person" or "backend"."""
    session_id: str = ""
    text: str = field(default="", compare=False, repr=False)
    """The draft as the JSON text that it came as; "" where only its value is known."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known of a thread's versions without reading them. It may lag behind them, never run ahead."""

    marks: tuple[str, ...] = ()
    """A mark for each version in order; equal marks are equal drafts."""
    session_id: str = ""
    """The session that the last one was seen in."""


@dataclass(slots=True)
class Opened:
    """What there is of a thread when its turn begins. Nobody else writes to it, so whoever adds to it says so here."""

    session: Session | None
    sends: list[Send]
    """Of this very turn: it is run again."""
    pending: list[Send]
    """Those that nobody has learned the outcome of, oldest first."""
    jobs: list[Job]
    """All of the thread, oldest first."""
    ledger: Ledger
    whole: bool = False
    """Whether the ledger is known not to lag behind."""
