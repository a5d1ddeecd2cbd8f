"""What stands on a person's screen when a turn is over."""

from __future__ import annotations

from collections.abc import Sequence

from agent.events import Event, Progress, Text

__all__ = ["shown"]


def shown(events: Sequence[Event]) -> str:
    """What a person has read when a turn is over."""
    paragraphs: dict[str, str] = {}
    for number, event in enumerate(events):
        if isinstance(event, Text):
            kept = "" if event.mode == "replace" else paragraphs.get(event.id, "")
            paragraphs[event.id] = kept + event.text
        elif not isinstance(event, Progress):
            paragraphs[str(number)] = event.text
    return "\n".join(paragraphs.values())
