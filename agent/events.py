"""What a turn says while it happens. Every front end shows these and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

__all__ = ["EVENT", "Ask", "Delivered", "Error", "Event", "Hint", "Meter", "Progress", "Text", "Timeline"]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Progress(_Event):
    """Something is under way. Replaced by the next event with the same `about`; never part of the answer."""

    kind: Literal["progress"] = "progress"
    about: Literal["connect", "upload", "send", "look", "render", "download", "wait"]
    text: str
    fraction: float | None = None
    """Done so far, 0 to 1; None where nobody knows."""


class Text(_Event):
    """Words for the person. `append` adds a paragraph or a piece to `id`; `replace` rewrites all of `id`."""

    kind: Literal["text"] = "text"
    id: str
    mode: Literal["append", "replace"] = "append"
    text: str


class Timeline(_Event):
    """The draft as text, with the draft itself for front ends that draw it."""

    kind: Literal["timeline"] = "timeline"
    text: str
    draft: dict[str, Any]
    changed: list[str] = Field(default_factory=list)
    """Ids of the segments that this turn changed."""


class Delivered(_Event):
    """A file has arrived."""

    kind: Literal["delivered"] = "delivered"
    text: str
    path: str
    url: str | None = None
    format: str
    size: int
    """Bytes."""
    duration_ms: int | None = None
    """None for a still."""


class Ask(_Event):
    """A question that ends the turn; the next utterance answers it."""

    kind: Literal["ask"] = "ask"
    text: str
    options: list[str] = Field(default_factory=list)


class Hint(_Event):
    """What could come next. Never part of the answer."""

    kind: Literal["hint"] = "hint"
    text: str
    suggestions: list[str]
    """Utterances, each a turn by itself."""


class Error(_Event):
    """Something did not work: what happened, what it means for the work, what to do next."""

    kind: Literal["error"] = "error"
    code: str
    """The error's name in errors.py in snake case, or "internal"."""
    text: str


class Meter:
    """Bytes done of bytes in all -> a fraction for every whole percent, so that a large file is not a flood."""

    def __init__(self, show: Callable[[float | None], None]) -> None:
        self._show = show
        self._shown = -1

    def __call__(self, done: int, total: int) -> None:
        """Called for every piece; `total` is 0 where nobody knows it."""
        percent = done * 100 // total if total else 0
        if percent > self._shown:
            self._shown = percent
            self._show(done / total if total else None)


Event = Annotated[Progress | Text | Timeline | Delivered | Ask | Hint | Error, Field(discriminator="kind")]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
