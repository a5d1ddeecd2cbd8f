"""Wishes: what else an utterance asks: a format, a version that there was, or to have the last change undone."""

from __future__ import annotations

import re
from functools import cache

from prompts import table
from router import mask
from router.text import fold

__all__ = ["output_format", "undo_asked", "version"]

_SAME = {
    "jpeg": "jpg",
    "prores": "mov",
    "dnxhd": "mov",
    "h264": "mp4",
    "h265": "mp4",
    "hevc": "mp4",
    "quicktime": "mov",
}
_NAMED = re.compile(
    r"(?<![a-z0-9])\.?(mp4|mov|avi|webm|mkv|jpe?g|png|gif|webp|mp3|wav|m4a|aac|prores|dnxhd|h\.?26[45]|hevc|quicktime)s?(?![a-z0-9])"
)
_MEANT = (
    ("gif", re.compile(r"动图|动态图|\banimated (?:image|picture)\b")),
    (
        "png",
        re.compile(
            r"\b(?:as|to|into) (?:an? |the )?(?:still |single )?(?:image|picture|photo|still|screenshot|frame|poster)\b"
            r"|(?:导出|存|保存|输出|转)(?:为|成)?(?:一张)?(?:静态)?(?:图片|图像|照片|截图)"
        ),
    ),
    (
        "mp3",
        re.compile(r"\b(?:only the audio|audio only|just the (?:audio|sound|music))\b|只要(?:声音|音频)|纯音频"),
    ),
    (
        "mp4",
        re.compile(r"\b(?:as|to|into) (?:an? |the )?(?:video|movie)\b|(?:导出|存|保存|输出)(?:为|成)视频"),
    ),
)
_DENIED = re.compile(
    r"(?:\bnot|\bno|n't(?: \w+)?|\binstead of|\brather than|\bfrom|不要|不是|别用?|不用|而不是)"
    r"(?: (?:an?|the|as|in))* ?$"
)
_TARGET = re.compile(rf"(?:\b(?:to|as|into|called|named)|到|为|成|叫) *{mask.PATH}+")
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{2,5})$")


def output_format(text: str) -> str | None:
    """The file format a person asks for ("mp4", "png", "gif", "mov"…), or None. The last one named counts."""
    folded = fold(text)
    masks = mask.find(folded.plain)
    covered = mask.cover(folded.text, masks)
    named = [
        hit[1]
        for hit in _NAMED.finditer(covered)
        if not _DENIED.search(covered[max(0, hit.start() - 24) : hit.start()])
    ]
    if named:
        found = named[-1].replace(".", "")
        return _SAME.get(found, found)
    for target in _TARGET.finditer(covered):
        path = next(each for each in masks if each.start < target.end() <= each.end)
        if extension := _EXTENSION.search(path.content):
            found = extension[1].lower()
            return _SAME.get(found, found)
    return next((name for name, meant in _MEANT if meant.search(covered)), None)


def version(text: str) -> int | None:
    """The number of the version a person speaks of ("export version 2", "导出第二版"), or None. The first one counts.

    None for one that is to be made or named ("make version 2", "save it as v2") and for kinds ("30-second version").
    """
    folded = fold(text)
    covered = mask.cover(folded.text, mask.find(folded.plain))
    hits = sorted((hit for each in _numbered() for hit in each.finditer(covered)), key=lambda hit: hit.start())
    for hit in hits:
        if not _unmeant().search(covered[max(0, hit.start() - 24) : hit.start()]):
            return _number(hit["n"])
    return None


def undo_asked(text: str) -> bool:
    """Whether the utterance is nothing but a wish to have the last change undone."""
    return len(text) < 200 and _undoing().fullmatch(fold(text).text.strip()) is not None


@cache
def _numbered() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(words) for words in table("versions")["number"]["words"])


@cache
def _unmeant() -> re.Pattern[str]:
    return re.compile(table("versions")["number"]["not_after"])


@cache
def _undoing() -> re.Pattern[str]:
    undo = table("versions")["undo"]
    return re.compile(undo["before"] + "(?:" + "|".join(undo["words"]) + ")" + undo["after"])


def _number(said: str) -> int:
    """What "2", "2nd", "two", "second", "二" and "十二" count."""
    if digits := re.match(r"\d+", said):
        return int(digits[0])
    names: dict[str, int] = table("versions")["number"]["names"]
    if said in names:
        return names[said]
    tens, ten, ones = said.replace("两", "二").rpartition("十")
    return 10 * _DIGITS.index(tens or "一") + _DIGITS.index(ones or "零") if ten else _DIGITS.index(ones[0])


_DIGITS = "零一二三四五六七八九"
