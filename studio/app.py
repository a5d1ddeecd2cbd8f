"""The protocol: every endpoint of the backend over loopback HTTP."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from studio.accounts import WEEK_S, Accounts
from studio.clock import Clock
from studio.director import Drawer
from studio.edits import Asset
from studio.exports import Exports
from studio.fetch import Fetcher
from studio.files import Links, serve
from studio.options import Options
from studio.queue import Queue
from studio.store import Store
from studio.stream import Cut, Planner, Refuse
from studio.turns import Running, Turns
from studio.uploads import Uploads
from studio.wire import Problem, account, body, ok, on_crash, on_http, on_problem, session

__all__ = ["StreamCut", "build"]

TEXT_LIMIT = 8_000


class StreamCut(RuntimeError):
    """The planner asked for a broken connection."""


class _Studio:
    """The endpoints, and what they work on."""

    def __init__(self, store: Store, turns: Turns, queue: Queue, accounts: Accounts, uploads: Uploads) -> None:
        self.store, self.turns, self.queue, self.accounts, self.uploads = store, turns, queue, accounts, uploads
        self.links = Links(store)

    async def token(self, request: Request) -> Response:
        client = request.headers.get("x-client-id", "").strip()
        if not client or len(client) > 128:
            raise Problem(400, "X-Client-Id is missing", status=400)
        grant = self.accounts.grant(client)
        if grant is None:
            raise Problem(429, "one token a week for a client", status=429)
        data = {
            "token": grant.token,
            "user_id": grant.account,
            "expires_at": int(grant.expires),
            "credits": grant.credits,
        }
        return ok(data)

    async def create_session(self, request: Request) -> Response:
        owner = account(request, self.accounts)
        asked = await body(request)
        language = str(asked.get("language") or "en")[:35].encode("utf-8", "replace").decode()
        made = self.store.create_session(owner, language)
        return ok({"task_id": made.task, "session_id": made.id, "user_id": owner})

    async def run(self, request: Request) -> Response:
        owner = account(request, self.accounts)
        asked = await body(request)
        conversation = session(self.store, owner, asked.get("session_id", asked.get("sessionId")))
        running = self.turns.start(conversation, _text(asked))
        first = await running.items.get()
        if isinstance(first, Refuse):
            return JSONResponse({"code": first.code, "message": first.message}, first.status)
        return StreamingResponse(self._stream(running, first), media_type="text/event-stream; charset=utf-8")

    async def _stream(self, running: Running, item: Any) -> AsyncIterator[bytes]:
        """Frames until the turn ends, or its reader leaves."""
        try:
            while item is not None:
                if isinstance(item, Cut):
                    raise StreamCut
                if isinstance(item, bytes):
                    yield item
                item = await running.items.get()
        finally:
            if item is not None:
                self.turns.left(running)

    async def upload(self, request: Request) -> Response:
        owner = account(request, self.accounts)
        conversation = session(self.store, owner, request.path_params["session"])
        assets = await self.uploads.take(request, conversation)
        return ok({"files": [self._file(request, asset) for asset in assets], "session_state_applied": True})

    async def credits(self, request: Request) -> Response:
        return ok(self.accounts.balance(account(request, self.accounts))._asdict())

    async def state(self, request: Request) -> Response:
        owner = account(request, self.accounts)
        found = session(self.store, owner, request.path_params["session"])
        assets = self.store.assets(found.id)
        canvas = {key: found.draft["m"][key] for key in ("width", "height", "fps")}
        state = {
            "draft": found.draft,
            "video_infos": [self._file(request, a) for a in assets if a.origin == "upload"],
            "generated_media": [self._made(request, a) for a in assets if a.origin == "generated"],
            "canvas_config": canvas,
        }
        return ok({"state": state, "user_id": owner, "task_id": found.task, "session_id": found.id})

    async def claim(self, request: Request) -> Response:
        owner = account(request, self.accounts)
        session(self.store, owner, (await body(request)).get("session_id"))
        return ok({"claim_token": f"clm_{secrets.token_urlsafe(24)}", "expires_in": WEEK_S})

    async def file(self, request: Request) -> Response:
        name, query = request.path_params["name"], request.query_params
        if not self.links.good(name, query.get("expires", ""), query.get("signature", "")):
            raise Problem(403, "this link is not good (any more)", status=403)
        path, shown = self._path(name)
        if path is None or not path.exists():
            raise Problem(404, "no such file", status=404)
        return serve(request, path, shown)

    def _path(self, name: str) -> tuple[Path | None, str]:
        """Where a signed name lies, and what to call it. The signature vouches for the name."""
        job = self.queue.by_key(name)
        if job is not None:
            return self.queue.path(job), f"video.{job.extension}"
        found = next(iter(self.store.media.glob(f"{name}.*")), None)
        return found, f"media{found.suffix}" if found else ""

    def _file(self, request: Request, asset: Asset) -> dict[str, Any]:
        link = self.links.link(str(request.base_url), asset.id)
        told: dict[str, Any] = {
            "id": asset.id,
            "filename": asset.name,
            "file_type": asset.kind,
            "mime": asset.mime,
            "cdn_url": link,
        }
        told |= {"duration": None if asset.duration_ms is None else asset.duration_ms / 1000}
        return told | {"width": asset.width, "height": asset.height, "fps": asset.fps, "hash": asset.sha256}

    def _made(self, request: Request, asset: Asset) -> dict[str, Any]:
        link = self.links.link(str(request.base_url), asset.id)
        return {
            "id": asset.id,
            "type": asset.kind,
            "name": asset.name,
            "url": link,
            "width": asset.width,
            "height": asset.height,
        }


def build(
    store: Store,
    planner: Planner,
    queue: Queue,
    options: Options,
    *,
    drawer: Drawer,
    clock: Clock | None = None,
    fetcher: Fetcher | None = None,
) -> Starlette:
    """The application; `app.state.turns` are the turns under way. Whoever builds it runs `queue.work()`."""
    accounts = Accounts(store, strict=options.strict)
    turns = Turns(store, accounts, planner, options, clock or store.clock)
    studio = _Studio(store, turns, queue, accounts, Uploads(store, drawer, fetcher or Fetcher()))
    exports = Exports(store, accounts, queue, studio.links)
    app = Starlette(
        routes=_routes(studio, exports),
        exception_handlers={Problem: on_problem, HTTPException: on_http, Exception: on_crash},
    )
    app.state.turns = turns
    return app


def _routes(studio: _Studio, exports: Exports) -> list[Route]:
    render = "/api/render/proxy"
    return [
        Route("/api/auth/anonymous-token", studio.token, methods=["POST"]),
        Route("/api/auth/claim-token", studio.claim, methods=["POST"]),
        Route("/api/tasks/me/with-session/nemo_agent", studio.create_session, methods=["POST"]),
        Route("/run_sse", studio.run, methods=["POST"]),
        Route("/api/upload-video/nemo_agent/me/{session}", studio.upload, methods=["POST"]),
        Route("/api/credits/balance/simple", studio.credits),
        Route("/api/state/nemo_agent/me/{session}/latest", studio.state),
        Route(f"{render}/lambda", exports.submit, methods=["POST"]),
        Route(f"{render}/lambda/{{id}}", exports.poll),
        Route(f"{render}/lambda/{{id}}/cancel", exports.cancel, methods=["POST"]),
        Route(f"{render}/lambda/{{id}}/download", exports.download),
        Route(f"{render}/{{id}}/download", exports.download),
        Route("/files/{name}", studio.file),
    ]


def _text(asked: dict[str, Any]) -> str:
    """The person's words. A lone surrogate would break everything that stores them, so none passes."""
    message = asked.get("new_message", asked.get("newMessage"))
    parts = message.get("parts") if isinstance(message, dict) else None
    texts = [p["text"] for p in parts or () if isinstance(p, dict) and isinstance(p.get("text"), str)]
    text = " ".join(texts).encode("utf-8", "replace").decode().replace("\x00", "")[:TEXT_LIMIT]
    if not text.strip():
        raise Problem(400, "new_message has no text", status=400)
    return text
