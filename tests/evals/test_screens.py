"""The translator on tables of backend sentences by other hands than its rules and what it learned from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agent.gui.sentences import Sentences
from agent.gui.train import marked, sentences
from agent.translator import Stream, translate
from evals.translating import Score, load, measure

FOLDER = Path(__file__).parents[2] / "evals" / "screens"
TABLE = load(FOLDER / "table.jsonl")
UNSEEN = load(FOLDER / "unseen.jsonl")


@pytest.fixture(scope="module")
def table() -> Score:
    return measure(TABLE)


@pytest.fixture(scope="module")
def unseen() -> Score:
    return measure(UNSEEN)


def test_no_instruction_of_the_table_is_shown(table: Score) -> None:
    assert table.leaked == []


def test_content_of_the_table_is_not_stripped(table: Score) -> None:
    assert table.over_strip <= 0.02, table.stripped


def test_the_actions_of_the_table_are_the_ones_meant(table: Score) -> None:
    assert min(table.precision, table.recall) >= 0.95, table.mistaken


def test_sentences_nobody_tuned_on_fare_nearly_as_well(unseen: Score) -> None:
    assert len(unseen.leaked) / unseen.count <= 0.02
    assert unseen.over_strip <= 0.015
    assert min(unseen.precision, unseen.recall) >= 0.88


def test_the_table_is_half_chinese_and_two_fifths_content() -> None:
    count = len(TABLE)
    assert count >= 400
    assert 0.45 <= sum(each.lang.startswith("zh") for each in TABLE) / count <= 0.55
    assert sum(each.kind == "content" for each in TABLE) / count >= 0.40
    kinds = [kind for each in TABLE for kind in each.actions]
    assert all(
        kinds.count(kind) >= 10 for kind in ("export", "state", "tracks", "credits", "edit", "undo", "upload", "new")
    )


def test_no_sentence_of_the_tables_was_learned() -> None:
    learned = {_key(marked(each["marked"])[0]) for each in sentences()}
    assert not [each.heard for each in (*TABLE, *UNSEEN) if _key(each.heard) in learned]


def test_every_split_of_every_sentence_is_cut_as_the_whole_is() -> None:
    for each in TABLE:
        whole = Sentences()
        cut = [*whole.feed(each.heard), *whole.close()]
        for at in range(len(each.heard) + 1):
            parts = Sentences()
            found = [*parts.feed(each.heard[:at]), *parts.feed(each.heard[at:]), *parts.close()]
            assert found == cut, each.heard


def test_letter_by_letter_every_sentence_is_translated_as_the_whole_is() -> None:
    for each in TABLE:
        stream = Stream()
        shown = [text for letter in each.heard for text in stream.feed(letter)]
        whole = translate(each.heard)
        assert "".join([*shown, *stream.close()]) == whole.text
        assert tuple(stream.phrases) == whole.phrases


def test_a_table_is_read_as_it_is_written(tmp_path: Path) -> None:
    row = {"heard": "Done. Click Export.", "lang": "en", "kind": "mixed", "gone": ["Click"], "kept": ["Done"]}
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps({**row, "actions": ["export"]}) + "\n", "utf-8")
    assert str(measure(load(path))).startswith("1 sentences: leaked 0, over-stripped 0.0000 of 1")


def _key(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()
