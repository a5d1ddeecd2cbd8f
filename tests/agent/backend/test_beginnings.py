"""What may be the beginning of a word at the end of a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.backend.screen import beginnings

LETTERS = st.text("aab")


@given(word=LETTERS, text=LETTERS)
def test_every_end_that_begins_the_word_is_found_and_no_whole_word(word: str, text: str) -> None:
    wanted = [n for n in range(min(len(word) - 1, len(text)), 0, -1) if text.endswith(word[:n])]
    assert list(beginnings(word, text)) == wanted
