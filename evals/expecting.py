"""What a turn was expected to bring about against what it did."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.events import Ask, Delivered, Error, Timeline
from evals.format import Asked, Dialogue, Expect, Reply
from evals.screen import shown
from evals.trace import Check, Finding, Trace, TurnTrace
from evals.wire import Bindings, fits, headers, unlike

__all__ = ["expected", "longest_silence", "reckoned"]

_CJK = re.compile(r"[\u3400-\u9fff]")
_QUOTED = re.compile("“[^”]*”|\"[^\"]*\"|「[^」]*」|《[^》]*》|'[^']*'")

_ADDRESS = re.compile(r"[^\s：]*[/\\][^\s（(]+")

Problems = Iterator[tuple[Check, str]]


def expected(turn: TurnTrace, expect: Expect, bound: Bindings) -> list[Finding]:
    """One turn's findings. `bound` learns the names that its requests bind."""
    problems = [
        *_went(turn, expect),
        *_over_the_wire(turn, expect, bound),
        *_said(turn, expect),
        *_became(turn, expect, bound),
        *_in_time(turn, expect),
    ]
    return [Finding(check, turn.number, problem) for check, problem in problems]


def reckoned(dialogue: Dialogue, trace: Trace) -> list[Finding]:
    """The whole dialogue's: its ledger."""
    got = trace.ledger
    return [
        Finding("ledger", 0, f"{name}: wanted {wanted:g}, got {getattr(got, name):g}")
        for name, wanted in dialogue.ledger
        if wanted is not None and wanted != getattr(got, name)
    ]


def longest_silence(turn: TurnTrace) -> float:
    """Seconds without anything shown, progress included."""
    moments = [turn.begun, *(one.at for one in turn.shown), turn.ended]
    return max(later - earlier for earlier, later in zip(moments, moments[1:], strict=False))


def _went(turn: TurnTrace, expect: Expect) -> Problems:
    if expect.routes and turn.routes not in expect.routes:
        yield "route", f"wanted {' or '.join(map(_steps, expect.routes))}, got {_steps(turn.routes)}: {turn.said!r}"
    if expect.actions is not None and turn.actions != expect.actions:
        yield "actions", f"wanted {expect.actions}, heard {turn.actions}"


def _over_the_wire(turn: TurnTrace, expect: Expect, bound: Bindings) -> Problems:
    if expect.wire is not None:
        yield from (("wire", problem) for problem in unlike(expect.wire, turn.exchanges, bound))
    yield from (("headers", problem) for problem in headers(expect.headers, turn.exchanges, bound))


def _said(turn: TurnTrace, expect: Expect) -> Problems:
    events = [one.event for one in turn.shown]
    text = shown(events)
    yield from (("reply", problem) for problem in _unlike_reply(text, expect.reply or Reply()))
    if expect.timeline is not None:
        yield from _last("timeline", expect.timeline, [event.text for event in events if isinstance(event, Timeline)])
    if "delivered" in expect.model_fields_set:
        wanted = [expect.delivered] if expect.delivered else []
        formats = [event.format for event in events if isinstance(event, Delivered)]
        if formats != wanted:
            yield "reply", f"delivered: wanted {wanted}, got {formats}"
    codes = [(event.code, event.text) for event in events if isinstance(event, Error)]
    if expect.error is not None and expect.error not in [code for code, _ in codes]:
        yield "unhandled_error", f"error: wanted {expect.error}, got {codes or 'none'}: {text!r}"
    if expect.ask is not None:
        yield from _unlike_ask(expect.ask, [event for event in events if isinstance(event, Ask)])


def _unlike_reply(text: str, reply: Reply) -> Iterator[str]:
    yield from (f"lacks {wanted!r}: {text!r}" for wanted in reply.contains if wanted not in text)
    if reply.any_of and not any(wanted in text for wanted in reply.any_of):
        yield f"has none of {list(reply.any_of)}: {text!r}"
    yield from (f"has {banned!r}: {text!r}" for banned in reply.excludes if banned.casefold() in text.casefold())
    if reply.matches and not re.search(reply.matches, text):
        yield f"does not match {reply.matches!r}: {text!r}"
    if reply.lang and (told := _language(text)) != reply.lang:
        yield f"is in {told}, wanted {reply.lang}: {text!r}"


def _unlike_ask(wanted: Asked, asked: Sequence[Ask]) -> Problems:
    if not asked:
        yield "reply", "ask: no question was asked"
        return
    last = asked[-1]
    yield from (("reply", f"ask lacks {words!r}: {last.text!r}") for words in wanted.contains if words not in last.text)
    if wanted.options is not None:
        same = len(wanted.options) == len(last.options)
        if not same or not all(
            fits(one, got, Bindings()) for one, got in zip(wanted.options, last.options, strict=True)
        ):
            yield "reply", f"ask: wanted the options {wanted.options}, got {last.options}"


def _became(turn: TurnTrace, expect: Expect, bound: Bindings) -> Problems:
    if expect.draft is not None and not fits(expect.draft, turn.draft, bound):
        yield "draft", f"wanted {expect.draft!r} in it, got {turn.draft!r}"


def _in_time(turn: TurnTrace, expect: Expect) -> Problems:
    quiet, most = longest_silence(turn), expect.at_most_silent_for
    if most is not None and quiet > most + 0.001:  # seconds are sums of floats
        yield "quiet", f"silent for {quiet:.1f} s, at most {most:g} s were wanted"
    if expect.first_output_within is None:
        return
    first = turn.shown[0].at - turn.begun if turn.shown else None
    if first is None or first > expect.first_output_within:
        told = "never" if first is None else f"after {first:.1f} s"
        yield "first_output", f"it came {told}, wanted within {expect.first_output_within:g} s"


def _last(name: str, wanted: str, got: Sequence[str]) -> Problems:
    if list(got[-1:]) != [wanted]:
        yield "reply", f"{name}: wanted {wanted!r}, got {got[-1] if got else 'none'!r}"


def _steps(routes: Sequence[str]) -> str:
    return " then ".join(routes) or "nowhere"


def _language(text: str) -> str:
    """Of most of it; quotations, addresses and paths do not count."""
    plain = _ADDRESS.sub("", _QUOTED.sub("", text))
    signs, words = len(_CJK.findall(plain)), len(re.findall(r"[A-Za-z]{2,}", plain))
    return "zh" if signs > words else "en"
