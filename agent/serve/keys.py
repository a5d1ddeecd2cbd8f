"""API keys: random, shown once, kept as their SHA-256; each speaks for one user."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256

from langgraph.store.base import BaseStore

__all__ = ["GUEST", "Key", "Keys", "Principal", "fit_user", "on_behalf"]

GUEST = "guest"
"""Who everybody is where there are no keys, which only loopback may do."""
RESERVED = ("local",)
"""The person at the terminal, whose things are not for a host to touch."""
PREFIX = "sk-reel-"
KNOWN_S = 10.0
"""Seconds that an answer of the store is good for: a revoked key works that much longer."""
_ROOT = ("reelchat-host", "keys")
_USER = re.compile(r"[^\W_][\w.@+ -]{0,127}")
_SUB = re.compile(r"[\w.@+-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; the key itself is not."""

    digest: str
    name: str
    user: str
    gateway: bool
    """Whether it speaks for users of its own, whom its requests name."""
    at: str
    """UTC, ISO 8601."""


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a request comes."""

    user: str
    key: str = ""
    """The digest of the key; "" where there are none."""
    gateway: bool = False


class Keys:
    """The keys of a host."""

    def __init__(self, store: BaseStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._known: dict[str, tuple[float, Key | None]] = {}
        self._any: tuple[float, bool] = (-KNOWN_S, False)

    async def add(self, name: str, user: str, at: str, *, gateway: bool = False) -> str:
        """Makes a key and returns it; nobody can read it again. Raises ValueError for a user that can't be one."""
        if not fit_user(user):
            raise ValueError(user)
        secret = PREFIX + secrets.token_urlsafe(32)
        key = Key(_digest(secret), name, user, gateway, at)
        await self._store.aput(_ROOT, key.digest, asdict(key), index=False)
        self._any = (self._clock(), True)
        return secret

    async def all(self) -> list[Key]:
        """Every key, oldest first."""
        found: list[Key] = []
        while page := await self._store.asearch(_ROOT, limit=100, offset=len(found)):
            found += [Key(**item.value) for item in page]
        return sorted(found, key=lambda key: key.at)

    async def revoke(self, name: str) -> int:
        """Deletes the keys of that name, or whose digest begins so. Returns how many."""
        gone = [key for key in await self.all() if name in (key.name, key.digest[:12])]
        for key in gone:
            await self._store.adelete(_ROOT, key.digest)
        self._known.clear()
        return len(gone)

    async def any(self) -> bool:
        """Whether there are keys, so that one is needed; a process that had some does not open with the last one."""
        asked, there = self._any
        if not there and self._clock() - asked >= KNOWN_S:
            there = bool(await self._store.asearch(_ROOT, limit=1))
            self._any = (self._clock(), there)
        return there

    async def who(self, secret: str) -> Principal | None:
        """On whose behalf a key speaks; None for one that is not ours."""
        digest = _digest(secret)
        asked, key = self._known.get(digest, (-KNOWN_S, None))
        if self._clock() - asked >= KNOWN_S:
            item = await self._store.aget(_ROOT, digest)
            key = Key(**item.value) if item else None
            if len(self._known) > 10_000:  # of strangers who guess
                self._known.clear()
            self._known[digest] = (self._clock(), key)
        return Principal(key.user, key.digest, key.gateway) if key else None


def fit_user(name: str) -> bool:
    """Whether a key may speak for a user of that name.

    "/" is what a gateway's own users have in theirs, ":" is between a user and a conversation, and "local" is whoever
    sits at the machine.
    """
    return bool(_USER.fullmatch(name)) and name not in RESERVED


def on_behalf(found: Principal, named: str) -> Principal:
    """Who a gateway's key speaks for: a user below its own, of a name that no key and no other gateway can have."""
    if not found.gateway or not named:
        return found
    # Whatever is no plain name gets one of its own; "~" is in no plain one.
    plain = named if _SUB.fullmatch(named) else "~" + sha256(named.encode("utf-8", "replace")).hexdigest()[:32]
    return Principal(f"{found.user}/{plain}", found.key, gateway=True)


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
