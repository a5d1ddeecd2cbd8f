"""A real studio of its own in a temporary folder, and an agent in front of it: where dialogues are played."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

from agent.settings import Settings
from agent.skills import load_skill
from agent.turn import Agent, open_agent
from prompts import Lang

__all__ = ["FAST", "agent_on", "studio"]

FAST = ("--size", "320x180", "--pace", "0", "--silent-rate", "0")
"""Small pictures, no waiting, always a word: for dialogues about something else."""


@asynccontextmanager
async def studio(data: Path, *flags: str) -> AsyncIterator[str]:
    """The address of a studio process that keeps everything in `data` and goes when we leave."""
    process = subprocess.Popen(  # noqa: ASYNC220  # a spawn takes milliseconds
        [sys.executable, "-m", "studio", "--data", str(data), *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin and process.stdout
    try:
        line = await asyncio.to_thread(process.stdout.readline)
        yield str(json.loads(line)["url"])
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            await asyncio.to_thread(process.wait, 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@asynccontextmanager
async def agent_on(
    url: str,
    home: Path,
    *,
    skill: str = "generator-image",
    lang: Lang = "en",
    environ: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Agent]:
    """An agent on the backend at `url`, keeping its own things in `home`; of the environment it sees `environ` only."""
    settings = Settings.load(backend=url, home=home, exports=home / "exports", lang=lang, environ=environ)
    async with open_agent(settings, load_skill(skill)) as agent:
        yield agent
