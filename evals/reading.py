"""What a person has read of a turn, and what went over the wire in it: the common ground of checks and reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent.events import Ask, Delivered, Event, Hint, Progress, Text, Timeline
from evals.trace import Exchange, Shown, TurnTrace

__all__ = [
    "SEND",
    "SUBMIT",
    "TROUBLES",
    "Message",
    "bare",
    "drafts_of",
    "faults",
    "messages",
    "names",
    "outputs",
    "segments",
    "sends",
    "struck",
    "trouble",
    "visible",
    "without",
    "writes",
]

SEND, SUBMIT = "/run_sse", "/api/render/proxy/lambda"
TROUBLES = {"cut", "end", "hang", "refuse", "garble", "html", "fail", "kill", "twice", "apologise", "code", "status"}
"""Acts that are a bad day; the others are the backend at work."""
_NUMBER = re.compile(r"\b([1-5]\d{2,3})\b")
_CODE = re.compile(r'"(?:code|errorCode)"\s*:\s*"?(\d+)')
_WORD = re.compile(r"[a-z]+", re.I)
_LETTER = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that was shown, as it stood when the turn was over."""

    at: float
    """When it was first seen, in seconds since the dialogue began."""
    kind: str
    """The event's: text, timeline, delivered, ask, hint, error or progress."""
    text: str
    event: Event


def messages(turn: TurnTrace, *, progress: bool = False) -> list[Message]:
    """Every message of a turn; the pieces of a text are one. `progress` includes what is overwritten again."""
    found: dict[str, Message] = {}
    for number, (at, event) in enumerate((shown.at, shown.event) for shown in turn.shown):
        if isinstance(event, Progress) and not progress:
            continue
        key = f"text {event.id}" if isinstance(event, Text) else str(number)
        before = found.get(key)
        text = _words(event)
        if before and isinstance(event, Text) and event.mode == "append":
            text = before.text + text
        found[key] = Message(before.at if before else at, event.kind, text, event)
    return [message for message in found.values() if message.text.strip()]


def _words(event: Event) -> str:
    if isinstance(event, Ask):
        return "\n".join([event.text, *event.options])
    if isinstance(event, Hint):
        return "\n".join([event.text, *event.suggestions])
    if isinstance(event, Delivered) and event.url and event.url not in event.text:
        return f"{event.text}\n{event.url}"
    return event.text


def visible(turn: TurnTrace) -> str:
    """All of it, as one text."""
    return "\n".join(message.text for message in messages(turn))


def outputs(turn: TurnTrace) -> list[float]:
    """The moments at which something was to be seen, progress included."""
    return [shown.at for shown in turn.shown if _seen(shown)]


def _seen(shown: Shown) -> bool:
    return bool(shown.event.text.strip())


# The wire


def sends(turn: TurnTrace) -> list[Exchange]:
    """Every message to the backend's chat."""
    return [each for each in turn.exchanges if each.method == "POST" and each.path == SEND]


def writes(turn: TurnTrace) -> list[Exchange]:
    """Whatever could change something there."""
    return [each for each in turn.exchanges if each.method not in ("GET", "HEAD")]


def trouble(act: str) -> str | None:
    """The name of a bad day, by its code where it has one: "1001", "5xx", "cut"; None for the backend at work."""
    word = found.group().lower() if (found := _WORD.search(act)) else ""
    number = int(digits.group(1)) if (digits := _NUMBER.search(act)) else None
    if number is not None and word in ("code", "status"):
        return "5xx" if 500 <= number < 600 else str(number)
    return word if word in TROUBLES - {"code", "status"} else None


def struck(turn: TurnTrace) -> list[str]:
    """The bad days of a turn, each once, in the order in which they came; those with a code by their code."""
    told = [*turn.acts, *(act for each in turn.exchanges for act in faults(each))]
    return list(dict.fromkeys(name for act in told if (name := trouble(act))))


def faults(each: Exchange) -> list[str]:
    """The acts that struck a request, those that answer with a number with it: "code 1001", "status 503"."""
    acts = [act.strip() for act in each.fault.split(",") if act.strip()]
    code = found[1] if (found := _CODE.search(each.answer)) else ""
    numbers = {"code": code, "status": each.status or ""}
    return [f"{act} {numbers.get(act, '')}".strip() for act in acts]


# Drafts


def segments(draft: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every piece of a draft with the track it is on; nothing where it is no draft."""
    for track in _dicts(draft.get("t") if isinstance(draft, dict) else None):
        for piece in _dicts(track.get("sg")):
            yield track, piece


def _dicts(found: Any) -> Iterable[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def names(drafts: Iterable[Any]) -> set[str]:
    """What pieces and tracks of drafts are called: whoever repeats these says nothing of ours."""
    found: set[str] = set()
    for draft in drafts:
        for track, piece in segments(draft):
            for where in (piece, piece.get("m"), track.get("m")):
                if isinstance(where, dict):
                    told = (where.get(key) for key in ("name", "title", "text", "label", "n"))
                    found |= {" ".join(str(word).split()) for word in told if isinstance(word, str | int)}
    return {name for name in found if name}


def drafts_of(turn: TurnTrace) -> list[Any]:
    """Every draft a turn has to do with."""
    told = [shown.event.draft for shown in turn.shown if isinstance(shown.event, Timeline)]
    return [draft for draft in (turn.before, *told, turn.draft) if draft]


def bare(text: str) -> str:
    """Letters and digits alone, in one case: what is left of a sentence whatever was done to its punctuation."""
    return "".join(_LETTER.findall(text.casefold()))


def without(text: str, hidden: Sequence[str]) -> str:
    """`text` with each of `hidden` gone, the longest first; a name that was cut short goes too."""
    for name in sorted(hidden, key=len, reverse=True):
        text = text.replace(name, " ")
        if len(name) > 40 and (cut := re.escape(name[:40])):
            text = re.sub(cut + r"[^…\n]*…", " ", text)
    return text
