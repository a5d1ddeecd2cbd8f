"""Names of conversations on this machine: new ones, and the one to continue."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path

__all__ = ["last_thread", "new_thread", "remember_thread"]


def new_thread() -> str:
    """A name that no conversation has yet."""
    return uuid.uuid4().hex


def last_thread(data: Path) -> str | None:
    """The conversation that was spoken in last, or None."""
    try:
        return (data / "last_thread").read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def remember_thread(data: Path, thread: str) -> None:
    """Keeps `thread` for --continue. A full or read-only disk costs only that convenience."""
    with suppress(OSError):
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        (data / "last_thread").write_text(thread + "\n", encoding="utf-8")
