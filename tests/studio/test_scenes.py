"""Pictures from words: the right scene or an honest card, always the same for the same words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.scenes import NOTE, draw
from studio.scenes_words import headline, wish

SMALL = (320, 180)


@pytest.mark.parametrize(
    ("prompt", "place", "time"),
    [
        ("generate a realistic image of a futuristic city at night", "city", "night"),
        ("生成一张夜晚未来城市的图片", "city", "night"),
        ("a city skyline", "city", "noon"),
        ("sunset over a mountain lake", "lake", "sunset"),
        ("日落时的湖", "lake", "sunset"),
        ("the ocean at dawn", "ocean", "dawn"),
        ("星空下的大海", "ocean", "night"),
        ("snowy mountains", "mountains", "dawn"),
        ("沙漠日落", "desert", "sunset"),
        ("a misty forest", "forest", "dawn"),
        ("a galaxy in deep space", "space", "night"),
        ("product packshot on white", "product", "noon"),
        ("红色香水瓶产品图", "product", "noon"),
        ("a beautiful sunset", "ocean", "sunset"),
    ],
)
def test_a_prompt_names_a_place_and_a_time_in_both_languages(prompt: str, place: str, time: str) -> None:
    found = wish(prompt)
    assert found is not None
    assert (found.place, found.time) == (place, time)


@pytest.mark.parametrize(
    "prompt",
    [
        "a cat surfing a wave",
        "一个女孩在海边跑步",
        "a boat on a mountain lake",
        "headphones product shot",
        "a bowl of noodles",
        "a street in an old city with people",
        "火锅店开业",
        "my company's quarterly results",
        "",
    ],
)
def test_what_cannot_be_drawn_is_never_drawn_wrong(prompt: str) -> None:
    assert wish(prompt) is None
    assert draw(prompt, None, *SMALL).kind == "card"


@pytest.mark.parametrize("prompt", ["a lake without people", "迷人的海边日落", "a futuristic city with flying cars"])
def test_words_that_only_sound_like_a_subject_do_not_prevent_a_scene(prompt: str) -> None:
    assert wish(prompt) is not None


def test_a_product_takes_its_colour_and_form_from_the_words() -> None:
    found = wish("blue face cream jar, product shot")
    assert found is not None
    assert (found.shape, found.tint) == ("jar", "#2450a8")


PROMPTS = [
    "city at night",
    "neon city",
    "sunset lake",
    "mountains",
    "ocean",
    "desert",
    "forest",
    "space",
    "product",
    "hi",
]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_scene_draws_at_any_shape_and_has_something_to_see(prompt: str) -> None:
    for size in ((320, 180), (180, 320), (200, 200)):
        drawn = draw(prompt, 3, *size)
        assert drawn.image.size == size
        assert np.asarray(drawn.image).std() > 6


@pytest.mark.parametrize("prompt", ["neon city", "sunset lake", "no such thing"])
def test_the_same_words_and_seed_draw_the_same_picture(prompt: str) -> None:
    first, again, other = (draw(prompt, seed, *SMALL).image for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_a_night_is_dark_and_a_packshot_is_white() -> None:
    night = np.asarray(draw("a city at night", None, *SMALL).image)
    product = np.asarray(draw("a product packshot", None, *SMALL).image)
    assert night[:20].mean() < 60
    assert product[:20].mean() > 150


def test_the_file_says_that_no_model_made_it(tmp_path: Path) -> None:
    draw("ocean", None, *SMALL).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.info["Comment"] == NOTE == "sketch drawn locally; no image model"


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("generate a realistic image of a cat in a hat.", "A cat in a hat"),
        ("Please create an image of my dog", "My dog"),
        ("帮我生成一张一只猫的图片", "一只猫"),
        ("a plain sentence", "A plain sentence"),
    ],
)
def test_a_card_shows_the_words_without_the_order(prompt: str, words: str) -> None:
    assert headline(prompt) == words
    assert draw(prompt, None, *SMALL).label == words
