"""What must hold on every turn, whatever the dialogue expects; each check is waived only with a reason."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from agent.events import Error, Text
from evals.format import Dialogue, Turn
from evals.reading import SEND, SUBMIT, Message, bare, drafts_of, faults, messages, names, sends, visible, without
from evals.trace import Check, Exchange, Finding, Trace, TurnTrace
from evals.truth import untrue

__all__ = ["INVARIANTS", "invariants", "leaks", "lexicon"]

LEXICON = Path(__file__).with_name("lexicon")
POLL_EVERY = 30.0
"""Seconds between two looks at one render job."""
SLACK = 0.001
ATTRIBUTION = ("x-skill-source", "x-skill-version", "x-skill-platform")
TOKEN = "/api/auth/anonymous-token"
GUARDED = ("/api/", SEND)
"""Where the backend wants to know who asks; anything else may be a stranger's address."""
STOPPED = {"kill"}
LOST = {"cut", "end", "hang", "garble"}
"""After these nobody knows whether a send was carried out."""
_BEARER = re.compile(r"Bearer\s+(\S+)", re.I)
_ISSUED = re.compile(r"nmv_usr_[\w-]{6,}")
_RAW = re.compile(
    r'Traceback \(most recent|File "[^"]+", line \d+|\b(?:[A-Z]\w+)(?:Error|Exception)\b[:(]|<!doctype|<html', re.I
)
_HAN = re.compile("[\u4e00-\u9fff]")
_ENGLISH = re.compile(
    r"\b(?:the|is|are|was|to|of|and|it|you|your|in|on|for|what|this|that|has|have|not|here|can)\b", re.I
)
_LATIN = re.compile(r"[A-Za-z]+")
_QUOTED = re.compile(r'“[^”]*”|「[^」]*」|『[^』]*』|"[^"\n]*"|《[^》]*》|〈[^〉]*〉|`[^`]*`|(?m:^>.*$)')
_ADDRESS = re.compile(r"\S*[/\\]\S+|\S+\.\w{2,4}\b")

Inspect = Callable[[TurnTrace, Turn | None], Iterator[str]]


def invariants(trace: Trace, dialogue: Dialogue | None = None) -> list[Finding]:
    """Everything that does not hold and is not waived, turn by turn. Without a dialogue nothing is waived."""
    found = [
        Finding(check, turn.number, problem)
        for turn in trace.turns
        for check, inspect in INVARIANTS.items()
        for problem in inspect(turn, _scripted(turn.number, dialogue))
    ]
    for check, across in _ACROSS.items():
        found += [Finding(check, number, problem) for number, problem in across(trace)]
    kept = (each for each in found if not _waived(each, dialogue))
    return list(dict.fromkeys(sorted(kept, key=lambda finding: finding.turn)))


def _scripted(number: int, dialogue: Dialogue | None) -> Turn | None:
    return dialogue.turns[number - 1] if dialogue and 0 < number <= len(dialogue.turns) else None


def _waived(finding: Finding, dialogue: Dialogue | None) -> bool:
    """What is found of the dialogue as a whole is waived by any of its turns."""
    scripted = _scripted(finding.turn, dialogue)
    turns = [scripted] if scripted else dialogue.turns if dialogue and not finding.turn else []
    return any(finding.check in turn.waive for turn in turns)


# The words


@cache
def lexicon() -> tuple[re.Pattern[str], ...]:
    """Every pattern of somebody's hands at a screen."""
    known = tomllib.loads((LEXICON / "gui.toml").read_text(encoding="utf-8"))
    return tuple(
        re.compile(each, re.I) for lang in ("en", "zh") for key in ("gestures", "places") for each in known[lang][key]
    )


def leaks(text: str) -> list[str]:
    """The pieces of `text` that assume a screen; what begins inside quotation marks is content."""
    quoted = [found.span() for found in _QUOTED.finditer(text)]
    hits = (found for pattern in lexicon() for found in pattern.finditer(text))
    return [hit.group() for hit in hits if not any(start <= hit.start() < end for start, end in quoted)]


def _own(turn: TurnTrace) -> list[str]:
    """The names of pieces and files and what the person wrote: content, wherever it is repeated."""
    files = (part.strip("<>") for each in turn.exchanges if isinstance(each.body, list) for part in map(str, each.body))
    return list(filter(None, [*names(drafts_of(turn)), turn.said.strip(), *files]))


def _gui_leak(turn: TurnTrace, _: Turn | None) -> Iterator[str]:
    own = _own(turn)
    for message in messages(turn):
        if message.kind in ("text", "ask", "hint", "error"):
            for hit in leaks(without(message.text, own)):
                yield f"the person reads {hit!r}"


def _silence(turn: TurnTrace, scripted: Turn | None) -> Iterator[str]:
    """Somebody who stopped the turn, or whose program died, is told nothing more."""
    stopped = STOPPED & set(turn.acts) or (scripted and scripted.user.key)
    if not stopped and not visible(turn).strip():
        yield "the person read nothing"


def _wrong_language(trace: Trace) -> Iterator[tuple[int, str]]:
    """A word or two of Latin ("export mp4") are typed in any conversation: its language may go on."""
    before = ""
    for turn in trace.turns:
        brief = turn.said.isascii() and len(_LATIN.findall(turn.said)) <= 2
        spoken = {turn.lang, before} - {""} if brief else {turn.lang}
        yield from ((turn.number, f"{line!r} is not in {turn.lang}") for line in _foreign_lines(turn, spoken))
        before = turn.lang if not brief else before or turn.lang


def _foreign_lines(turn: TurnTrace, spoken: set[str]) -> Iterator[str]:
    own, heard = _own(turn), bare(" ".join(turn.heard))
    for message in messages(turn, progress=True):
        for line in message.text.splitlines():
            said = _ADDRESS.sub(" ", _QUOTED.sub(" ", without(line, own)))
            if all(_foreign(said, lang) for lang in spoken) and not _of_the_backend(line, heard, message):
                yield line.strip()[:120]


def _foreign(said: str, lang: str) -> bool:
    if lang == "en":
        return bool(_HAN.search(said))
    return not _HAN.search(said) and len(_ENGLISH.findall(said)) >= 2


def _of_the_backend(line: str, heard: str, message: Message) -> bool:
    """Whether the line, or most of its sentences, is what the backend said."""
    if message.kind not in ("text", "ask"):
        return False
    parts = [part for sentence in re.split(r"[.!?。！？:：]", line) if len(part := bare(sentence)) > 2]
    return bool(parts) and sum(part in heard for part in parts) * 2 >= len(parts)


def _unhandled_error(turn: TurnTrace, scripted: Turn | None) -> Iterator[str]:
    expected = scripted.expect.error if scripted else None
    for shown in turn.shown:
        if isinstance(shown.event, Error) and (shown.event.code != expected or expected == "internal"):
            yield f"error {shown.event.code}: {shown.event.text}"
        elif isinstance(shown.event, Text) and (raw := _RAW.search(shown.event.text)):
            yield f"the person reads {raw.group()!r}"


# The wire


def _export_forwarded(turn: TurnTrace, _: Turn | None) -> Iterator[str]:
    wanted = turn.wanted or ([turn.routes] if turn.routes else [])
    if wanted and all("export" in routes and "sse" not in routes for routes in wanted) and sends(turn):
        yield f"{turn.said!r} asks for an export and was sent to the chat"


def _missing_attribution(turn: TurnTrace, _: Turn | None) -> Iterator[str]:
    for each in turn.exchanges:
        has = {name.lower() for name, value in each.headers.items() if value.strip()}
        wanted = [*ATTRIBUTION, "x-client-id" if each.path == TOKEN else "authorization"]
        lacking = [name for name in wanted if name not in has]
        if each.path.startswith(GUARDED) and lacking:
            yield f"{each.method} {each.path} without {', '.join(lacking)}"


def _poll_too_fast(turn: TurnTrace, _: Turn | None) -> Iterator[str]:
    """A look that got no answer may be repeated; so may the first, which asks whether a lost submit arrived."""
    looks: dict[str, list[Exchange]] = {}
    for each in turn.exchanges:
        if each.method == "GET" and each.path.startswith(SUBMIT + "/") and not each.path.endswith("/download"):
            looks.setdefault(each.path, []).append(each)
    sure = any(each.path == SUBMIT and not each.fault and _answered(each) for each in turn.exchanges)
    for path, found in looks.items():
        for number, (first, then) in enumerate(zip(found, found[1:], strict=False)):
            wait = POLL_EVERY if first.retry_after is None else first.retry_after
            hasty = then.at - max(first.at, first.ended) < wait - SLACK
            if hasty and _answered(first) and not first.fault and (number or sure):
                yield f"GET {path} again after {then.at - first.at:.1f}s"


def _answered(each: Exchange) -> bool:
    return each.status is not None and each.status < 400


def _duplicate_send(turn: TurnTrace, _: Turn | None) -> Iterator[str]:
    """A 1001 says that nothing ran: with a new token the same words may be sent once more."""
    said: set[str] = set()
    for each in sends(turn):
        text = _text(each)
        if text in said:
            yield f"{text[:80]!r} was sent twice, the second time at {each.at:.1f}s"
        elif not _refused(each, turn):
            said.add(text)
    steps = turn.routes.count("sse") + sum(action in ("edit", "undo") for action in turn.actions)
    ran = [each for each in sends(turn) if not _refused(each, turn)]
    if turn.routes and len(ran) > max(steps, 1) and len(said) == len(ran):
        yield f"{len(ran)} sends for {steps} steps"


def _refused(each: Exchange, turn: TurnTrace) -> bool:
    renewed = any(other.path == TOKEN and each.ended <= other.at for other in turn.exchanges)
    return "code 1001" in faults(each) or each.status == 401 or (renewed and not each.fault)


def _text(each: Exchange) -> str:
    parts = ((each.body or {}).get("new_message") or {}).get("parts") or [] if isinstance(each.body, dict) else []
    return " ".join(str(part.get("text", "")) for part in parts if isinstance(part, dict)).strip()


# Across turns


def _sent_again(trace: Trace) -> Iterator[tuple[int, str]]:
    """A lost send whose words go out again although the person has not said them again."""
    lost: set[str] = set()
    asked = False
    for turn in trace.turns:
        for each in sends(turn):
            if (text := _text(each)) in lost and not asked and bare(text) not in bare(turn.said):
                yield turn.number, f"{text[:80]!r} was lost, and sent again unasked"
        lost |= {
            _text(each) for each in sends(turn) if LOST & set(faults(each)) or (each.status is None and not each.fault)
        }
        asked = any(message.kind == "ask" for message in messages(turn))


def _token_leak(trace: Trace) -> Iterator[tuple[int, str]]:
    """A token belongs into one header of one backend, and nowhere else."""
    canaries = set(_ISSUED.findall(trace.logs))
    for turn in trace.turns:
        for each in turn.exchanges:
            canaries |= {found.group(1) for value in each.headers.values() if (found := _BEARER.search(value))}
    for turn in trace.turns:
        said = "\n".join(message.text for message in messages(turn, progress=True))
        yield from ((turn.number, "the person reads a token") for each in canaries if each in said)
        if not any(each in said for each in canaries) and _ISSUED.search(said):
            yield turn.number, "the person reads a token"
        yield from ((turn.number, problem) for each in turn.exchanges for problem in _astray(each, canaries))
    if any(each in trace.logs for each in canaries):
        yield 0, "a token is in the log or in a store"


def _astray(each: Exchange, canaries: set[str]) -> Iterator[str]:
    told = {name: value for name, value in each.headers.items() if name.lower() != "authorization"}
    elsewhere = json.dumps([each.path, each.query, told, each.body], ensure_ascii=False, default=str)
    if any(canary in elsewhere for canary in canaries):
        yield f"a token is in the address, the body or another header of {each.method} {each.path}"
    if len(told) < len(each.headers) and not each.path.startswith(GUARDED):
        yield f"a token went to {each.path}, which is not the backend's"


INVARIANTS: dict[Check, Inspect] = {
    "gui_leak": _gui_leak,
    "silence": _silence,
    "duplicate_send": _duplicate_send,
    "export_forwarded": _export_forwarded,
    "missing_attribution": _missing_attribution,
    "unhandled_error": _unhandled_error,
    "poll_too_fast": _poll_too_fast,
}
_ACROSS: dict[Check, Callable[[Trace], Iterator[tuple[int, str]]]] = {
    "duplicate_send": _sent_again,
    "token_leak": _token_leak,
    "wrong_language": _wrong_language,
    "untrue_summary": untrue,
}
