"""The only room that talks HTTP: calls in, typed answers and stream events out. Nothing here knows LangGraph."""

from __future__ import annotations

from agent.backend.answers import Drafts
from agent.backend.attribution import Attribution
from agent.backend.auth import Credentials
from agent.backend.calls import Verbatim
from agent.backend.client import USER, Backend
from agent.backend.parts import discard_parts
from agent.backend.stream import Ended, Failed, Heartbeat, Said, StreamEvent, ToolEnded, ToolStarted
from agent.backend.wire import Credits, DownloadedFile, RenderStatus, Session, Snapshot, Uploaded

__all__ = [
    "USER",
    "Attribution",
    "Backend",
    "Credentials",
    "Credits",
    "DownloadedFile",
    "Drafts",
    "Ended",
    "Failed",
    "Heartbeat",
    "RenderStatus",
    "Said",
    "Session",
    "Snapshot",
    "StreamEvent",
    "ToolEnded",
    "ToolStarted",
    "Uploaded",
    "Verbatim",
    "discard_parts",
]
