"""Gives the person's files and links to the backend."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from langgraph.runtime import Runtime

from agent.arrivals import missing
from agent.backend import Backend, Snapshot, Uploaded
from agent.context import Context, emit, tools
from agent.errors import BackendError, BadAnswer, RateLimited, StreamLost, Unreachable
from agent.events import Ask, Meter
from agent.material import prepared
from agent.notices import noticing
from agent.report import failing_softly, progress, tell
from agent.state import State
from agent.summarizer import length
from prompts import Lang, say

__all__ = ["upload"]

SOON = 3.0
"""Seconds before the look after an upload of which not all bytes had left: it can't have arrived."""


@failing_softly
async def upload(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Checks every file before the first byte leaves, sends them, and says what arrived."""
    lang, session = state["lang"], state["session"]
    assert session, "connect made one"
    held = tools(runtime)
    wanted = held.desk.distinct([*(state.get("files") or ()), *state["steps"][0]["files"]])
    if not wanted:
        emit(runtime, Ask(text=say(lang, "upload.which")))
        return {"outcome": "failed", "question": {"route": "upload", "text": ""}}
    backend = await held.backend(runtime.context.skill)
    links = [name for name in wanted if "://" in name and not name.lower().startswith("file:")]
    limit = held.skill(runtime.context.skill).max_mb
    paths = [held.desk.take(name, limit) for name in wanted if name not in links]

    giving = _Giving(state, runtime, backend, session["session_id"])
    try:
        async with noticing(state, runtime, "upload"):
            async with prepared(paths) as ready:
                await giving.files(ready)
            await giving.links(links)
    except BackendError:
        _tell_arrived(giving.arrived, len(giving.arrived), runtime, lang)  # before it, others may have got through
        raise
    _tell_arrived(giving.arrived, len(giving.arrived) if giving.lost else len(wanted), runtime, lang)
    if giving.lost:
        names = say(lang, "unit.comma").join(giving.lost)
        raise StreamLost("upload", reason="upload" if giving.looked else "upload_unseen", names=names)
    if not state["steps"][1:]:
        tell(runtime, say(lang, "upload.next"))
    return {"outcome": "done"}


def _tell_arrived(arrived: Sequence[Uploaded], count: int, runtime: Runtime[Context], lang: Lang) -> None:
    """Says what is there; a backend that lists nothing has all that was sent."""
    if count:
        lines = [f"- {_described(file, lang)}" for file in arrived]
        tell(runtime, "\n".join([say(lang, "upload.done", count=len(arrived) or count), *lines]))


@dataclass(slots=True)
class _Giving:
    """One upload step: what arrived, and what nobody answered for and the state does not show."""

    state: State
    runtime: Runtime[Context]
    backend: Backend
    session_id: str
    arrived: list[Uploaded] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    looked: bool = True
    """Whether the state could be looked at for all that is in `lost`."""

    async def files(self, paths: Sequence[Path]) -> None:
        """Sends files. What can't have left whole and is not there is sent once more, anything else never."""
        rest = await self._files(paths) if paths else []
        self.lost += [path.name for path in (await self._files(rest) if rest else [])]

    async def links(self, links: Sequence[str]) -> None:
        """Tells the backend links, which it fetches by itself."""
        if links:
            progress(self.runtime, "upload", self._sending(links))
            names = [unquote(urlsplit(link).path.rpartition("/")[2]) or link for link in links]
            waits = tools(self.runtime).look_after
            self.lost += await self._give(
                names, lambda: self.backend.upload_urls(self.session_id, links), lambda: waits
            )

    async def _files(self, paths: Sequence[Path]) -> list[Path]:
        """One request. The files that may be sent again."""
        names, left = [path.name for path in paths], False
        meter = Meter(lambda fraction: progress(self.runtime, "upload", self._sending(names), fraction))

        def count(done: int, total: int) -> None:
            nonlocal left
            left = done >= total
            meter(done, total)

        def waits() -> Sequence[float]:
            return tools(self.runtime).look_after if left else (SOON,)

        lost = await self._give(names, lambda: self.backend.upload(self.session_id, paths, count), waits)
        if not left and self.looked:
            return [path for path in paths if path.name in lost]
        self.lost += lost
        return []

    async def _give(
        self,
        names: list[str],
        call: Callable[[], Awaitable[list[Uploaded]]],
        waits: Callable[[], Sequence[float]],
    ) -> list[str]:
        """Names of what did not arrive: none where the backend answered, else what the state says."""
        before = await self._look()
        try:
            self.arrived += await call()
            return []
        except (StreamLost, BadAnswer):
            lost = await self._look_for(names, before, waits())
        self.arrived += [Uploaded(name=name) for name in names if name not in lost]
        return lost

    async def _look_for(self, names: list[str], before: Snapshot | None, waits: Sequence[float]) -> list[str]:
        """Those of `names` that the state does not show at any of its looks."""
        held, lost, looked = tools(self.runtime), names, False
        for wait in waits:
            progress(self.runtime, "look", say(self.state["lang"], "upload.looking"))
            await held.clock.sleep(wait)
            after = await self._look()
            if before and after:
                lost, looked = missing(names, before, after), True
            if not lost:
                break
        self.looked &= looked
        return lost

    async def _look(self) -> Snapshot | None:
        """The state; None where it can't be seen at the moment."""
        try:
            return await self.backend.snapshot(self.session_id)
        except (BadAnswer, RateLimited, Unreachable):
            return None

    def _sending(self, names: Sequence[str]) -> str:
        lang = self.state["lang"]
        return say(lang, "upload.sending", names=say(lang, "unit.comma").join(names))


def _described(file: Uploaded, lang: Lang) -> str:
    """A name with its size or length, as far as the backend said."""
    facts = []
    if file.width and file.height:
        facts.append(f"{file.width}x{file.height}")
    if file.duration_ms:
        facts.append(length(file.duration_ms, lang))
    return f"{file.name} ({', '.join(facts)})" if facts else file.name
