"""Words to edits, in English and Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio import timeline
from studio.edits import (
    Asset,
    Brief,
    Delete,
    Edit,
    Generate,
    Length,
    Motion,
    Move,
    Music,
    Place,
    Ratio,
    Retitle,
    Speed,
    Swap,
    Title,
    Transition,
    Trim,
    Undo,
    Volume,
)
from studio.planner import cost, plan
from studio.scene import Scene

A, B = Asset("1", "image", "a.jpg"), Asset("2", "image", "b.png")
VOICE = Asset("3", "audio", "voice.mp3", duration_ms=12_000)
# What the timeline calls them: the extension stays with the asset.
A_, B_ = Asset("1", "image", "a"), Asset("2", "image", "b")
VOICE_ = Asset("3", "audio", "voice", duration_ms=12_000)
EMPTY = Scene()
FILLED = Scene(timeline.apply(timeline.empty(), Place((Asset("9", "image", "x"), Asset("8", "image", "y")))))
UPLOADS = Scene(uploads=(A, B, VOICE))


def read(text: str, scene: Scene = FILLED) -> list[Edit]:
    found = plan(text, scene)
    assert not found.refused, found.refused
    return list(found.edits)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("generate a realistic image of a futuristic city at night", "futuristic city at night"),
        ("please create a beautiful photo of the ocean at dawn for me", "ocean at dawn"),
        ("generate a realistic photo of a product on a white background", "product on a white background"),
        ("generate a short text like 'sunset over a mountain lake' into a 1080p MP4", "sunset over a mountain lake"),
        ("generate a neon street, in 1080p", "neon street"),
        ("a hacker downloading data from a laptop", "hacker downloading data from a laptop"),
        ("生成一张夜晚未来城市的图片", "夜晚未来城市"),
        ("帮我画一幅写实的雪山湖泊", "雪山湖泊"),
        ("生成一張夜晚未來城市的圖片", "夜晚未來城市"),
        ("生成数据上传到云端的动画", "数据上传到云端"),
    ],
)
def test_a_prompt_becomes_a_clean_subject(text: str, subject: str) -> None:
    assert read(text) == [Generate(subject)]


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("generate a 5-second clip of the ocean", Generate("ocean", 1, 5_000)),
        ("make a 30 second video of a sunset over the ocean", Generate("sunset over the ocean", 1, 30_000)),
        ("generate three images of mountains", Generate("mountains", 3)),
        ("做一个30秒的海边日落视频", Generate("海边日落", 1, 30_000)),
        ("make a 30-second promo about a coffee shop", Brief("coffee shop", 30_000, "upbeat")),
        ("make a cinematic 15 second trailer for a space station", Brief("space station", 15_000, "cinematic")),
        ("给我的咖啡店做个宣传片", Brief("咖啡店", 20_000, "upbeat")),
        ("explain credit card points in 30 seconds", Brief("credit card points", 30_000, "ambient")),
    ],
)
def test_lengths_scenes_and_briefs(text: str, edit: Edit) -> None:
    assert read(text, EMPTY) == [edit]


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ('put "Urban Dreams" at the start for 3 seconds', Title("Urban Dreams", 0, 3_000)),
        ('add a title "Hi" at 0:05 for 2s', Title("Hi", 5_000, 2_000)),
        ("add a title at 0:05 for 2s saying Big Sale", Title("Big Sale", 5_000, 2_000)),
        ("add title Urban Dreams at the end for 4 seconds", Title("Urban Dreams", 0, 4_000, at_end=True)),
        ("title: How to Recharge Your Batteries", Title("How to Recharge Your Batteries")),
        ("add a caption “Fresh coffee” at the bottom for 5 seconds", Title("Fresh coffee", 0, 5_000, "bottom")),
        ("在开头加标题“都市之梦”3秒", Title("都市之梦")),
        ("开头3秒加字幕「欢迎光临」", Title("欢迎光临", 0, 3_000, "bottom")),
        ("结尾打上CREDITS大字", Title("CREDITS", at_end=True)),
        ("標題:如何給電池充電", Title("如何給電池充電")),
        ("从第5秒加标题“再见”2秒", Title("再见", 5_000, 2_000)),
        ('change the title to "New Name"', Retitle("New Name")),
        ('write "export everything, then delete the music"', Title("export everything, then delete the music")),
    ],
)
def test_titles_with_place_and_time(text: str, edit: Edit) -> None:
    assert read(text) == [edit]


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("add lo-fi background music at 35%", Music("lofi", "Lo-fi", 0.35)),
        ("add background music", Music("lofi", "Lo-fi", None)),
        ("lo-fi music at 20%", Music("lofi", "Lo-fi", 0.2)),
        ("加一段轻快的背景音乐 音量35%", Music("upbeat", "Upbeat", 0.35)),
        ("来点史诗音乐，音量百分之三十五", Music("epic", "Epic", 0.35)),
        ("pick a different song", Music()),
        ("换首歌", Music()),
        ("set the music volume to 20%", Volume("music", 0.2)),
        ("把音乐调到20%", Volume("music", 0.2)),
        ("turn the music down", Volume("music", None, -0.15)),
        ("音乐大声一点", Volume("music", None, 0.15)),
        ("mute the clips", Volume("clips", 0.0)),
        ("静音", Volume(None, 0.0)),
    ],
)
def test_music_and_volume(text: str, edit: Edit) -> None:
    assert plan(text, FILLED).edits[0] == edit


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("trim to 8 seconds", Trim(to_ms=8_000)),
        ("cut the first 2 seconds", Trim(head_ms=2_000)),
        ("cut the last two seconds", Trim(tail_ms=2_000)),
        ("剪到8秒", Trim(to_ms=8_000)),
        ("剪掉前十秒", Trim(head_ms=10_000)),
        ("make it 20 seconds", Length(20_000)),
        ("make it shorter", Length(factor=0.75)),
        ("remove the music", Delete("music")),
        ("删掉标题", Delete("title")),
        ("delete clip 2", Delete("segment", 2)),
        ("move clip 2 to the start", Move(2, 1)),
        ("把第二段放到最前", Move(2, 1)),
        ("swap clip two and three", Swap(2, 3)),
        ("speed up 2x", Speed(2.0)),
        ("1.5倍速", Speed(1.5)),
        ("slow it down to half", Speed(0.5)),
        ("make it 9:16", Ratio(1080, 1920)),
        ("竖屏", Ratio(1080, 1920)),
        ("square please", Ratio(1080, 1080)),
        ("add crossfade transitions", Transition()),
        ("加个淡入淡出转场", Transition()),
        ("zoom in slowly", Motion("zoom-in")),
        ("undo", Undo()),
        ("撤销", Undo()),
    ],
)
def test_edits_on_what_is_there(text: str, edit: Edit) -> None:
    assert read(text) == [edit]


def test_uploads_become_a_film_with_their_sound() -> None:
    film = Place((A_, B_), 30_000, True, VOICE_)
    text = "turn these photos and audio into a 30-second promo video with transitions"
    assert read(text, UPLOADS) == [film, Transition()]
    assert read("用这些照片和音频做一个30秒的宣传片，加转场", UPLOADS) == [film, Transition()]
    assert cost([film, Transition()]) == 5


def test_one_upload_becomes_a_moving_picture() -> None:
    text = "turn this image into a 10-second animated video with smooth motion"
    assert read(text, Scene(uploads=(A,))) == [Place((A_,), 10_000, True), Motion("auto")]
    assert read("add a.jpg", UPLOADS) == [Place((A_,))]
    assert read("use a.jpg for 4 seconds", UPLOADS)[0] == Place((A_,), 4_000, True)


def test_several_wishes_in_one_message_all_happen_in_order() -> None:
    text = 'generate a neon street and add epic music at 50% and a title "Neon", then make it vertical'
    assert read(text) == [Generate("neon street"), Music("epic", "Epic", 0.5), Title("Neon"), Ratio(1080, 1920)]
    assert read("加一段轻快的音乐，然后剪到8秒") == [Music("upbeat", "Upbeat"), Trim(to_ms=8_000)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("make the colors warmer", "unknown"),
        ("hi, what can you do?", "unknown"),
        ("你好，你能做什么", "unknown"),
        ("去掉水印", "unknown"),
        ("the pacing is off", "unknown"),
        ("add subtitles in Spanish", "subtitles"),
        ("add a title", "title_text"),
        ("generate a realistic photo of a", "subject"),
        ("turn my photos into a video", "upload_first"),
        ("use holiday.jpg", "upload_first"),
    ],
)
def test_what_it_cannot_do_is_refused_and_free(text: str, key: str) -> None:
    found = plan(text, EMPTY)
    assert [refused.key for refused in found.refused][:1] == [key]
    assert cost(found.edits) == 0


@pytest.mark.parametrize("text", ["export", "export 1080p MP4", "导出", "please download it", "send me the video"])
def test_asking_for_the_file_is_no_edit(text: str) -> None:
    found = plan(text, FILLED)
    assert found.finish and not found.edits


def test_what_must_not_happen_yet_does_not() -> None:
    found = plan("don't render it yet, change the music first", FILLED)
    assert not found.finish and found.edits == (Music(),)


def test_prices_are_one_to_five() -> None:
    assert [cost(read(text)) for text in ("undo", "generate a lake", "make a promo about tea")] == [1, 2, 5]
    assert cost(read("generate a lake and add music and make it square and trim to 5 seconds and undo")) == 5


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    for scene in (EMPTY, FILLED, UPLOADS):
        found = plan(text, scene)
        assert 0 <= cost(found.edits) <= 5
