"""What cannot be done is said, never done in half or as something else; and what is close to it still works."""

from __future__ import annotations

import pytest
from test_planner_everyday import BEACH, EMPTY, FILM, FRESH, ONE, SCORED

from studio.edits import Delete, Edit, Generate, Length, Move, Place, Ratio, Trim, Volume
from studio.planner import plan
from studio.scene import Scene
from studio.words import say


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("make the title bigger", "unknown"),
        ("make the title red", "unknown"),
        ("move the title to the top", "unknown"),
        ("the title is wrong", "unknown"),
        ("rotate the second clip", "unknown"),
        ("split clip 1 at 3 seconds", "unknown"),
        ("reverse the video", "unknown"),
        ("make it black and white", "unknown"),
        ("delete all clips except the first", "unknown"),
        ("I want the photo to have a frame", "unknown"),
        ("add my logo in the corner", "unknown"),
        ('add a title "Hi" at 20% opacity', "unknown"),
        ("change the aspect ratio to 21:9", "unknown"),
        ("post it to tiktok", "unknown"),
        ("make it better", "unknown"),
        ("add jazz music", "music_mood"),
        ('add the song "Yesterday"', "music_mood"),
        ("play music only for the first 5 seconds", "music_whole"),
        ("fade out the music at the end", "music_whole"),
        ("trim the music to 10 seconds", "music_whole"),
        ("cut from 3 to 5 seconds", "ends_only"),
        ("cut out the middle 2 seconds", "ends_only"),
        ("mute clip 2", "whole_only"),
        ("zoom in on the second picture", "whole_only"),
        ("add a crossfade between clips 1 and 2", "whole_only"),
        ("undo the last two changes", "undo_once"),
        ("make it 10x faster", "speed_range"),
        ("double the volume", "volume_level"),
        ("把标题变大", "unknown"),
        ("标题改成红色", "title_text"),
        ("把视频倒放", "unknown"),
        ("做得更有感觉", "unknown"),
        ("画质好一点", "unknown"),
        ("发到抖音", "unknown"),
        ("除了第一段都删掉", "unknown"),
        ("生成一张写着“新年快乐”的海报", "unknown"),
        ("加一段爵士乐", "music_mood"),
        ("音乐只在前5秒播放", "music_whole"),
        ("音乐淡出", "music_whole"),
        ("把第3秒到第5秒剪掉", "ends_only"),
        ("中间剪掉2秒", "ends_only"),
        ("第二段静音", "whole_only"),
        ("第二张放大", "whole_only"),
        ("撤销两步", "undo_once"),
        ("快十倍", "speed_range"),
        ("识别语音生成字幕", "subtitles"),
    ],
)
def test_what_it_cannot_do_changes_nothing_and_is_said(text: str, key: str) -> None:
    found = plan(text, SCORED)
    assert (found.edits, [refused.key for refused in found.refused]) == ((), [key])
    for refused in found.refused:
        assert say("en", refused.key, **refused.values) and say("zh", refused.key, **refused.values)


@pytest.mark.parametrize(
    ("scene", "text", "edits"),
    [
        (FILM, "delete the first two clips", [Delete("segment", 2), Delete("segment", 1)]),
        (FILM, "delete the second and third scenes", [Delete("segment", 3), Delete("segment", 2)]),
        (FILM, "删掉第二和第三段", [Delete("segment", 3), Delete("segment", 2)]),
        (FILM, "put clip 3 before clip 1", [Move(3, 1)]),
        (FILM, "cut the first 2 and last 3 seconds", [Trim(head_ms=2_000, tail_ms=3_000)]),
        (FILM, "make it 1 min 10 s", [Length(70_000)]),
        (FILM, "make the first picture last 2 seconds longer", [Length(7_000, segment=1)]),
        (FILM, "延长2秒", [Length(17_000)]),
        (FILM, "缩短2秒", [Trim(tail_ms=2_000)]),
        (FILM, "每张3秒", [Length(3_000, segment=n) for n in (1, 2, 3)]),
        (FILM, "比例改成1:1", [Ratio(1080, 1080)]),
        (SCORED, "音量50", [Volume(None, 0.5)]),
        (SCORED, "turn off the music", [Volume("music", 0.0)]),
        (EMPTY, "a portrait of an old man", [Generate("portrait of an old man")]),
        (EMPTY, "a vertical 10 second clip of a waterfall", [Ratio(1080, 1920), Generate("waterfall", 1, 10_000)]),
        (SCORED, "配乐声音调低一点", [Volume("music", None, -0.15)]),
        (ONE, "make this move for 7 seconds", [Place((BEACH,), 7_000, True)]),
        (EMPTY, "画三张春天的樱花，每张4秒", [Generate("春天的樱花", 3, 12_000)]),
        (EMPTY, "generate a man and a woman dancing", [Generate("man and a woman dancing")]),
    ],
)
def test_numbers_and_shapes_are_all_taken_up(scene: Scene, text: str, edits: list[Edit]) -> None:
    found = plan(text, scene)
    assert (list(found.edits), found.refused) == (edits, ())


def test_uploads_are_named_by_their_stem_and_keep_their_place() -> None:
    (placed, moved) = plan("add my photo at the start", ONE).edits
    assert isinstance(placed, Place) and [asset.name for asset in placed.media] == ["beach"]
    assert not placed.fresh and moved == Move(-1, 1)
    (film,) = plan("make a slideshow of my photos", FRESH).edits
    assert isinstance(film, Place) and film.sound and film.sound.name == "memo"
    assert [asset.name for asset in FRESH.uploads] == ["beach.jpg", "family.png", "memo.mp3"]
