"""How often and how much at once: requests of a key, requests of an address without one, answers that are read."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import IPv6Address, ip_address
from typing import Any

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string

from agent.serve.door import Refused
from agent.serve.keys import Principal
from agent.serve.options import Options
from agent.settings import Settings

__all__ = ["Limits", "open_limits"]

log = logging.getLogger("reelchat.limits")


class Limits:
    """Of one process; in front of a shared storage the rates hold for all of them, open answers are each one's own."""

    def __init__(self, options: Options, storage: Storage | None = None) -> None:
        self._options = options
        self._here = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = SlidingWindowCounterRateLimiter(storage) if storage else self._here
        self._open: Counter[str] = Counter()
        self._asked = RateLimitItemPerMinute(options.requests_a_minute)
        self._strange = RateLimitItemPerMinute(options.strangers_a_minute)

    @property
    def open(self) -> int:
        """Answers that are being read."""
        return self._open.total()

    async def known(self, who: Principal) -> None:
        """Counts a request of a key; those of a gateway by the user it speaks for. Raises Refused."""
        await self._count(self._asked, "key", _name(who))

    async def stranger(self, address: str) -> None:
        """Counts a request that came without a good key, or with a bad link. Raises Refused."""
        await self._count(self._strange, "address", _block(address))

    async def visitor(self, address: str) -> None:
        """Counts a look at what anybody may see. Raises Refused."""
        await self._count(self._asked, "visitor", _block(address))

    @contextmanager
    def reading(self, who: Principal) -> Iterator[None]:
        """As long as an answer is written and read; the place is free again however it ends. Raises Refused."""
        name = _name(who)
        if self._open[name] >= self._options.streams:
            raise Refused("too_many_streams", after=2, limit=self._options.streams)
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

    async def _count(self, item: RateLimitItem, kind: str, name: str) -> None:
        try:
            wait = await _wait(self._shared, item, kind, name)
        except StorageError as error:  # Redis is away: each process counts for itself, nobody is let in uncounted.
            log.warning("the shared rate limits can't be reached, counting here: %s", error)
            wait = await _wait(self._here, item, kind, name)
        if wait is not None:
            raise Refused("rate_limited", after=wait, seconds=wait)


@asynccontextmanager
async def open_limits(settings: Settings, options: Options) -> AsyncIterator[Limits]:
    """Limits in Redis where one is set, else in this process."""
    if settings.redis is None:
        yield Limits(options)
        return
    from redis.asyncio import BlockingConnectionPool  # Redis is no part of a plain installation

    url = settings.redis.get_secret_value()
    pool = BlockingConnectionPool.from_url(url, max_connections=10, timeout=2, socket_timeout=2)
    more: Any = {"implementation": "redispy", "connection_pool": pool, "key_prefix": "reelchat-limits"}
    scheme = "async+redis+unix" if url.startswith("unix:") else f"async+{url.partition(':')[0]}"
    storage = storage_from_string(f"{scheme}:{url.partition(':')[2]}", wrap_exceptions=True, **more)
    assert isinstance(storage, Storage)
    try:
        yield Limits(options, storage)
    finally:
        await pool.disconnect()


async def _wait(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, kind: str, name: str) -> int | None:
    """Counts one; None where it is within the limit, else the seconds until there is room again."""
    if await limiter.hit(item, kind, name):
        return None
    reset = (await limiter.get_window_stats(item, kind, name)).reset_time
    return min(max(math.ceil(reset - time.time()), 1), 60)


def _name(who: Principal) -> str:
    return f"{who.key[:32]} {who.user}"


def _block(address: str) -> str:
    """Who may have an address: with IPv6 everybody has 2^64 of them."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "nowhere"
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(IPv6Address(int(found) >> 64 << 64))
    return str(found)
