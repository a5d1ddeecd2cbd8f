"""One clause of the backend: whether it tells somebody at a screen what to do, and what that stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from agent.gui.grammar import MASK, Grammar, RowName, grammars, rx
from prompts import table

__all__ = ["CHARGED", "Gesture", "Phrase", "PhraseKind", "edit_for", "latin_buttons", "named", "plain", "read"]

PhraseKind = Literal["export", "state", "tracks", "credits", "edit", "undo", "upload", "new", "unknown", "idle"]
"""What a phrase stands for. "unknown": no button of ours; "idle": conditional, denied or a mere offer."""
CHARGED = ("edit", "undo", "new", "upload")
"""What changes something or wants something of the person: a mere offer of it is not acted on."""

_EXPLAINED = rx(r"\b(?:not|isn’t|disabled|gr[ae]yed|unavailable|hidden)\b")
_ENDS_TARGET = rx(
    r"\s+(?:to|in|at|on|for|and|or|when|once|if|from|near|under|above|below|after|before|so|then|until|with)\b|[,;.!?]"
    r"|按钮|按鈕|图标|圖示|键|鍵|选项|選項|即可|就|便|来|來|以|进行|進行|后|後|[，。]"
)
_NAMELESS = rx(
    r"[\W_]*(?:here|below|it|this|that|link|one|(?:[\w-]+ )*(?:button|icon|link)|"
    r"[这裡里此处處下上方右左角侧侧面的该個个那链接鏈結]*)[\W_]*"
)
_PLACE = rx(r"^.{1,8}?[上中里裡下]的")
_BY_MEANS = rx(r".*ing|via|with|through")
_LEVEL = rx(r"(?P<what>.*?)\s*(?:slider|滑块|滑塊|滑杆|滑桿).*?(?P<level>\d+(?:\.\d+)?\s*%)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Backend words that assume a screen."""

    kind: PhraseKind
    words: str
    """As the backend said them."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """What a clause asks of somebody at a screen."""

    phrases: tuple[Phrase, ...]
    subordinate: bool = False
    """ "Once you click Export": what follows hangs on it."""


def read(shape: str, words: str) -> Gesture | None:
    """The gesture in a clause, or None where it has none. `shape` is `words` with its quotations masked."""
    return next((found for g in grammars(words) if (found := _read(g, shape, words))), None)


def edit_for(words: str) -> tuple[str, str] | None:
    """The edit that a button named in `words` stands for, in English and Chinese."""
    for edit in table("gui")["edits"]:
        if any(_name(name).search(words) for name in edit["names"]):
            return edit["en"], edit["zh"]
    return None


def _read(g: Grammar, shape: str, words: str) -> Gesture | None:
    hit = _first(g, shape, words)
    if hit is None:
        return None
    row, match = hit
    end, more = _next(g, shape, words, match)
    before, after = shape[: match.start()], shape[match.start() : end]
    kind = _kind(g, row, match, words[:end])
    hanging = g.subordinate.fullmatch(shape if g.subordinate_by_end else before) is not None
    if hanging or _idle(g, kind, before, after, match):
        kind = "idle"
    return Gesture((Phrase(kind, words[:end].strip(" ,，、;；:：\n")), *more), hanging)


def _first(g: Grammar, shape: str, words: str) -> tuple[RowName, re.Match[str]] | None:
    """The first wording that stands where an instruction can stand."""
    best: tuple[RowName, re.Match[str]] | None = None
    for row, pattern in g.rows:
        match = pattern.search(shape)
        while match and not _stands(g, row, match, shape, words):
            match = pattern.search(shape, match.start() + 1)
        if match and (best is None or match.start() < best[1].start()):
            best = row, match
    return best


def _stands(g: Grammar, row: RowName, match: re.Match[str], shape: str, words: str) -> bool:
    before, verb = shape[: match.start()], match.groupdict().get("verb") or ""
    allowed = g.prefix_of_drag if row == "drag" else g.prefix
    if _BY_MEANS.fullmatch(verb) and g.prefix_of_means.covers(before):
        return row != "press" or _pressed(g, match, words)
    return allowed.covers(before) and (row != "press" or _pressed(g, match, words))


def _pressed(g: Grammar, match: re.Match[str], words: str) -> bool:
    """Whether an everyday verb is about a button here: a control is named, or the button by its name."""
    verb, target = match["verb"], _target(match, words)
    if rx(rf"\b{g.words['control']}\b" if verb.isascii() else rf"{g.words['control']}(?!的)").search(
        _near(match, words)
    ):
        return True
    if re.fullmatch(g.words.get("mild", "(?!)"), verb, re.I):
        return False
    found = _button(target)
    if found is None or found[1] > 1:
        return bool(re.match("press|hit|push|按|点|點", verb, re.I)) and match["head"].startswith(MASK)
    plain = re.match("press|hit|push|按|点|點", verb, re.I) is not None
    return plain or target[:1].isupper() or match["head"].startswith(MASK)


def _near(match: re.Match[str], words: str) -> str:
    """The few words after the verb: where a control is named if one is meant."""
    head = words[match.start("head") : match.end("head")]
    cut = re.search(r"[,;，。]|\s(?:to|and|or|for|if|when)\b", head)
    return " ".join(head[: cut.start() if cut else None].split()[:6])[:40]


def _next(g: Grammar, shape: str, words: str, match: re.Match[str]) -> tuple[int, tuple[Phrase, ...]]:
    """Where the next gesture of the same clause begins, and what it stands for."""
    start = match.start("head") if "head" in match.re.groupindex else match.end()
    for joint in g.again.finditer(shape, start):
        if found := _read(g, shape[joint.end() :], words[joint.end() :]):
            return joint.start(), found.phrases
    return len(shape), ()


def _idle(g: Grammar, kind: PhraseKind, before: str, after: str, match: re.Match[str]) -> bool:
    """Whether an instruction is none: denied, conditional, an offer of something that costs, explained."""
    reminded = re.sub(r"(?:do not|don’t) forget to|别忘了|別忘了|不要忘[记記]", "", before, flags=re.I)
    if g.denial.search(reminded) or g.conditional.search(before) or g.later.search(after):
        return True
    explained = (match.groupdict().get("verb") or "").endswith("ing") and not re.search(r"\w", before)
    return explained or (kind in CHARGED and g.may.search(before) is not None)


def _kind(g: Grammar, row: RowName, match: re.Match[str], words: str) -> PhraseKind:
    said = words[match.start() : match.end()]
    if row in ("preview", "account"):
        return "tracks" if row == "preview" else "credits"
    if row == "drag":
        return _dragged(g, words)
    if row == "statement":
        found = _button(said)
        return "idle" if _EXPLAINED.search(words.replace("'", "’")) else found[0] if found else "unknown"
    if row == "open":
        found = _button(said)
        is_timeline = rx(g.words["timeline"]).search(said)
        return found[0] if found and found[0] in ("export", "credits") else "tracks" if is_timeline else "state"
    target = _target(match, words)
    found = _button(target)
    if found is None and _NAMELESS.fullmatch(target):
        found = _button(words[words.index(target, match.start("head")) + len(target) :])
    return found[0] if found else "unknown"


def _target(match: re.Match[str], words: str) -> str:
    """What the button is called, as far as that can be cut out of what follows the verb."""
    shape, start = match["head"], match.start("head")
    cut = _ENDS_TARGET.search(shape)
    target = words[start : start + (cut.start() if cut else len(shape))]
    return _PLACE.sub("", target)


def _dragged(g: Grammar, words: str) -> PhraseKind:
    """An edit where words can do it too: with a place to go. Handles and sliders stay on their screen."""
    w, text = g.words, words.replace("'", "’")
    if rx(w["knob"]).search(text):
        return "edit" if _LEVEL.search(text) else "unknown"
    if rx(rf"{w['material']}.*?{w['upload_place']}|drop\w*\s+(?:here|files)").search(text) and not rx(
        w["timeline"]
    ).search(text):
        return "upload"
    there = rf"{w['where']}\s+(?:{w['where_after']}|{MASK})" if "where_after" in w else w["where"]
    return "edit" if rx(there).search(text) else "unknown"


@cache
def _name(pattern: str) -> re.Pattern[str]:
    return rx(_whole(pattern) if _is_latin(pattern) else pattern)


def _is_latin(pattern: str) -> bool:
    return pattern.isascii()


def _whole(pattern: str) -> str:
    return rf"(?<![a-z])(?:{pattern})(?![a-z])"


def latin_buttons() -> str:
    """A pattern of every name in Latin letters that a button has."""
    return _whole("|".join(name for _, name in _rows() if _is_latin(name)))


def named(text: str) -> PhraseKind | None:
    """What the first button named in a text stands for."""
    found = _button(text)
    return found[0] if found else None


def plain(text: str) -> PhraseKind | None:
    """The one thing that all the buttons named in a text stand for, where the names leave no doubt."""
    kinds = {kind for kind, names in table("gui")["buttons"].items() for name in names if _name(name).search(text)}
    kinds |= {"edit" for edit in table("gui")["edits"] for name in edit["names"] if _name(name).search(text)}
    return cast(PhraseKind, kinds.pop()) if len(kinds) == 1 and not kinds & {"tracks", "state"} else None


def _button(text: str) -> tuple[PhraseKind, int] | None:
    """What the first button named in `text` stands for, and where; the longest name where two begin."""
    names, any_of_them = _buttons()
    first = any_of_them.search(text)
    if first is None:
        return None
    start = first.start()
    hits = [(-len(m[0]), kind) for kind, name in names if (m := name.match(text, start))]
    return min(hits)[1], start


@cache
def _buttons() -> tuple[list[tuple[PhraseKind, re.Pattern[str]]], re.Pattern[str]]:
    """Every name of a button with what it stands for, and all of them at once: most texts name none."""
    others = "|".join(name for _, name in _rows() if not _is_latin(name))
    return [(kind, _name(name)) for kind, name in _rows()], rx(f"{latin_buttons()}|{others}")


def _rows() -> list[tuple[PhraseKind, str]]:
    gui = table("gui")
    rows = [(cast(PhraseKind, kind), name) for kind, names in gui["buttons"].items() for name in names]
    return rows + [("edit", name) for edit in gui["edits"] for name in edit["names"]]
