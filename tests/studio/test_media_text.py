"""Titles: what can be drawn, where lines break, where they stand."""

from __future__ import annotations

import numpy as np

from studio.text import clean, raster, wrap


def test_no_line_starts_with_a_closing_mark_and_none_ends_with_an_opening_one() -> None:
    text = "夏日特惠，全场五折！今天就来看看吧（只有一天），好不好？真的很便宜。"
    for width in range(3, 20):
        lines = wrap(text, len, width)
        assert "".join(lines) == text
        assert not any(line[0] in "，。！？）" for line in lines)
        assert not any(line[-1] in "（" for line in lines)


def test_words_stay_whole_and_lines_are_balanced() -> None:
    assert wrap("one two three four", len, 13) == ["one two", "three four"]
    assert wrap("short", len, 40) == ["short"]


def test_emoji_are_left_out_and_the_rest_stays() -> None:
    assert clean("Sale 🎉 now 👩‍🚀!") == "Sale now !"
    assert clean("夏日  特惠🇨🇳") == "夏日 特惠"
    assert raster("🎉", "center", 320, 180) is None


def test_a_title_has_even_edges_and_stands_in_its_place() -> None:
    places = {}
    for place in ("top", "center", "bottom"):
        title = raster("Urban Dreams 城市", place, 320, 180)
        assert title is not None
        assert not any(value % 2 for value in (title.x, title.y, *title.image.size))
        places[place] = title.y + title.image.height / 2
    assert places["top"] < 60 < 80 < places["center"] < 100 < 120 < places["bottom"]


def test_a_long_title_fits_the_canvas() -> None:
    for words in ("a very long title " * 12, "很长很长的标题" * 20, "x" * 400):
        title = raster(words, "center", 320, 180)
        assert title is not None
    wide = raster("a long title that must become smaller", "center", 180, 320)
    assert wide is not None
    assert wide.image.width <= 180


def test_letters_are_white_with_a_shadow_around() -> None:
    title = raster("I", "center", 640, 360)
    assert title is not None
    pixels = np.asarray(title.image)
    solid = pixels[pixels[:, :, 3] > 250]
    assert (solid[:, :3].max(axis=1) > 240).any()
    soft = pixels[(pixels[:, :, 3] > 40) & (pixels[:, :, 3] < 200)]
    assert (soft[:, :3] < 60).any()
