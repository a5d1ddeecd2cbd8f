"""Wishes: what else an utterance asks of an export."""

from __future__ import annotations

import re

from router import mask
from router.text import fold

__all__ = ["output_format"]

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
