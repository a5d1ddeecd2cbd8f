"""Folded text: one form to match, and every offset of the original still known."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from router.text import FOLD, SIMPLIFIED, TRADITIONAL, fold


def test_width_case_accents_and_script_become_one() -> None:
    assert fold("ＥＸＰＯＲＴ　Ｎｏｗ！").text == "export now!"
    assert fold("Créditos de la ÚLTIMA señal").text == "creditos de la ultima senal"
    assert fold("導出視頻，積分餘額").text == "导出视频,积分余额"
    assert fold("don’t").text == "don't"
    assert fold("ﾀﾞｳﾝﾛｰﾄﾞ").text == "ダウンロード"


def test_what_nobody_sees_is_gone() -> None:
    assert fold("ex\u200bpo\u00adrt\ufeff").text == "export"
    assert fold("\u202eexport\u202c").text == "export"


def test_both_forms_have_the_same_length() -> None:
    folded = fold("e\u0301 ＡＢＣ ﬁlm… 導出 İ")
    assert len(folded.plain) == len(folded.text) == len(folded.origin) - 1
    assert folded.plain == "é ＡＢＣ film... 導出 İ"


def test_folding_never_changes_a_length() -> None:
    assert all(len(chr(code).translate(FOLD).lower()) == 1 for code in range(sys.maxunicode + 1))


def test_each_traditional_character_has_its_simplified_one() -> None:
    assert len(TRADITIONAL) == len(SIMPLIFIED) == len(set(TRADITIONAL))
    assert all(old != new for old, new in zip(TRADITIONAL, SIMPLIFIED, strict=True))


@given(st.text(st.characters(exclude_categories=())))
def test_offsets_lead_back_to_the_original(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.plain) == len(folded.origin) - 1
    assert list(folded.origin) == sorted(folded.origin)
    assert folded.origin[len(folded.text)] == len(text)
