"""What stays, what is only asked, and wishes without a direction change nothing and cost nothing."""

from __future__ import annotations

import pytest
from test_planner_everyday import EMPTY, FILM, SCORED

from studio.asides import _HOW
from studio.edits import Asset, Delete, Edit, Generate, Music, Place, Ratio, Title, Trim, Volume
from studio.planner import cost, plan
from studio.scene import Scene
from studio.timeline import apply, empty

BOTH = [Delete("title"), Delete("music")]
OWN = Scene(apply(empty(), Place((Asset("u1", "image", "beach"),))), (Asset("u1", "image", "beach.jpg"),))


def heard(scene: Scene, text: str) -> tuple[list[Edit], list[str]]:
    zh = any("\u4e00" <= char <= "\u9fff" for char in text)
    found = plan(text, Scene(scene.draft, scene.uploads, zh))
    return list(found.edits), [refused.key for refused in found.refused]


@pytest.mark.parametrize(
    "text",
    [
        "Remove the background music and the title",
        "remove both the music and the title",
        "remove both",
        "take out the music and the title",
        "delete the music and titles",
        "get rid of the music and the title, please",
        "I don't want the music or the title",
        "no music and no title",
        "remove them",
        "去掉背景音乐和标题",
        "把音乐和标题都删掉",
        "去掉音乐、标题",
        "音乐和标题我都不要",
        "两个都去掉",
        "都不要了",
    ],
)
def test_things_taken_out_together_are_all_gone(text: str) -> None:
    assert heard(SCORED, text) == (BOTH, [])


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        ("remove the music, the title and the transitions", [*BOTH, Delete("transition")]),
        ('remove the music, title "Hi"', [Delete("music"), Title("Hi")]),
        ('remove the music and add a title "Hi"', [Delete("music"), Title("Hi")]),
        ("去掉音乐，加标题“再见”", [Delete("music"), Title("再见")]),
        ("keep the music but remove the title", [Delete("title")]),
        ("keep the title, drop the music", [Delete("music")]),
        ("drop the music, but leave the title", [Delete("music")]),
        ("remove the music but not the title", [Delete("music")]),
        ("make it portrait and keep the music", [Ratio(1080, 1920)]),
        ("leave the music alone and make it square", [Ratio(1080, 1080)]),
        ("make it vertical without changing the music", [Ratio(1080, 1920)]),
        ("keep the title but change the music to epic", [Music("epic", "Epic")]),
        ("trim to 8 seconds, the music stays", [Trim(to_ms=8_000)]),
        ("保留音乐，去掉标题", [Delete("title")]),
        ("去掉标题，但保留音乐", [Delete("title")]),
        ("保留标题不要音乐", [Delete("music")]),
        ("别动音乐，标题删了", [Delete("title")]),
        ("改成竖屏，音乐保留", [Ratio(1080, 1920)]),
        ("音乐不变，改成方形", [Ratio(1080, 1080)]),
        ("剪到8秒，其他的都不要动", [Trim(to_ms=8_000)]),
        # a word like "keep" with more to it is a wish of its own
        ("keep the music at 20%", [Volume("music", 0.2)]),
        ("keep the first 6 seconds", [Trim(to_ms=6_000)]),
        ("keep it vertical", [Ratio(1080, 1920)]),
    ],
)
def test_what_is_to_stay_stays_and_the_rest_is_done(text: str, edits: list[Edit]) -> None:
    assert heard(SCORED, text) == (edits, [])


@pytest.mark.parametrize(
    "text",
    ["keep the music and the title", "keep both", "yes, keep them", "don't remove the music", "都保留", "不要删音乐"],
)
def test_a_message_that_only_keeps_is_told_so(text: str) -> None:
    assert heard(SCORED, text) == ([], ["kept"])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        *((text, "unknown") for text in ("好看一点", "再好看点", "更高级一点", "高级一点", "优化一下", "换个风格")),
        *((text, "unknown") for text in ("nicer please", "a bit better", "more professional", "something nicer")),
        *((text, "subject") for text in ("再来一个", "再来一张", "one more", "another one", "surprise me", "画一个")),
        *((text, "title_text") for text in ("换个标题吧", "change the title please", "把标题换一下")),
        *((text, "how_long") for text in ("太长了", "视频太长了", "有点长", "too short", "it's a bit too long")),
    ],
)
def test_a_wish_without_a_subject_or_a_direction_draws_nothing(text: str, key: str) -> None:
    assert heard(EMPTY, text) == ([], [key])
    if key != "subject":
        assert heard(SCORED, text) == ([], [key])


@pytest.mark.parametrize("text", ["再来一个", "再画一张", "one more please", "draw another", "add another one"])
def test_one_more_is_of_the_last_drawn_subject(text: str) -> None:
    assert heard(FILM, text) == ([Generate("scene 3")], [])
    assert heard(OWN, text) == ([], ["subject"]), "a photo of one's own is not drawn"


def test_one_more_in_the_same_message_is_another_picture() -> None:
    assert heard(EMPTY, "画一只猫，再来一个") == ([Generate("猫"), Generate("猫", 1, 10_000)], [])


@pytest.mark.parametrize("text", ["太长了，剪到8秒", "it's too long, trim it to 8 seconds"])
def test_a_complaint_with_its_remedy_asks_nothing(text: str) -> None:
    assert heard(FILM, text) == ([Trim(to_ms=8_000)], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("how do I add music?", "add lo-fi music at 35%"),
        ("how can I change the title?", "change the title to ‘Hello’"),
        ("how do I delete the music", "remove the music"),
        ("can you show me how to add a title?", "add a title ‘Hello’ for 3 seconds"),
        ("how do I add music and a title?", "add lo-fi music at 35%"),
        ("how can I draw a picture of a cat?", "generate a picture of a lake at dawn"),
        ("怎么加音乐？", "加 Lo-fi 音乐，音量 35%"),
        ("标题怎么改？", "标题改成‘你好’"),
        ("如何添加字幕？", "加标题‘你好’3秒"),
        ("怎么导出视频？", "导出 MP4"),
    ],
)
def test_a_question_how_is_answered_and_does_nothing(text: str, said: str) -> None:
    zh = "\u4e00" <= text[0] <= "\u9fff"
    found = plan(text, Scene(SCORED.draft, (), zh))
    assert [(refused.key, dict(refused.values)) for refused in found.refused] == [("how", {"words": said})]
    assert not found.edits and cost(found.edits) == 0


def test_only_the_question_goes_undone() -> None:
    assert heard(FILM, "How do I add music and a title? Also make it square") == ([Ratio(1080, 1080)], ["how"])
    assert heard(FILM, "標題:如何給電池充電") == ([Title("如何給電池充電")], [])


@pytest.mark.parametrize("words", [words for _, *both in _HOW for words in both])
def test_the_words_an_answer_names_are_words_that_work(words: str) -> None:
    uploads = (Asset("u1", "image", "beach.jpg"), Asset("u2", "audio", "memo.mp3", duration_ms=4_000))
    found = plan(words, Scene(SCORED.draft, uploads))
    assert (found.edits or found.finish) and not found.refused
