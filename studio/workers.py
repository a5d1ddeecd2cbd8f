"""Worker processes: one a job, told by a spec file, heard through JSON lines, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

__all__ = ["COMMAND", "FINAL", "WITHDRAWN", "FarmMissing", "Processes", "Runner", "WorkerFailed", "Workbench"]

COMMAND = (sys.executable, "-m", "studio.worker")
LINE_LIMIT = 1 << 20
GRACE_S = 2.0  # between asking a worker to stop and making it
DRAW_S, PROBE_S, RENDER_S = 120.0, 60.0, 1800.0
FINAL = ("media", "time")  # whose fault it is when trying again is in vain
WITHDRAWN = "withdrawn"  # what a call is canceled with when nobody wants the job any more

Step = Callable[[float, str], None]
_log = logging.getLogger("studio")


class WorkerFailed(Exception):
    """The job ended without a result. `blame`: "media" (a file is bad), "memory", "time" or "bug".

    `final`: it was tried as often as it may be.
    """

    def __init__(self, message: str, *, blame: str = "bug", asset: str | None = None, final: bool = False) -> None:
        super().__init__(message)
        self.blame = blame
        self.asset = asset
        self.final = final


class FarmMissing(Exception):
    """Renders cannot go to other machines here; the words say why."""


class Runner(Protocol):
    """Runs one job to its end; canceling the call stops the job and leaves nothing of it.

    A runner that keeps its jobs elsewhere stops one only when the call is canceled with WITHDRAWN; otherwise the
    next call with the same `key` in its spec waits for the same job.
    """

    async def run(self, spec: Mapping[str, Any], step: Step, limit_s: float = RENDER_S) -> dict[str, Any]:
        """The result. `step(fraction, stage)` is called while it runs. Raises WorkerFailed."""


class Processes:
    """Each job is a process of `command` with the path of its spec as last word."""

    def __init__(self, folder: Path, command: Sequence[str] = COMMAND) -> None:
        self._folder = folder
        self._command = tuple(command)

    async def run(self, spec: Mapping[str, Any], step: Step, limit_s: float = RENDER_S) -> dict[str, Any]:
        """See Runner."""
        path = self._folder / f"spec-{secrets.token_hex(6)}.json"
        path.write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
        try:
            async with asyncio.timeout(limit_s):
                return await self._process(path, step)
        except TimeoutError:
            raise WorkerFailed("it took too long", blame="time") from None
        finally:
            _tidy(path, spec.get("out"))

    async def _process(self, path: Path, step: Step) -> dict[str, Any]:
        # A session of its own, so that Ctrl-C in a terminal does not reach a job behind our back.
        process = await asyncio.create_subprocess_exec(
            *self._command,
            str(path),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
            start_new_session=os.name == "posix",
        )
        assert process.stdout is not None and process.stderr is not None
        complaints = asyncio.create_task(_tail(process.stderr))
        try:
            last = await _listen(process.stdout, step)
            code = await process.wait()
        finally:
            await asyncio.shield(_stop(process))
            complaint = await complaints
        if code == 0 and "result" in last:
            return dict(last["result"])
        _log.warning("worker ended with %s: %s %s", code, last.get("error"), complaint)
        raise WorkerFailed(str(last.get("error") or ""), blame=_BLAME.get(code, "bug"), asset=last.get("asset"))


def _tidy(spec: Path, out: object) -> None:
    """What a worker that was killed could not take away itself."""
    with contextlib.suppress(OSError):
        spec.unlink(missing_ok=True)
        if out:
            Path(f"{out}.part").unlink(missing_ok=True)


_BLAME = {3: "media", 5: "memory", -9: "memory"}


async def _listen(lines: asyncio.StreamReader, step: Step) -> dict[str, Any]:
    """The last word of a worker: {"result"} or {"error"}."""
    last: dict[str, Any] = {}
    while line := await lines.readline():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if "progress" in said:
            step(float(said["progress"]), str(said.get("stage", "")))
        elif isinstance(said, dict):
            last = said
    return last


async def _tail(stream: asyncio.StreamReader) -> str:
    """The last 2 KB of what a worker complained about."""
    kept = b""
    while piece := await stream.read(4096):
        kept = (kept + piece)[-2048:]
    return kept.decode("utf-8", "replace").strip()


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), GRACE_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Workbench:
    """Draws and probes through a runner, two at a time."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._places = asyncio.Semaphore(2)

    async def draw(self, prompt: str, seed: int, width: int, height: int, out: Path) -> dict[str, Any]:
        """See Drawer."""
        spec = {"job": "draw", "prompt": prompt, "seed": seed, "width": width, "height": height, "out": str(out)}
        async with self._places:
            return await self._runner.run(spec, _ignore, DRAW_S)

    async def probe(self, path: Path, name: str) -> dict[str, Any]:
        """See Drawer."""
        async with self._places:
            return await self._runner.run({"job": "probe", "path": str(path), "name": name}, _ignore, PROBE_S)


def _ignore(fraction: float, stage: str) -> None:
    """Pictures are quick: nobody asks how far they are."""
