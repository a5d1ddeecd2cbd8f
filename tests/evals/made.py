"""Traces made by hand, for the tests of what looks at them."""

from __future__ import annotations

from typing import Any

from agent.events import Event, Text, Timeline
from evals.trace import Exchange, Finding, Ledger, Shown, Trace, TurnTrace

CITY = {"t": [{"tt": 0, "m": {"name": "Video"}, "sg": [{"id": "a", "s": 0, "d": 10_000, "m": {"name": "city"}}]}]}
LOFI = {
    "t": [
        *CITY["t"],
        {"tt": 1, "m": {"name": "BGM"}, "sg": [{"s": 0, "d": 10_000, "m": {"name": "Lo-fi", "volume": 0.35}}]},
    ]
}
LINE = "Timeline (2 tracks): 1. Video: city (0-10s) 2. BGM: Lo-fi (0-10s, 35%)"
HEADERS = {
    "Authorization": "Bearer nmv_usr_canary99",
    "X-Skill-Source": "generator-image",
    "X-Skill-Version": "1.0.0",
    "X-Skill-Platform": "unknown",
}


def call(what: str, at: float = 0.1, *, text: str = "", **given: Any) -> Exchange:
    """`POST /run_sse`, answered in a tenth of a second."""
    method, path = what.split()
    body = {"new_message": {"parts": [{"text": text}]}} if text else given.pop("body", None)
    told = {"headers": HEADERS, "status": 200, "ended": at + 0.1} | given
    return Exchange(at=at, method=method, path=path, body=body, **told)


def turn(said: str = "add lo-fi music", *events: Event | str, number: int = 1, **given: Any) -> TurnTrace:
    """One turn; a text among the events stands for words, each shown a second after the other."""
    made = [Text(id=str(at), text=one) if isinstance(one, str) else one for at, one in enumerate(events)]
    shown = [Shown(given.get("begun", 0.0) + at + 1, event) for at, event in enumerate(made)]
    told: dict[str, Any] = {"lang": "en", "begun": 0.0, "ended": len(made) + 1.0, "routes": ["sse"], "shown": shown}
    return TurnTrace(number, said, **(told | given))


def trace(*turns: TurnTrace, **given: Any) -> Trace:
    """One run of them."""
    return Trace(
        given.pop("dialogue", "made_by_hand"), given.pop("tags", ()), given.pop("seed", 0), list(turns), **given
    )


def timeline(text: str = LINE, draft: dict[str, Any] = LOFI) -> Timeline:
    """What is shown after an edit."""
    return Timeline(text=text, draft=draft)


def run_of(dialogue: str, seed: int, *, fails: bool = False, **given: Any) -> Trace:
    """A run of one edit, good or bad."""
    findings = [Finding("wire", 1, "unexpected POST /run_sse at 150.0s")] if fails else []
    told = {"wanted": [["sse"]], "sources": ["rule"], "before": CITY, "draft": LOFI} | given.pop("turn", {})
    one = turn(
        "add lo-fi music", "There it is.", timeline(), exchanges=[call("POST /run_sse", text="add lo-fi")], **told
    )
    return trace(one, dialogue=dialogue, seed=seed, findings=findings, ledger=Ledger(1, 0, 0, 10), lasted=3.0, **given)
