"""Finished and uploaded files by signed link: no token in it, ranges and tags for resuming."""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
import re
from collections.abc import Iterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from studio.store import Store

__all__ = ["Links", "serve"]

DAY_S, HOUR_S = 24 * 3600, 3600
CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class Links:
    """Signs `/files/<name>`; good for a day at least, and the same link within the hour."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._secret = store.secret

    def link(self, base: str, name: str) -> str:
        """`base` ends with a slash."""
        expires = (int(self._store.moment()) // HOUR_S + 1) * HOUR_S + DAY_S
        return f"{base}files/{name}?expires={expires}&signature={self._sign(name, expires)}"

    def good(self, name: str, expires: str, signature: str) -> bool:
        """Signed by us, and still in time."""
        if not re.fullmatch(r"\d{1,12}", expires, re.ASCII) or self._store.moment() > int(expires):
            return False
        return hmac.compare_digest(self._sign(name, int(expires)).encode(), signature.encode("utf-8", "replace"))

    def _sign(self, name: str, expires: int) -> str:
        return hmac.new(self._secret, f"{name}:{expires}".encode(), hashlib.sha256).hexdigest()


def serve(request: Request, path: Path, name: str) -> Response:
    """A file, or the part asked for. Read in this thread: local disk, a quarter of a megabyte at a time."""
    stat = path.stat()
    size, tag = stat.st_size, f'"{stat.st_size:x}-{stat.st_mtime_ns:x}"'
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Content-Disposition": f'inline; filename="{name}"'}
    headers |= {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=3600"}
    if request.headers.get("if-none-match") == tag:
        return Response(None, 304, headers)
    start, end, status = 0, size, 200
    if request.headers.get("if-range", tag) == tag and (asked := _asked(request.headers.get("range", ""), size)):
        start, end = asked
        if start >= end:
            return Response(None, 416, headers | {"Content-Range": f"bytes */{size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(None, status, headers, media_type=kind)
    return StreamingResponse(_async(_read(path, start, end)), status, headers, media_type=kind)


def _asked(header: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None: no range that we know."""
    match = _RANGE.match(header.strip())
    if not match or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    return int(match[1]), min(size, int(match[2]) + 1) if match[2] else size


def _read(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (piece := file.read(min(CHUNK, end - start))):
            start += len(piece)
            yield piece


async def _async(pieces: Iterator[bytes]):  # type: ignore[no-untyped-def]  # an async generator of bytes
    for piece in pieces:
        yield piece
