"""An edit that the backend leaves to hands on a screen, as it is asked for in a chat."""

from __future__ import annotations

import re
from functools import cache

from agent.gui.gestures import edit_for
from agent.gui.grammar import CJK
from prompts import table

__all__ = ["by_hand", "request"]

_GESTURES = ("level", "gone", "drag")


def by_hand(words: str) -> bool:
    """Whether words tell hands to do something: without that nothing is sent or asked of a person."""
    return any(_rx(pattern).search(words) for pattern in table("gui")["hands"])


def request(words: str) -> str:
    """What is sent to the chat in place of the gesture in `words`, in their language."""
    chinese = CJK.search(words) is not None
    if named := edit_for(words):
        return named[chinese]
    plain = words.replace("**", "").replace("\n", " ")
    if lead := _rx(table("gui")["lead"]).match(plain):
        plain = plain[lead.end() :]
    plain = re.sub(r"(?:即可|就行|就好|吧)?[\s.!。！～~,，;；]*$", "", plain)
    wording: dict[str, str] = table("gui")["requests"]["zh" if chinese else "en"]
    for name in _GESTURES:
        if found := _rx(wording[name]).search(plain):
            return wording[f"to_{name}"].format(**{key: text.strip() for key, text in found.groupdict().items()})
    return wording["else"].format(words=plain)


@cache
def _rx(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I | re.S)
