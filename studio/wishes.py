"""Readers of wishes about what is on the timeline: undo, delete, order, speed, length, canvas, transitions, motion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, cast

from studio.edits import Delete, Edit, Length, Motion, Move, Ratio, Speed, Swap, Transition, Trim, Undo
from studio.reading import Clause, durations, number, ordinal
from studio.scene import Refused, Scene

__all__ = [
    "delete",
    "finish",
    "length",
    "motion",
    "negated",
    "ratio",
    "reorder",
    "shorten",
    "speed",
    "transition",
    "trim",
    "undo",
]

Answer = Sequence[Edit] | Refused | None

_UNDO = r"\b(?:undo|revert|roll ?back|(?:go|put it) back\b)|previous version|撤销|撤回|还原|回到上一|上一版|恢复到上"
_FINISH = (
    r"^\s*(?:ok(?:ay)?[, ]+)?(?:please\s+)?(?:just\s+)?(?:export|render|download|"
    r"save|finali[sz]e)\b(?!\s+an?\s+(?:realistic|photo|picture|image))"
    r"|^\s*(?:请|帮我|可以|现在)?(?:导出|下载|渲染|输出|保存)|send me the (?:video|file)"
)
_NEGATED = (
    r"\b(?:don'?t|do not|no|not)\b[^,]{0,12}\b(?:export|render|send|download|"
    r"sav)\w*|(?:先)?(?:不要?|别)(?:先|急着)?(?:渲染|导出|下载|保存|给我)"
)
_DELETE = (
    r"\b(?:delete|remove|drop|discard|erase|get rid of|take (?:out|off)|strip|"
    r"clear|without)\b|删除|删掉|删了|去掉|去除|移除|清空|删|(?<!先)不要"
)
_TARGETS: tuple[tuple[str, str], ...] = (
    (
        "all",
        (
            r"\b(?:everything|all (?:of )?(?:it|tracks|segments|clips)|the (?:whole )?timeline)\b|"
            r"全部|所有(?!标题|字幕|转场)|清空"
        ),
    ),
    ("title", r"\b(?:titles?|captions?|subtitles?|text|headline|heading|words)\b|标题|字幕|文字"),
    ("music", r"\b(?:music|bgm|soundtrack|song|score)\b|音乐|配乐|bgm"),
    ("voice", r"\b(?:voice|voice-?over|narration)\b|配音|旁白|人声"),
    ("transition", r"\b(?:transitions?|cross-?fades?|dissolves?)\b|转场|过渡"),
)
_PIECE = r"\b(?:clip|segment|scene|shot|photo|picture|image|part|video)s?\b|段|幕|张|画面|片段|视频|图"
_FIRST = r"\bfirst\b|\bstart\b|\bbeginning\b|\bopening\b|\bfront\b|\bintro\b|前|开头|片头"
_LAST = r"\blast\b|\bend(?:ing)?\b|\bfinal\b|\btail\b|后|结尾|末尾|片尾|最后"
_RATIOS: tuple[tuple[str, tuple[int, int]], ...] = (
    (r"\b9\s*[:x/比]\s*16\b|\b(?:vertical|portrait|tiktok|reels|shorts)\b|竖屏|竖版|竖向|抖音", (1080, 1920)),
    (
        r"\b16\s*[:x/比]\s*9\b|\b(?:landscape|horizontal|widescreen)\b(?! (?:photo|picture|image|of))|横屏|横版|宽屏",
        (1920, 1080),
    ),
    (r"\b1\s*[:x/比]\s*1\b|\bsquare\b|方形|正方", (1080, 1080)),
    (r"\b4\s*[:x/比]\s*5\b", (1080, 1350)),
    (r"\b4\s*[:x/比]\s*3\b", (1440, 1080)),
    (r"\b3\s*[:x/比]\s*4\b", (1080, 1440)),
)
_TIMES = (
    r"(?P<a>\d+(?:\.\d+)?)\s*(?:x\b|倍|times\b)|\bx\s*(?P<b>\d+(?:\.\d+)?)|\b(?P<c>double|"
    r"twice|half|triple)\b|(?P<d>[一两二三四五]|半)倍"
)


def negated(clause: Clause) -> bool:
    """ "don't render it yet": nothing to do."""
    return clause.has(_NEGATED) is not None


def finish(clause: Clause) -> bool:
    """It asks for the finished file; making one is a button's work."""
    return clause.has(_FINISH) is not None


def undo(clause: Clause, scene: Scene) -> Answer:
    return [Undo()] if clause.has(_UNDO) and not clause.quotes else None


def delete(clause: Clause, scene: Scene) -> Answer:
    if not clause.has(_DELETE) or durations(clause):
        return None
    wanted = [name for name, pattern in _TARGETS if clause.has(pattern)]
    if "all" in wanted and len(wanted) == 1:
        return [Delete("all")]
    if kinds := [name for name in wanted if name != "all"]:
        return [Delete(cast(Literal["title"], kind)) for kind in kinds]
    if (numbers := ordinal(clause)) and clause.has(_PIECE):
        # From the back, so that the numbers said keep their meaning.
        return [Delete("segment", n) for n in sorted(set(numbers), key=lambda n: n if n > 0 else 10**6, reverse=True)]
    if clause.has(r"\b(?:the|that|this|it)\b(?: (?:clip|segment|picture|image|photo|video))?\s*$|这[张段个幅]"):
        return [Delete("segment")]
    return None


def shorten(clause: Clause, scene: Scene) -> Answer:
    """ "make it shorter": a quarter off; only where no length is named."""
    if durations(clause) or clause.quotes:
        return None
    if clause.has(r"\b(?:shorter|shorten it|tighter)\b|短一[点些]|短[点些]|缩短"):
        return [Length(factor=0.75, segment=_one(clause))]
    if clause.has(r"\blonger\b|长一[点些]|长[点些]|延长"):
        return [Length(factor=4 / 3, segment=_one(clause))]
    return None


def ratio(clause: Clause, scene: Scene) -> Answer:
    drawing = clause.has(r"\b(?:generate|draw|image of|picture of|photo of)\b|生成|画")
    for pattern, (width, height) in () if drawing else _RATIOS:
        if clause.has(pattern):
            return [Ratio(width, height)]
    return None


def reorder(clause: Clause, scene: Scene) -> Answer:
    numbers = ordinal(clause)
    if clause.has(r"\bswap\b|\bexchange\b|互换|交换|换一下顺序|对调|调换") and len(numbers) >= 2:
        return [Swap(numbers[0], numbers[1])]
    if not clause.has(r"\bmove\b|\bput\b|\bbring\b|放到|放在|移到|移动|挪到|调到") or not numbers or clause.quotes:
        return None
    if not clause.has(_PIECE):
        return None
    if len(numbers) > 1:
        return [Move(numbers[0], numbers[1])]
    if clause.has(r"\b(?:start|beginning|front|top)\b|\bto (?:the )?first\b|最前|开头|第一"):
        return [Move(numbers[0], 1)]
    if clause.has(r"\b(?:end|back)\b|\bto (?:the )?last\b|最后|末尾|结尾"):
        return [Move(numbers[0], -1)]
    return None


def speed(clause: Clause, scene: Scene) -> Answer:
    slower = clause.has(r"\bslow(?:er|ly)?\b(?=.*)|slow[- ]?mo|放慢|慢放|慢一?[点些]|减速|慢速")
    faster = clause.has(r"\b(?:speed(?:ed)?|faster|quicker|fast[- ]forward)\b|加速|快放|快一?[点些]|快进|倍速")
    if not (slower or faster) or clause.quotes or clause.has(r"\b(?:zoom|pan)\b|推近|拉远"):
        return None
    match = clause.has(_TIMES)
    factor = _factor(match) if match else 1.5
    if slower and factor > 1 and not (match and match["c"] == "half"):
        factor = 1 / factor
    return [Speed(factor, _one(clause))]


def _factor(match: re.Match[str]) -> float:
    words = {"double": 2.0, "twice": 2.0, "triple": 3.0, "half": 0.5}
    if match["c"]:
        return words[match["c"].lower()]
    value = number(match["a"] or match["b"] or match["d"]) or 1.5
    return value if 0.1 <= value <= 10 else 1.5


def trim(clause: Clause, scene: Scene) -> Answer:
    spans = durations(clause)
    if not spans or clause.quotes:
        return None
    if not clause.has(r"\b(?:trim|cut|shorten|clip it|remove|delete|drop|chop|crop)\b|剪|裁|截|去掉|删掉|删除|缩短"):
        return None
    ms, which = spans[0].ms, _one(clause)
    if clause.has(r"\b(?:to|down to)\s+(?:only\s+)?(?:just\s+)?[\w.]+\s*-?\s*(?:s|m)|到|成|为"):
        return [Trim(to_ms=ms, segment=which)]
    if clause.has(_LAST):
        return [Trim(tail_ms=ms, segment=which)]
    if clause.has(_FIRST):
        return [Trim(head_ms=ms, segment=which)]
    if clause.has(r"\b(?:by|off)\b|剪掉|去掉|裁掉"):
        return [Trim(tail_ms=ms, segment=which)]
    return [Trim(to_ms=ms, segment=which)]


def length(clause: Clause, scene: Scene) -> Answer:
    spans = durations(clause)
    if not spans or clause.quotes:
        return None
    if clause.has(
        r"^\s*(?:please\s+)?(?:make|keep|let) (?:it|this|that|the (?:video|film|whole "
        r"thing)|clip|scene|picture)\b(?!.*\b(?:of|about)\b)"
    ):
        return [Length(spans[0].ms, segment=_one(clause))]
    if scene.filled and clause.has(
        r"\b(?:extend|lengthen|stretch)\b|\b(?:duration|length)\b|(?:时长|长度)|延长|拉长|(?:改|变|调整?)[成到为]"
    ):
        return [Length(spans[0].ms, segment=_one(clause))]
    return None


def transition(clause: Clause, scene: Scene) -> Answer:
    named = clause.has(
        r"\b(?:transitions?|cross-?fades?|dissolves?)\b|\bfade (?:between|through|in)\b|转场|过渡|叠化|淡入|淡出"
    )
    if not named or clause.has(r"\b(?:photos?|images?|pictures?|clips)\b.*\binto\b|做成|变成"):
        return None
    name: Literal["crossfade", "fade-black", "slide"] = "crossfade"
    if clause.has(r"\b(?:black|fade through|dip)\b|黑场|闪黑|黑"):
        name = "fade-black"
    elif clause.has(r"\b(?:slide|push|swipe)\b|滑动|滑入|推移"):
        name = "slide"
    spans = durations(clause)
    return [Transition(name, min(2_000, spans[0].ms) if spans else 600)]


def motion(clause: Clause, scene: Scene) -> Answer:
    moves = (
        ("none", r"\b(?:no|without|stop the|remove) (?:motion|movement|zoom)|\bstatic\b|静止|不要动|固定镜头"),
        ("zoom-in", r"\bzoom(?:s|ing)? in\b|推近|放大|推进"),
        ("zoom-out", r"\bzoom(?:s|ing)? out\b|拉远|缩小"),
        ("pan-left", r"\bpan(?:s|ning)? (?:to the )?left\b|向左"),
        ("pan-right", r"\bpan(?:s|ning)? (?:to the )?right\b|向右"),
        ("auto", r"\bmotion\b|\bken burns\b|运镜|动效|动感效果|(?:平滑|流畅)的?(?:运动|动)"),
    )
    if clause.quotes or clause.has(r"\b(?:eyes?|face)\b|眼睛|脸"):
        return None
    if clause.has(r"\b(?:generate|create|draw|this|these)\b|生成|画|把这"):
        return None
    for name, pattern in moves:
        if clause.has(pattern):
            return [Motion(cast(Literal["auto"], name))]
    return None


def _one(clause: Clause) -> int | None:
    """The one segment a clause is about, None for the film."""
    numbers = ordinal(clause)
    return numbers[0] if numbers and clause.has(_PIECE) and not clause.has(r"前.{0,3}秒|\bfirst\s+\S+\s+sec") else None
