"""What one event of a chat stream says, in either dialect: its words, its failure, its fields."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from agent.backend.answers import FINE

__all__ = ["code_of", "failure", "get", "name_of", "printable", "visible"]


def visible(event: dict[str, Any]) -> str:
    """The text a person may read: no thoughts, no calls, no pictures."""
    content = event.get("content")
    if isinstance(content, str):
        return printable(content)
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list):
        return ""
    shown = [part for part in parts if isinstance(part, dict) and not part.get("thought")]
    return printable("".join(part["text"] for part in shown if isinstance(part.get("text"), str)))


def failure(event: dict[str, Any], name: str) -> str | None:
    """What an event without an author says went wrong; None when it says no such thing."""
    if event.get("type") in ("text", "tool_call", "tool_result"):
        return None  # An error in these is the tool's, and no end.
    refusal = "type" not in event and "content" not in event and code_of(event) is not None
    if not (refusal or event.get("error") is not None or event.get("type") == "error" or name == "error"):
        return None
    told = event.get("error")
    told = told.get("message") if isinstance(told, dict) else told
    words = (told, event.get("message"), event.get("content"))
    return next((word for word in words if isinstance(word, str) and word), "")


def code_of(event: dict[str, Any]) -> int | None:
    held = event.get("error")
    code = event.get("code", held.get("code") if isinstance(held, dict) else None)
    code = int(code) if isinstance(code, str) and re.fullmatch(r"-?[0-9]{1,9}", code) else code
    return code if isinstance(code, int) and not isinstance(code, bool) and code not in FINE else None


def get(event: dict[str, Any], name: str) -> Any:
    """A field in today's camelCase or in the snake_case of old servers."""
    return event.get(name, event.get(_snake(name)))


@cache
def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def name_of(value: object) -> str:
    return printable(value) if isinstance(value, str) else ""


def printable(text: str) -> str:
    """Without lone surrogates, which JSON can spell and no terminal, file or socket takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
