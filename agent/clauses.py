"""One sentence of the backend, with what speaks of a screen taken out and the rest mended."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from agent.gestures import Gesture, Phrase, read
from agent.grammar import CJK, MASK, Grammar, grammar, grammars, rx
from agent.sentences import PAIRS, span_end

__all__ = ["clean"]

_ADDRESS = re.compile(r"https?://|www\.|\]\(")
_MARKER = re.compile(r"(?:[-*+•·]|\d{1,3}[.)、]|#{1,6}|[(（]\d{1,2}[)）]|[①-⑳])[ \t]*")
_PARENTHESIS = re.compile(r"\s*[(（]([^()（）]*)[)）]")
_SEPARATOR = re.compile(r"(?<!\d),\s+|(?<=\d),\s+|[，、；：]|[;:]\s+|\s[-–—]{1,2}\s|—+|\n")
_TAIL = re.compile(r"(?:[.!?…。！？*_~\s]|[☀-➿\U0001f300-\U0001faff️])*$")
_JOINT = re.compile(
    r"[\s,，、]*(?:(?:and|but|so|or|otherwise|then|also|alternatively)\b|但是?|并且?|並且?|否则|否則|或者?|然后|然後)?[\s,，]*",
    re.I,
)
_DANGLING = re.compile(r"[\s,，、;；:：–—-]+$")

Role = Literal["content", "gesture", "condition", "aside", "outcome", "ours"]


@dataclass(frozen=True, slots=True)
class _Clause:
    words: str
    """With the separator that ends it."""
    role: Role
    gesture: Gesture | None = None


def clean(sentence: str, *, hesitant: bool = False, next_step: bool = False) -> tuple[str, list[Phrase]]:
    """The sentence without its gui phrases, "" where nothing else was in it, and the phrases.

    `hesitant` says that the sentence before asked something: what this one offers is not acted on. `next_step`
    says that the one before was an instruction in the same list: what only goes on with it goes with it.
    A sentence without gui phrases comes back as it was.
    """
    marker = _MARKER.match(sentence)
    head = marker[0] if marker else ""
    body, phrases = _without_asides(sentence[len(head) :], hesitant)
    found = _clauses(body)
    if next_step and all(clause.role in ("outcome", "aside") for clause in found):
        return "", phrases
    if not any(clause.gesture for clause in found):
        return (head + body if body.strip() or not phrases else ""), phrases
    doubtful = hesitant or body.rstrip(" *_").endswith(("?", "？"))
    phrases = _phrases(found, doubtful) + phrases
    kept = [found[index] for index in _kept(found)]
    if all(clause.role in ("aside", "condition") for clause in kept):
        return "", phrases
    return head + _mended(body, found, kept), phrases


def _without_asides(text: str, hesitant: bool) -> tuple[str, list[Phrase]]:
    """Gestures in parentheses are taken out first; what else stands in them stays."""
    phrases: list[Phrase] = []

    def inner(match: re.Match[str]) -> str:
        if not match[1] or not any(clause.gesture for clause in _clauses(match[1])):
            return match[0]
        left, heard = clean(match[1], hesitant=hesitant)
        phrases.extend(heard)
        return match[0].replace(match[1], left) if left else ""

    return _PARENTHESIS.sub(inner, text), phrases


def _shape(text: str) -> str:
    """As long as the text: quotations masked, emphasis blank, one kind of apostrophe."""
    shape, at = list(text), 0
    while at < len(text):
        past = span_end(text, at, final=True) if text[at] in PAIRS else at + 1
        if past is not None and past > at + 1:
            shape[at:past] = MASK * (past - at)
        at = past or at + 1
    plain = re.sub(r"\*{1,3}|(?<!\w)_{1,2}|_{1,2}(?!\w)", lambda m: " " * len(m[0]), "".join(shape))
    return plain.replace("'", "’")


def _clauses(text: str) -> list[_Clause]:
    """The clauses of a sentence and what each does.

    All content where the sentence is somebody's text, and where it has an address: a person can follow that.
    """
    shape = _shape(text)
    languages = grammars(text)
    if _ADDRESS.search(text) or any(g.label.match(shape) for g in languages):
        return [_Clause(text, "content")]
    found: list[_Clause] = []
    start = 0
    for cut in [*_cuts(shape, languages), len(text)]:
        if cut > start:
            clause = _clause(shape[start:cut], text[start:cut], languages)
            found.append(replace(clause, role="content", gesture=None) if _told(found, clause) else clause)
            start = cut
        if found and any(g.quoting.fullmatch(shape[:start]) for g in languages) and start < len(text):
            return [*found, _Clause(text[start:], "content")]
    return found


def _told(found: list[_Clause], clause: _Clause) -> bool:
    """A Chinese clause without a subject has that of the one before: it may go on with a story."""
    if not clause.gesture or not found or found[-1].role != "content" or not CJK.search(clause.words):
        return False
    w = grammar("zh").words
    named = any(phrase.kind in ("export", "credits", "upload") for phrase in clause.gesture.phrases)
    addressed = re.search(w["addressed"], clause.words) or re.search(w["report"], found[-1].words)
    return not named and not addressed


def _clause(shape: str, words: str, languages: list[Grammar]) -> _Clause:
    if gesture := read(_DANGLING.sub("", shape), words):
        return _Clause(words, "gesture", gesture)
    bare = _DANGLING.sub("", _TAIL.sub("", shape))
    for g in languages:
        if g.ours.match(bare):
            return _Clause(words, "ours")
        if g.condition.match(bare):
            return _Clause(words, "condition")
        if g.aside.covers(bare):
            return _Clause(words, "aside")
        if g.outcome.match(bare):
            return _Clause(words, "outcome")
    return _Clause(words, "content")


def _cuts(shape: str, languages: list[Grammar]) -> list[int]:
    """Where one clause ends and the next begins: after separators, and before what begins an instruction."""
    cuts = {match.end() for match in _SEPARATOR.finditer(shape)}
    for g in languages:
        hard, soft = _begins_instruction(g)
        cuts |= {match.start() for match in hard.finditer(shape) if match.start()}
        if soft:
            done = rx(rf".*{g.words['done']}")
            cuts |= {m.start() for m in soft.finditer(shape) if done.fullmatch(shape[: m.start()])}
    return sorted(cuts)


@cache
def _begins_instruction(g: Grammar) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
    w = g.words
    if "split" in w:
        screen = "|".join(w[key] for key in ("click", "drag", "timeline", "panel", "account", "control"))
        verbs = f"(?:{screen}|打开|打開|按下)"
        follows = rf"(?=[^，。；：！？]{{0,12}}?{verbs})"
        return rx(w["split"] + follows), rx(w["split_soft"] + follows)
    verbs = f"(?:{w['click']}|{w['press']}|{w['open']}|{w['preview']}|{w['drag']}|{w['drop']}|{w['pay']})"
    joint = rf"(?:and|but|so|then|or|which|that|where)\s+(?:{w['lead']}\s+)++{verbs}\b"
    ours = rf"(?:and|but|or|so)\s+{w['ours']}(?![\w-])"
    ready = rf"(?:(?<=ready)|(?<=available))\s+(?=(?:to|for(?: you to| a)?)\s+{verbs}\b)"
    return rx(rf"\s+(?=(?:{joint}|{ours}))|{ready}"), None


def _phrases(found: list[_Clause], doubtful: bool) -> list[Phrase]:
    """The phrases in order; once a condition stands before one, none after it is acted on."""
    phrases: list[Phrase] = []
    for index, clause in enumerate(found):
        doubtful = doubtful or clause.role == "condition"
        if clause.gesture:
            later = any(after.role == "condition" for after in found[index + 1 : index + 2])
            idle = doubtful or (later and index + 2 == len(found))
            phrases += [Phrase("idle", p.words) if idle else p for p in clause.gesture.phrases]
            doubtful = doubtful or clause.gesture.subordinate
    return phrases


def _kept(found: list[_Clause]) -> list[int]:
    """The clauses that stay: not the gestures, nor what leads to one or follows from it."""
    gone: set[int] = set()
    for index, clause in enumerate(found):
        if clause.gesture is None:
            continue
        gone.add(index)
        before = index - 1
        while before >= 0 and found[before].role in ("aside", "condition"):
            gone.add(before)
            before -= 1
        after = index + 1
        while after < len(found) and _follows(found, after, clause.gesture):
            gone.add(after)
            after += 1
    return [index for index in range(len(found)) if index not in gone]


def _follows(found: list[_Clause], at: int, gesture: Gesture) -> bool:
    clause = found[at]
    if clause.role in ("outcome", "aside"):
        return True
    if clause.role == "condition":
        return at + 1 == len(found)
    return gesture.subordinate and clause.role == "content" and not re.match(r"\W*(?:but\b|但)", clause.words)


def _mended(body: str, found: list[_Clause], kept: list[_Clause]) -> str:
    """The clauses that stay, with the sentence's own beginning and end."""
    tail = _TAIL.search(body)
    end = tail[0] if tail else ""
    text = "".join(clause.words for clause in kept)
    text = _DANGLING.sub("", text[: -len(end)] if end and kept[-1] is found[-1] else text)
    if kept[0] is not found[0]:
        text = text[_joint(text) :]
        text = text[:1].upper() + text[1:] if body.lstrip(" *_")[:1].isupper() else text
    if text.count("**") % 2 == 0:
        end = end.replace("**", "")
    return text + end


def _joint(text: str) -> int:
    match = _JOINT.match(text)
    return match.end() if match else 0
