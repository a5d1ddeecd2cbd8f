"""What the backend asks, as a question with answers to pick, and what the person picks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from agent.gui.grammar import CJK
from prompts import Lang, say, table

__all__ = ["Option", "Question", "asks", "picked", "read"]

LONGEST_OPTION = 60
"""Characters. More is a sentence, no answer to pick."""
MOST_OPTIONS = 8
_ENDS = re.compile(r"[?？][\s*_”\"'’)）]*$")
_SENTENCE = re.compile(r"(?<=[.!?。！？…])\s+|(?<=[。！？])|\n+")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,2}[.)、]|[A-Ha-h][.)、]|[①-⑨]|[(（]?[1-9A-Ha-h][)）])\s*(?P<words>\S.*)")
_BOLD = re.compile(r"(?:\*\*|__)(?P<head>[^*_]{1,60}?)[:：]?(?:\*\*|__)")
_HEAD = re.compile(r"(?P<head>.{1,40}?)(?:\s+[-–—]{1,2}\s+|[:：]\s*|——|\s+\().+")
_EDGES = " \t*_\"“”‘’'.。!！?？,，;；:："


@dataclass(frozen=True, slots=True)
class Option:
    """An answer. What is sent when it is picked is "" where nothing needs to be."""

    label: str
    send: str
    also: str = ""
    """A pattern of other words for it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its answers."""

    text: str
    options: tuple[Option, ...]


def asks(text: str) -> bool:
    """Whether a text ends in a question mark."""
    return _ENDS.search(text) is not None


def read(text: str, lang: Lang) -> Question | None:
    """The question that a reply ends with, where it has answers to pick; yes and no are in `lang`.

    The answers stand in the question ("keep it or remove it?") or as a list after or before it.
    """
    lines = [line for line in text.strip().splitlines() if line.strip()]
    after = _items(reversed(lines))
    body = lines[: len(lines) - len(after)]
    if not body or not (asks(body[-1]) or (after and body[-1].rstrip(" *_").endswith((":", "：")) and "?" in body[-1])):
        return None
    sentence = [part for part in _SENTENCE.split(body[-1].strip()) if part.strip()][-1].strip(" *_")
    words = table("questions")["zh" if CJK.search(sentence) else "en"]
    listed = after[::-1] or (_items(reversed(body[:-1]))[::-1] if _has(words["which"], sentence) else [])
    labels = _labels(listed) if listed else _inline(sentence, words)
    if labels:
        return Question(sentence, tuple(Option(label, label) for label in labels))
    if listed or not _closed(sentence, words):
        return None
    return Question(sentence, tuple(Option(word, word) for word in (say(lang, "ask.yes"), say(lang, "ask.no"))))


def picked(text: str, options: Sequence[Option]) -> Option | None:
    """The option that an utterance picks by its number, letter, place or words; None where it says something else."""
    said = text.strip(_EDGES).casefold()
    if not said:
        return None
    exact = [option for option in options if said == option.label.strip(_EDGES).casefold()]
    if exact:
        return exact[0]
    at = _place(said, len(options))
    if at is not None:
        return options[at] if 0 <= at < len(options) else None
    near = [o for o in options if _begins(said, o) or (o.also and re.fullmatch(o.also, said, re.I))]
    return near[0] if len(near) == 1 else None


def _begins(said: str, option: Option) -> bool:
    return len(said) > 2 and option.label.casefold().startswith(said)


def _place(said: str, count: int) -> int | None:
    """Which place is named, from 0; None where none is."""
    pick = table("questions")["pick"]
    if found := re.fullmatch(pick["number"], said, re.I):
        return int(found["n"]) - 1
    if found := re.fullmatch(pick["letter"], said, re.I):
        return ord(found["c"]) - ord("a")
    if re.fullmatch(pick["last"], said, re.I):
        return count - 1
    return next((at for at, words in enumerate(pick["ordinals"]) if re.fullmatch(words, said, re.I)), None)


def _items(backwards: Iterator[str]) -> list[str]:
    """The items of a list that ends where we begin, the last one first; one alone is no list."""
    found: list[str] = []
    for line in backwards:
        item = _ITEM.match(line)
        if item is None:
            break
        found.append(item["words"])
    return found if len(found) > 1 else []


def _labels(items: list[str]) -> list[str]:
    """What the items are called; none where they are sentences."""
    found = [_label(item) for item in items[:MOST_OPTIONS]]
    return found if all(found) and len(items) <= MOST_OPTIONS else []


def _label(item: str) -> str:
    head = _BOLD.match(item) or _HEAD.fullmatch(item)
    label = (head["head"] if head else item).strip(_EDGES)
    return label if len(label) <= LONGEST_OPTION else ""


def _inline(sentence: str, words: dict[str, Any]) -> list[str]:
    """The answers that a question names: "keep the music or remove it?"."""
    bare = _ENDS.sub("", sentence).strip()
    if _has(words["or_not"], bare):
        return []
    tail = _tail(bare, words)
    parts = re.split(_rx(words["or"]), tail) if tail else []
    if len(parts) < 2:
        return []
    commas = re.split(r",\s+|、" if len(parts[0]) <= LONGEST_OPTION else r"\0", parts[0])
    parts = [*(commas if all(len(part.split()) <= 4 for part in commas) else parts[:1]), *parts[1:]]
    again = _rx(words["again"])
    found = [re.sub(rf"^(?:{again.pattern})(?=\S)", "", part.strip(), flags=re.I).strip(_EDGES) for part in parts]
    good = all(0 < len(label) <= LONGEST_OPTION for label in found) and len(found) <= MOST_OPTIONS
    return [label[:1].upper() + label[1:] for label in found] if good else []


def _tail(bare: str, words: dict[str, Any]) -> str:
    """The part of a question that names the answers."""
    if colon := re.search(r"[:：]\s*([^:：]+)$", bare):
        return colon[1]
    if _has(words["which"], bare):
        comma = re.search(r"[,，—–]\s*(.+)$", bare)
        return comma[1] if comma else ""
    stem = _rx(words["stem"]).match(bare)
    return bare[stem.end() :] if stem else ""


def _closed(sentence: str, words: dict[str, Any]) -> bool:
    """Whether yes and no answer it."""
    bare = _ENDS.sub("", sentence).strip()
    if _has(words["open"], bare):
        return False
    return _has(words["yes"], bare) if "yes" in words else _rx(words["stem"]).match(bare) is not None


@cache
def _rx(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)


def _has(pattern: str, text: str) -> bool:
    return _rx(pattern).search(text) is not None
