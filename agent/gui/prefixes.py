"""What may stand before an instruction, walked word by word: the backend's text must not choose how long we look."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["Prefix", "Step"]

LONGEST = 200
"""Characters. Nobody leads up to a button for longer."""

Step = tuple[re.Pattern[str], int]
"""A wording, and how many characters of anything may come after it."""


class Prefix:
    """A run of steps from the beginning of a text to its end, and perhaps one last wording that takes the rest."""

    def __init__(self, steps: Sequence[Step], last: re.Pattern[str] | None = None) -> None:
        self._steps = steps
        self._last = last

    def covers(self, text: str) -> bool:
        """Whether the steps lead through all of `text`. The time is at most its length times the steps."""
        begin = re.match(r"[\W_]*", text)
        waiting, seen = [begin.end() if begin else 0], set[int]()
        if len(text) > LONGEST:
            return False
        while waiting:
            at = waiting.pop()
            if at == len(text) or (self._last and self._last.fullmatch(text, at)):
                return True
            ends = self._ends(text, at) - seen
            seen |= ends
            waiting += ends
        return False

    def _ends(self, text: str, at: int) -> set[int]:
        """Where one step from `at` may end."""
        ends: set[int] = set()
        for pattern, free in self._steps:
            if (match := pattern.match(text, at)) and match.end() > at:
                ends.update(range(match.end(), min(match.end() + free, len(text)) + 1))
        return ends
