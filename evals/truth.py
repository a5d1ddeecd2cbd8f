"""Whether what is told of a draft is in the draft: every figure, name and count of a timeline or a line of changes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import gcd
from pathlib import Path
from typing import Any

from agent.events import Text, Timeline
from evals.reading import bare, drafts_of, messages, names, segments, without
from evals.trace import Trace, TurnTrace

__all__ = ["Figures", "figures", "untrue"]

LEXICON = Path(__file__).with_name("lexicon") / "summary.toml"
_SPAN = re.compile(r"(?<![\w.:])(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)\s?[s秒]")
_SECONDS = re.compile(r"(?<![\w.:-])(\d+(?:\.\d+)?)\s?(?:s\b|秒)")
_CLOCK = re.compile(r"(?<![\w.])(?:(\d+):)?(\d{1,3}):(\d{2}(?:\.\d+)?)(?![\w:])")
_PERCENT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s?[%％]")
_TIMES = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?:x\b|倍)")
_PIXELS = re.compile(r"(?<![\w.])(\d{2,5})x(\d{2,5})\b")
_ARROW = " → "
_PUNCTUATION = re.compile(r"[\W\d_]+")


@dataclass
class Figures:
    """Every number a draft, or several, can be told by."""

    seconds: set[float] = field(default_factory=set)
    percents: set[float] = field(default_factory=set)
    factors: set[float] = field(default_factory=set)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    shapes: set[tuple[int, int]] = field(default_factory=set)
    counts: set[int] = field(default_factory=set)
    """Of tracks that have something on them."""


def figures(drafts: Iterable[Any]) -> Figures:
    """All of `drafts` together."""
    found = Figures()
    for draft in drafts:
        _measure(draft, found)
    return found


def _measure(draft: Any, found: Figures) -> None:
    end: dict[int, float] = {}
    for track, piece in segments(draft):
        meta = piece["m"] if isinstance(piece.get("m"), dict) else {}
        start = _first(piece, ("s", "st", "start"))
        start = end.get(id(track), 0.0) if start is None else start
        lasts = _number(piece.get("d")) or 0.0
        end[id(track)] = start + lasts
        found.seconds |= {round(each / 1000, 3) for each in (start, lasts, start + lasts)}
        found.seconds |= {round(each / 1000, 3) for each in _numbers(meta, ("in", "fade"))}
        if isinstance(blend := meta.get("transition"), dict):
            found.seconds |= {round(each / 1000, 3) for each in _numbers(blend, ("d",))}
        for gain in (*_numbers(meta, ("volume",)), *_numbers(piece, ("volume", "vol", "v"))):
            found.percents |= {round(gain * 100, 1), round(gain, 1)}
        found.factors |= {round(each, 3) for each in _numbers(meta, ("speed",))}
    found.counts.add(len(end))
    meta = draft.get("m") if isinstance(draft, dict) else None
    width, height = (_number(meta.get(key)) for key in ("width", "height")) if isinstance(meta, dict) else (None, None)
    if width and height:
        shape = int(width), int(height)
        found.sizes.add(shape)
        found.shapes.add((shape[0] // gcd(*shape), shape[1] // gcd(*shape)))


def _numbers(where: dict[str, Any], keys: Sequence[str]) -> list[float]:
    return [number for key in keys if (number := _number(where.get(key))) is not None]


def _first(where: dict[str, Any], keys: Sequence[str]) -> float | None:
    return next(iter(_numbers(where, keys)), None)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(str(value).strip().removesuffix("%"))
    except ValueError:
        return None


# Held against each other


def untrue(trace: Trace) -> Iterator[tuple[int, str]]:
    """The turn and what is told there that no draft bears out."""
    earlier: list[Any] = []
    for turn in trace.turns:
        if turn.draft is None and turn.before is None:
            continue  # Nobody looked: there is nothing to hold it against.
        for problem in _of_turn(turn, earlier):
            yield turn.number, problem
        earlier += drafts_of(turn)


def _of_turn(turn: TurnTrace, earlier: list[Any]) -> Iterator[str]:
    told = [shown.event for shown in turn.shown if isinstance(shown.event, Timeline)]
    between = [event.draft for event in told[:-1]]  # What several steps went through is in no other book.
    now = [turn.before, turn.draft, *between]
    for event in told:
        yield from (f"{problem}: {event.text!r}" for problem in _odd(event.text, now, whole=True))
    late = bool(earlier) and earlier[-1] != turn.before
    after = [turn.draft, *between, *([turn.before] if late else [])]
    for line in _change_lines(turn):
        yield from (f"{problem}: {line!r}" for problem in _change(line, [turn.before, *between, *earlier], after))


def _change_lines(turn: TurnTrace) -> Iterator[str]:
    heard = bare(" ".join(turn.heard))
    for message in messages(turn):
        if isinstance(message.event, Text):
            for line in message.text.splitlines():
                if line.startswith("- ") and bare(line) not in heard:
                    yield line[2:]


def _change(line: str, before: list[Any], after: list[Any]) -> Iterator[str]:
    """What is there now stands in the draft after, what is gone in the one before; an arrow has both on its sides."""
    if _begins("now").match(line):
        yield from _odd(line, after)
    elif _begins("gone").match(line):
        yield from _odd(line, before)
    elif _begins("both").match(line):
        left, arrow, right = line.partition(_ARROW)
        if arrow:
            # What it is called stands on the left, as it is now.
            yield from _odd(left, before, also=after)
            yield from _odd(right, after)
        else:
            yield from _odd(line, after)


def _odd(text: str, drafts: list[Any], *, whole: bool = False, also: Sequence[Any] = ()) -> Iterator[str]:
    """Figures that `drafts` do not have; where all of a text is about a draft, its words too."""
    known, own = figures(drafts), names([*drafts, *also])
    if whole and re.search("|".join(_lexicon()["empty"]), text):
        yield from ([] if 0 in known.counts else ["it is not empty"])
        return
    if whole:
        yield from (f"{count} tracks" for count in _counted(text) if count not in known.counts)
        text = _heads().sub(" ", text)
    rest = without(" ".join(text.split()), list(own))
    if also:
        rest = re.sub(r"\([^()]*\)|（[^（）]*）", " ", rest, count=1)  # When the piece plays, as it is now.
    yield from _not_in(rest, known)
    if whole and (words := _words(rest)):
        yield f"{' '.join(words)!r} is in no draft"


def _not_in(text: str, known: Figures) -> Iterator[str]:
    for found in _SPAN.finditer(text):
        yield from (f"{each}s" for each in found.groups() if not _is(float(each), known.seconds))
    for found in _CLOCK.finditer(text):
        hours, minutes, seconds = (float(each or 0) for each in found.groups())
        shape = not hours and (int(minutes), int(seconds)) in known.shapes
        if not shape and not _is(hours * 3600 + minutes * 60 + seconds, known.seconds):
            yield found.group()
    plain = _CLOCK.sub(" ", _SPAN.sub(" ", text))
    yield from (found.group() for found in _SECONDS.finditer(plain) if not _is(float(found[1]), known.seconds))
    yield from (found.group() for found in _PERCENT.finditer(plain) if not _is(float(found[1]), known.percents))
    for found in _PIXELS.finditer(plain):
        if (int(found[1]), int(found[2])) not in known.sizes:
            yield found.group()
    plain = _PIXELS.sub(" ", plain)
    yield from (found.group() for found in _TIMES.finditer(plain) if not _is(float(found[1]), known.factors))


def _is(figure: float, known: set[float]) -> bool:
    return any(abs(figure - each) < 0.051 for each in known)


def _counted(text: str) -> list[int]:
    return [int(found["n"]) for pattern in _lexicon()["counts"] for found in re.finditer(pattern, text)][:1]


def _words(rest: str) -> list[str]:
    """Words of a timeline that are neither names nor of its own making."""
    for label in _lexicon()["labels"]:
        rest = re.sub(rf"(?<![A-Za-z]){label}(?![A-Za-z])", " ", rest)
    return [word for word in _PUNCTUATION.split(rest) if len(word) > 1]


@cache
def _lexicon() -> dict[str, Any]:
    return tomllib.loads(LEXICON.read_text(encoding="utf-8"))


@cache
def _heads() -> re.Pattern[str]:
    """ "2. BGM:" before what is on a track, which may be called just so."""
    return re.compile(rf"(?<!\S)\d+\. (?:{'|'.join(_lexicon()['labels'])})(?=[:：\s])")


@cache
def _begins(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(_lexicon()["changes"][kind]))
