"""Reading a message: quotes, numbers, times, clauses; English and Chinese, positions always kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from studio.lists import listed
from studio.words import TAKE

__all__ = [
    "NUMBER",
    "PIECE",
    "Clause",
    "Span",
    "clauses",
    "durations",
    "number",
    "ordinal",
    "percent",
    "timecode",
    "window",
]

# Traditional and simplified in turn, one character each: a place in the plain text is the same place in the raw one.
_PAIRS = (
    "個个張张圖图畫画標标題题開开頭头結结後后視视頻频樂乐長长轉转場场寬宽豎竖橫横銷销刪删調调聲声靜静讓让"
    "這这麼么為为導导載载給给關关於于講讲說说寫写換换順顺輕轻鬆松動动圍围歡欢電电業业務务點点幀帧廣广傳传"
    "製制創创繪绘腳脚來来條条從从將将與与並并鐘钟燈灯內内東东書书際际實实線线經经麗丽樣样應应當当進进問问"
    "種种過过還还時时間间層层顏颜風风無无語语連连續续檔档歸归變变對对邊边夢梦國国兩两幾几幫帮請请設设輯辑"
    "數数聽听舊旧單单雙双發发產产車车飛飞鳥鸟機机樓楼頂顶濱滨灘滩島岛陽阳雲云霧雾夠够慶庆啟启圓圆級级裡里"
    "滿满減减詞词鏡镜組组隨随謝谢嗎吗選选擇择顯显"
)
_WIDE = "".join(chr(code) for code in range(0xFF01, 0xFF5F)) + "　、｡"
_NARROW = "".join(chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)) + " ,。"
_FOLD = str.maketrans(_PAIRS[0::2] + _WIDE, _PAIRS[1::2] + _NARROW)

_QUOTED = re.compile(
    r"“([^”]+)”|「([^」]+)」|『([^』]+)』|\"([^\"]+)\"|‘([^’]+)’|《([^》]+)》|"
    r"(?<![^\s(:,\u4e00-\u9fff])'([^']+(?:'[a-z][^']*)*)'(?![a-z])"
)
_MARK, _FILL = "\ue000", "\uf8ff"

_SMALL = "one two three four five six seven eight nine ten eleven twelve".split()
_TENS: dict[str, float] = {
    word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_WORDS: dict[str, float] = {"zero": 0, "fifteen": 15} | _TENS
_WORDS |= {word: n for n, word in enumerate(_SMALL, 1)}
_WORDS |= {f"{t}{j}{u}": _TENS[t] + n for t in _TENS for n, u in enumerate(_SMALL[:9], 1) for j in " -"}
_WORDS |= {"a hundred": 100, "one hundred": 100, "half a": 0.5, "half": 0.5, "a half": 0.5}
_WORDS |= {"a couple of": 2, "a couple": 2, "couple of": 2, "a few": 3, "an": 1, "a": 1}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "last": -1, "final": -1}
_ORDINALS |= {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "6th": 6}
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_COUNT = r"(?:\d+(?:\.\d+)?|[零一二两三四五六七八九十百半]+|\b(?:" + "|".join(reversed(_SMALL)) + r")\b)"
NUMBER = rf"(?:\b(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b|{_COUNT})"
_UNITS = {"ms": 1, "m": 60_000, "min": 60_000, "分": 60_000, "毫": 1}
_DURATION = re.compile(
    rf"(?P<n>{NUMBER})\s*-?\s*(?P<u>milliseconds?|ms|seconds?\b|secs?\b|s\b|minutes?\b|mins?\b|m\b|"
    r"毫秒|秒钟?|分(?!之|享)钟?)(?P<half>半)?",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?:\.(\d))?(?!\d)")
_PERCENT = re.compile(
    rf"(?P<n>{NUMBER})\s*(?:%|per ?cent\b)|百分之(?P<z>{NUMBER})|(?P<t>[一二两三四五六七八九\d])成(?!为|了)|"
    r"(?P<h>\bhalf\b|一半)",
    re.IGNORECASE,
)
_SEC = r"(?:seconds?|secs?|s|秒)(?![a-z])"
_WINDOW = re.compile(
    rf"(?P<a>{_COUNT})\s*(?:{_SEC})?\s*(?:-|–|~|\bto\b|\band\b|\buntil\b|\btill\b|到|至)\s*(?:\bseconds?\s+)?第?\s*"
    rf"(?P<b>{_COUNT})\s*(?P<u>{_SEC})?",
    re.IGNORECASE,
)


class Span(NamedTuple):
    """A duration found in a clause."""

    start: int
    end: int
    ms: int


@dataclass(frozen=True)
class Clause:
    """One wish. `plain` is folded for matching, quotes blanked out; `raw` is what was written; same length."""

    plain: str
    raw: str
    quotes: tuple[str, ...] = ()

    def cut(self, start: int, end: int) -> Clause:
        """The part between two positions, without the quotes' words."""
        return Clause(self.plain[start:end], self.raw[start:end], self.quotes)

    def has(self, pattern: str) -> re.Match[str] | None:
        """The first match anywhere, case-insensitive."""
        return re.search(pattern, self.plain, re.IGNORECASE)


PIECE = r"(?:clip|segment|scene|shot|photo|pic|picture|image|part|slide|video)s?"
_NOUN = (
    r"(?:(?:some|a|an|the)\s+)?(?:[\w-]+\s+){0,2}?(?:background\s+)?(?:(?:music|bgm|soundtrack|title|caption|"
    r"transitions?|cross-?fades?|motion|fade|text)\b|zoom(?:\s+(?:in|out))?(?=\s*(?:[,.!?]|\band\b|$)))|"
    r"(?:[^,。]{0,8}?)(?:音乐|配乐|bgm|标题|字幕|转场|过渡)"
)
_VERB = (
    r"(?:add|put|place|set|make|use|trim|cut|shorten|crop|chop|delete|remove|drop|ditch|lose|kill|get rid|keep|take|"
    r"mute|turn|crank|lower|raise|speed|slow|move|swap|undo|title|generate|slap|pop|stick|throw|fade|zoom|pan|"
    r"create|draw|change|replace|write|show|insert|export|render|download|reverse|have|"
    r"extend|lengthen|leave(?= (?:the|my|it|them|both)\b))\b|再?(?:加|把|将|剪|删|去掉|调|换|放|设|改|配|导出|下载|"
    r"撤销|生成|做|画(?=[一两三四五几][^面])|来一[个张]|静音|来[点个段]|整[点个段]|慢慢|缓慢|打上|[只保]留|(?:第.|最后一)[段张])"
)
# Only when and where: belongs to the wish beside it, and is none of its own.
_ADJUNCT = (
    rf"(?:\b(?:at|in|on|for|from|to|until|over|during|the|very|of|video|film|clip|start|beginning|end|top|bottom|"
    rf"middle|"
    rf"center|first|last|final|next|second|opening|ending|then|and|also|it)\b|{_SEC}|\d+(?::\d\d)?(?:\.\d+)?|"
    rf"\b(?:{'|'.join(_SMALL)})\b|在|从|到|至|的|前面?|最后|后|第|个?画面|视频|片子|影片|开头|开始|结尾|末尾|片头|"
    rf"片尾|顶部|底部|"
    rf"上方|下方|中间|处|时候?|内|里|给|它|请|帮我|[一二两三四五六七八九十]+(?=\s*[秒到至])|[\s:])"
)
_JOIN = (
    r"(?:[,]\s*(?:(?:and|then|also|plus|but)\s+)*(?:then\s+)?|\s+(?:and|then|plus|also|but)\s+(?:then\s+|also\s+)?|并且|"
    r"然后|接着|同时|并|再)"
)
_BREAK = re.compile(
    rf"[;。!?\n]+|(?<!\d)\.(?=\s|$)|{_JOIN}(?=(?>{_ADJUNCT}*)(?:{_VERB}|(?P<mark>{_MARK})))|"
    rf"{_JOIN}(?=(?P<noun>{_NOUN}))|"
    rf"\s+with\s+(?={_NOUN})|(?:和|以及|加上|配上)(?=(?P<thing>{_NOUN}))",
    re.IGNORECASE,
)
_ALONE = re.compile(rf"{_ADJUNCT}*", re.IGNORECASE)
_LEAD = re.compile(
    r"(?:\s|[,]|(?:please|pls|plz|hey|ok(?:ay)?|so|now|oops|yo|um|actually|just|then|and|also|maybe|finally|let'?s|"
    r"(?:can|could|would|will) you|i want (?:you )?to|i'?d like (?:you )?to|i need (?:you )?to|(?:can|could) (?:i|we)|"
    r"i wanna|lemme|help me(?: to)?|go ahead and)\b|请(?!求)|麻烦你?|帮忙?我?(?=[^,。]{2})|(?:你)?(?:能不能|"
    r"可不可以|能否|可以)(?=.{2})|"
    r"我想(?!要)|算了(?=[, ])|好的(?=.)|然后|嗯|那(?=就|把|你))*",
    re.IGNORECASE,
)
_LASTING = re.compile(rf"(?:放|显示|持续|播放)\s*{NUMBER}\s*(?:秒钟?|分钟?)\W*(?:$|[,。])", re.IGNORECASE)
_TAKING = re.compile(rf"{TAKE}|\b(?:mute|swap|between)\b|静音|交换|对调|之间", re.IGNORECASE)
_DOING = re.compile(rf"\b{_VERB}|[为做加配]|{_MARK}|%", re.IGNORECASE)


def clauses(text: str) -> list[Clause]:
    """The wishes in a message, in order; blank ones left out."""
    quotes, plain = [], text.translate(_FOLD)
    for match in _QUOTED.finditer(text):
        quotes.append(next(group for group in match.groups() if group is not None).strip())
        blank = _MARK + _FILL * (match.end() - match.start() - 1)
        plain = plain[: match.start()] + blank + plain[match.end() :]
    found, at = [], 0
    for cut in [*_BREAK.finditer(plain), None]:
        if cut and not _parts(plain, at, cut):
            continue
        end = cut.start() if cut else len(plain)
        start = _LEAD.match(plain, at, end).end()  # type: ignore[union-attr]  # it matches nothing too
        piece = plain[start:end]
        before = plain[:start].count(_MARK)
        if piece.strip():
            inside = tuple(quotes[before : before + piece.count(_MARK)])
            found.append(Clause(piece, text[start:end], inside))
        at = cut.end() if cut else end
    return found


def _parts(plain: str, at: int, cut: re.Match[str]) -> bool:
    """Whether a place where a wish may end is one: "the title and the music" taken out together is one wish."""
    before = plain[at : cut.start()]
    if re.fullmatch(r"[;。!?\n.]+", cut[0]):
        return True
    if (cut[0] == "再" and not before.strip()) or before.strip() == "再":
        return False  # once more, not then
    if _ALONE.fullmatch(before) and before.strip():
        return False
    if _LASTING.match(plain, cut.end()) or listed(before, plain[cut.end() :]):
        return False
    if re.search(rf"\b{PIECE}\s*{_COUNT}$", before) and re.match(rf"{_COUNT}\b(?!\s*s)", plain[cut.end() :]):
        return False  # "clip 1 and 2"
    if cut["mark"]:
        return bool(_DOING.search(before))
    if not (cut["noun"] or cut["thing"]) or re.match(_VERB, plain[cut.end() :], re.IGNORECASE):
        return True
    after = re.split(r"[,;。!?\n]", plain[cut.end() :])[0]
    if _TAKING.search(before):
        return cut[0].startswith((",", "加上", "配上"))
    return bool(_DOING.search(before)) or not _TAKING.search(after)


def number(word: str) -> float | None:
    """ "3", "three", "三", "十五", "三十" or "半"; None if it is none of these."""
    word = word.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", word):
        return float(word)
    if word in _WORDS:
        return float(_WORDS[word])
    if word == "半":
        return 0.5
    if not word or any(c not in _DIGITS and c not in "十百" for c in word):
        return None
    total, digit = 0, 0
    for char in word:
        if char in "十百":
            total += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS[char]
    return float(total + digit)


def durations(clause: Clause) -> list[Span]:
    """Every length of time in a clause."""
    found: list[Span] = []
    for match in _DURATION.finditer(clause.plain):
        amount, unit = number(match["n"]), match["u"].lower()
        scale = next((_UNITS[k] for k in ("ms", "毫", "min", "分") if unit.startswith(k)), _UNITS.get(unit, 1_000))
        if unit.startswith("milli"):
            scale = 1
        if amount is not None:
            amount += 0.5 if match["half"] else 0
            fresh = Span(match.start(), match.end(), round(amount * scale))
            if (
                found
                and fresh.ms < 60_000 <= found[-1].ms
                and not clause.plain[found[-1].end : fresh.start].strip(" ,零")
            ):
                fresh = Span(found[-1].start, fresh.end, found.pop().ms + fresh.ms)  # "1 minute 30 seconds"
            found.append(fresh)
    return found


def timecode(clause: Clause) -> int | None:
    """ "0:05" in milliseconds."""
    match = _CODE.search(clause.plain)
    if not match:
        return None
    return (int(match[1]) * 60 + int(match[2])) * 1000 + int(match[3] or 0) * 100


def percent(clause: Clause) -> float | None:
    """ "35%", "百分之三十五", "half" as 0-1; more than all is all."""
    match = _PERCENT.search(clause.plain)
    if not match:
        return None
    if match["h"]:
        return 0.5
    amount = number(match["t"] or match["n"] or match["z"])
    return None if amount is None else min(1.0, round(amount / (10 if match["t"] else 100), 4))


def window(clause: Clause) -> tuple[int, int] | None:
    """ "from 2 to 5 seconds", "0:02-0:05", 第2秒到第5秒 in milliseconds; None where no such stretch is named."""
    codes = [(int(m) * 60 + int(s)) * 1000 + int(t or 0) * 100 for m, s, t in _CODE.findall(clause.plain)]
    if len(codes) == 2 and codes[0] < codes[1]:
        return codes[0], codes[1]
    for match in _WINDOW.finditer(clause.plain):
        start, end = number(match["a"]), number(match["b"])
        seconds = match["u"] or re.search(r"\b(?:seconds?|from|between)\s*$", clause.plain[: match.start()], re.I)
        if seconds and start is not None and end is not None and start < end:
            return round(start * 1000), round(end * 1000)
    return None


_NAMED = "|".join(_ORDINALS)
_NTH = re.compile(
    rf"\b(?P<o>{_NAMED})(?:\s+(?:one\b|{PIECE}\b)|(?=(?:\s*,?\s*(?:and\s+|"
    rf"&\s*)?(?:the\s+)?\b(?:{_NAMED})\b)+\s+{PIECE}\b))|\b{PIECE}\s*(?:number\s+|no\.?\s*|#)?"
    rf"(?P<n>{_COUNT})(?!\s*-?\s*(?:s\b|sec|min|%|x\b|秒|分|倍))|(?:第|(?<=[和跟与])|(?P<l>最后一?))"
    rf"(?P<z>{_COUNT})?(?:(?<=[\d一二两三四五六七八九十])|[个张段幅条幕镜])(?!\s*秒|\d|\s*分)|"
    rf"(?:\band|,|&|[和跟与])\s*(?:the\s+)?(?P<a>{_COUNT}|\b(?:{'|'.join(_ORDINALS)})\b)(?!\s*-?\s*(?:s\b|sec|min|"
    rf"%|x\b|秒|分|倍|\w))|"
    r"(?P<p>[一二三四五六七八九])(?P<q>[一二三四五六七八九])两?[段张幅]",
    re.IGNORECASE,
)


def ordinal(clause: Clause) -> list[int]:
    """The segments a clause names: "the second clip", "clip 2", 第二段, 最后一段 (-1)."""
    found: list[int] = []
    for match in _NTH.finditer(clause.plain):
        word = (match["o"] or match["a"] or "").lower()
        if match["l"]:
            found.append(-1)
        elif match["p"]:
            found += [_DIGITS[match["p"]], _DIGITS[match["q"]]]
        elif match["a"] and not found:
            continue
        elif word in _ORDINALS:
            found.append(_ORDINALS[word])
        elif (value := number(match["n"] or match["z"] or word)) is not None and value >= 1:
            found.append(int(value))
    return found
