"""A turn's events as a response in OpenAI's shape, and as the numbered events that build it up piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.events import Delivered, Event, Progress
from agent.serve.plain import Paper, marked

__all__ = ["About", "Script"]

STATUS = {"running": "in_progress", "done": "completed", "broken": "failed"}


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a response before it says anything."""

    id: str
    conversation: str
    model: str
    said: str
    """By the person."""
    at: float
    """Seconds since 1970."""
    previous: str | None = None
    metadata: dict[str, str] | None = None
    background: bool = False


class Script:
    """One response. Its output items come one after the other and none is ever reopened:

    reasoning (progress, as a summary) and message (the answer) take turns, and the messages' texts in a row are the
    whole answer, with the blank lines between them.
    """

    def __init__(self, about: About, place: Callable[[Delivered], str], broken: str) -> None:
        self._about, self._broken = about, broken
        self._paper = Paper(marked, place)
        self._output: list[dict[str, Any]] = []
        self._noted = ("", "")
        self._number = -1
        self.status = "running"

    def begin(self) -> list[dict[str, Any]]:
        """The first events."""
        return [self._event(f"response.{kind}", response=self.response()) for kind in ("created", "in_progress")]

    def add(self, event: Event) -> list[dict[str, Any]]:
        """What one more event of the turn makes."""
        if isinstance(event, Progress):
            if (event.about, event.text) == self._noted:
                return []  # only a few percent on
            self._noted = (event.about, event.text)
            made = [] if self._in("reasoning") else [*self._close(), self._open("reasoning")]
            return [*made, *self._note(event.text)]
        piece = self._paper.add(event)
        if not piece:
            return []
        made = [] if self._in("message") else [*self._close(), *self._open_message()]
        item = self._output[-1]
        item["content"][0]["text"] += piece
        return [*made, self._of(item, "response.output_text.delta", content_index=0, delta=piece, logprobs=[])]

    def end(self, status: str) -> list[dict[str, Any]]:
        """The last events; the very last one holds the whole response."""
        closed = self._close()
        self.status = status
        return [*closed, self._event(f"response.{STATUS[status]}", response=self.response())]

    def response(self) -> dict[str, Any]:
        """The response as it is so far."""
        about, status = self._about, STATUS[self.status]
        failed = {"code": "server_error", "message": self._broken} if status == "failed" else None
        return {
            "id": about.id,
            "object": "response",
            "created_at": int(about.at),
            "status": status,
            "background": about.background,
            "conversation": {"id": about.conversation},
            "error": failed,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": None,
            "metadata": about.metadata or {},
            "model": about.model,
            "output": [dict(item) for item in self._output],
            "parallel_tool_calls": False,
            "previous_response_id": about.previous,
            "reasoning": {"effort": None, "summary": None},
            "store": True,
            "temperature": None,
            "text": {"format": {"type": "text"}},
            "tool_choice": "none",
            "tools": [],
            "top_p": None,
            "truncation": "disabled",
            "usage": None if status == "in_progress" else self._usage(),
        }

    def _usage(self) -> dict[str, Any]:
        """Nobody counts tokens here: a quarter of the bytes is what clients may show."""
        given, said = _tokens(self._about.said), _tokens(self._paper.text)
        return {
            "input_tokens": given,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": said,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": given + said,
        }

    def _note(self, text: str) -> list[dict[str, Any]]:
        """One line of progress is one part of the summary."""
        item = self._output[-1]
        at, part = len(item["summary"]), {"type": "summary_text", "text": marked(text)}
        item["summary"].append(part)
        name, where = "response.reasoning_summary", {"summary_index": at}
        return [
            self._of(item, f"{name}_part.added", **where, part={**part, "text": ""}),
            self._of(item, f"{name}_text.delta", **where, delta=part["text"]),
            self._of(item, f"{name}_text.done", **where, text=part["text"]),
            self._of(item, f"{name}_part.done", **where, part=part),
        ]

    def _in(self, kind: str) -> bool:
        return bool(self._output) and self._output[-1]["type"] == kind

    def _open(self, kind: str) -> dict[str, Any]:
        """A new item, announced empty."""
        mark = f"{self._about.id[-32:]}{len(self._output):03d}"
        item: dict[str, Any] = {"id": f"rs_{mark}", "type": "reasoning", "summary": [], "status": "in_progress"}
        if kind == "message":
            item = {"id": f"msg_{mark}", "type": "message", "role": "assistant", "content": [], "status": "in_progress"}
        self._output.append(item)
        return self._event("response.output_item.added", output_index=len(self._output) - 1, item=_copy(item))

    def _open_message(self) -> list[dict[str, Any]]:
        opened = self._open("message")
        item, part = self._output[-1], {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        item["content"].append(part)
        return [opened, self._of(item, "response.content_part.added", content_index=0, part=dict(part))]

    def _close(self) -> list[dict[str, Any]]:
        """The last item is done."""
        if not self._output:
            return []
        item = self._output[-1]
        item["status"], made = "completed", []
        if item["type"] == "message":
            part = dict(item["content"][0])
            text = {"text": part["text"], "logprobs": []}
            made.append(self._of(item, "response.output_text.done", content_index=0, **text))
            made.append(self._of(item, "response.content_part.done", content_index=0, part=part))
        done = self._event("response.output_item.done", output_index=len(self._output) - 1, item=_copy(item))
        return [*made, done]

    def _of(self, item: dict[str, Any], kind: str, **values: Any) -> dict[str, Any]:
        return self._event(kind, item_id=item["id"], output_index=len(self._output) - 1, **values)

    def _event(self, kind: str, **values: Any) -> dict[str, Any]:
        self._number += 1
        return {"type": kind, "sequence_number": self._number, **values}


def _copy(item: dict[str, Any]) -> dict[str, Any]:
    """As it is at this moment: the item itself goes on."""
    return {key: [dict(one) for one in value] if isinstance(value, list) else value for key, value in item.items()}


def _tokens(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // 4)
