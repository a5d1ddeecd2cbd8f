"""Readers of wishes for one more picture beside the others, or another in the place of one that is there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from studio import tracks
from studio.edits import Edit, Generate, Place
from studio.reading import PIECE, Clause, durations, ordinal
from studio.scene import Refused, Scene
from studio.shows import at, files_named, files_unused
from studio.subjects import drawing
from studio.wishes import shape

__all__ = ["add", "replace"]

Answer = Sequence[Edit] | Refused | None

_MEDIUM = r"(?:images?|pictures?|photo(?:graph)?s?|pics?|illustrations?|drawings?|paintings?|shots?|scenes?|slides?)"
_ADD = (
    rf"\b(?:add|append|insert|include)\b(?:\s+in)?\s+(?:another|one more|an?|some|two|three|four|five|six|\d)\s+"
    r"(?:more\s+)?"
    rf"(?:(?!title|caption|text|music)[\w-]+\s+){{0,3}}?{_MEDIUM}\s+(?:of|showing)\b|"
    r"(?:加|添|插)[上入进个]?(?:[一二两三四五六几\d]?[张幅](?!标题|字幕))(?!.*(?:我的|上传))"
)
_END = (
    r"[\s,]*\b(?:at|in|to|on) the (?:very )?(?:start|beginning|front|end)\b.*$|"
    r"[,]?(?:放?[在到])(?:最?[前后]面?|开头|结尾|末尾)$"
)
_START_ZH = r"(?:在|到)?(?:最前面?|最后面?|开头|结尾|末尾|第.[张段幅](?:图片?|照片)?[之]?[前后]面?)"
_REPLACED = (
    r"\b(?:replace|substitute)\s+(?:out\s+)?(?P<a>.+?)\s+(?:with|by|for)\s+(?P<b>.+)$",
    r"\b(?:swap|switch|exchange)\s+(?:out\s+)?(?P<a>.+?)\s+(?:with|for|to)\s+(?P<b>.+)$",
    r"\b(?:change|make)\s+(?P<a>.+?)\s+(?:to|into|(?=an?\s))\s*(?P<b>(?:an?|some|my)\s+.+)$",
    r"\b(?:put|use|draw|show)\s+(?P<b>(?:an?|some|my)\s+.+?)\s+(?:in place of|instead of|in the place of)\s+(?P<a>.+)$",
    r"(?:把|将)?(?P<a>[^,]+?)(?:替?换[成为]|替换[成为]?|改[成为]画?)(?:一[张幅个])?(?P<b>[^,]+)$",
)
_PICTURE = (
    rf"\b(?:the|this|that|my)\s+{PIECE}\b|\b{PIECE}\s*(?:number\s*|#)?\d|\b(?:first|last|second|third|fourth)\b|"
    r"第.{1,2}[张段个幅]|最后一[张段个幅]|图片?|照片|画面"
)
_NOT_SHOWN = (
    r"\b(?:music|titles?|captions?|text|transitions?|bgm|volume|speed|slow|fast|start|end|beginning|front)\b|"
    r"音乐|配乐|标题|字幕|文字|转场|静音|推近|拉远|放大|缩小|黑白|[前后]面?$|快|慢|风格"
)


def replace(clause: Clause, scene: Scene) -> Answer:
    """ "replace picture 2 with a forest": drawn, or an upload, for as long as the old one lasted."""
    found = None if clause.quotes else next((match for p in _REPLACED if (match := clause.has(p))), None)
    if not found or not re.search(_PICTURE, found["a"], re.IGNORECASE):
        return None
    old, new = clause.cut(*found.span("a")), clause.cut(*found.span("b"))
    if old.has(_NOT_SHOWN) or new.has(rf"^\W*(?:{_NOT_SHOWN})") or ordinal(new) or shape(new) or durations(old):
        return None
    which = _which(old, scene)
    if isinstance(which, Refused):
        return which
    spans = durations(new)
    files = files_named(new, scene) or (files_unused(scene) if new.has(r"\bmy\b|我的|这[张个]|上传") else ())
    if files:
        return [Place(files[-1:], spans[0].ms if spans else None, instead=which)]
    subject = drawing(Clause(f"draw {new.plain}", f"draw {new.raw}") if new.has("^[a-z]") else new)
    if subject is None:
        return Refused("subject") if clause.has(r"\breplace\b|换") else None
    return [Generate(subject, 1, spans[0].ms if spans else None, which)]


def _which(old: Clause, scene: Scene) -> int | Refused:
    """The picture to go: the one named, or the only one there is."""
    numbers, pieces = ordinal(old), tracks.lane(scene.draft, tracks.VIDEO)
    if not numbers:
        return 1 if len(pieces) == 1 and not scene.coming else Refused("which_picture" if scene.filled else "no_video")
    if len(numbers) > 1:
        return Refused("which_picture")
    if not scene.coming and not (numbers[0] == -1 and pieces) and not 1 <= numbers[0] <= len(pieces):
        return Refused("no_segment", {"number": numbers[0], "count": len(pieces)})
    return numbers[0]


def add(clause: Clause, scene: Scene) -> Answer:
    """ "add another photo of a lake": drawn and put behind the others, or where it is said to go."""
    if not clause.has(_ADD) or clause.quotes:
        return None
    tail = clause.has(_END)
    head = clause.has(rf"^{_START_ZH}")
    body = clause.cut(head.end() if head else 0, tail.start() if tail else len(clause.plain))
    if verb := body.has(r"^\s*(?:请|帮我|给我|再)*(?:添加|[加添插])[上入进个]?"):  # read as an order to draw
        body = Clause(f"画{body.plain[verb.end() :]}", f"画{body.raw[verb.end() :]}")
    subject = drawing(body)
    if subject is None:
        return Refused("subject")
    spans, count = durations(body), _count(body)
    return [Generate(subject, count, spans[0].ms if spans else None), *at(clause, count)]


def _count(clause: Clause) -> int:
    found = clause.has(r"\b(?:(?P<a>two|three|four|five|six|\d)\s+(?:more\s+)?)|(?P<b>[二两三四五六几\d])[张幅]")
    words = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6}
    said = (found["a"] or found["b"] or "").lower() if found else "1"
    return max(1, min(6, words.get(said, int(said) if said.isdigit() else 3)))
