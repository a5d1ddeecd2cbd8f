"""What the translator hears with: a model that has learned from the sentences that ship, and is fast."""

from __future__ import annotations

from agent.gui.hearing import CLASSES, load
from agent.gui.pieces import pieces
from agent.gui.train import examples, marked, sentences
from router.train import digest


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
