"""What one run of the program has spent, as far as the balance tells: numbers only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Kind", "Purse"]

Kind = Literal["sse", "export"]
"""The steps that may cost something."""


@dataclass(slots=True)
class Purse:
    """Credits, in the backend's own unit."""

    spent: float = 0.0
    last: float | None = None
    """Available at the last reading."""
    _dearest: dict[str, float] = field(default_factory=dict)
    _asked: set[tuple[str, str]] = field(default_factory=set)
    """Threads and the words that the person was asked about."""

    def look(self, available: float | None) -> None:
        """Takes a reading of the balance. More than before is no refund: it was topped up."""
        if available is None:
            return
        if self.last is not None:
            self.spent += max(0.0, self.last - available)
        self.last = available

    def price(self, kind: Kind, usual: float) -> float:
        """Credits that a step of this kind may cost."""
        return max(usual, self._dearest.get(kind, 0.0))

    def paid(self, kind: Kind, cost: float) -> None:
        """Remembers what a step of this kind has cost."""
        self._dearest[kind] = max(cost, self._dearest.get(kind, 0.0))

    def ask(self, thread: str, words: str) -> None:
        """The person is being asked about these words."""
        self._asked.add((thread, words))

    def agreed(self, thread: str, words: str) -> bool:
        """Whether they were asked about; one answer is good for one send."""
        found = (thread, words) in self._asked
        self._asked.discard((thread, words))
        return found
