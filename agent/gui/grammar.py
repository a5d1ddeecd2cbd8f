"""How a backend with a screen instructs, one grammar a language, made from gui.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

from agent.gui.prefixes import Prefix, Step
from prompts import table

__all__ = ["CJK", "MASK", "Grammar", "RowName", "grammar", "grammars", "rx"]

MASK = "¤"
"""Stands for every character of a quotation: what it says is nobody's instruction."""
CJK = re.compile(r"[㐀-鿿豈-﫿]")

RowName = Literal["preview", "account", "statement", "open", "click", "drag", "press"]
Row = tuple[RowName, re.Pattern[str]]
"""A kind of wording. Its groups: `verb`, and `head`, what the verb is about."""


def either(words: list[str]) -> str:
    """One of them, as a piece of a regular expression."""
    return f"(?:{'|'.join(words)})"


def rx(pattern: str) -> re.Pattern[str]:
    """Case and line ends mean nothing in a clause."""
    return re.compile(pattern, re.I | re.S)


class Grammar:
    """The wording of one language, from gui.toml."""

    rows: tuple[Row, ...]
    prefix: Prefix
    """What leaves an instruction one when it stands before it."""
    prefix_of_means: Prefix
    """The same before "(by) clicking" and "with the button"."""
    prefix_of_drag: Prefix
    """The same before a verb that comes after its object."""
    aside: Prefix
    """A clause that says nothing by itself: "to download it", "in the top right corner"."""
    condition: re.Pattern[str]
    """A clause that makes another conditional."""
    conditional: re.Pattern[str]
    """The word that does so."""
    subordinate: re.Pattern[str]
    """That the clause is a subordinate one: "once you" before the verb, or 后 at the end of the clause."""
    subordinate_by_end = False
    again: re.Pattern[str]
    """What joins one instruction to the next."""

    def __init__(self, words: dict[str, Any]) -> None:
        self.words = w = {key: either(value) for key, value in words.items()}
        self.outcome, self.ours = self._begins("outcome"), self._begins("ours")
        self.label = rx(rf"[\W_]*{w['label']}[\s\d一二三四五六七八九十]*[:：]")
        self.quoting = rx(rf".*{w['quoting']}[\W_]*[:：]\s*$")
        self.denial, self.may, self.later = (self._word(key) for key in ("denial", "may", "later"))

    def _begins(self, key: str) -> re.Pattern[str]:
        return rx(rf"[\W_]*(?:(?:and|but|or|so|then|also|just)\s+)*{self.words[key]}(?![a-z-])")

    def _word(self, key: str) -> re.Pattern[str]:
        return rx(rf"(?<![\w-]){self.words[key]}(?![\w-])")


class English(Grammar):
    """Words have edges, and the verb of an instruction comes first."""

    def __init__(self) -> None:
        super().__init__(table("gui")["en"])
        w = self.words
        self.rows = tuple(_english_rows(w))
        edge, gap = r"(?![\w-])", r"(?:[\s,:.]+|$)"
        keys = ("lead", "location", "denial")
        lead: list[Step] = [(rx(rf"{w[key]}{edge}{gap}"), 0) for key in keys]
        lead.append((rx(rf"{w['aim']}{gap}"), 50))
        condition = rf"{w['condition']}{edge}.{{0,80}}"
        self.prefix = self.prefix_of_drag = Prefix(lead, rx(condition))
        self.prefix_of_means = Prefix(lead, rx(rf"{w['only_by']}\s*(?:by\s+)?|by\s+|{condition}"))
        self.aside = Prefix(lead)
        self.condition, self.conditional = self._begins("condition"), self._word("condition")
        when = "if|when|once|whenever|after|as soon as|before|until|by the time"
        self.subordinate = rx(
            rf"(?:.*[\s,])?(?:{when})\s+(?:you(?:’\w+)?\s+(?:(?:have|want to|choose to|decide to)\s+)?)?$"
        )
        self.again = rx(r"(?:,|\b(?:and|then))\s+")


class Chinese(Grammar):
    """No edges, both scripts, and an object may come before its verb."""

    subordinate_by_end = True

    def __init__(self) -> None:
        super().__init__(table("gui")["zh"])
        w = self.words
        self.rows = tuple(_chinese_rows(w))
        gap = r"[\s，、：]*"
        aside: list[Step] = [(rx(f"{w[key]}{gap}"), 0) for key in ("lead", "denial")]
        aside.append((rx(w["aim"]), 12))
        lead: list[Step] = [*aside, (rx(w["condition"]), 24), (rx(rf".{{0,16}}?{w['condition_ends']}{gap}"), 0)]
        self.prefix = self.prefix_of_means = Prefix(lead)
        self.prefix_of_drag = Prefix([*lead, (rx(w["object"]), 24)])
        self.aside = Prefix(aside)
        ends = rf"{w['condition_ends']}[\W_]*$"
        self.condition = rx(rf"[\W_]*(?:但|那么|那麼|然后|然後|并|而)?{w['condition_begins']}|.*{ends}")
        self.conditional = rx(rf"{w['condition_begins']}|{w['condition_ends']}")
        self.subordinate = rx(rf".*{ends}")
        self.again = rx(r"[，、]|然后|然後|再|并且?|並且?|接着|接著|后|後")

    def _word(self, key: str) -> re.Pattern[str]:
        return rx(self.words[key])


def _english_rows(w: dict[str, str]) -> Iterator[Row]:
    begin, end, the = r"(?<![\w-])", r"(?![\w-])", r"(?:(?:the|your|our|that|this|its)\s+)?"
    panel = rf"{the}(?:[\w{MASK}&>/-]+\s+){{0,4}}?(?:{w['panel']}|{w['place']}){end}"
    verbs = f"(?:{w['open']}|{w['opening']})"
    yield (
        "preview",
        rx(
            rf"{begin}{w['preview']}{end}(?:\s+(?:[\w’{MASK}-]+\s+){{0,6}}?(?:in|on|from|at|through|using|via|out))?"
            rf"\s+{the}(?:(?!an?\s)\w+\s+)?{w['timeline']}{end}"
        ),
    )
    yield (
        "account",
        rx(
            rf"{begin}(?:{verbs}|(?:{w['pay']}{end}.{{0,40}}?\s(?:in|from|on|via|under|at)))\s+{the}(?:\w+\s+)?{w['account']}{end}"
        ),
    )
    yield (
        "statement",
        rx(rf"^[\W_]*the\s+[\w{MASK}]+\s+button\s+(?:is|can|will|lets|allows|appears|sits|at|in|on)\b"),
    )
    yield ("open", rx(rf"{begin}(?P<verb>{verbs}){end}\s+(?P<head>{panel})"))
    yield from _english_verbs(w, begin, end, the)


def _english_verbs(w: dict[str, str], begin: str, end: str, the: str) -> Iterator[Row]:
    yield (
        "click",
        rx(
            rf"{begin}(?P<verb>{w['click']}|{w['clicking']}){end}(?:\s+(?:on|over|at))?(?:\s+(?:the|your|that|this|its|an?))?"
            rf"\s+(?P<head>(?!{w['not_a_click']}\b)\S.*)"
        ),
    )
    yield (
        "drag",
        rx(
            rf"{begin}(?P<verb>{w['drag']}(?={end}\s+{w['object']}{end})|{w['drop']}(?=\s+{w['object']}{end}"
            rf".*?\b(?:on|onto|in|into|to|here)\b(?:\s+(?:the|this|your))?\s*{w['target']}))\s+(?P<head>.+)"
        ),
    )
    yield (
        "press",
        rx(rf"{begin}(?P<verb>{w['press']}|{w['pressing']}){end}(?:\s+on)?\s+{the}(?P<head>\S.*)"),
    )


def _chinese_rows(w: dict[str, str]) -> Iterator[Row]:
    some = r"[^，。；：！？]"
    yield (
        "preview",
        rx(
            rf"{w['timeline']}(?:面板|上|中|里|裡|裏|内|內|直接|随时|隨時|就)*{some}{{0,6}}?{w['preview']}{some}*|{w['preview']}(?:一下)?{some}{{0,6}}?{w['timeline']}"
        ),
    )
    yield ("account", rx(rf"{w['open']}{some}{{0,6}}?{w['account']}"))
    yield ("open", rx(rf"(?P<verb>{w['open']})(?P<head>{some}{{0,14}}?{w['panel']})(?={w['panel_after']})"))
    yield ("click", rx(rf"(?P<verb>{w['click']})(?:一下)?\s*(?!{w['not_a_click']})(?P<head>.+)"))
    yield ("drag", rx(rf"{w['drag']}(?!{w['not_a_drag']})(?P<head>.*)"))
    yield ("press", rx(rf"(?P<verb>{w['press']})(?!{w['not_a_press']})\s*(?P<head>.+)"))


@cache
def grammar(lang: Literal["en", "zh"]) -> Grammar:
    """Made when it is first needed: a chat that starts needs none."""
    return English() if lang == "en" else Chinese()


def grammars(words: str) -> list[Grammar]:
    """Those that the words may be of: Chinese sentences hold English ones, not the other way round."""
    return [grammar("zh"), grammar("en")] if CJK.search(words) else [grammar("en")]
