"""The page's document: whole, self-contained, in two languages."""

from __future__ import annotations

import json
import re

import pytest

from agent.serve.page import HERE, SCRIPTS, page, policy


def words() -> dict[str, dict[str, str]]:
    source = (HERE / "words.js").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(source[source.index("{") : source.rindex("}") + 1])
    return found


def script() -> str:
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def test_both_languages_of_the_page_have_the_same_words_and_placeholders() -> None:
    english, chinese = words()["en"], words()["zh"]
    assert list(english) == list(chinese)
    assert {key: placeholders(text) for key, text in english.items()} == {
        key: placeholders(text) for key, text in chinese.items()
    }
    assert [key for key, text in chinese.items() if key != "other" and text == english[key]] == []


def test_every_word_the_page_names_exists_and_every_word_is_used() -> None:
    html = (HERE / "index.html").read_text(encoding="utf-8")
    static = set(re.findall(r'data-(?:t|label|hint)="(\w+)"', html))
    assert static <= words()["en"].keys()
    quoted = set(re.findall(r'"([\w-]+)"', script().replace((HERE / "words.js").read_text(encoding="utf-8"), "")))
    personas = {key for key in words()["en"] if "-" in key}
    assert words()["en"].keys() - static - quoted - personas == set()


def test_the_document_is_whole_and_loads_nothing() -> None:
    text = page("bm9uY2U=")
    assert text.startswith("<!DOCTYPE html>")
    assert "__NONCE__" not in text and "/* page." not in text
    assert re.findall(r"<(style|script)\b[^>]*>", text) == ["style", "script"]
    assert text.count('nonce="bm9uY2U="') == 2
    assert text.count("</script") == 1 and text.count("</style") == 1
    assert not re.search(r'(?:src|href)="(?!#|data:image/svg)', text)
    assert not re.search(r"@import|url\(", text)


def test_no_markup_is_ever_made_from_words() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(", script())
    assert " style=" not in (HERE / "index.html").read_text(encoding="utf-8")


def test_a_nonce_is_base64_and_stands_in_the_policy() -> None:
    assert "script-src 'nonce-abc123'; style-src 'nonce-abc123'" in policy("abc123")
    assert "unsafe" not in policy("abc123")
    for hostile in ("", '"><script>', "a b", "a'"):
        with pytest.raises(ValueError, match="base64"):
            page(hostile)


def test_every_id_the_scripts_name_is_in_the_document() -> None:
    named = set(re.findall(r'\$\("([\w-]+)"\)', script()))
    there = re.findall(r' id="([\w-]+)"', (HERE / "index.html").read_text(encoding="utf-8"))
    assert len(there) == len(set(there))
    assert named - set(there) == set()
