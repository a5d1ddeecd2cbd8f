"""What a sentence shows, titles or tells of: covered, so that only what it asks for is left to read."""

from __future__ import annotations

import re

from router.mask import OBJECT, QUOTE, TITLE, TOPIC
from router.phrases import matches, phrase, phrases, scripts

__all__ = ["framed"]

_BLANK = re.compile(r"[\s:,=]*")


def framed(sentence: str) -> str:
    """One sentence with its title text, objects and topics covered; same length."""
    sentence = _opened(sentence, "frames.title", TITLE)
    for hit in matches("frames.object", sentence):
        sentence = _cover(sentence, hit.start(), hit.end(), OBJECT)
    sentence = _opened(sentence, "frames.topic", TOPIC)
    for hit in matches("frames.made", sentence):
        sentence = _cover(sentence, *hit.span("of"), TOPIC)
    return sentence


def _opened(sentence: str, where: str, sign: str) -> str:
    """Everything from behind an opener to where the next step begins, covered."""
    latin, beyond = scripts(sentence)
    for each in phrases(where):
        if not each.fits(latin, beyond):
            continue
        opener = each.pattern.search(sentence)
        if opener is None:
            continue
        start = opener.end()
        if blank := _BLANK.match(sentence, start):
            start = blank.end()
        if start < len(sentence) and sentence[start] in (QUOTE, TITLE):
            continue
        until = phrase("frames.title_until" if sign == TITLE else "frames.until").pattern.search(sentence, start)
        sentence = _cover(sentence, start, until.start() if until else len(sentence), sign)
    return sentence


def _cover(sentence: str, start: int, end: int, sign: str) -> str:
    return sentence[:start] + sign * (end - start) + sentence[end:]
