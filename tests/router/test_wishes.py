"""Wishes: the format a person names, however they name it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import output_format


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Export as PNG", "png"),
        ("export 1080p MP4", "mp4"),
        ("导出成gif", "gif"),
        ("導出ＷＥＢＰ", "webp"),
        ("jpeg please", "jpg"),
        ("export png instead of mp4", "png"),
        ("as png, not jpg", "png"),
        ("not mp4, webp", "webp"),
        ("不要gif，导出mov", "mov"),
        ("get it in ProRes", "mov"),
        ("H.264 please", "mp4"),
        ("save it as a picture", "png"),
        ("导出图片", "png"),
        ("导出成动图", "gif"),
        ("export to ./out/city.GIF", "gif"),
        ("输出为 movie.mov", "mov"),
        ("save it as x.jpeg", "jpg"),
        ("export", None),
        ("导出", None),
        ("export a.png", None),
        ('add "gif" and export', None),
        ("make it pop", None),
        ("", None),
    ],
)
def test_the_format_asked_for_is_found(text: str, wanted: str | None) -> None:
    assert output_format(text) == wanted


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_names_a_format_or_none(text: str) -> None:
    assert output_format(text) is None or str(output_format(text)).isalnum()
