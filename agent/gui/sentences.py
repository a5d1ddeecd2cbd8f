"""Text that arrives in pieces, cut into sentences the same way wherever the pieces begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from prompts import table

__all__ = ["PAIRS", "Sentence", "Sentences", "span_end"]

PAIRS = {
    '"': '"',
    "'": "'",
    "`": "`",
    "“": "”",
    "‘": "’",
    "「": "」",
    "『": "』",
    "《": "》",
    "(": ")",
    "（": "）",
}
"""What opens a quotation or an aside, and what ends it."""
LONGEST_SPAN = 300
"""Characters. A quotation that goes on for longer, or past its line, was none."""
LONGEST = 2000
"""Characters. Text without any end is cut here, so that nobody waits for ever."""

_STOPS, _WIDE_STOPS = ".!?…", "。！？"
_SIGN = re.compile(f"[{re.escape(''.join(PAIRS) + _STOPS + _WIDE_STOPS)}\n]")
"""Where a sentence may end, or a quotation begin."""
_CLOSERS = "”’」』》)）]*_~"
_CJK = re.compile(r"[぀-ヿ㐀-鿿豈-﫿＀-￯]")
# Pictures that end a sentence belong to it; hands and arrows point to what follows.
_EMOJI = re.compile(r"(?![👆-👉⬅-⬇➡])[\u2600-\u27bf\u2b50\u2b55\U0001f300-\U0001faff\ufe0f\u200d]")
_NUMBER = re.compile(r"[\W_]*\d{1,3}")
_ABBREVIATION = re.compile(r"(?:^|\W)(?:e\.g|i\.e|vs|mr|mrs|ms|dr|st|no|fig|approx|ca|[A-HJ-Z])$", re.I)
_ABBREVIATION_OR_END = re.compile(r"(?:^|\W)(?:etc|min|max|sec|hr|[ap]\.m)$", re.I)
_NEW_BLOCK = re.compile(r"[-*+•>|#`~\d]|$")
_FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the white space before it."""

    gap: str
    text: str
    verbatim: bool = False
    """Code, a quoted block or a row of a table: shown as it is."""


class Sentences:
    """Feed it pieces, get whole sentences. Gaps and texts joined are the text that was fed."""

    def __init__(self) -> None:
        self._rest = ""
        self._fence = ""
        self._begun = False

    def feed(self, piece: str) -> Iterator[Sentence]:
        """The sentences that are known to be whole with this piece."""
        self._rest += piece
        return self._cut(final=False)

    def close(self) -> Iterator[Sentence]:
        """What is left, when nothing more comes. The last one may be white space only."""
        yield from self._cut(final=True)
        if self._rest:
            yield Sentence(self._rest, "")
        self._rest = ""

    def _cut(self, *, final: bool) -> Iterator[Sentence]:
        while text := self._rest.lstrip():
            gap = self._rest[: len(self._rest) - len(text)]
            end, verbatim = self._end(text, final, line_start="\n" in gap or not self._begun)
            if not end:
                return
            self._begun = True
            self._rest = text[end:]
            yield Sentence(gap, text[:end], verbatim)

    def _end(self, text: str, final: bool, *, line_start: bool) -> tuple[int | None, bool]:
        """Where the first sentence of `text` ends, None while nobody knows, and whether it is verbatim."""
        if line_start and not self._fence:
            if text in ("`", "``", "~", "~~") and not final:
                return None, False
            if text.startswith((*_FENCES, "|")):
                return self._line(text, final), True
        if self._fence:
            return self._line(text, final), True
        return _first_end(text, final), False

    def _line(self, text: str, final: bool) -> int | None:
        end = text.find("\n")
        if end < 0 and not final:
            return None
        line = text if end < 0 else text[:end]
        if self._fence and line.startswith(self._fence):
            self._fence = ""
        elif not self._fence and line.startswith(_FENCES):
            self._fence = line[:3]
        return len(line)


def span_end(text: str, at: int, final: bool) -> int | None:
    """Past the end of the quotation that opens at `at`; `at` + 1 where none does; None while nobody knows."""
    opener = text[at]
    if opener in "\"'" and at and (text[at - 1].isalnum() and text[at - 1].isascii()):
        return at + 1
    limit = at + LONGEST_SPAN
    closer, line = text.find(PAIRS[opener], at + 1, limit), text.find("\n", at + 1, limit)
    while opener == "'" and 0 < closer < limit and text[closer + 1 : closer + 2].isalnum():
        closer = text.find("'", closer + 1, limit)  # an apostrophe
    if opener == "'" and closer == len(text) - 1 and not final:
        return None
    if closer > 0 and (line < 0 or closer < line):
        return closer + 1
    return at + 1 if line > 0 or len(text) >= limit or final else None


def _first_end(text: str, final: bool) -> int | None:
    at = 0
    while sign := _SIGN.search(text, at, LONGEST):
        at, char, known = sign.start(), sign[0], True
        if char in PAIRS:
            past = span_end(text, at, final)
            if past is None:
                return None
            stopped = past - at > 2 and text[past - 2] in _STOPS + _WIDE_STOPS and char not in "(（"
            at, end, known = past, *(_stop(text, past, "", final) if stopped else (None, True))
        elif char == "\n":
            end, known = _line_end(text, at, final)
            at += 1
        else:
            begin, at = at, _run(text, at)
            end, known = _stop(text, at, text[begin:at], final, text[:begin])
        if not known:
            return None
        if end is not None:
            return end
    if len(text) > max(at, LONGEST):
        return text.rfind(" ", 1, LONGEST) + 1 or LONGEST
    return len(text.rstrip()) if final else None


def _run(text: str, at: int) -> int:
    """Past the stops and what closes with them."""
    while at < len(text) and text[at] in _STOPS + _WIDE_STOPS:
        at += 1
    while at < len(text) and text[at] in _CLOSERS:
        at += 1
    return at


def _stop(text: str, at: int, stops: str, final: bool, before: str = "") -> tuple[int | None, bool]:
    """Whether a sentence ends before `at`: the end or None, and whether that is certain yet."""
    if at == len(text):
        return (at, True) if final else (None, False)
    wide = any(char in _WIDE_STOPS for char in stops)
    if not wide and not text[at].isspace() and not _CJK.match(text[at]):
        return None, True
    follows = text[at:].lstrip()[:1]
    if not stops and follows.islower():
        return None, True
    if not wide and not follows and not final:
        return None, False
    if stops.startswith(".") and len(stops.rstrip(_CLOSERS)) == 1:
        if _NUMBER.fullmatch(before) or _ABBREVIATION.search(before):
            return None, True
        if _ABBREVIATION_OR_END.search(before) and follows.islower():
            return None, True
    if stops.startswith(("…", "..")) and follows.islower():
        return None, True
    return _with_emoji(text, at, final)


def _with_emoji(text: str, at: int, final: bool) -> tuple[int | None, bool]:
    while True:
        ahead = at
        while ahead < len(text) and text[ahead] in " \t":
            ahead += 1
        if ahead == len(text):
            return (at, True) if final else (None, False)
        if not _EMOJI.match(text[ahead]):
            return at, True
        at = ahead + 1


def _line_end(text: str, at: int, final: bool) -> tuple[int | None, bool]:
    """A line ends a sentence, unless it breaks off in the middle of an instruction."""
    line = text[:at].rstrip()
    if not _OPEN_END.search(line):
        return len(line), True
    ahead = text[at + 1 :].lstrip(" \t")
    if not ahead and not final:
        return None, False
    return (len(line), True) if not ahead or ahead[0] == "\n" or _NEW_BLOCK.match(ahead) else (None, True)


_OPEN_END = re.compile(
    rf"\b(?:{'|'.join(table('gui')['en']['open_end'])})$|(?:{'|'.join(table('gui')['zh']['open_end'])})$",
    re.I,
)
