"""A greeting is greeted, a thank-you is taken, and a question about abilities is answered; none of it costs."""

from __future__ import annotations

import pytest

from studio.planner import plan
from studio.scene import Scene
from studio.tracks import empty


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("hello", "hello"),
        ("Hi there!", "hello"),
        ("你好", "hello"),
        ("how's it going", "hello"),
        ("hey, how are you?", "hello"),
        ("最近怎么样", "hello"),
        ("thanks!", "welcome"),
        ("I love it", "welcome"),
        ("looks great", "welcome"),
        ("太棒了", "welcome"),
        ("谢谢你", "welcome"),
        ("what can you do?", "able"),
        ("你能做什么？", "able"),
        ("help", "able"),
        ("do something magical", "unknown"),
    ],
)
def test_small_talk_is_told_from_wishes(words: str, key: str) -> None:
    found = plan(words, Scene(empty(), ()))
    assert [refused.key for refused in found.refused] == [key]
    assert not found.edits
