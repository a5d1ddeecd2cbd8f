"""A reading: one utterance folded, its mentions covered, its misspelt keywords mended, every offset still known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from router import mask
from router.mask import Mask
from router.phrases import section
from router.text import fold

__all__ = ["Reading", "read"]

_TOKEN = re.compile("[a-z]{5,10}")
_VOWELS = "aeiou"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rules read of an utterance."""

    text: str
    origin: Sequence[int]
    """For each offset in `text`, the offset in the utterance; one longer than the text."""
    files: tuple[tuple[int, str], ...]
    """Each path and link: where it begins in the utterance, and itself."""

    def between(self, start: int, end: int) -> tuple[str, ...]:
        """The paths and links that begin between two offsets of `text`."""
        first, last = self.origin[start], self.origin[end]
        return tuple(name for at, name in self.files if first <= at < last)


def read(utterance: str) -> Reading:
    """The reading of any string. Linear."""
    folded = fold(utterance)
    masks = mask.find(folded.plain)
    if len(masks) == 1 and masks[0].kind == "quote" and _whole(folded.plain, masks[0]):
        # Somebody pasted a suggestion with its quotation marks: it is said, not mentioned.
        covered, masks = _bared(folded.text, masks[0]), []
    else:
        covered = mask.cover(folded.text, masks)
    files = tuple((folded.origin[each.start], each.content) for each in masks if each.kind != "quote")
    text, origin = _mend(covered, folded.origin)
    return Reading(text, origin, files)


def _whole(plain: str, only: Mask) -> bool:
    return not plain[: only.start].strip() and not plain[only.end :].strip(" \t\r\n.!")


def _bared(text: str, quote: Mask) -> str:
    return f"{text[: quote.start]} {text[quote.start + 1 : quote.end - 1]} {text[quote.end :]}"


def _mend(text: str, origin: Sequence[int]) -> tuple[str, Sequence[int]]:
    """The text with misspelt keywords put right; offsets follow when lengths differ."""
    known = _misspellings()
    wrong = [hit for hit in _TOKEN.finditer(text) if hit.group() in known and _alone(text, hit)]
    if not wrong:
        return text, origin
    pieces: list[str] = []
    offsets: list[int] = []
    done = 0
    for hit in wrong:
        right = known[hit.group()]
        pieces += (text[done : hit.start()], right)
        offsets += origin[done : hit.start()]
        offsets += [origin[min(hit.start() + index, hit.end() - 1)] for index in range(len(right))]
        done = hit.end()
    return "".join([*pieces, text[done:]]), [*offsets, *origin[done:]]


def _alone(text: str, hit: re.Match[str]) -> bool:
    before = text[hit.start() - 1 : hit.start()]
    after = text[hit.end() : hit.end() + 1]
    return not (before.isascii() and before.isalpha()) and not (after.isascii() and after.isalnum())


@cache
def _misspellings() -> dict[str, str]:
    """One slip away from a keyword: two letters swapped, one dropped, doubled, or a vowel for a vowel."""
    spelling = section("spelling")
    words: list[str] = spelling["words"]
    found: dict[str, str] = {}
    for word in words:
        for at in range(1, len(word)):
            head, letter, tail = word[:at], word[at], word[at + 1 :]
            slips = [head + tail, head + letter + letter + tail]
            if tail:
                slips.append(head + tail[0] + letter + tail[1:])
            if letter in _VOWELS:
                slips += [head + vowel + tail for vowel in _VOWELS]
            for slip in slips:
                found.setdefault(slip, word)
    return {slip: word for slip, word in found.items() if slip not in words and slip not in spelling["real"]}
