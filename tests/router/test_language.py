"""Language: told from script and small words, whatever a text mentions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import Lang
from router import language, spoken


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("make it shorter", "en"),
        ("Export as PNG", "en"),
        ("ok", "en"),
        ("no", "en"),
        ("put 城市 in the middle of the screen", "en"),
        ("把画面调亮", "zh-CN"),
        ("帮我 export 一下", "zh-CN"),
        ("加一个 title 写 Download Now", "zh-CN"),
        ("upload一个视频", "zh-CN"),
        ("把畫面調亮", "zh-TW"),
        ("匯出影片", "zh-TW"),
        ("我要發IG,給我檔案", "zh-TW"),
        ("動画を書き出して", "ja"),
        ("ﾀﾞｳﾝﾛｰﾄﾞ", "ja"),
        ("영상을 내보내줘", "ko"),
        ("экспортируй видео", "ru"),
        ("añade música de fondo", "es"),
        ("¿cuánto cuesta?", "es"),
        ("ajoute de la musique", "fr"),
        ("c'est prêt ?", "fr"),
        ("füge Musik hinzu", "de"),
        ("wie ist der Stand", "de"),
        ("faça um vídeo sobre o mar", "pt"),
        ("aggiungi musica di sottofondo", "it"),
        ("مرحبا", "ar"),
        ("שלום", "he"),
        ("สวัสดี", "th"),
        ("नमस्ते", "hi"),
        ("γειά", "el"),
        ("", None),
        ("123 🎉", None),
        ("./shots/a.jpg", None),
        ("https://example.com/el/la/los", None),
        ("\ud800", None),
    ],
)
def test_a_language_is_known_by_its_writing(text: str, code: str | None) -> None:
    assert language(text) == code


def test_mentions_do_not_set_the_language() -> None:
    assert language("标题写“Download Now and then export it to the cloud”") == "zh-CN"
    assert language("add the title “你好世界欢迎光临”") == "en"
    assert language("“你好”") == "zh-CN"


@pytest.mark.parametrize(
    ("text", "default", "lang"),
    [
        ("把画面调亮", "en", "zh"),
        ("匯出", "en", "zh"),
        ("make it shorter", "zh", "en"),
        ("./a.jpg", "zh", "zh"),
        ("🎉", "en", "en"),
        ("export", "zh", "zh"),
        ("export mp4", "zh", "zh"),
        ("ok", "zh", "zh"),
        ("ok", "en", "en"),
        ("hola, ¿qué tal?", "zh", "en"),
        ("動画を作って", "zh", "en"),
        ("Generate a city at night", "zh", "en"),
    ],
)
def test_the_answer_is_in_the_language_spoken(text: str, default: Lang, lang: Lang) -> None:
    assert spoken(text, default) == lang


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_has_a_language_or_none(text: str) -> None:
    code = language(text)
    assert code is None or code[:2].islower()
    assert spoken(text, "zh") in ("en", "zh")
