"""Files by handle, in the shape that OpenAI's clients know, and by signed link."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from agent.errors import UploadRefused
from agent.material import type_of
from agent.report import error_event
from agent.serve.door import Host, Refused, Unfit, as_json, language
from agent.serve.vault import Stored, Vault

__all__ = ["ROUTES", "described", "keep_upload"]

MB = 1_000_000
PURPOSE = {"given": "user_data", "made": "assistants_output"}
FIELDS, FIELD_BYTES = 10, 65536
"""What a form may have besides its file."""
KINDS = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "avi": "video/x-msvideo",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "avif": "image/avif",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
}
_RANGE = re.compile(r"bytes=(\d{1,15}-\d{0,15}|-\d{1,15})", re.ASCII)


async def create_file(request: Request) -> Response:
    """Keeps one uploaded file, looked at by content."""
    host = Host.of(request)
    async with _form(request, host) as upload:
        stored = await keep_upload(host, request, upload)
    return as_json(described(stored))


async def keep_upload(host: Host, request: Request, upload: UploadFile) -> Stored:
    """Takes what was uploaded over into the user's files. Raises Refused, and Unfit where it is no medium."""
    vault, size, limit = host.vault(request), upload.size or 0, math.ceil(host.options.upload_mb)
    if size > host.options.upload_mb * MB:
        raise Refused("too_large", limit=f"{host.options.upload_mb:g}")
    async with vault.one:
        await _room(host, vault, size)
        try:
            stored = await asyncio.to_thread(vault.keep, upload.file, upload.filename or "file", limit)
        except UploadRefused as error:
            raise Unfit(error_event(error, language(request), host.settings)) from error
        try:
            await _room(host, vault, 0)  # another process may have added one at the same time: the later one yields
        except Refused:
            vault.delete(stored.id)
            raise
    return stored


async def _room(host: Host, vault: Vault, size: int) -> None:
    """Raises Refused where so many bytes are more than the user may have here."""
    most = host.options.quota_mb * MB
    if await asyncio.to_thread(vault.used) + size > most:
        await asyncio.to_thread(vault.tidy)
        if await asyncio.to_thread(vault.used) + size > most:
            raise Refused("quota", limit=f"{host.options.quota_mb:g}")


async def list_files(request: Request) -> Response:
    """All files of whoever is asking, the latest first."""
    found = [described(one) for one in reversed(Host.of(request).vault(request).all())]
    return as_json({"object": "list", "data": found, "has_more": False})


async def show_file(request: Request) -> Response:
    """What is known of one file."""
    return as_json(described(_found(request)))


async def show_content(request: Request) -> Response:
    """The bytes."""
    return await _response(_found(request).path, request)


async def delete_file(request: Request) -> Response:
    """Deletes one file."""
    found = _found(request)
    Host.of(request).vault(request).delete(found.id)
    return as_json({"id": found.id, "object": "file", "deleted": True})


async def open_link(request: Request) -> Response:
    """The bytes, for whoever has the link."""
    host, query = Host.of(request), request.query_params
    handle, now = request.path_params["handle"], host.house.clock.now().timestamp()
    owner = host.links.owner(handle, query.get("expires", ""), query.get("signature", ""), now)
    found = Vault(host.house.files(owner)).find(handle) if owner else None
    if found is None:
        await host.limits.stranger(request.client.host if request.client else "")
        raise Refused("not_found")
    answer = await _response(found.path, request)
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # chats elsewhere show what their users made
    return answer


def described(stored: Stored) -> dict[str, Any]:
    """A file in OpenAI's shape."""
    return {
        "id": stored.id,
        "object": "file",
        "bytes": stored.size,
        "created_at": int(stored.at),
        "filename": stored.name,
        "purpose": PURPOSE[stored.origin],
        "status": "processed",
    }


def _found(request: Request) -> Stored:
    found = Host.of(request).vault(request).find(request.path_params["handle"])
    if found is None:
        raise Refused("not_found")
    return found


async def _response(path: Path, request: Request) -> Response:
    """Never as a page: what a stranger uploaded must not run on our address. One range or the whole."""
    if not _RANGE.fullmatch(request.headers.get("range", "")):
        request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0].lower() != b"range"]
    kind = KINDS.get(await asyncio.to_thread(type_of, path))
    return FileResponse(
        path,
        media_type=kind or "application/octet-stream",
        filename=path.name,
        content_disposition_type="inline" if kind else "attachment",
        headers={"Cache-Control": "private, max-age=3600", "Content-Security-Policy": "sandbox; default-src 'none'"},
    )


@asynccontextmanager
async def _form(request: Request, host: Host) -> AsyncIterator[UploadFile]:
    """The one file of a form, spooled to disk while it comes. Raises Refused."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Refused("unsupported_type", wanted="multipart/form-data")
    said = request.headers.get("content-length", "0")  # the guard has looked: a number
    await _room(host, host.vault(request), max(int(said) - (FIELDS + 1) * FIELD_BYTES, 0))
    try:
        form = await request.form(max_files=1, max_fields=FIELDS, max_part_size=FIELD_BYTES)
    except HTTPException as error:
        raise Refused("bad_request", why=error.detail) from error
    except ValueError as error:
        raise Refused("bad_request", reason="serve.no_charset") from error
    try:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise Refused("bad_request", param="file", reason="serve.no_file")
        yield upload
    finally:
        await form.close()


ROUTES = [
    Route("/v1/files", create_file, methods=["POST"]),
    Route("/v1/files", list_files, methods=["GET"]),
    Route("/v1/files/{handle}", show_file, methods=["GET"]),
    Route("/v1/files/{handle}", delete_file, methods=["DELETE"]),
    Route("/v1/files/{handle}/content", show_content),
    Route("/files/{handle}/{name}", open_link),
]
