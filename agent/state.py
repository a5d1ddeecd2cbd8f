"""What one thread remembers between turns, and one turn between nodes. Data only."""

from __future__ import annotations

from typing import Any, Literal, NewType, TypedDict

from prompts import Lang
from router import Route

__all__ = ["FORMATS", "OVER", "LocalPath", "Next", "Session", "State", "Step", "UploadedFile"]

FORMATS = ("mp4", "gif", "png", "jpg", "webp")
"""What a render can come out as."""
LocalPath = NewType("LocalPath", str)
"""A path on the machine that the graph runs on: only a front end on that machine may pass one."""
UploadedFile = NewType("UploadedFile", str)
"""The handle of a file that a person has given to a host: `file_` and 32 hex digits."""

OVER: dict[str, None] = dict.fromkeys(("files", "steps", "acted", "phrases", "before", "looked"))
"""What a turn that ends leaves of its own: nothing, so that a thread is no larger than what it has to remember."""

Next = Literal["export", "credits", "state", "upload", "sse", "__end__"]
"""Where a turn can go from a node that chooses: LangGraph draws its edges from this."""


class Session(TypedDict):
    """The backend's conversation, one for a thread until the backend forgets it."""

    session_id: str
    task_id: str
    user_id: str


class Step(TypedDict):
    """One thing a turn has to do."""

    route: Route
    text: str
    files: list[str]
    by: str
    """Who asked for it: "person" or "backend"."""
    unsure: bool
    """Whether to ask before doing it."""


class State(TypedDict, total=False):
    """One thread. The first block is input, the second lives for a turn, the third for the thread."""

    utterance: str
    files: list[LocalPath] | list[UploadedFile]
    out: str | None
    """Where the person wants the exported file, from the command line."""

    wanted_lang: Lang | None
    """The language the person chose for good; None follows what they write."""

    lang: Lang
    turn_id: str
    decisions: list[dict[str, Any]]
    """Why the turn went where it did: router.Decision as dicts, kept for `explain`."""
    steps: list[Step]
    """Still to do, the present one first."""
    budget: int
    """How many more steps this turn may take."""
    acted: list[str]
    """Kinds of actions the backend's words have already caused in this turn."""
    phrases: list[dict[str, str]]
    """Gui phrases that the last send's text held."""
    spoke: bool
    """Whether the person read anything of what the backend said in the last send."""
    foreign: str
    """What it said in another language than the person's, which is shown after our own lines."""
    stuck: str
    """What the last send wanted clicked that nothing of ours stands for, where nothing else was done."""
    show: bool
    """Whether the last send pointed to the timeline."""
    asked: dict[str, Any] | None
    """A question of the backend, or about what it added by itself, that is put when the turn ends."""
    outcome: str
    """Of the present step: "done", "failed", "not-started" (a send that never ran) or "unknown"."""
    glance: Any
    """When the turn looked at its session, and what it saw: that of a moment ago is as good as another look. Of this
    turn alone: `agent.graph` keeps it out of checkpoints."""
    opened: Any
    """What the journal held when the turn began (`agent.entries.Opened`); absent where an engine goes on in mid-turn.
    Kept out of checkpoints like `glance`."""
    before: Any
    """The draft before the last send, as the backend gave it."""
    looked: Any
    """The draft as last seen in this step."""
    question: dict[str, Any] | None
    """What we asked at the end of the last turn, and the step it was about."""

    session: Session | None
    draft: Any
    """The draft as the person last heard of it."""
