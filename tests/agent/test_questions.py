"""A question of the backend has answers to pick, and an utterance picks one of them or is something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.questions import Option, picked, read


def labels(text: str) -> list[str] | None:
    found = read(text, "en")
    return [option.label for option in found.options] if found else None


@pytest.mark.parametrize(
    ("reply", "answers"),
    [
        ("Done. Would you like to keep the music or remove it?", ["Keep the music", "Remove it"]),
        ("Shall I keep it as is, or would you rather I remove it?", ["Keep it as is", "Remove it"]),
        ("Which do you prefer, warm or cold?", ["Warm", "Cold"]),
        ("Which style? Cinematic, vlog or retro?", None),
        ("Should I trim it to 10, 15 or 20 seconds?", ["Trim it to 10", "15", "20 seconds"]),
        ("Would you like me to add a title?", ["Yes", "No"]),
        ("Do you want it in 4K or not?", ["Yes", "No"]),
        ("Which style?\n1. **Cinematic**: slow\n2. **Vlog** – fast\n3. Retro", ["Cinematic", "Vlog", "Retro"]),
        ("I can do:\n- Warm: sunset\n- Cold\nWhich one do you like?", ["Warm", "Cold"]),
        ("您想要哪种风格：电影感还是复古？", ["电影感", "复古"]),
        ("要保留配乐还是去掉？", ["保留配乐", "去掉"]),
        ("您喜欢 A、B 还是 C？", ["A", "B", "C"]),
        ("是否保留背景音乐？", ["Yes", "No"]),
        ("需要我加上字幕吗？", ["Yes", "No"]),
    ],
)
def test_the_answers_of_a_question_are_read(reply: str, answers: list[str] | None) -> None:
    assert labels(reply) == answers


@pytest.mark.parametrize(
    "reply",
    [
        "The music is in.",
        "What would you like to do next?",
        "Would you like me to make any other changes?",
        "Did it work? I think it did.",
        "I did this:\n1. Added music\n2. Trimmed it\nAnything else?",
        "您还有其他需要吗？",
        "感觉怎么样？",
        "",
    ],
)
def test_what_leaves_everything_open_has_nothing_to_pick(reply: str) -> None:
    assert labels(reply) is None


def test_yes_and_no_are_in_the_persons_language() -> None:
    found = read("Would you like me to add a title?", "zh")
    assert found and [option.label for option in found.options] == ["好的", "不用"]


OPTIONS = [Option("Keep the music", "Keep the music"), Option("Remove it", "Remove it", also="drop|without")]


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("1", "Keep the music"),
        ("2.", "Remove it"),
        ("option 2", "Remove it"),
        ("B", "Remove it"),
        ("the second one", "Remove it"),
        ("第一个", "Keep the music"),
        ("最后一个", "Remove it"),
        ("keep", "Keep the music"),
        ("REMOVE IT!", "Remove it"),
        ("drop", "Remove it"),
    ],
)
def test_an_answer_is_picked_by_number_letter_place_or_words(said: str, label: str) -> None:
    choice = picked(said, OPTIONS)
    assert choice and choice.label == label


@pytest.mark.parametrize("said", ["3", "0", "export", "add a title", "", "keep it quiet and export", "z"])
def test_anything_else_picks_nothing(said: str) -> None:
    assert picked(said, OPTIONS) is None


@given(st.text(max_size=200))
def test_no_text_is_too_odd_to_read_or_to_pick_with(text: str) -> None:
    read(text, "en")
    assert picked(text, OPTIONS) in (None, *OPTIONS)


@given(st.sampled_from(OPTIONS))
def test_every_option_is_picked_by_its_own_words(option: Option) -> None:
    assert picked(option.label, OPTIONS) == option
