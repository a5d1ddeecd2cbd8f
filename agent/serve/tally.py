"""What each user had on which day: counted by every process for itself, added up by whoever asks.

Conversations are trimmed and deleted; what they cost has to be known longer. A row has one writer, because the store
has no way to add to a number.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass

from langgraph.store.base import BaseStore

from agent.journal import label

__all__ = ["KEPT_DAYS", "Day", "Tally", "days_of", "forget_days"]

KEPT_DAYS = 400
MOST_ROWS = 10_000
"""Rows that a process keeps at hand; past them it begins new ones."""
PAGE = 100


@dataclass(slots=True)
class Day:
    """One user's day, as one process saw it."""

    day: str
    """UTC, as 2026-11-21."""
    turns: int = 0
    credits: float = 0.0


class Tally:
    """This process's rows."""

    def __init__(self, store: BaseStore) -> None:
        self._store = store
        self._rows: dict[tuple[str, str], Day] = {}
        self._process = uuid.uuid4().hex

    async def add(self, user: str, at: str, credits: float) -> None:
        """Counts one turn; `at` is ISO 8601."""
        if len(self._rows) >= MOST_ROWS:
            self._rows, self._process = {}, uuid.uuid4().hex
        row = self._rows.setdefault((user, at[:10]), Day(at[:10]))
        row.turns, row.credits = row.turns + 1, round(row.credits + credits, 6)
        await self._store.aput(_days(user), f"{row.day}-{self._process}", asdict(row), index=False)


async def days_of(store: BaseStore, user: str, since: str = "") -> list[Day]:
    """Every row of a user from that day on."""
    found: list[Day] = []
    only = {"day": {"$gte": since}} if since else None
    while page := await store.asearch(_days(user), filter=only, limit=PAGE, offset=len(found)):
        found += [Day(**item.value) for item in page]
    return found


async def forget_days(store: BaseStore, user: str, before: str) -> None:
    """Drops what is older than that day."""
    while page := await store.asearch(_days(user), filter={"day": {"$lt": before}}, limit=PAGE):
        for item in page:
            await store.adelete(item.namespace, item.key)


def _days(user: str) -> tuple[str, ...]:
    return ("reelchat", label(user), "days")
