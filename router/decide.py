"""Decide: an utterance and what is known around it become an ordered list of steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from router.clauses import Clause, clauses
from router.decision import Decision, Route, Turn
from router.intent import CLASSES, chances
from router.material import BROUGHT, bare
from router.phrases import phrase
from router.reading import Reading, read
from router.rules import ACT, ASK, CHAT, Vote
from router.signs import Heard, hear
from router.weigh import named, weigh

__all__ = ["decide"]

_PROSE = Vote("sse", 0.9, "rule", "long")
_SETTLED = 0.99
_CLEAR = 0.95
_GUESS = 0.65
_IDLE = 0.85
"""From this chance on, words beside a step are a courtesy: a wish unheard is worse than a courtesy sent."""


@dataclass(frozen=True, slots=True)
class _Step:
    vote: Vote
    start: int
    end: int
    files: tuple[str, ...] = ()
    quiet: float = 0.0
    """How likely it says nothing on its own: a remark beside a step, or a denial."""


def decide(turn: Turn | str) -> list[Decision]:
    """The steps of a turn, in order.

    Empty when there is nothing to do: no words and no attachment, or only a "no" to the question just asked.
    Never raises, whatever the text; linear in its length.
    """
    turn = Turn(turn) if isinstance(turn, str) else turn
    reading = read(turn.text)
    steps = list(_answered(turn, reading))
    if any(step.vote.route == "sse" and step.quiet < 0.5 and step.vote.score >= _CLEAR for step in steps):
        steps = [_doubted(step) for step in steps]
    groups = _grouped(steps)
    if len(groups) > 1:
        groups = _grouped(step for group in groups if not _idle(group) for step in _spoken(group)) or groups[:1]
    return list(_attached(turn, [_decision(turn, reading, group, len(groups)) for group in groups]))


def _grouped(steps: Iterable[_Step]) -> list[list[_Step]]:
    return [list(group) for _, group in groupby(steps, key=lambda step: step.vote.route)]


def _idle(group: list[_Step]) -> bool:
    """Whether neighbouring clauses for chat say nothing beside a step."""
    return group[0].vote.route == "sse" and math.prod(step.quiet for step in group) >= _IDLE


def _spoken(group: list[_Step]) -> list[_Step]:
    """A group without the remarks before and behind what it asks for."""
    loud = [at for at, step in enumerate(group) if step.quiet < _IDLE]
    return group[loud[0] : loud[-1] + 1] if loud else group


def _doubted(step: _Step) -> _Step:
    """A guess at a tool beside a clear edit is likelier a part of the edit."""
    vote = step.vote
    if vote.route == "sse" or vote.source == "context" or step.files or vote.because == "rule:lone":
        return step
    acts = vote.route in ("export", "upload")
    if vote.score >= (_GUESS if acts else 0):
        return step
    return replace(step, vote=replace(vote, route="sse", score=round(1 - vote.score, 4)))


def _answered(turn: Turn, reading: Reading) -> Iterator[_Step]:
    """The steps of every clause, the first read as an answer when a question is pending."""
    heard = hear(reading)
    first = next(clauses(reading.text), None) if turn.pending else None
    if turn.pending and first is not None and (answer := _answer(turn.pending, first)) is not None:
        yield from answer
        heard = [each for each in heard if each.clause.start >= first.end]
    spoken = False
    listed = len(heard) == 1 or all(named(each) for each in heard)
    for each, odds in zip(heard, chances(heard), strict=True):
        for step in _judge(each, dict(zip(CLASSES, odds, strict=True)), listed):
            spoken = True
            yield _settled(turn, step, each.clause.text)
    if not spoken and not turn.pending and any(char.isprintable() and char != " " for char in turn.text):
        # Only courtesies or signs: chat answers them.
        yield _Step(CHAT, 0, len(reading.text))


def _answer(pending: Route, clause: Clause) -> list[_Step] | None:
    if phrase("answers.yes").pattern.fullmatch(clause.text):
        return [_Step(Vote(pending, _SETTLED, "context", "yes"), clause.start, clause.end)]
    return [] if phrase("answers.no").pattern.fullmatch(clause.text) else None


def _settled(turn: Turn, step: _Step, said: str) -> _Step:
    """A guess at the very route that was asked about, or an upload beside an attachment, is no guess."""
    vote = step.vote
    if turn.rendering and vote.route == "sse" and phrase("context.rendering").pattern.fullmatch(said):
        return replace(step, vote=Vote("state", _SETTLED, "context", "rendering"), quiet=0.0)
    expected = vote.route == turn.pending or (vote.route == "upload" and turn.attachments)
    return replace(step, vote=replace(vote, score=_SETTLED, source="context")) if expected else step


def _judge(heard: Heard, odds: dict[str, float], listed: bool) -> Iterator[_Step]:
    """The steps one clause asks for: two for a file that it brings and says what to do with."""
    start, end = heard.clause.start, heard.clause.end
    if heard.files and bare(heard.clause.text):
        yield _Step(BROUGHT, start, end, heard.files)
    elif heard.clause.prose:
        yield _Step(_PROSE, start, end, heard.files)
    else:
        for vote, quiet in weigh(heard, odds, listed):
            yield _Step(vote, start, end, heard.files, quiet)


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
