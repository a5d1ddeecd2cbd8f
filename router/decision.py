"""What a router is given and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ROUTES", "Decision", "Route", "Source", "Turn"]

Route = Literal["export", "credits", "state", "upload", "sse"]
Source = Literal["keyword", "rule", "intent", "model", "context", "default"]

ROUTES: tuple[Route, ...] = ("export", "credits", "state", "upload", "sse")


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance and what is known around it."""

    text: str
    attachments: tuple[str, ...] = ()
    """Files the front end attached: paths or handles, already known to be material."""
    pending: Route | None = None
    """The route a question we just asked would take if the person says yes."""
    rendering: bool = False
    """Whether a render job is running on this thread."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One step of a turn: where it goes and why."""

    route: Route
    text: str
    """The step's own words, as the person wrote them: what an sse step sends."""
    span: tuple[int, int]
    """Where those words stand in the utterance: start and end offset in characters."""
    source: Source
    score: float
    """Calibrated probability that the route is right, 0 to 1."""
    because: str
    """The evidence in a few characters, e.g. "export" or "attachment": a code, not a sentence."""
    files: tuple[str, ...] = ()
    """Paths and URLs this step is about, as written."""
    ask: bool = False
    """Whether to ask before acting: a side effect we are not sure enough of."""
