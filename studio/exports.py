"""Render jobs over HTTP: submit, poll, cancel, download."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from studio.accounts import Accounts
from studio.files import Links, serve
from studio.queue import Job, Queue
from studio.store import Store
from studio.wire import Problem, account, body, session

__all__ = ["Exports"]

FORMATS = {"mp4": "mp4", "gif": "gif", "png": "png", "jpg": "jpg", "jpeg": "jpg", "webp": "webp"}
ATTRIBUTION = ("x-skill-source", "x-skill-version", "x-skill-platform")
_WIRE_STATUS = {"canceled": "failed"}  # the protocol has no word for it: message says which


class Exports:
    """The endpoints under /api/render/proxy."""

    def __init__(self, store: Store, accounts: Accounts, queue: Queue, links: Links) -> None:
        self._store, self._accounts, self._queue, self._links = store, accounts, queue, links

    async def submit(self, request: Request) -> Response:
        """The same id twice is the same job."""
        owner = account(request, self._accounts)
        missing = [header for header in ATTRIBUTION if not request.headers.get(header, "").strip()]
        if missing:
            raise Problem(402, f"export blocked: header {missing[0]} is missing", status=402)
        asked = await body(request)
        conversation = session(self._store, owner, asked.get("sessionId", asked.get("session_id")))
        name = asked.get("id")
        if not isinstance(name, str) or not 1 <= len(name) <= 128:
            raise Problem(400, "id must be a string", status=400)
        draft = asked.get("draft") or conversation.draft
        known = {asset.id: asdict(asset) for asset in self._store.assets(conversation.id)}
        used = _sources(draft)
        spec = {"job": "render", "draft": draft, "assets": {key: known[key] for key in used if key in known}}
        job = self._queue.submit(owner, name, spec | {"output": _output(asked.get("output"))})
        return self._answer(request, job)

    async def poll(self, request: Request) -> Response:
        """Status with Retry-After: renders here take seconds."""
        return self._answer(request, self._job(request))

    async def cancel(self, request: Request) -> Response:
        """The job as it is then; one that has ended stays as it ended."""
        job = self._queue.cancel(account(request, self._accounts), request.path_params["id"])
        if job is None:
            raise Problem(404, "no such render", status=404)
        return self._answer(request, job)

    async def download(self, request: Request) -> Response:
        """The file itself, for who has the token but lost the link."""
        job = self._job(request)
        path = self._queue.path(job)
        if job.status != "completed" or not path.exists():
            raise Problem(404, "not rendered", status=404)
        return serve(request, path, f"video.{job.extension}")

    def _job(self, request: Request) -> Job:
        job = self._queue.get(account(request, self._accounts), request.path_params["id"])
        if job is None:
            raise Problem(404, "no such render", status=404)
        return job

    def _answer(self, request: Request, job: Job) -> Response:
        """Both shapes that clients look for."""
        status = _WIRE_STATUS.get(job.status, job.status)
        top: dict[str, Any] = {
            "code": 0,
            "success": True,
            "id": job.id,
            "status": status,
            "progress": round(job.progress, 4),
        }
        data: dict[str, Any] = {"id": job.id, "status": status, "progress": top["progress"]}
        if job.message and status == "failed":
            top["message"] = data["message"] = job.message
        if job.status == "completed":
            link = self._links.link(str(request.base_url), job.key)
            top["output"] = {"url": link, "format": job.extension} | dict(job.result or {})
            data["outputUrl"] = link
        return JSONResponse(top | {"data": data}, headers={"Retry-After": "1"})


def _output(asked: object) -> dict[str, Any]:
    wanted = asked if isinstance(asked, dict) else {}
    form = FORMATS.get(str(wanted.get("format") or "mp4").lower().lstrip("."))
    if form is None:
        raise Problem(400, f"format must be one of {', '.join(sorted(set(FORMATS.values())))}", status=400)
    output: dict[str, Any] = {"format": form, "quality": "draft" if wanted.get("quality") == "draft" else "high"}
    if isinstance(wanted.get("at_ms"), int | float) and not isinstance(wanted["at_ms"], bool):
        output["at_ms"] = wanted["at_ms"]
    return output


def _sources(draft: Any) -> set[str]:
    """Media ids a draft names. Raises Problem 400 for a draft that is none, or has nothing on it."""
    try:
        segments = [piece for track in draft["t"] for piece in track["sg"]]
        sources = {str(piece["m"].get("src")) for piece in segments}
    except (TypeError, KeyError, AttributeError):
        raise Problem(400, "draft must have tracks with segments", status=400) from None
    if not segments:
        raise Problem(400, "the draft is empty", status=400)
    return sources
