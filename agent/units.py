"""Numbers with their units, as a person reads them."""

from __future__ import annotations

import math

from prompts import Lang, say

__all__ = ["file_size", "length", "percent", "ratio", "span", "times"]

_MINUTE, _HOUR = 60_000, 3_600_000


def length(ms: int, lang: Lang) -> str:
    """A duration or a point in time: "2.5s" or, from a minute on, "1:05"."""
    return say(lang, "unit.seconds", n=_plain(ms / 1000)) if ms < _MINUTE else _clock(ms)


def span(start_ms: int, end_ms: int, lang: Lang) -> str:
    """From when to when: "0-10s" or "0:55-1:05"."""
    if end_ms >= _MINUTE:
        return say(lang, "unit.clock_range", start=_clock(start_ms), end=_clock(end_ms))
    return say(lang, "unit.range", start=_plain(start_ms / 1000), end=_plain(end_ms / 1000))


def percent(fraction: float, lang: Lang) -> str:
    """0.35 as "35%"."""
    return say(lang, "unit.percent", n=_plain(round(fraction * 100, 1)))


def times(factor: float, lang: Lang) -> str:
    """1.5 as "1.5x"."""
    return say(lang, "unit.times", n=_plain(factor))


def ratio(width: int, height: int) -> str | None:
    """The shape of a picture, "16:9"; None where the numbers would say nothing to anybody."""
    common = math.gcd(width, height) or 1
    width, height = width // common, height // common
    return f"{width}:{height}" if max(width, height) <= 32 else None


def file_size(size: int) -> str:
    """Bytes as "2.4 MB"."""
    amount, unit = float(size), "B"
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{_plain(round(amount, 1 if amount < 10 else 0))} {unit}"


def _plain(number: float) -> str:
    """At most three decimals, and none that say nothing."""
    return f"{number:.3f}".rstrip("0").rstrip(".")


def _clock(ms: int) -> str:
    """ "1:05", "1:02:05" or "1:05.5"."""
    hours, rest = divmod(ms, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    seconds = f"{rest // 1000:02}{_plain(rest % 1000 / 1000)[1:]}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"
