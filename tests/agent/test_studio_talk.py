"""What the embedded studio says reaches the person whole, but for its talk of a screen."""

from __future__ import annotations

import pytest

from agent.translator import actions, translate
from studio.words import _WORDS

SCREEN = {"preview": "tracks", "panel": "state", "happy": "", "finish": "export"}
VALUES = {
    "count": 3,
    "mood": "lo-fi",
    "title": "Coffee",
    "text": "Urban Dreams",
    "name": "Lo-fi",
    "percent": 35,
    "seconds": 12,
    "width": 1080,
    "height": 1920,
    "words": "make it better",
    "number": 9,
    "minutes": 10,
    "limit": 200,
}
SAID = [(key, text.format(**VALUES)) for key, both in _WORDS.items() for text in both]


@pytest.mark.parametrize(("key", "text"), SAID)
def test_a_sentence_of_the_studio_is_shown_whole_or_done(key: str, text: str) -> None:
    found = translate(text)
    if key not in SCREEN:
        assert (found.text, found.phrases) == (text, ())
        return
    assert [action.kind for action in actions(found.phrases)] in ([SCREEN[key]], ["tracks"] if key == "panel" else [])
    assert not any(word in found.text for word in ("timeline panel", "lick", "点击", "打开"))
