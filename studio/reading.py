"""Reading a message: quotes, numbers, times, clauses; English and Chinese, positions always kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Clause", "Span", "clauses", "durations", "number", "ordinal", "percent", "timecode"]

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
    r"(?<![^\s(:,])'([^']+(?:'[a-z][^']*)*)'(?![a-z])"
)
_MARK, _FILL = "\ue000", "\uf8ff"

_WORDS: dict[str, float] = {
    w: n for n, w in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}
_WORDS |= {"fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "sixty": 60, "ninety": 90, "half": 0.5, "a": 1}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "last": -1, "final": -1}
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_NUMBER = r"(?:\d+(?:\.\d+)?|[零一二两三四五六七八九十百半]+|\b(?:" + "|".join(_WORDS) + r")\b)"
_UNITS = {"ms": 1, "m": 60_000, "min": 60_000, "分": 60_000, "毫": 1}
_DURATION = re.compile(
    (
        rf"(?P<n>{_NUMBER})\s*-?\s*(?P<u>milliseconds?|ms|seconds?\b|secs?\b|s\b|minutes?\b|"
        r"mins?\b|m\b|毫秒|秒钟?|分钟?)(?P<half>半)?"
    ),
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?:\.(\d))?(?!\d)")
_PERCENT = re.compile(
    rf"(?P<n>\d{{1,3}}(?:\.\d+)?)\s*(?:%|percent\b)|百分之(?P<z>{_NUMBER})|(?P<h>\bhalf\b|一半)", re.I
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


_NOUN = (
    r"(?:(?:some|a|an|the)\s+)?(?:[\w-]+\s+){0,2}?(?:background\s+)?"
    r"(?:music|bgm|soundtrack|title|caption|transitions?|crossfades?|motion|fade)\b|"
    r"(?:[^,。]{0,8}?)(?:音乐|配乐|bgm|标题|字幕|转场|过渡)"
)
_VERB = (
    r"(?:add|put|place|set|make|use|trim|cut|shorten|crop|delete|remove|drop|"
    r"mute|turn|lower|raise|speed|slow|move|swap|undo|title|generate|"
    r"create|draw|change|replace|write|show|insert|export|render|download|reverse|"
    r"extend|lengthen)\b|再?(?:加|把|将|剪|删|去掉|调|换|放|设|改|配|导出|下载|"
    r"撤销|生成|做)"
)
_BREAK = re.compile(
    r"[;。!?\n]+|(?<!\d)\.(?=\s|$)|"
    r"(?:[,]\s*(?:(?:and|then|also|plus)\s+)*(?:then\s+)?|\s+(?:and|then|plus|"
    rf"also)\s+(?:then\s+|also\s+)?|并且|然后|接着|同时|并|再)(?={_VERB}|{_NOUN})|"
    rf"\s+with\s+(?={_NOUN})|(?:和|以及|加上)(?={_NOUN})",
    re.IGNORECASE,
)


def clauses(text: str) -> list[Clause]:
    """The wishes in a message, in order; blank ones left out."""
    raw, quotes = text, []
    plain = text.translate(_FOLD)
    for match in _QUOTED.finditer(text):
        quotes.append(next(group for group in match.groups() if group is not None).strip())
        blank = _MARK + _FILL * (match.end() - match.start() - 1)
        plain = plain[: match.start()] + blank + plain[match.end() :]
    found, at = [], 0
    for cut in [*_BREAK.finditer(plain), None]:
        end = cut.start() if cut else len(plain)
        piece = plain[at:end]
        before = plain[:at].count(_MARK)
        if piece.strip():
            inside = tuple(quotes[before : before + piece.count(_MARK)])
            found.append(Clause(piece, raw[at:end], inside))
        at = cut.end() if cut else end
    return found


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
    found = []
    for match in _DURATION.finditer(clause.plain):
        amount, unit = number(match["n"]), match["u"].lower()
        scale = next((_UNITS[k] for k in ("ms", "毫", "min", "分") if unit.startswith(k)), _UNITS.get(unit, 1_000))
        if unit.startswith("milli"):
            scale = 1
        if amount is not None:
            amount += 0.5 if match["half"] else 0
            found.append(Span(match.start(), match.end(), round(amount * scale)))
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
    amount = number(match["n"] or match["z"])
    return None if amount is None else min(1.0, round(amount / 100, 4))


_PIECE = r"(?:clip|segment|scene|shot|photo|picture|image|part|video)s?"
_NTH = re.compile(
    rf"\b(?P<o>{'|'.join(_ORDINALS)})\s+(?:one\b|{_PIECE}\b)|\b{_PIECE}\s*(?:number\s+|"
    rf"no\.?\s*|#)?(?P<n>{_NUMBER})(?!\s*-?\s*(?:s\b|sec|min|%|x\b))|"
    rf"第(?P<z>{_NUMBER})(?:个|张|段|幅|条|幕|镜)?|(?P<l>最后一?(?:个|张|段|幅|条|幕))|\band\s+(?P<a>{_NUMBER})\b",
    re.IGNORECASE,
)


def ordinal(clause: Clause) -> list[int]:
    """The segments a clause names: "the second clip", "clip 2", 第二段, 最后一段 (-1)."""
    found = []
    for match in _NTH.finditer(clause.plain):
        if match["l"]:
            found.append(-1)
        elif match["o"]:
            found.append(_ORDINALS[match["o"].lower()])
        elif match["a"] and not found:
            continue
        elif (value := number(match["n"] or match["z"] or match["a"])) is not None and value >= 1:
            found.append(int(value))
    return found
