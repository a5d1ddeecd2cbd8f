"""Every sentence exists in both languages, with the same placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prompts import FOLDER, say, table

ROOT = Path(__file__).parent.parent


def sentences(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from sentences(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            yield f"{prefix}{key}", value


ENGLISH = dict(sentences(table("replies.en")))
CHINESE = dict(sentences(table("replies.zh")))


def test_both_languages_have_the_same_keys() -> None:
    assert ENGLISH.keys() == CHINESE.keys()


@pytest.mark.parametrize("key", sorted(ENGLISH))
def test_both_languages_fill_the_same_placeholders(key: str) -> None:
    def placeholders(text: str) -> set[str]:
        return set(re.findall(r"{(\w+)", text))

    assert placeholders(ENGLISH[key]) == placeholders(CHINESE[key])


def test_chinese_sentences_are_chinese() -> None:
    words = {key: re.sub(r"{[^}]*}", "", text) for key, text in CHINESE.items()}
    lacking = [key for key, text in words.items() if len(text) > 12 and not re.search(r"[\u4e00-\u9fff]", text)]
    assert lacking == []


def test_say_fills_a_sentence_in_the_asked_language() -> None:
    assert say("en", "credits.available", n="96") == "96 credits available"
    assert say("zh", "credits.available", n="96") == "可用积分 96"


def test_every_key_the_code_names_exists() -> None:
    named = set()
    for room in ("agent", "router"):
        for path in (ROOT / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            named |= set(re.findall(r'say\([^"()]*(?:\([^()]*\))?[^"()]*, "([a-z_.]+)"', text))
    assert len(named) > 20
    assert named - ENGLISH.keys() == set()


def test_the_folder_holds_only_words() -> None:
    assert {path.suffix for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts} <= {
        ".py",
        ".toml",
        ".md",
        ".jsonl",
        ".txt",
        ".json",
    }
