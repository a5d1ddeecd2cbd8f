"""One sentence of the backend, with what speaks of a screen taken out and the rest mended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from agent.gui.gestures import Phrase, PhraseKind, named, plain
from agent.gui.hearing import hear, is_plain
from agent.gui.pieces import Piece, pieces
from agent.gui.signs import Before, is_condition

__all__ = ["Cleaned", "clean", "marker"]

_MARKER = re.compile(r"(?:>[ \t]*)*(?:(?:[-*+•·]|\d{1,3}[.)、]|#{1,6}|[(（]\d{1,2}[)）]|[①-⑳])[ \t]*)?")
_TAIL = re.compile(r"(?:[.!?…。！？*_~\s]|[☀-➿\U0001f300-\U0001faff️])*$")
_JOINT = re.compile(
    r"[\s,，、;；:：]*(?:(?:and|but|so|or|otherwise|then|also|alternatively)\b|但是?|并且?|並且?|否则|否則|或者?|然后|然後)?[\s,，、]*",
    re.I,
)
_DANGLING = re.compile(r"(?:[\s,，、;；:：–—-]|\s(?:and|or|but|so|then|which|where|that)$)+$", re.I)
_EMPTY = re.compile(r"[\W_]*(?:(?:and|or|but|so|then|also|just|please|now|next|并|再|请|然后|然後)\b[\W_]*)?", re.I)
_STRAY = re.compile(r"[(（][^()（）]*$|^[^()（）]*[)）]")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What is left of a sentence, "" where nothing is, and what was taken out."""

    text: str
    phrases: tuple[Phrase, ...]
    last: str
    """What its end stood for."""


def clean(sentence: str, before: Before) -> Cleaned:
    """The sentence without its gui phrases. One without any comes back as it was."""
    head = marker(sentence)
    body = sentence[len(head) :]
    if before.last == "content" and is_plain(body):
        return Cleaned(sentence, (), "content")
    found = pieces(body)
    labels = hear(head, found, before)
    if all(label == "content" for label in labels):
        return Cleaned(sentence, (), "content")
    phrases = tuple(_phrases(found, labels))
    kept = [at for at, label in enumerate(labels) if label == "content"]
    if all(_EMPTY.fullmatch(found[at].words) for at in kept):
        return Cleaned("", phrases, labels[-1])
    return Cleaned(head + _mended(body, found, kept), phrases, labels[-1])


def marker(sentence: str) -> str:
    """What makes a line an item of a list, a heading or a quoted block; "" where nothing does."""
    found = _MARKER.match(sentence)
    return found[0] if found else ""


def _phrases(found: Sequence[Piece], labels: Sequence[str]) -> list[Phrase]:
    """A phrase for each run of pieces that stand for the same; behind a condition none is acted on."""
    phrases: list[Phrase] = []
    conditional = False
    for label, run in groupby(zip(labels, found, strict=True), key=lambda each: each[0]):
        taken = [piece for _, piece in run]
        words = "".join(piece.words for piece in taken).strip(" ,，、;；:：\n")
        if label != "content":
            conditional = conditional or any(is_condition(piece.shape) for piece in taken)
            phrases.append(Phrase("idle" if conditional else _kind(label, words), words))
    return phrases


def _kind(label: str, words: str) -> PhraseKind:
    """What a run stands for; a button with a name that nobody knows is none of ours, whatever it sounds like."""
    meant = plain(words)
    if label not in _KINDS or (
        label in _NAMED and meant is None and (name := _NAME.search(words)) and not named(name[0])
    ):
        return "unknown"
    return meant or _KINDS[label]


_NAMED = ("export", "new", "undo", "upload", "credits")
"""What is done only for a button of ours where the button has a name."""
_NAME = re.compile(r"[“「『\"]\w[^”」』\"]{0,20}[”」』\"]|\*\*\w[^*]{0,20}\*\*|\bthe [A-Z]\w+ (?:button|icon)\b")
_KINDS: dict[str, PhraseKind] = {
    name: name for name in ("export", "state", "tracks", "credits", "edit", "undo", "upload", "new")
}


def _mended(body: str, found: Sequence[Piece], kept: Sequence[int]) -> str:
    """The pieces that stay, with the sentence's own beginning and end."""
    tail = _TAIL.search(body)
    end = tail[0] if tail else ""
    text = "".join(found[at].words for at in kept)
    text = _DANGLING.sub("", text[: -len(end)] if end and kept[-1] == len(found) - 1 else text)
    if text.count("(") + text.count("（") != text.count(")") + text.count("）"):
        text = _STRAY.sub(lambda match: match[0].strip("()（）"), text)
    if kept[0] != 0:
        joint = _JOINT.match(text)
        text = text[joint.end() if joint else 0 :]
        text = text[:1].upper() + text[1:] if body.lstrip(" *_")[:1].isupper() else text
    if text.count("**") % 2 == 0:
        end = end.replace("**", "")
    if _TAIL.sub("", text) != text:
        end = ""  # What is left has an end of its own.
    return text + end
