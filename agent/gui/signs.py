"""Signs: what the model is told of a piece of a sentence, its words, its grammar and what stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from agent.gui.gestures import named, read
from agent.gui.grammar import MASK, Grammar, grammars, rx
from agent.gui.pieces import Piece
from router.signs import Signs

__all__ = ["ADDRESS", "Before", "evidence_of", "follows", "is_condition", "signs"]

READ = 120
"""Characters of a piece that are read, half from each end of a longer one."""
NEAR = 60
"""Characters of a neighbour that are read."""
LONGEST = 4
"""Characters of the longest n-gram."""
_QUOTED = re.compile(rf"{MASK}+")
_DIGITS = re.compile(r"\d+(?:[.:]\d+)*")
_WORD = re.compile(r"[a-z’à-ÿ]+|⟪[a-z]+")
_UNIT = re.compile(r"[a-z’à-ÿ]+\s?|⟪[a-z]+ ?|[^\W\d_]")
_PAIR = re.compile("(?=([\u3400-\u9fff]{2}))")
_FILE = re.compile(r"\w\.[a-z]\w{1,3}\W*$", re.I)
ADDRESS = re.compile(r"https?://|www\.|\]\(")


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of the sentences before."""

    last: str = "content"
    """What the end of the last one stood for."""
    asked: bool = False
    """Whether it was a question."""
    announced: bool = False
    """Whether it ended in a colon."""
    begun: bool = False
    """Whether anything was said."""
    dictation: Literal["", "announced", "begun"] = ""
    """Whether somebody's text was announced, "Here is your caption:", and has not ended with its paragraph."""

    def after(self, sentence: str, last: str) -> Before:
        """What is known once `sentence` has been said too."""
        bare = sentence.rstrip(" *_\n")
        announced = bare.endswith((":", "："))
        dictation: Literal["", "announced", "begun"] = "begun" if self.dictation else ""
        if announced and any(rx(_lexical(g.words["dictated"])).search(bare) for g in grammars(bare)):
            dictation = "announced"
        return Before(last, bare.endswith(("?", "？")), announced, True, dictation)

    def behind(self, gap: str) -> Before:
        """What is known of a sentence that follows a gap: a paragraph that has begun ends there."""
        ended = self.dictation == "begun" and gap.count("\n") > 1
        return replace(self, dictation="") if ended else self


@dataclass(frozen=True, slots=True)
class _Read:
    """A piece as the signs are made of it."""

    text: str
    """Folded: lower case, one sign for numbers, buttons by what they stand for."""
    evidence: tuple[str, ...]


def signs(head: str, found: Sequence[Piece], before: Before, evidence: Sequence[tuple[str, ...]]) -> list[Signs]:
    """What the model is told of the pieces of a sentence whose list marker is `head`; `evidence` of each is given."""
    whole = "".join(piece.shape for piece in found)
    frame = tuple(_frame(head, whole, before))
    heard = [_Read(_folded(piece), each) for piece, each in zip(found, evidence, strict=True)]
    return [_signs(heard, at, frame) for at in range(len(heard))]


def evidence_of(piece: Piece) -> tuple[str, ...]:
    """What the grammars read in a piece."""
    return tuple(_evidence(piece))


def is_condition(shape: str) -> bool:
    """Whether a piece makes what comes after it conditional."""
    bare = re.sub(r"[\W_]+$", "", shape)
    return any(g.condition.match(bare) and not g.aside.covers(bare) for g in grammars(shape))


def follows(last: str, said: Signs) -> tuple[str, ...]:
    """What stood before a piece, alone and with the piece's first word; a sentence's first piece has a ^ there."""
    first = next((each for each in said.evidence if each.startswith("^")), "^")
    return f"@follows:{last}", f"@follows:{last}{first}"


def _folded(piece: Piece) -> str:
    """The piece with quotations as the button they name, or as a quotation."""
    out, at = [], 0
    for match in _QUOTED.finditer(piece.shape):
        quoted = piece.words[match.start() : match.end()]
        button = named(quoted) if len(quoted) < 24 and not _FILE.search(quoted) else ""
        out += [piece.shape[at : match.start()], f"⟪{button or 'quote'} "]
        at = match.end()
    text = "".join([*out, piece.shape[at:]]).lower()
    return " ".join(_DIGITS.sub("0", text).split())


def _signs(heard: Sequence[_Read], at: int, frame: tuple[str, ...]) -> Signs:
    text = heard[at].text
    if len(text) > READ:
        text = f"{text[: READ // 2]} {text[-READ // 2 :]}"
    words = _WORD.findall(text)
    run = f" {text} "
    grams = {run[i : i + size] for size in range(1, LONGEST + 1) for i in range(len(run) - size + 1)}
    grams.update(words)
    grams.update(map("{}_{}".format, ["", *words], [*words, ""]))
    evidence = [*heard[at].evidence, *frame, *_around(heard, at), *_edges(text)]
    around = frozenset(_neighbours(heard, at))
    return Signs(frozenset(grams), tuple(dict.fromkeys(evidence)), around)


def _edges(text: str) -> Iterator[str]:
    """How a piece begins and ends: an instruction begins with its verb."""
    units = _UNIT.findall(text)
    yield from (f"^{''.join(units[:count])}" for count in (1, 2, 3))
    yield f"{''.join(units[-2:])}$"


def _around(heard: Sequence[_Read], at: int) -> Iterator[str]:
    count = len(heard)
    yield "@only" if count == 1 else "@first" if at == 0 else "@last" if at == count - 1 else "@middle"
    for side, index in (("<", at - 1), (">", at + 1), ("<<", at - 2), (">>", at + 2)):
        if 0 <= index < count:
            yield from (side + each for each in heard[index].evidence)
    for index in range(at):
        yield from (f"@after{each}" for each in heard[index].evidence if each in ("=condition", "=label", "=quoting"))


def _neighbours(heard: Sequence[_Read], at: int) -> Iterator[str]:
    if at:
        yield from map("<{}".format, _words(heard[at - 1].text[-NEAR:]))
    if at + 1 < len(heard):
        yield from map(">{}".format, _words(heard[at + 1].text[:NEAR]))


def _words(text: str) -> Iterator[str]:
    yield from _WORD.findall(text)
    yield from _PAIR.findall(text)


def _frame(head: str, whole: str, before: Before) -> Iterator[str]:
    """What is true of the whole sentence."""
    if head:
        yield f"@head:{head.strip()[-1:] if not head[:1].isdigit() else '0'}"
    if re.search(r"[?？][\s*_]*$", whole):
        yield "@question"
    if before.dictation:
        yield "@dictation"
    for name in ("asked", "announced", "begun"):
        if getattr(before, name):
            yield f"@{name}"
    if re.search("[㐀-鿿]", whole):
        yield "@zh"


def _evidence(piece: Piece) -> Iterator[str]:
    shape, words = piece.shape, piece.words
    if gesture := read(shape.rstrip(" \n,，、;；:：–—-"), words):
        yield "=gesture"
        if all(phrase.kind not in ("idle", "unknown") for phrase in gesture.phrases):
            yield "=told"
        yield from (f"=gesture:{phrase.kind}" for phrase in gesture.phrases)
        if gesture.subordinate:
            yield "=subordinate"
    for g in grammars(words):
        yield from _roles(g, shape)
    if button := named(words):
        yield f"=button:{button}"
    if ADDRESS.search(words):
        yield "=address"
    if MASK in shape:
        yield "=quote"


def _roles(g: Grammar, shape: str) -> Iterator[str]:
    """What one grammar makes of a piece, and its words for a screen that stand in it."""
    bare = re.sub(r"[\W_]+$", "", shape)
    yield from (f"={role}" for role in ("ours", "condition", "outcome") if getattr(g, role).match(bare))
    if bare and g.aside.covers(bare):
        yield "=aside"
    if g.label.match(shape):
        yield "=label"
    if g.quoting.fullmatch(shape):
        yield "=quoting"
    if g.denial.search(shape):
        yield "=denial"
    words, any_of_them = _lexicon(g)
    if any_of_them.search(shape):
        yield from (name for name, pattern in words if pattern.search(shape))


_LEXICON = ("panel", "timeline", "account", "knob", "control", "upload_place", "material", "click", "drag", "location")


@cache
def _lexicon(g: Grammar) -> tuple[list[tuple[str, re.Pattern[str]]], re.Pattern[str]]:
    """The words of a screen in one language by their kinds, and all of them at once: most pieces hold none."""
    patterns = {f"={key}": _lexical(g.words[key]) for key in _LEXICON if key in g.words}
    return [(name, rx(pattern)) for name, pattern in patterns.items()], rx("|".join(patterns.values()))


def _lexical(pattern: str) -> str:
    return rf"(?<![\w-])(?:{pattern})(?![\w-])" if pattern.isascii() else f"(?:{pattern})"
