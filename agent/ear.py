"""Hears the backend's stream: clean sentences go to the person as they end, a question that ends it is kept back."""

from __future__ import annotations

import re
import uuid
from dataclasses import asdict
from typing import Any

from langgraph.runtime import Runtime

from agent.backend import Ended, Failed, Said, StreamEvent
from agent.context import Context, emit
from agent.errors import ApiError, api_error
from agent.events import Text
from agent.gui.grammar import CJK
from agent.questions import asks, read
from agent.translator import Stream
from prompts import Lang

__all__ = ["Ear"]

_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|「[^」]*」|《[^》]*》|`[^`]*`")
_LATIN = re.compile(r"[A-Za-z]{2,}")
_ITEM = re.compile(r"\s*(?:[-*+•]\s|\w[.)、]|[①-⑨]|[(（]?\w[)）])")


class Ear:
    """One listener for one send."""

    def __init__(self, runtime: Runtime[Context], lang: Lang) -> None:
        self._runtime, self._lang = runtime, lang
        self._turn = uuid.uuid4().hex
        self._streams: dict[int, Stream] = {}
        self._shown: dict[int, str] = {}
        """What was shown of each segment."""
        self._held: tuple[int, str] | None = None
        """A question that nothing but its list of answers has followed yet, and its segment."""
        self._foreign: dict[int, str] = {}
        """What was said in another language than the person's: it comes after our own lines."""
        self.failed: ApiError | None = None
        self.complete = False

    def hear(self, event: StreamEvent) -> None:
        """Takes one event of the stream."""
        if isinstance(event, Said):
            self._said(event)
        elif isinstance(event, Failed):
            known = event.code is not None
            self.failed = api_error(event.code or ApiError.code, event.message, reason="" if known else "stream")
        elif isinstance(event, Ended):
            self.complete = event.complete

    def close(self) -> None:
        """Lets out what was waiting for the end of its sentence."""
        for segment, stream in self._streams.items():
            self._show(segment, stream.close())

    def heard(self) -> dict[str, Any]:
        """What the next nodes need to know. A question at the end without answers to pick is told at once."""
        phrases = [{"kind": p.kind, "words": p.words} for s in self._streams.values() for p in s.phrases]
        asked = self._question()
        said = [text.strip() for text in self._foreign.values() if text.strip()]
        return {
            "phrases": phrases,
            "asked": asked,
            "spoke": bool(asked) or any(self._shown.values()),
            "foreign": "\n".join(said),
        }

    def _question(self) -> dict[str, Any] | None:
        if self._held is None:
            return None
        segment, text = self._held
        question = read(self._shown.get(segment, "") + text, self._lang) if self.complete and not self.failed else None
        if question is None:
            self._let_out()
            return None
        self._held = None
        return {**asdict(question), "said": text.strip()}

    def _said(self, said: Said) -> None:
        if said.mode == "replace":
            self._streams[said.segment] = Stream()
            self._shown[said.segment] = self._foreign[said.segment] = ""
            if self._held and self._held[0] == said.segment:
                self._held = None
            emit(self._runtime, Text(id=self._id(said.segment), mode="replace", text=""))
        stream = self._streams.setdefault(said.segment, Stream())
        self._show(said.segment, stream.feed(said.text))
        if said.final:
            self._show(said.segment, stream.close())

    def _show(self, segment: int, sentences: list[str]) -> None:
        for sentence in sentences:
            goes_on = self._held and self._held[0] == segment and (_ITEM.match(sentence) or not sentence.strip())
            if self._held and goes_on:
                self._held = segment, self._held[1] + sentence
                continue
            self._let_out()
            if asks(sentence):
                self._held = segment, sentence
            else:
                self._emit(segment, sentence)

    def _let_out(self) -> None:
        held, self._held = self._held, None
        if held:
            self._emit(*held)

    def _emit(self, segment: int, text: str) -> None:
        self._shown[segment] = self._shown.get(segment, "") + text
        if _is_foreign(text, self._lang):
            self._foreign[segment] = self._foreign.get(segment, "") + text
            return
        emit(self._runtime, Text(id=self._id(segment), text=text))

    def _id(self, segment: int) -> str:
        return f"{self._turn}-{segment}"


def _is_foreign(text: str, lang: Lang) -> bool:
    """Whether a sentence is in the other of our languages, names and quotations left out."""
    bare = _QUOTED.sub("", text)
    chinese, latin = len(CJK.findall(bare)), len(_LATIN.findall(bare))
    return chinese > latin if lang == "en" else not chinese and latin > 2
