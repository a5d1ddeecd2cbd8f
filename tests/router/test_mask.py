"""Masks: links, paths and quotations are found whole and covered in place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.mask import PATH, QUOTE, cover, find


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("./shots/a.jpg ./shots/b.png voice.mp3", ["./shots/a.jpg", "./shots/b.png", "voice.mp3"]),
        ("load C:\\Users\\bob\\clip.mp4 now", ["C:\\Users\\bob\\clip.mp4"]),
        ('"C:/My Files/x y.mov"', ["C:/My Files/x y.mov"]),
        ("\\\\server\\share\\a.mp4", ["\\\\server\\share\\a.mp4"]),
        ("用D:\\素材\\片段1.mp4，然后剪短", ["D:\\素材\\片段1.mp4"]),
        ("/tmp/my\\ pic.png 加进去", ["/tmp/my pic.png"]),
        ("'/home/me/my photos/a b.jpg'", ["/home/me/my photos/a b.jpg"]),
        ("see (./a.jpg), ../b.png.", ["./a.jpg", "../b.png"]),
        ("把./a.jpg做成视频", ["./a.jpg"]),
        ("把旅行.mov加进来", ["旅行.mov"]),
        ("这是原片:旅行.mov", ["旅行.mov"]),
        ("upload ~/Movies/trip.mov", ["~/Movies/trip.mov"]),
        ("./shots/a.jpg shots/c.jpg voice.mp3", ["./shots/a.jpg", "shots/c.jpg", "voice.mp3"]),
        ("put 'media/2024/b roll.mp4' and media/2024/b.mp4 in", ["media/2024/b roll.mp4", "media/2024/b.mp4"]),
        ("把素材/猫.jpg加进来", ["素材/猫.jpg"]),
        ("and/or 9:16 24/7 1.5x 10/2", []),
    ],
)
def test_paths_are_found_as_written(text: str, found: list[str]) -> None:
    assert [each.content for each in find(text) if each.kind == "path"] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("use https://a.com/x.mp4?t=1&b=2.", ["https://a.com/x.mp4?t=1&b=2"]),
        ("https://a.com/x.mp4，add title", ["https://a.com/x.mp4"]),
        ("file:///home/a%20b.png", ["file:///home/a%20b.png"]),
        ("s3://assets/intro.mov and www.mysite.com", ["s3://assets/intro.mov", "www.mysite.com"]),
        ("visit mysite.com now", ["mysite.com"]),
        ("made it. Then go", []),
    ],
)
def test_links_are_found_without_the_punctuation_after_them(text: str, found: list[str]) -> None:
    assert [each.content for each in find(text) if each.kind == "url"] == found


@pytest.mark.parametrize(
    "text",
    [
        'say "x y"',
        "say “x y”",
        "say 'x y'",
        "say ‘x y’",
        "写「x y」",
        "写『x y』",
        "写《x y》",
        "say `x y`",
        "dis «x y»",
        "sag „x y“",
    ],
)
def test_quotations_of_every_kind_are_covered(text: str) -> None:
    (quote,) = find(text)
    assert (quote.kind, quote.content) == ("quote", "x y")
    assert cover(text, [quote]).endswith(QUOTE * 5)


@pytest.mark.parametrize("text", ["don't, can't, the dogs' bowl", 'a 10" screen', "“never closed", "rock 'n roll"])
def test_an_apostrophe_is_no_quotation(text: str) -> None:
    assert find(text) == []


def test_covering_keeps_every_offset() -> None:
    text = 'add ./a.jpg and "b"'
    assert cover(text, find(text)) == f"add {PATH * 7} and {QUOTE * 3}"


@given(st.text("ab ./\\~:'\"“”「」，。-()mp4.jpg", max_size=80))
def test_masks_never_overlap_and_stay_inside(text: str) -> None:
    masks = find(text)
    assert len(cover(text, masks)) == len(text)
    assert all(0 <= each.start < each.end <= len(text) for each in masks)
    assert all(one.end <= two.start for one, two in zip(masks, masks[1:], strict=False))
