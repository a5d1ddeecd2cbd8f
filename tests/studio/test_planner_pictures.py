"""One picture beside the others or in the place of another, films of uploads with their voice, other short words."""

from __future__ import annotations

import pytest
from test_planner_asides import heard
from test_planner_everyday import BEACH, EMPTY, FILM, ONE, SCORED

from studio.edits import Asset, Brief, Edit, Generate, Length, Move, Music, Place, Ratio, Title, Trim
from studio.scene import Scene
from studio.timeline import apply

VOICE = Asset("u9", "audio", "voice", duration_ms=12_000)
BESIDE = Scene(uploads=(Asset("u1", "image", "beach.jpg"), Asset("u9", "audio", "voice.wav", duration_ms=12_000)))


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("做一个关于茶的视频", Brief("茶")),
        ("画一只猫", Generate("猫")),
        ("生成一张猫的图片", Generate("猫")),
        ("画山", Generate("山")),
        ("来张猫", Generate("猫")),
        ("生成3张猫的图片", Generate("猫", 3)),
        ("做个关于海的宣传片", Brief("海")),
        ("一只猫", Generate("一只猫")),
    ],
)
def test_a_single_character_is_a_subject(text: str, edit: Edit) -> None:
    assert heard(EMPTY, text) == ([edit], [])


@pytest.mark.parametrize(
    "text", ["生成一张图", "画一张画", "做一个视频", "画它", "画吧", "draw x", "你能做动画吗", "火车在铁轨上飞驰的画面"]
)
def test_a_picture_of_nothing_is_asked_about(text: str) -> None:
    assert heard(EMPTY, text) == ([], ["subject"])


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("make a 10 second film of the photo with the voice", 10_000),
        ("用这张照片和录音做一个10秒的视频", 10_000),
        ("把照片和配音合成10秒的视频", 10_000),
        ("make a 10 second video with the photo and the audio", 10_000),
        ("use the photo with the voice-over, 10 seconds", 10_000),
        ("make a video of my photo with my voice", None),
        ("make a slideshow with my voice", None),
        ("用照片和声音做一个视频", None),
    ],
)
def test_a_photo_and_a_voice_become_one_film(text: str, ms: int | None) -> None:
    film = Place((BEACH,), ms, True, VOICE)
    assert heard(BESIDE, text) == ([film], [])
    if ms:
        video, voice = apply(EMPTY.draft, film)["t"]
        assert [(track["m"]["name"], track["sg"][0]["d"]) for track in (video, voice)] == [("Video", ms), ("Voice", ms)]


@pytest.mark.parametrize("text", ["add my voice to the photo", "put the voice under the photo", "use voice.wav"])
def test_a_voice_alone_is_laid_under_what_is_there(text: str) -> None:
    assert heard(BESIDE, text) == ([Place((), sound=VOICE)], [])


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        ("add another photo of a lake", [Generate("lake")]),
        ("add two more pictures of a lake", [Generate("lake", 2)]),
        ("再加一张湖的图片", [Generate("湖")]),
        ("add a photo of a lake at the beginning", [Generate("lake"), Move(-1, 1)]),
        ("在第二张后面加一张湖的图片", [Generate("湖"), Move(-1, 3)]),
        ("replace picture 2 with a forest", [Generate("forest", instead=2)]),
        ("replace the second picture with a sunset", [Generate("sunset", instead=2)]),
        ("swap the last picture for a beach", [Generate("beach", instead=-1)]),
        ("make the second picture a sunset", [Generate("sunset", instead=2)]),
        ("把第二张换成森林", [Generate("森林", instead=2)]),
        ("把第2张图片改成森林", [Generate("森林", instead=2)]),
        ("第二段改成3秒", [Length(3_000, segment=2)]),
        ("change the photo to vertical", [Ratio(1080, 1920)]),
    ],
)
def test_a_picture_is_added_or_takes_the_place_of_another(text: str, edits: list[Edit]) -> None:
    assert heard(FILM, text) == (edits, [])


def test_a_picture_that_is_not_there_is_not_replaced() -> None:
    assert heard(FILM, "replace picture 9 with a forest") == ([], ["no_segment"])
    assert heard(FILM, "replace the picture with a forest") == ([], ["which_picture"])
    assert heard(ONE, "replace picture 2 with my photo") == ([Place((BEACH,), instead=2)], [])


def test_the_new_picture_lasts_and_comes_in_as_the_old_one_did() -> None:
    before = apply(FILM.draft, Length(3_000, segment=2))
    before["t"][0]["sg"][1]["m"]["transition"] = {"name": "slide", "d": 600}
    after = apply(before, Place((Asset("g9", "image", "forest", origin="generated"),), instead=2))
    old, new = (draft["t"][0]["sg"] for draft in (before, after))
    assert [piece["m"]["name"] for piece in new] == ["scene 1", "forest", "scene 3"]
    assert [(piece["s"], piece["d"]) for piece in new] == [(piece["s"], piece["d"]) for piece in old]
    for kept in ("motion", "transition"):
        assert new[1]["m"][kept] == old[1]["m"][kept]
    assert new[1]["id"] != old[1]["id"]


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("换成欢快的", Music("upbeat", "轻快")),
        ("换成史诗的", Music("epic", "史诗")),
        ("make it more upbeat", Music("upbeat", "Upbeat")),
        ("change it to epic", Music("epic", "Epic")),
        ("something happier", Music("upbeat", "Upbeat")),
    ],
)
def test_another_mood_means_the_music_that_is_there(text: str, edit: Edit) -> None:
    assert heard(SCORED, text) == ([edit], [])
    assert not heard(FILM, text)[0]
    assert not heard(SCORED, "make it more cinematic")[0], "may be the look"


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("前面太长了，剪掉3秒", Trim(head_ms=3_000)),
        ("开头有点长，剪2秒", Trim(head_ms=2_000)),
        ("后面太长了，剪掉3秒", Trim(tail_ms=3_000)),
        ("the beginning is too long, trim 3 seconds", Trim(head_ms=3_000)),
        ("the intro drags, cut 2 seconds", Trim(head_ms=2_000)),
        ("the ending is too long, cut 2 seconds", Trim(tail_ms=2_000)),
        ("再剪2秒", Trim(tail_ms=2_000)),
    ],
)
def test_a_cut_is_made_where_it_is_too_long(text: str, edit: Edit) -> None:
    assert heard(FILM, text) == ([edit], [])


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("write <b>x</b> as a title", Title("<b>x</b>")),
        ("put Hello World as the title", Title("Hello World")),
        ("add Hello as a caption", Title("Hello", place="bottom")),
        ("add Summer Days as a title at the end", Title("Summer Days", at_end=True)),
        ("add a title Summer as a Child", Title("Summer as a Child")),
        ("add a title called Please", Title("Please")),
        ("make Hello the title", Title("Hello")),
        ("把你好作为标题", Title("你好")),
        ("写上你好作为标题", Title("你好")),
    ],
)
def test_words_wanted_as_a_title_are_the_title(text: str, edit: Edit) -> None:
    assert heard(FILM, text) == ([edit], [])
