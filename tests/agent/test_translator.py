"""The translator: instructions go and become actions, content stays, streams and wholes agree."""

from __future__ import annotations

import re
import time

import pytest
from gui_sentences import CONTENT, INSTRUCTIONS
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.translator import Action, Phrase, Stream, actions, translate

SPOKEN = [heard for heard, _, _ in INSTRUCTIONS] + CONTENT


def done(phrases: list[Phrase] | tuple[Phrase, ...]) -> list[str]:
    return [":".join(filter(None, (action.kind, action.text))) for action in actions(phrases)]


def streamed(pieces: list[str]) -> tuple[str, list[Phrase]]:
    stream = Stream()
    shown = [text for piece in pieces for text in stream.feed(piece)]
    return "".join([*shown, *stream.close()]), stream.phrases


def pieces(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[a:b] for a, b in zip(edges, edges[1:], strict=False)]


@pytest.mark.parametrize(("heard", "shown", "acted"), INSTRUCTIONS)
def test_instructions_go_and_become_actions(heard: str, shown: str, acted: list[str]) -> None:
    found = translate(heard)
    assert found.text == shown
    assert done(found.phrases) == acted


@pytest.mark.parametrize("heard", CONTENT)
def test_content_is_left_as_it_is_and_causes_nothing(heard: str) -> None:
    found = translate(heard)
    assert found.text == heard
    assert found.phrases == ()


def test_the_table_is_half_chinese_and_two_fifths_content() -> None:
    chinese = sum(bool(re.search("[一-鿿]", heard)) for heard in SPOKEN)
    assert len(SPOKEN) >= 60
    assert 0.45 <= chinese / len(SPOKEN) <= 0.55
    assert len(CONTENT) / len(SPOKEN) >= 0.4


@pytest.mark.parametrize("heard", SPOKEN)
def test_every_split_in_two_gives_what_the_whole_gives(heard: str) -> None:
    whole = translate(heard)
    for at in range(len(heard) + 1):
        assert streamed([heard[:at], heard[at:]]) == (whole.text, list(whole.phrases))


@pytest.mark.parametrize("heard", SPOKEN)
def test_letter_by_letter_gives_what_the_whole_gives(heard: str) -> None:
    whole = translate(heard)
    assert streamed(list(heard)) == (whole.text, list(whole.phrases))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(SPOKEN), min_size=1, max_size=5),
    st.sampled_from([" ", "\n", "\n\n", ""]),
    st.lists(st.integers(0, 10_000), max_size=6),
)
def test_any_split_of_any_text_gives_what_the_whole_gives(said: list[str], gap: str, cuts: list[int]) -> None:
    text = gap.join(said)
    whole = translate(text)
    assert streamed(pieces(text, cuts)) == (whole.text, list(whole.phrases))


@settings(max_examples=200, deadline=None)
@given(
    st.text("ab .!?\n\"'`*(-1“”。！点击导出Click Export🎉👉\t:", max_size=60),
    st.lists(st.integers(0, 100), max_size=4),
)
def test_any_split_of_noise_gives_what_the_whole_gives(text: str, cuts: list[int]) -> None:
    whole = translate(text)
    assert streamed(pieces(text, cuts)) == (whole.text, list(whole.phrases))


@settings(max_examples=100, deadline=None)
@given(st.text("abc .,!?\n\"'`*(-1“”。！你好🎉\t:)", max_size=80))
def test_text_without_screens_is_never_touched(text: str) -> None:
    assert translate(text).text == text


def test_a_sentence_is_shown_as_soon_as_the_next_one_begins() -> None:
    stream = Stream()
    assert stream.feed("Your video is rea") == []
    assert stream.feed("dy! C") == ["Your video is ready!"]
    assert stream.feed("lick Export. The title is in. N") == [" The title is in."]
    assert stream.close() == [" N"]
    assert stream.close() == []


def test_a_paragraph_keeps_its_place_when_the_one_before_it_goes() -> None:
    text = "The music is in.\n\nClick Export to download it.\n\nThe title is in."
    assert translate(text).text == "The music is in.\n\nThe title is in."


def test_a_heading_goes_with_all_that_it_announced() -> None:
    assert translate("The music is in.\n\nTo download it:\n1. Click Export").text == "The music is in."


def test_a_heading_stays_with_what_is_left_of_its_list() -> None:
    text = "Here is what I did:\n1. Added music\n2. Click Export\n3. Trimmed the clip"
    assert translate(text).text == "Here is what I did:\n1. Added music\n2. Trimmed the clip"


def test_each_kind_of_action_is_taken_once() -> None:
    found = translate("Click Export. Then click the Export button again. Open the Media panel. Click Export!")
    assert actions(found.phrases) == [Action("export"), Action("state")]


def test_the_quotation_ends_where_it_ends() -> None:
    found = translate('The title says "Click Export." Click the Export button.')
    assert found.text == 'The title says "Click Export."'
    assert done(found.phrases) == ["export"]


def test_text_without_an_end_is_not_waited_for_for_ever() -> None:
    stream = Stream()
    shown = stream.feed("word " * 1000)
    assert 3000 < sum(map(len, shown)) < 5000
    assert "".join([*shown, *stream.close()]) == "word " * 1000


@pytest.mark.parametrize(
    "hostile",
    [
        "to please just " * 100 + "# click Export",
        "try to in the top of the left " * 60 + "# click Export",
        "请在要为了可以" * 150 + "#点击导出",
        "see the go to the open the " * 70 + "timeline",
        "(" * 1500 + '"' * 400,
    ],
)
def test_no_text_makes_the_translator_think_for_long(hostile: str) -> None:
    begun = time.perf_counter()
    translate(hostile)
    assert time.perf_counter() - begun < 1.0
