"""Says that a stream is still there while nothing comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

__all__ = ["with_heartbeats"]

T = TypeVar("T")


async def with_heartbeats(source: AsyncIterator[T], every: float) -> AsyncIterator[T | None]:
    """What `source` yields, and None for every `every` seconds in which it yields nothing."""
    waiting = asyncio.ensure_future(anext(source, None))
    try:
        while True:
            done, _ = await asyncio.wait((waiting,), timeout=every)
            if not done:
                yield None
                continue
            item = waiting.result()
            if item is None:
                return
            yield item
            waiting = asyncio.ensure_future(anext(source, None))
    finally:
        waiting.cancel()
