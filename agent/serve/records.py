"""One user's conversations as a host shows them again: which there are, what was said, what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from langgraph.store.base import BaseStore

from agent.events import EVENT, Event, Progress, Timeline
from agent.journal import label

__all__ = ["Conversation", "Records", "Taken", "lasting", "users"]

Status = Literal["running", "done", "broken"]
"""broken: the process ended in mid-turn, or the person stopped waiting; the next turn says what came of it."""
TITLE = 60
"""Characters of a conversation's title."""
PAGE = 100
_USERS = ("reelchat-host", "users")


@dataclass(frozen=True, slots=True)
class Conversation:
    """One thread as its owner calls it."""

    thread: str
    title: str
    at: str
    """Of its last turn; UTC, ISO 8601."""
    skill: str


@dataclass(frozen=True, slots=True)
class Taken:
    """One turn that was taken."""

    id: str
    thread_id: str
    text: str
    at: str
    """UTC, ISO 8601."""
    status: Status = "running"
    files: list[dict[str, Any]] = field(default_factory=list)
    """Handle and name of what was given with it."""
    events: list[dict[str, Any]] = field(default_factory=list)
    cost: float = 0.0
    """Credits, as far as the balance told."""

    def value(self) -> dict[str, Any]:
        """As it is kept. Of `asdict` every event would come out copied to the last number."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def said(self) -> list[Event]:
        """What it said, again as events."""
        return [EVENT.validate_python(event) for event in self.events]


class Records:
    """Kept in the same store as the journal."""

    def __init__(self, store: BaseStore, user: str) -> None:
        self._store, self._user = store, user
        self._root = ("reelchat", label(user))

    async def open(self, conversation: Conversation, folder: str | None, taken: Taken | None = None) -> None:
        """Writes that there is a conversation, its turn, and with a `folder` that there is such a user."""
        title = " ".join(conversation.title.split())[:TITLE]
        value = asdict(replace(conversation, title=title))
        writes = [self._store.aput((*self._root, "threads"), conversation.thread, value, index=False)]
        if taken:
            writes.append(self.put(taken))
        if folder:
            writes.append(self._store.aput(_USERS, folder, {"user": self._user}, index=False))
        await asyncio.gather(*writes)

    async def conversation(self, thread: str) -> Conversation | None:
        """One conversation; None where there is none of that name."""
        item = await self._store.aget((*self._root, "threads"), thread)
        return Conversation(**item.value) if item else None

    async def conversations(self) -> list[Conversation]:
        """All of them, the latest first."""
        found = [Conversation(**value) for value in await self._all((*self._root, "threads"))]
        return sorted(found, key=lambda one: one.at, reverse=True)

    async def put(self, taken: Taken) -> None:
        """Writes a turn as it is now."""
        await self._store.aput((*self._root, "turns", taken.thread_id), taken.id, taken.value(), index=False)

    async def turn(self, thread_id: str, id: str) -> Taken | None:
        """One turn of a thread; None where there was none of that id."""
        item = await self._store.aget((*self._root, "turns", thread_id), id)
        return Taken(**item.value) if item else None

    async def turns(self, thread_id: str) -> list[Taken]:
        """The turns of a thread, oldest first."""
        found = [Taken(**value) for value in await self._all((*self._root, "turns", thread_id))]
        return sorted(found, key=lambda one: one.at)

    async def trim(self, thread_id: str, most: int) -> None:
        """Drops the oldest turns of a thread beyond `most`."""
        for old in (await self.turns(thread_id))[:-most]:
            await self._store.adelete((*self._root, "turns", thread_id), old.id)

    async def forget(self, thread: str, thread_id: str) -> None:
        """Drops everything that is known of a thread, its journal included; open jobs stay, their files may come."""
        for kind in ("turns", "sends", "drafts"):
            namespace = (*self._root, kind, thread_id)
            while page := await self._store.asearch(namespace, limit=PAGE):
                for item in page:
                    await self._store.adelete(namespace, item.key)
        for kind in ("sessions", "versions"):
            await self._store.adelete((*self._root, kind), thread_id)
        await self._store.adelete((*self._root, "threads"), thread)

    async def _all(self, namespace: tuple[str, ...]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while page := await self._store.asearch(namespace, limit=PAGE, offset=len(found)):
            found += [item.value for item in page]
        return found


def lasting(events: Sequence[Event]) -> list[dict[str, Any]]:
    """What is worth keeping: no progress, and no draft, which the thread has itself."""
    kept = [event for event in events if not isinstance(event, Progress)]
    plain = [event.model_copy(update={"draft": {}}) if isinstance(event, Timeline) else event for event in kept]
    return [event.model_dump(mode="json") for event in plain]


async def users(store: BaseStore) -> dict[str, str]:
    """Every user there is, by the name of their folder."""
    found: dict[str, str] = {}
    while page := await store.asearch(_USERS, limit=PAGE, offset=len(found)):
        found |= {item.key: item.value["user"] for item in page}
    return found
