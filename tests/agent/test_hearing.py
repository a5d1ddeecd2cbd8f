"""What the translator hears with: a model that has learned from the sentences that ship, and is fast."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.gui.clean import marker
from agent.gui.hearing import CLASSES, _of_a_screen, is_plain, load
from agent.gui.pieces import pieces
from agent.gui.signs import evidence_of
from agent.gui.train import examples, marked, sentences
from router.train import digest

WORDS = (
    *("click", "Clicking", "TAP", "dragging", "drop", "press", "save", "video", "editor", "media library", "here"),
    *(
        "project",
        "slider",
        "edge",
        "the",
        "in",
        "corner",
        "of",
        "see",
        "via",
        "with",
        "through",
        "use",
        "Export",
        "button",
    ),
    *(
        " ",
        " ",
        " ",
        " ",
        ", ",
        ". ",
        ": ",
        "-",
        "—",
        "(",
        ")",
        '"',
        "“",
        "”",
        "**",
        "_",
        "`",
        "'",
        "’",
        "\n",
        " and ",
        " then ",
    ),
    *("说", "点击", "é", "ſ", "\u212a", "ı", "video’s", "file.mp4", "https://x.y/click", "3"),
)


def test_the_model_that_ships_has_learned_from_the_sentences_that_ship() -> None:
    assert load().learned == digest(list(sentences()), examples)


def test_marks_are_taken_off_and_remembered() -> None:
    text, spans = marked("Done!⟦export| Click Export⟧ Bye.")
    assert text == "Done! Click Export Bye."
    assert [(text[a:b], kind) for a, b, kind in spans] == [(" Click Export", "export")]


def test_every_mark_is_of_a_class_and_balanced() -> None:
    for each in sentences():
        text, spans = marked(each["marked"])
        assert not {"⟦", "⟧"} & set(text), each["marked"]
        assert {kind for _, _, kind in spans} <= set(CLASSES), each["marked"]


def test_the_pieces_of_a_sentence_joined_are_the_sentence() -> None:
    for each in sentences():
        text = marked(each["marked"])[0]
        assert "".join(piece.words for piece in pieces(text)) == text


def test_a_sentence_that_is_plain_has_no_piece_that_is_of_a_screen() -> None:
    plain_ones = 0
    for each in sentences():
        text = marked(each["marked"])[0]
        body = text[len(marker(text)) :]
        if is_plain(body):
            plain_ones += 1
            assert not any(_of_a_screen(piece, evidence_of(piece)) for piece in pieces(body)), text
    assert plain_ones > 500


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map("".join))
def test_no_words_in_any_order_are_plain_and_of_a_screen(text: str) -> None:
    if is_plain(text):
        assert not any(_of_a_screen(piece, evidence_of(piece)) for piece in pieces(text))
