"""The embedded studio as a process of ours: started when needed, restarted when it died, told to finish when we go."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from agent.errors import Unreachable

__all__ = ["EmbeddedStudio"]

START_LIMIT = 30.0
"""Seconds a slow machine may need to start it."""
GOODBYE = 2.0
"""Seconds an idle studio gets to leave; one that still renders is left to finish."""

_left: list[subprocess.Popen[bytes]] = []
"""Studios that outlive us on purpose; held, because a Popen that is collected complains."""


class EmbeddedStudio:
    """One `python -m studio` on a loopback port it picks, keeping everything under `data`."""

    def __init__(self, data: Path, *flags: str) -> None:
        self._data = data
        self._flags = flags
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._starting = asyncio.Lock()

    async def address(self) -> str:
        """Where it answers; starts it first when it is not running. Raises Unreachable."""
        async with self._starting:
            if self._process is None or self._process.poll() is not None:
                await self._start()
        return self._url

    async def close(self) -> None:
        """Tells it to finish what it is rendering and go: the end of its standard input is its signal."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin and process.stdout
        process.stdin.close()
        process.stdout.close()
        try:
            await asyncio.to_thread(process.wait, GOODBYE)
        except subprocess.TimeoutExpired:
            _left.append(process)

    async def _start(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        log = self._data / "studio.err"
        with log.open("ab") as err:
            # Not an asyncio subprocess: its transport kills the child when it is collected, and a render must
            # outlive us. In its own group: Ctrl-C in the terminal is ours to handle.
            self._process = subprocess.Popen(  # noqa: ASYNC220  # a spawn takes milliseconds
                [sys.executable, "-m", "studio", "--data", str(self._data), *self._flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
                start_new_session=sys.platform != "win32",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        assert self._process.stdout
        try:
            line = await asyncio.wait_for(asyncio.to_thread(self._process.stdout.readline), START_LIMIT)
            self._url = json.loads(line)["url"]
        except (TimeoutError, ValueError, KeyError) as error:
            raise Unreachable("the embedded studio did not start", reason="studio", log=log) from error
