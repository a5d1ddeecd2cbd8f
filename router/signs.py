"""Signs: what the intent model is told of a clause, its words, the rules' votes on it and what stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from router.clauses import Clause, clauses
from router.material import roles
from router.phrases import phrase
from router.reading import Reading
from router.rules import Vote, edit, votes

__all__ = ["Heard", "Signs", "hear", "signs"]

CUT: Final = 8
"""Characters of what parts two clauses that are read."""
NEAR: Final = 80
"""Characters of a neighbouring clause that are read."""
LONGEST: Final = 4
"""Characters of the longest n-gram."""
READ: Final = 160
"""Characters of a clause that are read, half from each end of a longer one."""
_RUN = re.compile("([\ue000-\ue00f])\\1+")
_DIGITS = re.compile("[0-9]+")
_PAIR = re.compile("(?=([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{2}))")
_WORD = re.compile("[a-z\u00e0-\u024f\u0400-\u04ff']+")


@dataclass(frozen=True, slots=True)
class Heard:
    """A clause and what the rules make of it."""

    clause: Clause
    cast: tuple[Vote, ...] = ()
    wish: Vote | None = None
    files: tuple[str, ...] = ()
    """The paths and links it names."""
    roles: tuple[Vote, ...] = ()
    """What the rules make of those."""
    cut: str = ""
    """What parts it from the clause before."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the model is told of one clause."""

    grams: frozenset[str]
    """Its n-grams, words and pairs of words."""
    evidence: tuple[str, ...]
    """What the rules saw in it."""
    around: frozenset[str] = frozenset()
    """Words of the clauses beside it and of the one that opens the turn."""


def hear(reading: Reading) -> list[Heard]:
    """Every clause of a reading that says something, in order: courtesies are left out."""
    said = [clause for clause in clauses(reading.text) if clause.prose or _says(clause)]
    ends = [0, *(clause.end for clause in said)]
    cuts = [reading.text[end : clause.start].strip(" ")[:CUT] for end, clause in zip(ends, said, strict=False)]
    return [_heard(clause, reading, cut) for clause, cut in zip(said, cuts, strict=True)]


def _says(clause: Clause) -> bool:
    return bool(clause.text) and phrase("clauses.filler").pattern.fullmatch(clause.text) is None


def _heard(clause: Clause, reading: Reading, cut: str) -> Heard:
    files = reading.between(clause.start, clause.end)
    if clause.prose:
        return Heard(clause, files=files, cut=cut)
    told = roles(clause.text, files) if files else ()
    return Heard(clause, tuple(votes(clause.text)), edit(clause.text), files, told, cut)


def signs(heard: Sequence[Heard]) -> list[Signs]:
    """What the model is told of the clauses of a turn, nothing of prose: the same when it learns and answers."""
    edits = any(_gist(each) == "edit" for each in heard)
    return [Signs(frozenset(), ()) if each.clause.prose else _signs(heard, at, edits) for at, each in enumerate(heard)]


def _signs(heard: Sequence[Heard], at: int, edits: bool) -> Signs:
    text = heard[at].clause.said
    if len(text) > READ:
        text = f"{text[: READ // 2]} {text[-READ // 2 :]}"
    words = _WORD.findall(text)
    run = " " + _DIGITS.sub("0", _RUN.sub(r"\1", text)) + " "
    grams = {run[at : at + size] for size in range(1, LONGEST + 1) for at in range(len(run) - size + 1)}
    grams.update(words)
    grams.update(map("{}_{}".format, ["", *words], [*words, ""]))
    evidence = [*_evidence(heard[at]), *_around(heard, at, edits)]
    return Signs(frozenset(grams), tuple(dict.fromkeys(evidence)), frozenset(_neighbours(heard, at)))


def _around(heard: Sequence[Heard], at: int, edits: bool) -> Iterator[str]:
    """Where a clause stands, and what stands beside it."""
    count = len(heard)
    if count == 1:
        yield "@only"
        return
    yield "@first" if at == 0 else "@last" if at == count - 1 else "@middle"
    yield f"@of:{min(count, 6)}"
    yield f"@cut:{heard[at].cut}"
    if at and ":" in heard[0].clause.said:
        yield "@colon"
    if at:
        yield f"<{_gist(heard[at - 1])}"
    if at + 1 < count:
        yield f">{_gist(heard[at + 1])}"
    if edits:
        yield "@edit"


def _neighbours(heard: Sequence[Heard], at: int) -> Iterator[str]:
    if at:
        yield from map("@{}".format, _words(heard[0].clause.said[:NEAR]))
        yield from map("<{}".format, _words(heard[at - 1].clause.said[-NEAR:]))
    if at + 1 < len(heard):
        yield from map(">{}".format, _words(heard[at + 1].clause.said[:NEAR]))


def _words(text: str) -> Iterator[str]:
    """Words, and pairs of characters where words are not set apart."""
    yield from _WORD.findall(text)
    yield from _PAIR.findall(text)


def _gist(heard: Heard) -> str:
    if heard.clause.prose:
        return "prose"
    if heard.wish is not None and heard.wish.score >= 0.9:
        return "edit"
    if heard.cast:
        return f"{heard.cast[0].route}:{heard.cast[0].score}"
    return "file" if heard.files else "wish" if heard.wish else "none"


def _evidence(heard: Heard) -> Iterator[str]:
    cast, wish = heard.cast, heard.wish
    yield from (f"={vote.route}:{vote.score}" for vote in cast)
    yield from (f"={vote.because}" for vote in cast)
    if wish is not None:
        yield f"=edit:{wish.score}"
        yield f"={wish.because}"
    if wish is None or not cast:
        yield f"=none:{int(wish is None)}{int(not cast)}"
    if cast and wish is not None:
        yield f"=both:{cast[0].route}:{cast[0].score}:{wish.score}"
    if heard.files:
        yield f"=files:{min(len(heard.files), 3)}"
        yield f"=roles:{'+'.join(vote.route for vote in heard.roles)}"
        yield f"=role:{heard.roles[-1].because}" if heard.roles else "=role:"
