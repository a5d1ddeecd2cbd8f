"""Readers of wishes for words on screen: their text, place and time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from studio import tracks
from studio.edits import Edit, Retitle, Title
from studio.reading import NUMBER, Clause, durations, number, ordinal, timecode, window
from studio.scene import Refused, Scene
from studio.words import ADD, DRAW

__all__ = ["retitle", "title"]

Answer = Sequence[Edit] | Refused | None
Place = Literal["center", "top", "bottom"]

_NOUN = r"\b(?:titles?|captions?|headlines?|headings?|subtitles?|title card|overlay|text)\b|标题|字幕|文字|片名|大字"
_BARE = (
    r"(?:\b(?:title(?: card)?|caption|headline|heading|subtitle|text)s?\b(?:\s+(?:that\s+)?(?:saying|"
    r"says?|reading|reads?|called|about|as|to))?|"
    r"\bwrite\b|标题卡?|字幕|文字|片名|写上|打上|打出)\s*(?:写着|写上|写|说|内容是|"
    r"内容|叫做?|为|是|改成|[:,])*\s*(?P<t>.+)$"
)
_SAYING = (
    r"\b(?:saying|that says|that reads|reading|which says)\s*:?\s*(?P<t>.+)$|(?:写着|内容是|内容为)\s*:?\s*(?P<z>.+)$"
)
_SPEECH = r"\bsubtitles?\b(?!\s*[:\w]*\s*(?:saying|reading|that))|字幕"
_TAIL = (
    r"\s*,?\s*(?:\b(?:at|in|on|to|for|from|during|near)\s+(?:the\s+)?(?:(?:very\s+)?(?:start|"
    r"beginning|end|top|bottom|center|centre|middle|opening|"
    r"screen|video|first|last|whole|\d).*)|(?:在|放在|持续|显示)?(?:开头|结尾|"
    r"片头|片尾|顶部|底部|上方|下方|中间|最后|前?\d+(?:\.\d+)?秒|第\d+秒).*|几个字|\s+in (?:big|large|huge|"
    r"bold) (?:letters|text))$"
)
_SONG = r"\b(?:song|track|music|tune)\b|歌|音乐|曲"
_LOUD = r"\bput\s+(?P<t>.+?)\s+in (?:big|large|huge|bold) (?:letters|text)|打[上出]?(?P<z>.+?)(?:大字|几个字)"
_AS_TITLE = (
    r"\b(?:write|put|add|use|set|show|display|place|have|make)\s+(?P<t>.+?)\s+as\s+(?:(?:an?|the|my|its)\s+(?:\w+\s+)?)?"
    r"(?:title|caption|headline|heading|subtitle)\b|\bmake\s+(?P<u>.+?)\s+(?:the|its) title\W*$|"
    r"(?:把|用|将|写上?|以)(?P<z>[^,]+?)(?:作为|当[作成]?|做成?|作)(?:标题|字幕|片名)"
)
_NO_WORDS = (  # left where the words of a title should be, and none
    r"(?:please|pls|it|this|that|now|for me|too|again|instead|to something else|"
    r"(?:an?|the) (?:new|other|different) one|"
    r"(?:my|this|the) (?:photo|picture|image)|吧|呗|啊|呢|了|它|这个?|那个?|一?下|一个|看看|试试)+[吧了呗]?"
)
_REWORD = (
    r"(?:换|改|重[写取]|更换)(?:一?[下个]|掉|了)*(?:标题|字幕|片名)(?:吧|呗|了|看看)*\W*$|"
    r"(?:标题|字幕|片名)(?:再|也|都)?(?:换|改|重[写取])(?:一?[下个]|掉|改|换)*(?:吧|呗|了|看看)*\W*$|"
    r"\b(?:change|replace|edit|rewrite|rephrase|rename)\s+(?:the|this|that|my)\s+(?:title|caption|text|headline)"
    r"(?:\s+(?:please|pls|now|text|wording|again|for me|to something else))*\W*$|"
    r"\b(?:another|a (?:new|different|better)) title\b\W*"
    r"(?:please)?\W*$"
)
_COLOUR = (
    r"^\W*(?:an?\s+)?(?:red|blue|green|white|black|yellow|pink|purple|orange|gold(?:en)?|bigger|smaller|larger|"
    r"bold)\W*$|^.{0,2}色的?$"
)
_END = r"\b(?:at|near|in|on|to) the (?:very )?end\b|\bending\b|\blast\b|\boutro\b|结尾|片尾|最后|末尾"
_WHOLE = r"\b(?:throughout|whole|entire|all the way)\b|全程|一直|整个"


def retitle(clause: Clause, scene: Scene) -> Answer:
    """ "change the title to X"."""
    if clause.has(_REWORD) and not clause.quotes:
        return Refused("title_text")
    if not clause.has(_NOUN) or not clause.has(
        r"\b(?:change|rename|replace|edit)\b|\bmake the \w+ (?:say|read)\b|改成|改为|换成|换为"
    ):
        return None
    titles = sum(len(track["sg"]) for track in tracks.of(scene.draft, tracks.TEXT))
    if titles > 1 and clause.has(r"\b(?:first|second|third|other|start|beginning)\b|第|开头|另"):
        return Refused("one_title")
    bare = clause.has(r"\b(?:to|with|as)\s+(?P<t>.+)$|(?:改成|改为|换成|换为)\s*[:]?\s*(?P<z>.+)$")
    words = clause.quotes[-1] if clause.quotes else _raw(clause, bare.span("t" if bare["t"] else "z")) if bare else ""
    if not clause.quotes and re.search(_COLOUR, words, re.IGNORECASE):
        return Refused("title_text")
    return [Retitle(words)] if words else None


def title(clause: Clause, scene: Scene) -> Answer:
    if refused := _refused(clause):
        return refused
    said = clause.has(_LOUD) or clause.has(_AS_TITLE)
    if clause.quotes:
        placed = durations(clause) or timecode(clause) is not None or clause.has(_END)
        if not (clause.has(_NOUN) or clause.has(ADD) or placed) or clause.has(
            r"\b(?:image|picture|photo|video)s? of\b|\blike\b|(?<!第.[张幅])(?:图片|照片)(?!上)|文件"
        ):
            return None
        if clause.has(_SONG) and not clause.has(_NOUN):
            return None
        if clause.has(DRAW) and clause.has(r"写着|\b(?:says|saying|words?|written)\b"):
            return Refused("unknown", {"words": clause.raw.strip(" ,，.。!！?？")})  # pictures carry no lettering
        words = clause.quotes[0]
    elif said:
        words = _raw(clause, said.span(said.lastgroup or "t"))
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
    return Refused("title_text") if _blank(clause, words) else _timed(clause, words, scene)


def _blank(clause: Clause, words: str) -> bool:
    """Nothing, or only what is left of asking: "change the title please", 换个标题吧."""
    named = clause.quotes or clause.has(r":|\bcalled\b|\bsay(?:s|ing)\b|写着|内容")
    return not words or (not named and re.fullmatch(_NO_WORDS, words, re.IGNORECASE) is not None)


def _refused(clause: Clause) -> Refused | None:
    """What is asked of words already on screen, beyond what they say; and words nobody has heard yet."""
    if clause.has(r"(?:生成|识别|自动)[^,]*字幕|\b(?:auto\w*|generate)\b.*\bsubtitles?\b"):
        return Refused("subtitles")
    there = clause.has(
        r"\b(?:make|move|put|turn|set|get|have|shift|bring) (?:the|that|this|my) (?:\w+ )?(?:title|caption|text|"
        r"subtitle|headline)s?\b(?!\W*[\ue000])|"
        r"把(?:这个|那个)?(?:标题|字幕|文字)|\b(?:title|caption|text)s? (?:is|are|was|looks?|needs?|should|isn't|"
        r"has|can)\b|(?:标题|字幕|文字)(?:变|移|放|调|要|太|再|能|应该)"
    )
    if there and not clause.quotes:
        return Refused("unknown", {"words": clause.raw.strip(" ,，.。!！?？")})
    return None


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


def _timed(clause: Clause, words: str, scene: Scene) -> Sequence[Edit] | Refused:
    spans, place = durations(clause), _place(clause)
    if clause.has(_WHOLE):
        return [Title(words, 0, None, place)]
    if between := window(clause):
        return [Title(words, between[0], between[1] - between[0], place)]
    start_ms, used = _start(clause)
    rest = [span.ms for span in spans if not (used[0] <= span.start < used[1])]
    if numbers := [] if start_ms else ordinal(clause):
        return _on(numbers, words, rest, place, scene)
    at_end = start_ms == 0 and clause.has(_END) is not None
    return [Title(words, start_ms, rest[0] if rest else 3_000, place, at_end=at_end)]


def _on(numbers: list[int], words: str, rest: list[int], place: Place, scene: Scene) -> Sequence[Edit] | Refused:
    """On a segment that is there: from its start, no longer than it lasts."""
    pieces = [] if scene.coming else tracks.lane(scene.draft, tracks.VIDEO)
    titles = []
    for number_ in numbers:
        if not -len(pieces) <= number_ <= len(pieces):
            return Refused("no_segment", {"number": number_, "count": len(pieces)})
        piece = pieces[number_ - 1 if number_ > 0 else number_]
        titles.append(Title(words, piece["s"], min(rest[0] if rest else 3_000, piece["d"]), place))
    return titles


def _start(clause: Clause) -> tuple[int, tuple[int, int]]:
    """When it comes in, and where the clause says so."""
    code = timecode(clause)
    if code is not None:
        return code, (0, 0)
    match = clause.has(
        rf"(?:\b(?:at|from|after|starting at|second)\s+(?:second\s+)?(?!an?\b|half)(?P<a>{NUMBER})(?!\d|\s*%)\s*(?:s\b|"
        rf"sec(?:ond)?s?\b)?(?!\s*(?:%|[,]?\s*(?:in|into) the end))|(?:在|从)?第\s*(?P<b>{NUMBER})\s*秒|"
        rf"(?:在|从)(?P<c>{NUMBER})\s*秒(?:处|开始|时)?|(?P<d>{NUMBER})\s*秒(?:处|时|开始))"
    )
    if not match:
        return 0, (0, 0)
    amount = next(group for group in match.groups() if group)
    return round((number(amount) or 0) * 1000), match.span()


def _place(clause: Clause) -> Place:
    if clause.has(r"\b(?:top|above|upper)\b|顶部|上方|上面"):
        return "top"
    if clause.has(r"\b(?:bottom|below|lower|captions?|subtitles?)\b|底部|下方|下面|字幕"):
        return "bottom"
    return "center"
