"""Says that work goes on while nothing else can be said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from langgraph.runtime import Runtime

from agent.context import Context, tools
from agent.report import progress
from agent.state import State
from prompts import say

__all__ = ["STILL_WORKING", "noticing"]

STILL_WORKING = 120.0
"""Seconds between two notices that the backend is still at it."""


@asynccontextmanager
async def noticing(state: State, runtime: Runtime[Context], about: Literal["send", "upload"]) -> AsyncIterator[None]:
    """Says every two minutes that work goes on, as long as it lasts."""

    async def repeat() -> None:
        while True:
            await tools(runtime).clock.sleep(STILL_WORKING)
            progress(runtime, about, say(state["lang"], "send.still_working"))

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
