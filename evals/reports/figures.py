"""Figures as every report writes them."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["lasting", "quantile"]


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of the sorted ones do not go beyond; 0 of none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def lasting(seconds: float) -> str:
    """ "3 h 12 m", "4 m 5 s" or "8.2 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest} s"
    return f"{minutes // 60} h {minutes % 60} m"
