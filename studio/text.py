"""Titles as pictures: one bilingual font, line breaks that suit Chinese and Latin text, a soft shadow."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw, ImageFilter, ImageFont

__all__ = ["Place", "Raster", "clean", "fit", "font", "raster", "wrap"]

Place = Literal["center", "top", "bottom"]

_SIMPLIFIED_CHINESE = 2  # the collection's faces: JP, KR, SC, TC, HK
_NO_LINE_START = "，。！？、；：）】》」』〉”’…·,.!?;:)]}%"
_NO_LINE_END = "（【《「『〈“‘([{"
_TOKEN = re.compile(r"\s+|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]|\S", re.UNICODE)
_WORD = re.compile(r"[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")
_JOINERS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\u20e3\U000e0000-\U000e007f]")
_EMOJI = re.compile("[\U0001f000-\U0001faff\U0001fb00-\U0001fbff]")


class Raster(NamedTuple):
    """A title as RGBA pixels with even sizes, and the even canvas position of its top left corner."""

    image: Image.Image
    x: int
    y: int


@cache
def font(size: int, weight: int = 700) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK SC at `size` pixels; weight 100-900."""
    path = files("manimgx_fonts_cjk") / "NotoSansCJK-VF.otf.ttc"
    face = ImageFont.truetype(str(path), size, index=_SIMPLIFIED_CHINESE)
    face.set_variation_by_axes([weight])
    return face


def clean(text: str) -> str:
    """Text the font can draw, one space between words: emoji, joiners and missing glyphs are left out."""
    text = _JOINERS.sub("", text)
    lines = [" ".join("".join(c for c in line if _drawable(c)).split()) for line in text.splitlines()]
    return "\n".join(line for line in lines if line)


@cache
def _drawable(character: str) -> bool:
    if character.isspace() or character.isascii():
        return character.isspace() or character.isprintable()
    if _EMOJI.match(character) or not character.isprintable():
        return False
    face = font(24)
    missing = face.getmask("\U0010ffff")
    drawn = face.getmask(character)
    return (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))


def wrap(text: str, measure: Callable[[str], float], width: float) -> list[str]:
    """Lines no wider than `width` where a break is allowed, about equally long, none starting with a closing mark."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        tokens = _tokens(paragraph)
        tight = _greedy(tokens, measure, width)
        low, high = width / max(len(tight), 1) * 0.8, width
        for _ in range(7 if len(tight) > 1 else 0):  # the narrowest column with as many lines looks balanced
            middle = (low + high) / 2
            trial = _greedy(tokens, measure, middle)
            if len(trial) == len(tight) and max(map(measure, trial)) <= max(middle, max(map(measure, tight))):
                tight, high = trial, middle
            else:
                low = middle
        lines += tight
    return lines


def _tokens(text: str) -> list[str]:
    """Pieces between which a line may break; closing marks stick to what they follow, opening ones to what follows."""
    tokens: list[str] = []
    at = 0
    while at < len(text):
        match = _WORD.match(text, at) or _TOKEN.match(text, at)
        piece = match.group() if match else text[at]
        at += len(piece)
        glued = tokens and not piece.isspace() and (piece[0] in _NO_LINE_START or tokens[-1][-1] in _NO_LINE_END)
        if glued and not tokens[-1].isspace():
            tokens[-1] += piece
        else:
            tokens.append(piece)
    return tokens


def _greedy(tokens: list[str], measure: Callable[[str], float], width: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for token in tokens:
        if line.strip() and not token.isspace() and measure((line + token).strip()) > width:
            lines.append(line.strip())
            line = ""
        line += token
    return [*lines, line.strip()] if line.strip() else lines


def fit(
    text: str, size: int, width: float, height: float, weight: int = 700
) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """The text's lines and the largest font, at most `size` px, with which they fit in `width` x `height` px."""
    while True:
        face = font(size, weight)
        lines = wrap(text, face.getlength, width)
        widest = max(map(face.getlength, lines), default=0.0)
        if size <= 10 or (widest <= width and len(lines) * size * 1.3 <= height):
            return lines, face
        size = max(10, min(size - 1, int(size * 0.92)))


_SIZE = {"center": 0.115, "top": 0.07, "bottom": 0.07}
_ROOM = {"center": 0.6, "top": 0.3, "bottom": 0.3}


def raster(text: str, place: Place, width: int, height: int) -> Raster | None:
    """The title for a canvas of `width` x `height`; None when nothing in it can be drawn."""
    text = clean(text)
    if not text:
        return None
    short = min(width, height)
    lines, face = fit(text, max(10, round(short * _SIZE[place])), width * 0.86, height * _ROOM[place])
    step = face.size * 1.28
    pad = max(4, round(face.size * 0.45))
    wide = _even(max(map(face.getlength, lines)) + 2 * pad)
    high = _even(step * len(lines) + 2 * pad)
    words = Image.new("L", (wide, high))
    draw = ImageDraw.Draw(words)
    for index, line in enumerate(lines):
        draw.text((wide / 2, pad + step * (index + 0.5)), line, fill=255, font=face, anchor="mm")
    tops = {"center": (height - high) / 2, "top": height * 0.075 - pad / 2, "bottom": height * 0.925 - high + pad / 2}
    return Raster(_shadowed(words, face.size), _even((width - wide) / 2), _even(tops[place]))


def _shadowed(words: Image.Image, size: float) -> Image.Image:
    """White words over a tight dark edge and a wide soft shadow, readable on snow as well as at night."""
    near = words.filter(ImageFilter.GaussianBlur(size * 0.03)).point(lambda v: min(255, v * 0.55))
    far = Image.new("L", words.size)
    far.paste(words, (0, max(1, round(size * 0.04))))
    far = far.filter(ImageFilter.GaussianBlur(size * 0.14)).point(lambda v: min(255, v * 0.85))
    image = Image.new("RGBA", words.size, (0, 0, 0, 0))
    for shade in (far, near):
        layer = Image.new("RGBA", words.size, (0, 0, 0, 255))
        layer.putalpha(shade)
        image = Image.alpha_composite(image, layer)
    top = Image.new("RGBA", words.size, (255, 255, 255, 255))
    top.putalpha(words)
    return Image.alpha_composite(image, top)


def _even(value: float) -> int:
    return 2 * round(value / 2)
