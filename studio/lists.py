"""Things named one after the other, "the music and the title": one wish as long as they are taken out or left alone."""

from __future__ import annotations

import re

from studio.words import TAKE

__all__ = ["LEAVE", "listed"]

LEAVE = (
    r"\b(?:keep(?:ing)?|leav(?:e|ing)|preserv(?:e|ing)|retain(?:ing)?)\b|"
    r"\b(?:don'?t|do not|never|without)\s+(?:touch|chang|delet|remov|los)\w*|"
    r"保留|保持|留[着下]|(?:别|不要|不用|不)[动改删换]|不变|照旧"
)
_THING = (
    r"(?:(?:(?:the|my|its|our|both|all|any|that|this|also|background|no)\s+)*(?:music|bgm|soundtrack|song|titles?|"
    r"captions?|subtitles?|text|voice(?:-?over)?|narration|transitions?|cross-?fades?)\b|"
    r"(?:背景)?(?:音乐|配乐|bgm|标题|字幕|文字|配音|旁白|转场|过渡))"
)
_MORE = r"\s*(?:,|\band\b|&|和|与|以及|还有|跟)\s*"
_ITEM = re.compile(
    rf"{_THING}(?:\s+(?:too|as well|please|pls|both|from (?:it|the (?:video|film))|alone|as (?:is|it is|they are)))*"
    rf"(?:都|也|吧|了)*\s*(?=$|[,;。!?.]|\b(?:and|but)\b|&|和|与|以及|还有|但)",
    re.IGNORECASE,
)
_ONLY_THINGS = re.compile(rf"\W*(?:请|帮我|please )*(?:把|将)?{_THING}(?:{_MORE}{_THING})*\s*", re.IGNORECASE)
_LEFT = re.compile(rf"(?:{LEAVE}).*{_THING}\s*$", re.IGNORECASE)
_DONE_TO = re.compile(rf"(?:{TAKE}|{LEAVE})", re.IGNORECASE)


def listed(before: str, after: str) -> bool:
    """Whether what follows a comma or an "and" only goes on with a list; both parts in folded text."""
    if (re.search(TAKE, before, re.IGNORECASE) or _LEFT.search(before)) and _ITEM.match(after):
        return True
    rest = re.split(r"[,;。!?\n]", after)[0]
    return bool(_ONLY_THINGS.fullmatch(before)) and bool(re.match(_THING, rest, re.I)) and bool(_DONE_TO.search(rest))
