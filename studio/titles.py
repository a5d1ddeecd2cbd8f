"""Readers of wishes for words on screen: their text, place and time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from studio.edits import Edit, Retitle, Title
from studio.reading import Clause, durations, timecode
from studio.scene import Refused, Scene

__all__ = ["retitle", "title"]

Answer = Sequence[Edit] | Refused | None
Place = Literal["center", "top", "bottom"]

_NOUN = r"\b(?:titles?|captions?|headlines?|headings?|subtitles?|title card|overlay|text)\b|标题|字幕|文字|片名|大字"
_PUT = (
    r"\b(?:add|put|place|show|write|insert|display|overlay|type|give|set|create|"
    r"make|use|say(?:ing|s)?|reads?)\b|加|写|打上|打出|放|显示|叠|用|来"
)
_BARE = (
    r"(?:\b(?:title(?: card)?|caption|headline|heading|subtitle|text)s?\b(?:\s+(?:that\s+)?(?:saying|"
    r"says?|reading|reads?|called|about|as|to))?|"
    r"\bwrite\b|标题卡?|字幕|文字|片名|写上|打上|打出)\s*(?:写着|写上|写|说|内容是|"
    r"内容|叫做?|为|是|改成|[:])*\s*(?P<t>.+)$"
)
_SAYING = (
    r"\b(?:saying|that says|that reads|reading|which says)\s*:?\s*(?P<t>.+)$|(?:写着|内容是|内容为)\s*:?\s*(?P<z>.+)$"
)
_SPEECH = r"\bsubtitles?\b(?!\s*[:\w]*\s*(?:saying|reading|that))|字幕"
_TAIL = (
    r"\s*,?\s*(?:\b(?:at|in|on|to|for|from|during|near)\s+(?:the\s+)?(?:(?:very\s+)?(?:start|"
    r"beginning|end|top|bottom|center|centre|middle|opening|"
    r"screen|video|first|last|whole|\d).*)|(?:在|放在|持续|显示)?(?:开头|结尾|"
    r"片头|片尾|顶部|底部|上方|下方|中间|最后|前?\d+(?:\.\d+)?秒|第\d+秒).*|几个字)$"
)
_END = r"\b(?:at|near|in|on) the (?:very )?end\b|\bending\b|\blast\b|\boutro\b|结尾|片尾|最后|末尾"
_WHOLE = r"\b(?:throughout|whole|entire|all the way)\b|全程|一直|整个"


def retitle(clause: Clause, scene: Scene) -> Answer:
    """ "change the title to X"."""
    if not clause.has(_NOUN) or not clause.has(r"\b(?:change|rename|replace|edit)\b|改成|改为|换成|换为"):
        return None
    bare = clause.has(r"\b(?:to|with|as)\s+(?P<t>.+)$|(?:改成|改为|换成|换为)\s*[:]?\s*(?P<z>.+)$")
    words = clause.quotes[-1] if clause.quotes else _raw(clause, bare.span("t" if bare["t"] else "z")) if bare else ""
    return [Retitle(words)] if words else None


def title(clause: Clause, scene: Scene) -> Answer:
    loud = clause.has(
        r"\bput\s+(?P<t>.+?)\s+in (?:big|large|huge|bold) (?:letters|text)|打[上出]?(?P<z>.+?)(?:大字|几个字)"
    )
    if clause.quotes:
        if not (clause.has(_NOUN) or clause.has(_PUT)) or clause.has(
            r"\b(?:image|picture|photo|video)s? of\b|\blike\b|图片|照片|文件"
        ):
            return None
        words = clause.quotes[0]
    elif loud:
        words = _raw(clause, loud.span("t" if loud["t"] else "z"))
    elif clause.has(_NOUN) or clause.has(r"^\s*(?:write\b|写上|打出|打上)"):
        if clause.has(
            r"\b(?:generate|draw|scene|image|picture|video|photo)\b.*\b(?:of|about|showing)\b|"
            r"生成|教程|\bcredits scene\b|\bshould\b|滑入|飞入"
        ):
            return None
        found = clause.has(_SAYING) or clause.has(_BARE)
        words = _without_tail(clause, found.span(found.lastgroup or "t")) if found else ""
        if refused := _speech(clause, words):
            return refused
    else:
        return None
    return [_timed(clause, words)] if words else Refused("title_text")


def _speech(clause: Clause, words: str) -> Refused | None:
    """Subtitles of what is spoken would need speech recognition: not ours."""
    if clause.has(_SPEECH) and (not words or clause.has(r"\bin \w+$|中文|英文|双语|自动")):
        return Refused("subtitles")
    return None


def _without_tail(clause: Clause, span: tuple[int, int]) -> str:
    part = clause.cut(*span)
    tail = part.has(_TAIL)
    return _raw(part, (0, tail.start())) if tail else _raw(part, (0, len(part.raw)))


def _raw(clause: Clause, span: tuple[int, int]) -> str:
    return clause.raw[slice(*span)].strip(" \t\r\n,，.。:：;；!！")


def _timed(clause: Clause, words: str) -> Title:
    spans, place = durations(clause), _place(clause)
    if clause.has(_WHOLE):
        return Title(words, 0, None, place)
    between = clause.has(
        r"(?:from|从)?\s*(\d+(?:\.\d+)?)\s*(?:s|sec|seconds|秒)?\s*(?:-|to|到|至)\s*(\d+(?:\.\d+)?)\s*(?:s\b|sec|秒)"
    )
    if between and float(between[2]) > float(between[1]):
        start = round(float(between[1]) * 1000)
        return Title(words, start, round(float(between[2]) * 1000) - start, place)
    start_ms, used = _start(clause)
    rest = [span.ms for span in spans if not (used[0] <= span.start < used[1])]
    length = rest[0] if rest else 3_000
    return Title(words, start_ms, length, place, at_end=start_ms == 0 and clause.has(_END) is not None)


def _start(clause: Clause) -> tuple[int, tuple[int, int]]:
    """When it comes in, and where the clause says so."""
    code = timecode(clause)
    if code is not None:
        return code, (0, 0)
    match = clause.has(
        r"(?:\b(?:at|from|after|starting at|second)\s+(?P<a>\d+(?:\.\d+)?)\s*(?:s\b|"
        r"sec(?:ond)?s?\b)?(?!\s*%)|(?:在|从)?第\s*(?P<b>\d+(?:\.\d+)?)\s*秒|"
        r"(?:在|从)(?P<c>\d+(?:\.\d+)?)\s*秒(?:处|开始|时)?|(?P<d>\d+(?:\.\d+)?)\s*秒(?:处|时|开始))"
    )
    if not match:
        return 0, (0, 0)
    amount = next(group for group in match.groups() if group)
    return round(float(amount) * 1000), match.span()


def _place(clause: Clause) -> Place:
    if clause.has(r"\b(?:top|above|upper)\b|顶部|上方|上面"):
        return "top"
    if clause.has(r"\b(?:bottom|below|lower|captions?|subtitles?)\b|底部|下方|下面|字幕"):
        return "bottom"
    return "center"
