"""Clauses: an utterance falls apart where the next step begins, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.clauses import clauses


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("add lo-fi and then export it", ["add lo-fi", "export it"]),
        ("cut it, then export; show tracks", ["cut it", "export", "show tracks"]),
        ("add a title. after that download it", ["add a title.", "download it"]),
        ("turn these photos and audio into a promo", ["turn these photos and audio into a promo"]),
        ("check my balance and export", ["check my balance", "export"]),
        ("1.5x speed, 10,000 views", ["1.5x speed", "10,000 views"]),
        ("先加字幕再导出", ["加字幕", "导出"]),
        ("加上配乐,然后导出", ["加上配乐", "导出"]),
        ("剪短一点接着把视频发我", ["剪短一点", "把视频发我"]),
        ("亮一点,再暗一点", ["亮一点", "暗一点"]),
        ("换首歌并导出", ["换首歌", "导出"]),
        ("30 秒、带转场的宣传片", ["30 秒、带转场的宣传片"]),
        ("加字幕、查余额、导出", ["加字幕", "查余额", "导出"]),
        ("两张图并排", ["两张图并排"]),
    ],
)
def test_a_clause_ends_where_the_next_step_begins(text: str, parts: list[str]) -> None:
    assert [text[each.start : each.end] for each in clauses(text)] == parts


def test_a_topic_and_a_title_are_not_split_into_commands() -> None:
    (only,) = clauses("make a video about uploading photos and downloading songs")
    assert "download" not in only.text
    (only,) = clauses("add a caption saying upload complete and thanks")
    assert "upload" not in only.text


def test_a_topic_ends_where_the_next_step_begins() -> None:
    assert [each.text for each in clauses("make a film about cats and then export it")][1:] == ["export it"]
    assert [each.text for each in clauses("a film about cats and export it")][1:] == ["export it"]


def test_prose_is_not_searched_for_commands() -> None:
    (only,) = clauses("and then he would export " * 200)
    assert only.prose


@given(st.text("ab,.;!? 再导出然后and then先,\n", max_size=80))
def test_clauses_follow_each_other(text: str) -> None:
    found = list(clauses(text))
    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert all(one.end <= two.start for one, two in zip(found, found[1:], strict=False))
