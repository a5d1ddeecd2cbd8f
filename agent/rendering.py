"""One render job from submit to file, for the export node and for the collector of jobs left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NoReturn, cast
from urllib.parse import urlsplit

from agent.backend import Backend, RenderStatus, Verbatim
from agent.clock import Clock
from agent.context import Tools
from agent.draft import Draft
from agent.entries import Job
from agent.errors import (
    ApiError,
    BackendError,
    BadAnswer,
    RateLimited,
    RenderFailed,
    StreamLost,
    TransferFailed,
    Unreachable,
)
from agent.events import Delivered, Event, Meter, Progress, Text
from agent.journal import Journal
from agent.logs import holds_token
from agent.summarizer import file_size, length
from prompts import Lang, say

__all__ = ["NO_LOOK", "Rendering", "new_id"]

NO_LOOK = (Unreachable, BadAnswer, RateLimited)
"""What keeps us from looking at a job, and says nothing about the job."""
STALLED = 300.0
"""Seconds without progress after which a job is left to be collected later."""


def new_id(clock: Clock) -> str:
    """A render id nobody has used: the documents' `render_<timestamp>`, in microseconds."""
    moment = clock.now()
    return f"render_{int(moment.timestamp() * 1000)}{moment.microsecond % 1000:03d}"


def _link(url: str | None) -> str | None:
    """The address where others find the file. The embedded studio ends with us; a secret is nobody's link."""
    if url is None or not url.startswith(("http://", "https://")) or holds_token(url):
        return None
    return None if urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1") else url


@dataclass(frozen=True, slots=True)
class Rendering:
    """What seeing a job through takes."""

    backend: Backend
    journal: Journal
    tools: Tools
    show: Callable[[Event], None]

    async def run(self, job: Job) -> None:
        """Submits `job` and delivers it; a job that fails is replaced once, under a new id."""
        async with self.tools.leases.hold(job.id):
            await self.journal.job(job)
            await self._submit(job)
            try:
                await self._deliver(job)
            except RenderFailed:
                await self.journal.job(replace(job, status="failed"))
                if job.again:
                    raise
                self._say(job, "export.again")
                await self.run(replace(job, id=new_id(self.tools.clock), again=True, status="intended"))

    async def collect(self, job: Job) -> None:
        """Delivers a job that an earlier process submitted, or learns that it never arrived there."""
        async with self.tools.leases.hold(job.id):
            self._say(job, "recover.job")
            try:
                status = await self.backend.render_status(job.id)
            except NO_LOOK as error:
                error.reason = (
                    "rendering"  # Nothing is asked for here: "nothing was sent" would be about something else.
                )
                raise
            if status.status == "unknown":
                await self._never_started(job)
            try:
                await self._deliver(self._within_reach(job))
            except RenderFailed:
                await self.journal.job(replace(job, status="failed"))
                raise

    def _within_reach(self, job: Job) -> Job:
        """With its path in the exports folder of this process where the one it was made for can't be written."""
        folder, other = Path(job.path).parent, self.tools.settings.exports.absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            writable = os.access(folder, os.W_OK)
        except OSError:
            writable = False
        return job if writable or folder == other else replace(job, path=str(other / Path(job.path).name))

    async def _submit(self, job: Job) -> None:
        """One POST. A lost answer is settled by asking for the id: only a definite no frees another submit."""
        output = {"format": job.format, "quality": "high"}
        draft = Verbatim(job.text) if job.text else job.draft
        self._progress(job, "render", None)
        try:
            await self.backend.submit_render(job.id, job.session_id, draft, output)
        except (Unreachable, ApiError) as error:
            if isinstance(error, Unreachable) or error.status < 500:
                await self.journal.job(replace(job, status="failed"))
                raise
            await self._ask_after(job)
        except BackendError:
            await self._ask_after(job)
        await self.journal.job(replace(job, status="submitted"))

    async def _ask_after(self, job: Job) -> None:
        try:
            status = await self.backend.render_status(job.id)
        except NO_LOOK as error:
            # It may run or not; the record stays open, and whoever collects it learns which.
            raise StreamLost("not even the id can be asked for", reason="submit") from error
        if status.status == "unknown":
            await self._never_started(job)

    async def _never_started(self, job: Job) -> NoReturn:
        await self.journal.job(replace(job, status="failed"))
        raise RenderFailed(f"{job.id} is not known", reason="never_started")

    async def _deliver(self, job: Job) -> None:
        status = await self._poll(job)
        if status is None:
            self._say(job, "export.still_running")
            return
        await self.journal.job(replace(job, status="completed"))
        path = Path(job.path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TransferFailed(reason="permission", path=self.tools.desk.shown(path.parent)) from error
        url = status.url or self.backend.fallback_url(job.id)
        meter = Meter(lambda fraction: self._progress(job, "download", fraction))
        done = await self.backend.download(url, path, meter)
        await self.journal.job(replace(job, status="delivered"))
        self._delivered(job, path, done.size, _link(status.url))

    async def _poll(self, job: Job) -> RenderStatus | None:
        """The completed status, or None when the job outlasts our patience. Raises RenderFailed."""
        clock, looks = self.tools.clock, self.tools.poll_at_most
        best, moved = -1.0, clock.monotonic()
        while looks and clock.monotonic() - moved < STALLED:
            try:
                status = await self.backend.render_status(job.id)
            except NO_LOOK:
                looks -= 1  # The job goes on, whether we can see it or not.
                await clock.sleep(self.tools.poll_every)
                continue
            self._progress(job, "render", status.progress)
            if status.status == "completed":
                return status
            if status.status == "failed":
                raise RenderFailed(status.message or "", reason="")
            if (status.progress or 0.0) > best:
                best, moved = status.progress or 0.0, clock.monotonic()
            # A backend that says when to come back is asked as often as it likes.
            looks -= status.retry_after is None
            await clock.sleep(status.retry_after or self.tools.poll_every)
        return None

    def tell_delivered(self, job: Job) -> None:
        """Says again that the file of a job is here, where it still is."""
        with suppress(OSError):
            self._delivered(job, Path(job.path), Path(job.path).stat().st_size, None)

    def _delivered(self, job: Job, path: Path, size: int, link: str | None) -> None:
        lang = cast(Lang, job.lang)
        draft = Draft.read(job.draft)
        moves = draft.duration_ms if job.format in ("mp4", "gif") else None
        facts = [file_size(size), *([length(moves, lang)] if moves else [])]
        text = say(lang, "export.done", path=self.tools.desk.shown(path), facts=say(lang, "unit.comma").join(facts))
        text += "\n" + say(lang, "export.link", url=link) if link else ""
        self.show(Delivered(text=text, path=job.path, url=link, format=job.format, size=size, duration_ms=moves))

    def _progress(self, job: Job, about: Literal["render", "download"], fraction: float | None) -> None:
        text = say(cast(Lang, job.lang), f"export.{about}")
        self.show(Progress(about=about, text=text, fraction=fraction))

    def _say(self, job: Job, key: str) -> None:
        text = say(cast(Lang, job.lang), key, name=Path(job.path).name)
        self.show(Text(id=f"{job.id}-{key}", text=text))
