"""Versions in words: which one is meant, which is none, and what asks to have the last change undone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import decide, output_format, undo_asked, version


@pytest.mark.parametrize(
    ("text", "number", "suffix"),
    [
        ("export version 2", 2, None),
        ("export version 2 as gif", 2, "gif"),
        ("export v3", 3, None),
        ("Export V.3 as MP4", 3, "mp4"),
        ("please export ver 12", 12, None),
        ("download version two", 2, None),
        ("render version #4 as mp4", 4, "mp4"),
        ("export the second version", 2, None),
        ("export the 3rd version as webp", 3, "webp"),
        ("give me version 2 as a gif", 2, "gif"),
        ("export version 12 to ./out/x.mp4", 12, "mp4"),
        ("导出第2版", 2, None),
        ("导出第 2 版为 gif", 2, "gif"),
        ("导出版本 2", 2, None),
        ("导出版本2", 2, None),
        ("导出第二版", 2, None),
        ("导出第十二个版本", 12, None),
        ("把第2版导出成gif", 2, "gif"),
        ("把版本3导出为mp4", 3, "mp4"),
        ("導出第兩版", 2, None),
        ("導出第２版", 2, None),
        ("输出第3个版本", 3, None),
        ("导出v2的gif", 2, "gif"),
    ],
)
def test_the_version_asked_for_is_found_and_the_words_go_to_export(text: str, number: int, suffix: str | None) -> None:
    assert [decision.route for decision in decide(text)] == ["export"]
    assert not decide(text)[0].ask
    assert version(text) == number
    assert suffix is None or output_format(text) == suffix


@pytest.mark.parametrize(
    "text",
    [
        "make version 2 of the video",
        "create a version 2",
        "export a 2nd version",
        "export a second version",
        "export another version",
        "export the 30-second version",
        "export the 4k version",
        "make a 30 second version",
        "export version 2.5",
        "save it as version 2",
        "export as v2",
        "export it and call it version 2",
        "export to city-v2.mp4",
        "export ./v2/city.mp4",
        'put "version 2" at the start',
        "don't export version 2",
        "导出为第2版",
        "做第二版",
        "生成第2个版本",
        "导出30秒的版本",
        "导出一个新版本",
        "不要第2版",
        "另存为版本2",
        "export",
        "导出",
        "",
    ],
)
def test_what_is_to_be_made_named_or_is_a_kind_of_version_is_no_number(text: str) -> None:
    assert version(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "undo",
        "Undo that, please.",
        "undo the last change",
        "revert",
        "revert that",
        "please revert the last edit",
        "go back one step",
        "go back to version 2",
        "take that back",
        "put it back how it was",
        "Oops, undo!",
        "ctrl+z",
        "restore the previous version",
        "roll back",
        "撤销",
        "撤銷",
        "撤销刚才的修改",
        "撤销上一步",
        "把刚才的修改撤销掉",
        "撤回一下",
        "恢复上一版",
        "回到第2版",
        "还原",
        "不，撤销",
        "取消刚才的修改",
    ],
)
def test_a_wish_to_undo_is_recognised(text: str) -> None:
    assert undo_asked(text)


@pytest.mark.parametrize(
    "text",
    [
        "don't undo",
        "不撤销",
        "不要撤销",
        'put "Undo" at the start',
        "change the title to Undo",
        "add music",
        "undo the zoom and add jazz",
        "make a film about going back home",
        "go back to the city and add rain",
        "标题写撤销",
        "加一个回到未来的标题",
        "导出第2版",
        "",
    ],
)
def test_other_wishes_are_no_undo(text: str) -> None:
    assert not undo_asked(text)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert version(text) is None or version(text) >= 0  # type: ignore[operator]
    assert undo_asked(text) in (True, False)


@pytest.mark.parametrize("text", ["undo " * 39, "no" * 99, "撤销" * 99, "version " * 900, "第十" * 900])
def test_long_texts_are_read_at_once(text: str) -> None:
    assert version(text) is None
    assert undo_asked(text) in (True, False)
