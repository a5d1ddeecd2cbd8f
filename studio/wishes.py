"""Readers of wishes about what is on the timeline: undo, delete, order, cuts, length, canvas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, cast

from studio import tracks
from studio.edits import Delete, Edit, Length, Move, Ratio, Swap, Trim, Undo
from studio.reading import NUMBER, PIECE, Clause, durations, number, ordinal, window
from studio.scene import Refused, Scene
from studio.words import DRAW, TAKE

__all__ = [
    "delete",
    "length",
    "one",
    "ratio",
    "reorder",
    "shape",
    "shorten",
    "trim",
    "undo",
]

Answer = Sequence[Edit] | Refused | None

_UNDO = (
    r"\b(?:undo|revert|roll ?back|(?:go|put (?:it|that)|take (?:it|that)|change (?:it|that)) back\b)|previous version|"
    r"撤销|撤回|还原|[回到退]+上一|上一版|恢复到?上|取消(?:上一|刚才)|改回去|变回去"
)
_WHICH = r"\b(?:first|second|third|last|other|at the (?:end|start|beginning))\b|第|最后|另|开头|结尾"
_MADE_INTO = (
    r"\b(?:into|slide ?show)\b|\bmake (?:it|this|that|them|these|my \w+) an?\b|(?:做|剪|变|拼)成.*(?:视频|短片|影片)"
)
_ONLY_SHAPE = (
    r"^\W*(?:turn|convert|change|make) (?:it|this|that) (?:(?:in)?to )?(?:an? )?(?:square|vertical|portrait|landscape|"
    r"horizontal|\d+:\d+)(?: format| video)?\W*$"
)
_PUBLISH = r"\b(?:post|upload|publish|share|send)\b|[发传][到布]|分享"
_TARGETS: tuple[tuple[str, str], ...] = (
    (
        "all",
        (
            r"\b(?:everything|all (?:of )?(?:it|them|tracks|segments|clips|titles|the \w+)|the (?:whole )?timeline)\b|"
            r"全部|所有(?!标题|字幕|转场)|清空"
        ),
    ),
    ("title", r"\b(?:titles?|captions?|subtitles?|text|headline|heading|words)\b|标题|字幕|文字"),
    ("music", r"\b(?:music|bgm|soundtrack|song|score)\b|音乐|配乐|bgm"),
    ("voice", r"\b(?:voice|voice-?over|narration)\b|配音|旁白|人声"),
    ("transition", r"\b(?:transitions?|cross-?fades?|dissolves?)\b|转场|过渡"),
)
_PIECE = r"\b(?:clip|segment|scene|shot|photo|picture|image|part|video)s?\b|段|幕|张|画面|片段|视频|图"
_HEARD_OR_READ = r"\b(?:music|bgm|song|soundtrack|titles?|captions?|text|voice)\b|音乐|配乐|标题|字幕|配音"
_FIRST = r"\bfirst\b|\bstart\b|\bbeginning\b|\bopening\b|\bfront\b|\bintro\b|前|开头|片头"
_LAST = r"\blast\b|\bend(?:ing)?\b|\bfinal\b|\btail\b|后|结尾|末尾|片尾|最后"
_MOVE = r"\b(?:move|put|bring|place|should (?:go|come|be))\b|放到|放在|[移挪调排]到|移动|挪"
_RATIOS: tuple[tuple[str, tuple[int, int]], ...] = (
    (
        r"(?<!\d)9\s*[:x/比]\s*16(?!\d)|\b(?:vertical|portrait(?! of)|tiktok|reels|shorts)\b|竖屏|竖版|竖向|抖音",
        (1080, 1920),
    ),
    (
        r"(?<!\d)16\s*[:x/比]\s*9(?!\d)|\b(?:landscape|horizontal|widescreen)\b(?! (?:photo|picture|image|of|"
        r"with))|横屏|横版|宽屏",
        (1920, 1080),
    ),
    (r"(?<!\d)1\s*[:x/比]\s*1(?!\d)|\bsquare\b|方形|正方", (1080, 1080)),
    (r"(?<!\d)4\s*[:x/比]\s*5(?!\d)", (1080, 1350)),
    (r"(?<!\d)4\s*[:x/比]\s*3(?!\d)", (1440, 1080)),
    (r"(?<!\d)3\s*[:x/比]\s*4(?!\d)", (1080, 1440)),
)
_RELATIVE = (
    r"\bsec\w*\s+(?:longer|(?P<less>shorter))\b|\b(?:extend|lengthen|stretch)\b.*\bby\b|延长(?!到|至)\W*[\d一-十半]+|"
    r"[加变]?长\s*[\d一两二三四五六七八九十半]+\s*[秒分]"
)
_KEEP = r"\b(?:keep|only (?:keep|use|show))\b|只?保留|只[留要用]|留下"


def undo(clause: Clause, scene: Scene) -> Answer:
    if not clause.has(_UNDO) or clause.quotes:
        return None
    many = clause.has(
        r"\b(?:twice|all|everything|(?:last )?(?:two|three|four|\d+) (?:changes|edits|steps|times))\b|"
        r"[两三四五\d]步|全部|所有|[两三]次"
    )
    return Refused("undo_once") if many else [Undo()]


def delete(clause: Clause, scene: Scene) -> Answer:
    if not clause.has(rf"{TAKE}|\bcut (?:out )?(?:the )?(?:music|title|clip|scene|photo)") or durations(clause):
        return None
    wanted = [name for name, pattern in _TARGETS if clause.has(pattern)]
    if "all" in wanted and len(wanted) == 1:
        return [Delete("all")]
    if kinds := [name for name in wanted if name != "all"]:
        titles = sum(len(track["sg"]) for track in tracks.of(scene.draft, tracks.TEXT))
        if "title" in kinds and "all" not in wanted and titles > 1 and (clause.quotes or clause.has(_WHICH)):
            return Refused("one_title")
        return [Delete(cast(Literal["title"], kind)) for kind in kinds]
    numbers = _counted(clause) or ordinal(clause)
    if numbers and clause.has(_PIECE):
        # From the back, so that the numbers said keep their meaning; a -1 said twice is the last two.
        ahead = sorted({n for n in numbers if n > 0}, reverse=True)
        return [Delete("segment", n) for n in [n for n in numbers if n < 0] + ahead]
    pieces = tracks.lane(scene.draft, tracks.VIDEO)
    if len(pieces) < 2 and clause.has(
        r"\b(?:the|that|this|it)\b(?: (?:clip|segment|picture|image|photo|video))?\s*$|这[张段个幅]"
    ):
        return [Delete("segment")]
    return None


def _counted(clause: Clause) -> list[int]:
    """ "the first two clips", 后两张, "clips 2 to 4"."""
    few = clause.has(
        rf"\b(?:the )?(?P<o>first|last) (?P<n>{NUMBER}) {PIECE}\b|(?P<p>前|后|最后)(?P<m>{NUMBER})[张段个幅]"
    )
    if few:
        count = min(20, int(number(few["n"] or few["m"]) or 1))
        ahead = (few["o"] or few["p"]).lower() in ("first", "前")
        return list(range(1, count + 1)) if ahead else [-1] * count
    stretch = clause.has(
        rf"\b{PIECE}\s*(?P<a>\d+)\s*(?:-|to|through)\s*(?P<b>\d+)|第(?P<c>{NUMBER})[张段]?[到至]第?(?P<d>{NUMBER})"
    )
    if not stretch:
        return []
    return list(
        range(int(number(stretch["a"] or stretch["c"]) or 1), int(number(stretch["b"] or stretch["d"]) or 0) + 1)
    )


def shorten(clause: Clause, scene: Scene) -> Answer:
    """ "make it shorter": a quarter off; only where no length is named."""
    if durations(clause) or clause.quotes or clause.has(_HEARD_OR_READ):
        return None
    if doubled := clause.has(
        r"\b(?:half|twice|double) (?:as long|(?:the|its) length)\b|\bin half\b|(?:剪|缩短|减)[掉去成]?一半"
    ):
        return [Length(factor=2.0 if re.match("twice|double", doubled[0], re.I) else 0.5, segment=one(clause))]
    if clause.has(r"\b(?:shorter|shorten it|tighter)\b|短一?[点些]|缩短"):
        return [Length(factor=0.75, segment=one(clause))]
    if clause.has(r"\blonger\b|长一?[点些]|延长"):
        return [Length(factor=4 / 3, segment=one(clause))]
    return None


def ratio(clause: Clause, scene: Scene) -> Answer:
    found = shape(clause)
    if not found or clause.has(DRAW) or clause.quotes:
        return None
    if clause.has(_MADE_INTO) and (durations(clause) or scene.pictures) and not clause.has(_ONLY_SHAPE):
        return None  # a film of that shape
    if clause.has(_PUBLISH) and not clause.has(r"\b(?:vertical|portrait)\b|竖"):
        return Refused("unknown", {"words": clause.raw.strip(" ,，.。!！?？")})
    spans = durations(clause)
    return [*found, Length(spans[0].ms)] if spans and scene.filled else found


def shape(clause: Clause) -> list[Ratio] | None:
    """The canvas a clause names."""
    return next(([Ratio(*size)] for known, size in _RATIOS if clause.has(known)), None)


def reorder(clause: Clause, scene: Scene) -> Answer:
    numbers = ordinal(clause)
    if clause.has(r"\bswap\b|\bexchange\b|\bswitch\b|互换|交换|换一下顺序|对调|调换|换个?位置") and len(numbers) == 2:
        return [Swap(numbers[0], numbers[1])]
    if not clause.has(_MOVE) or not numbers or clause.quotes or not clause.has(_PIECE) or durations(clause):
        return None
    if clause.has(r"\b(?:before|after)\b|[之]?[前后]面?$") and len(numbers) == 2:
        return _beside(numbers, clause.has(r"\bafter\b|后面?$") is not None)
    if len(numbers) == 2:
        target = clause.has(r"\bto (?:the )?(?:number|position|place|spot)?\s*\w+|[到成]第") is not None
        return [Move(*numbers)] if target else None
    if len(numbers) > 2:
        return None
    if clause.has(
        r"\b(?:start|beginning|front|top)\b|\b(?:to (?:the )?|go |come )?first\W*$|最前|开头|(?:到|在)第一|前面"
    ):
        return [Move(numbers[0], 1)]
    if clause.has(r"\b(?:end|back)\b|\b(?:to (?:the )?|go |come )?last\W*$|(?:到|在)?最后面?\W*$|末尾|结尾"):
        return [Move(numbers[0], -1)]
    return None


def _beside(numbers: list[int], after: bool) -> Answer:
    """The place once the piece is taken out of its own."""
    one, other = numbers
    if min(numbers) < 1:
        return None
    return [Move(one, other - (one < other) + after)]


def trim(clause: Clause, scene: Scene) -> Answer:
    spans, kept = durations(clause), clause.has(_KEEP)
    if not spans and window(clause) is None or not _cuts(clause):
        return None
    if clause.has(_HEARD_OR_READ):
        return Refused("music_whole" if clause.has(r"\b(?:music|bgm|song|soundtrack)\b|音乐|配乐") else "ends_only")
    which = one(clause)
    if between := window(clause):
        return _stretch(between, which, kept is not None)
    if ends := clause.has(rf"\bfirst (?P<a>{NUMBER})\s*(?:s|sec\w*)? and (?:the )?last (?P<b>{NUMBER})\b"):
        head, tail = (round((number(ends[key]) or 0) * 1000) for key in "ab")
        return [Trim(head_ms=head, tail_ms=tail, segment=which)]
    ms = spans[0].ms
    if kept:
        return _kept(clause, ms, which, scene)
    if len(spans) > 1:
        return _both_ends(clause, [span.ms for span in spans], which)
    return _cut(clause, ms, which)


def _cut(clause: Clause, ms: int, which: int | None) -> Answer:
    """One length, cut to or cut off."""
    if clause.has(r"\bmiddle\b|中间"):
        return Refused("ends_only")
    if clause.has(r"\bafter\b|(?:以|之)后"):
        return [Trim(to_ms=ms, segment=which)]
    if clause.has(rf"\b(?:to|down to)\s+(?:only\s+|just\s+|about\s+)*{NUMBER}\s*-?\s*(?:s|m)|到|成|为"):
        return [Trim(to_ms=ms, segment=which)]
    if clause.has(rf"\b(?:first|last) {PIECE}"):
        return [Trim(tail_ms=ms, segment=which)] if clause.has(r"\b(?:by|off)\b") else Refused("ends_only")
    if clause.has(_LAST):
        return [Trim(tail_ms=ms, segment=which)]
    if clause.has(rf"{_FIRST}|\bbefore\b"):
        return [Trim(head_ms=ms, segment=which)]
    if clause.has(r"\b(?:by|off)\b|剪掉|去掉|裁掉|剪去|再[剪裁]|(?:剪短|缩短)(?!到|至|成|为)"):
        return [Trim(tail_ms=ms, segment=which)]
    return Refused("ends_only") if clause.has(r"\bat\b|第.{1,3}秒") else [Trim(to_ms=ms, segment=which)]


def _cuts(clause: Clause) -> bool:
    if clause.quotes or clause.has(DRAW):
        return False
    verbs = r"\b(?:trim|cut|shorten|clip it|chop|crop|shave)\b|剪|裁|截|切|缩短"
    return clause.has(rf"{_KEEP}|{verbs}|{TAKE}") is not None


def _stretch(between: tuple[int, int], which: int | None, kept: bool) -> Answer:
    start, end = between
    if kept:
        return [Trim(head_ms=start, to_ms=end - start, segment=which)]
    return Refused("ends_only") if start else [Trim(head_ms=end, segment=which)]


def _kept(clause: Clause, ms: int, which: int | None, scene: Scene) -> Answer:
    if not clause.has(_LAST):
        return [Trim(to_ms=ms, segment=which)]
    total = tracks.total_ms(scene.draft)
    return Refused("ends_only") if scene.coming or which else [Trim(head_ms=max(0, total - ms))]


def _both_ends(clause: Clause, lengths: list[int], which: int | None) -> Answer:
    """ "cut the first 2 and the last 3 seconds"."""
    first, last = clause.has(_FIRST), clause.has(_LAST)
    if not (first and last) or len(lengths) != 2:
        return Refused("ends_only")
    head, tail = lengths if first.start() < last.start() else lengths[::-1]
    return [Trim(head_ms=head, tail_ms=tail, segment=which)]


def length(clause: Clause, scene: Scene) -> Answer:
    spans = durations(clause)
    if not spans or clause.quotes or clause.has(_HEARD_OR_READ) or clause.has(DRAW):
        return None
    if scene.filled and (more := clause.has(_RELATIVE)):
        return _by(clause, spans[0].ms * (-1 if more["less"] else 1), scene)
    if scene.filled and clause.has(rf"\b(?:every|each|all)\b.*{PIECE}|{PIECE}.*\beach\b|每[张段个幅]"):
        pieces = tracks.lane(scene.draft, tracks.VIDEO)
        return (
            Refused("whole_only") if scene.coming else [Length(spans[0].ms, segment=n + 1) for n in range(len(pieces))]
        )
    if scene.filled and clause.has(
        rf"^\W*(?:make|keep|let|turn) (?:it|this|that|(?:the|my) (?:video|film|whole (?:thing|video)|"
        rf"entire video)|(?:the )?(?:\w+ )?{PIECE})\b"
        r"(?!.*\b(?:of|about)\b)|\b(?:extend|lengthen|stretch)\b|\b(?:duration|length)\b|\bseconds? long\b|"
        r"(?:时长|长度)|延长|拉长|"
        r"(?:改|变|调整?|弄|做|搞)[成到为]|总共|一共"
    ):
        return [Length(spans[0].ms, segment=one(clause))]
    return None


def _by(clause: Clause, more_ms: int, scene: Scene) -> Answer:
    """ "2 seconds longer": than it is, which is not known while pictures are still to come."""
    pieces, which = tracks.lane(scene.draft, tracks.VIDEO), one(clause)
    if scene.coming or (which is not None and not -len(pieces) <= which <= len(pieces)):
        return Refused("no_segment", {"number": which, "count": len(pieces)}) if which else Refused("ends_only")
    now = tracks.total_ms(scene.draft) if which is None else pieces[which - 1 if which > 0 else which]["d"]
    return [Length(now + more_ms, segment=which)] if now + more_ms > 0 else Refused("ends_only")


def one(clause: Clause) -> int | None:
    """The one segment a clause is about, None for the film."""
    numbers = ordinal(clause)
    return numbers[0] if numbers and clause.has(_PIECE) and not clause.has(r"前.{0,3}秒|\bfirst\s+\S+\s+sec") else None
