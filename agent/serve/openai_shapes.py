"""Answers as OpenAI's chat clients read them: whole, in pieces, and what is counted of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from agent.events import Delivered, Event, Progress, Text, Timeline
from agent.serve.door import as_text
from agent.serve.plain import Paper, linked, marked

__all__ = ["DONE", "Reply", "Script", "counted", "failure", "settled"]

DONE = "data: [DONE]\n\n"
STEP = 4
"""A progress that counts is told at every quarter: who reads along sees a log, not a bar."""
_JOINER = "\u2060"
"""Takes no room. An address with one in it is not taken for a link."""


@dataclass(slots=True)
class Reply:
    """The frame of one answer."""

    id: str
    model: str
    prompt: str
    """What was said, for the count."""
    usage: bool = False
    """Whether the stream ends with what was counted."""
    at: int = field(default_factory=lambda: int(time.time()))

    def chunk(self, delta: dict[str, Any], finish: str | None = None) -> str:
        """One piece of a stream."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._line([choice], {"usage": None} if self.usage else {})

    def end(self, answer: str) -> str:
        """The last pieces of a stream."""
        count = self._line([], {"usage": counted(self.prompt, answer)}) if self.usage else ""
        return self.chunk({}, "stop") + count + DONE

    def whole(self, answer: str, thoughts: str = "") -> dict[str, Any]:
        """The answer at once."""
        message: dict[str, Any] = {"role": "assistant", "content": answer, "refusal": None}
        if thoughts:
            message["reasoning_content"] = thoughts
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**self._frame("chat.completion"), "choices": [choice], "usage": counted(self.prompt, answer)}

    def _line(self, choices: list[dict[str, Any]], more: dict[str, Any]) -> str:
        return f"data: {as_text({**self._frame('chat.completion.chunk'), 'choices': choices, **more})}\n\n"

    def _frame(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.at, "model": self.model, "system_fingerprint": None}


class Script:
    """The answer of one turn as it grows: what is said, and beside it what is done meanwhile."""

    def __init__(self, place: Any) -> None:
        self._paper = Paper(marked, lambda event: linked(event, place(event)))
        self._shown: tuple[str, str, int] | None = None

    @property
    def text(self) -> str:
        """What was said so far."""
        return self._paper.text

    def add(self, event: Event) -> dict[str, str] | None:
        """What an event adds to a stream; None for nothing."""
        if isinstance(event, Progress):
            return self._think(event)
        if isinstance(event, Text) and event.mode == "replace" and not event.text:
            return None  # Said is said: a stream can't take it back.
        if isinstance(event, Timeline | Delivered):
            event = event.model_copy(update={"text": _plain(event.text)})
        piece = self._paper.add(event)
        return {"content": piece} if piece else None

    def end(self, line: str) -> dict[str, str]:
        """A line of its own at the end."""
        piece = f"\n\n{line}" if self._paper.text else line
        self._paper.text += piece
        return {"content": piece}

    def _think(self, event: Progress) -> dict[str, str] | None:
        done = int((event.fraction or 0) * STEP)
        now = (event.about, event.text, done)
        if now == self._shown:
            return None
        self._shown = now
        percent = f" {done * 100 // STEP}%" if done else ""
        return {"reasoning_content": f"{event.text}{percent}\n"}


def settled(events: list[Event]) -> list[Event]:
    """The events of a turn that is over, without what was taken back."""
    last = {event.id: at for at, event in enumerate(events) if isinstance(event, Text) and event.mode == "replace"}
    return [e for at, e in enumerate(events) if not (isinstance(e, Text) and at < last.get(e.id, -1))]


def counted(prompt: str, answer: str) -> dict[str, Any]:
    """Sizes, for clients that add them up: four bytes are about a token. What a turn costs is told in credits."""
    asked, said = (max(1, len(text.encode("utf-8", "replace")) // 4) for text in (prompt, answer))
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def failure(message: str, request_id: str) -> str:
    """The end of a stream that broke: OpenAI's clients raise what they find under `error`."""
    error = {"message": message, "type": "server_error", "code": "internal", "param": None, "request_id": request_id}
    return f"data: {as_text({'error': error})}\n\n{DONE}"


def _plain(text: str) -> str:
    """Names that people gave, with no address in them that a reader would make a link of."""
    return text.replace("://", f":{_JOINER}//").replace("www.", f"www{_JOINER}.")
