"""Decide: an utterance and what is known around it become an ordered list of steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from router.clauses import Clause, clauses
from router.decision import ROUTES, Decision, Route, Turn
from router.intent import CLASSES, load, signs
from router.mask import PATH, URL
from router.phrases import phrase
from router.reading import Reading, read
from router.rules import ACT, ASK, MAYBE, Vote, edit, firm, votes

__all__ = ["decide"]

_CHAT = Vote("sse", 0.5, "default", "default")
_PROSE = Vote("sse", 0.9, "rule", "long")
_PATH = Vote("upload", 0.96, "rule", "path")
_MENTIONED = f"{PATH}{URL} ,:"
_SETTLED = 0.99
_UNSURE = 0.79
_CLEAR = 0.95
_GUESS, _GUESS_IN_BRIEF = 0.65, 0.9
_BRIEF = 160
"""Characters from which a turn with a clear edit is a description, not a list of commands."""
_NOT_CHAT = 0.2
_READ_ONLY = 0.7
"""Below this, an answer from the API is less likely to be what the person wants than one from chat."""


@dataclass(frozen=True, slots=True)
class _Step:
    vote: Vote
    start: int
    end: int
    files: tuple[str, ...] = ()

    @property
    def idle(self) -> bool:
        """Whether it says nothing on its own: a remark beside a step, or a denial."""
        vote = self.vote
        return vote.source == "default" or vote.because.startswith("negated:")


def decide(turn: Turn | str) -> list[Decision]:
    """The steps of a turn, in order.

    Empty when there is nothing to do: no words and no attachment, or only a "no" to the question just asked.
    Never raises, whatever the text; linear in its length.
    """
    turn = Turn(turn) if isinstance(turn, str) else turn
    reading = read(turn.text)
    steps = list(_answered(turn, reading))
    if any(step.vote.route == "sse" and not step.idle and step.vote.score >= _CLEAR for step in steps):
        brief = len(turn.text) > _BRIEF
        steps = [_doubted(step, brief) for step in steps]
    if any(not step.idle for step in steps) and any(step.vote.route != "sse" for step in steps):
        steps = [step for step in steps if not step.idle]
    groups = [list(group) for _, group in groupby(steps, key=lambda step: step.vote.route)]
    return list(_attached(turn, [_decision(turn, reading, group, len(groups)) for group in groups]))


def _doubted(step: _Step, brief: bool) -> _Step:
    """A guess at a tool beside a clear edit is likelier a part of the edit, most of all in a long brief."""
    vote = step.vote
    if vote.route == "sse" or vote.source == "context" or step.files or vote.because == "rule:lone":
        return step
    acts = vote.route in ("export", "upload")
    if vote.score >= (_GUESS_IN_BRIEF if brief else _GUESS if acts else 0):
        return step
    return replace(step, vote=replace(vote, route="sse", score=round(1 - vote.score, 4)))


def _answered(turn: Turn, reading: Reading) -> Iterator[_Step]:
    """The steps of every clause, the first read as an answer when a question is pending."""
    heard = list(clauses(reading.text))
    if turn.pending and heard and (answer := _answer(turn.pending, heard[0])) is not None:
        yield from answer
        heard = heard[1:]
    spoken = False
    for clause in heard:
        for step in _judge(clause, reading):
            spoken = True
            yield _settled(turn, step)
    if not spoken and not turn.pending and any(char.isprintable() and char != " " for char in turn.text):
        # Only courtesies or signs: chat answers them.
        yield _Step(_CHAT, 0, len(reading.text))


def _answer(pending: Route, clause: Clause) -> list[_Step] | None:
    if phrase("answers.yes").pattern.fullmatch(clause.text):
        return [_Step(Vote(pending, _SETTLED, "context", "yes"), clause.start, clause.end)]
    return [] if phrase("answers.no").pattern.fullmatch(clause.text) else None


def _settled(turn: Turn, step: _Step) -> _Step:
    """A guess at the very route that was asked about, or an upload beside an attachment, is no guess."""
    vote = step.vote
    expected = vote.route == turn.pending or (vote.route == "upload" and turn.attachments)
    return replace(step, vote=replace(vote, score=_SETTLED, source="context")) if expected else step


def _judge(clause: Clause, reading: Reading) -> Iterator[_Step]:
    """The steps one clause asks for: none for a courtesy, two for a file that an edit names."""
    start, end, text = clause.start, clause.end, clause.text
    if clause.prose:
        files = reading.between(start, end)
        bare = len(text.replace(PATH, "").replace(URL, "").split()) == 0
        yield _Step(_PATH if files and bare else _PROSE, start, end, files)
        return
    if not text or phrase("clauses.filler").pattern.fullmatch(text):
        return
    files = reading.between(start, end)
    if files:
        chosen = _choose(text)
        # "a.jpg b.jpg make a slideshow of these": the verb stands behind what it is about.
        if chosen.route == "sse" and not firm(chosen) and (behind := text.lstrip(_MENTIONED)):
            chosen = _choose(behind)
        yield from _material(chosen, clause, files)
    else:
        yield _Step(_weigh(clause), start, end)


def _weigh(clause: Clause) -> Vote:
    """What rules and the intent model make of a clause together; its score is a probability."""
    wish, cast = edit(clause.text), votes(clause.text)
    seen, model = signs(clause, cast, wish), load()
    chances = dict(zip(CLASSES, model.probabilities(seen), strict=True))
    chances["sse"] = chances["edit"] + chances["remark"]
    route = max(ROUTES, key=chances.__getitem__)
    asked = phrase("clauses.asked").pattern.sub("", clause.text)
    if cast and cast[0].because == f"word:{asked}":
        # Nothing but one of the documents' own words, or a wish to see it.
        return cast[0]
    if cast and wish is None and cast[0].score == MAYBE and cast[0].route in ("export", "upload"):
        # One word that may mean many things: worth a question, whatever its chances.
        return replace(cast[0], score=min(max(chances[cast[0].route], ASK), _UNSURE))
    if not _worth(route, chances):
        route = "sse"
    score = round(chances[route], 4)
    ruled = next((vote for vote in (*cast, *([wish] if wish else [])) if vote.route == route), None)
    if route == "sse" and not firm(ruled) and chances["remark"] > chances["edit"]:
        return replace(_CHAT, score=score)
    if ruled is not None:
        return replace(ruled, score=score)
    loudest = "edit" if route == "sse" else route
    return Vote(route, score, "intent", f"intent:{model.loudest(seen, CLASSES.index(loudest))}")


def _worth(route: Route, chances: dict[str, float]) -> bool:
    """Whether a route is likely enough to be taken; of two tools the likelier, when it cannot be chat."""
    floor = _READ_ONLY if route in ("credits", "state") and chances["sse"] > _NOT_CHAT else ASK
    return route == "sse" or chances[route] >= floor


def _choose(text: str) -> Vote:
    """What rules alone make of a clause that names files."""
    wish, cast = edit(text), votes(text)
    best = cast[0] if cast else None
    if best is None or best.route == "sse":
        return wish or best or _CHAT
    if firm(wish) and wish is not None and best.score <= wish.score:
        return wish
    floor = ASK if best.route in ("export", "upload") else _READ_ONLY
    if best.score < ACT and wish is not None and wish.score > best.score:
        return wish
    return best if best.score >= floor else wish or _CHAT


def _material(chosen: Vote, clause: Clause, files: tuple[str, ...]) -> Iterator[_Step]:
    """A clause that names files or links: brought, used, spoken about, or written to."""
    start, end, text = clause.start, clause.end, clause.text
    away = chosen.route in ("export", "credits", "state") and chosen.score >= ACT
    if chosen.route == "export" and chosen.because.startswith("rule:"):
        away = phrase("material.target").pattern.search(text) is not None
    if away or chosen.because.startswith("negated:") or phrase("material.content").pattern.search(text):
        vote = chosen if away or chosen.route == "sse" else Vote("sse", 0.85, "rule", "content")
        yield _Step(vote, start, end, files)
        return
    changes = chosen.route == "sse" and firm(chosen)
    brings = phrase("material.bring").pattern.match(text) is not None
    placed = phrase("material.placed").pattern.search(text) is not None
    if changes and not brings and not any(_is_place(name) for name in files):
        # A bare name in an edit is something the project has.
        yield _Step(chosen, start, end, files)
        return
    yield _Step(_PATH, start, end, files)
    role = phrase("material.role").pattern.search(text) is not None
    if (changes and not brings) or role or (placed and chosen.route != "upload"):
        yield _Step(chosen if changes else Vote("sse", 0.8, "rule", "placed"), start, end, files)


def _is_place(name: str) -> bool:
    return "/" in name or "\\" in name


def _decision(turn: Turn, reading: Reading, group: list[_Step], groups: int) -> Decision:
    """Neighbouring steps of one route as one decision, in the person's own words."""
    best = max((step.vote for step in group), key=lambda vote: vote.score)
    start, end = reading.origin[group[0].start], reading.origin[group[-1].end]
    if groups == 1:
        start, end = 0, len(turn.text)
    words = turn.text[start:end]
    start += len(words) - len(words.lstrip())
    words = words.strip()
    files = tuple(dict.fromkeys(name for step in group for name in step.files))
    ask = best.route in ("export", "upload") and ASK <= best.score < ACT
    span = (start, start + len(words))
    return Decision(best.route, words, span, best.source, best.score, best.because, files, ask)


def _attached(turn: Turn, decisions: list[Decision]) -> Iterator[Decision]:
    """Attachments come first: the words are about them."""
    if not turn.attachments:
        yield from decisions
        return
    first = Decision("upload", "", (0, 0), "context", _SETTLED, "attachment", turn.attachments)
    rest = list(decisions)
    if rest and rest[0].route == "upload":
        said = rest.pop(0)
        first = replace(first, text=said.text, span=said.span, files=(*turn.attachments, *said.files))
    yield first
    yield from (each for each in rest if each.route != "upload" or each.files)
