"""Files on their way: the body of an upload, and a download that goes on where it broke off."""

from __future__ import annotations

import errno
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from agent.backend.wire import DownloadedFile
from agent.clock import Clock
from agent.errors import TransferFailed, UploadRefused

__all__ = ["DOWNLOAD_TIMEOUT", "UPLOAD_TIMEOUT", "Progress", "download", "upload_files"]

Progress = Callable[[int, int], None]
"""Bytes done and bytes in all; 0 in all where nobody knows."""

UPLOAD_TIMEOUT = httpx.Timeout(10.0, write=120.0, read=300.0)
"""The backend looks at what it was given before it answers."""
DOWNLOAD_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
PAUSES = (1.0, 3.0)
"""Seconds before each further try of a download: one more try than there are pauses."""
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _Counted(io.FileIO):
    """A file that tells how much of it has been read."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        super().__init__(path)
        self._tell = tell

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(-1 if size is None else size)
        self._tell(len(piece))
        return piece


@contextmanager
def upload_files(paths: Sequence[Path], progress: Progress) -> Iterator[list[tuple[str, tuple[str, BinaryIO]]]]:
    """The `files` of one multipart request, read from disk as they are sent. Raises UploadRefused."""
    done = total = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress(min(done, total), total)

    with ExitStack() as opened:
        fields: list[tuple[str, tuple[str, BinaryIO]]] = []
        for path in paths:
            file = opened.enter_context(_opened(path, tell))
            total += os.fstat(file.fileno()).st_size
            # A name from a file system may hold bytes that are no text.
            fields.append(("files", (path.name.encode("utf-8", "replace").decode(), file)))
        yield fields


def _opened(path: Path, tell: Callable[[int], None]) -> _Counted:
    try:
        return _Counted(path, tell)
    except FileNotFoundError as error:
        raise UploadRefused("not there", reason="missing", name=path.name) from error
    except IsADirectoryError as error:
        raise UploadRefused("a folder", reason="folder", name=path.name) from error
    except OSError as error:
        raise UploadRefused("can't be read", reason="unreadable", name=path.name) from error


class _Broken(Exception):
    """A try that ended early and is worth another."""


@dataclass(slots=True)
class _Part:
    """What has arrived so far."""

    path: Path
    size: int = 0
    total: int = 0
    """Bytes in all; 0 where nobody knows."""
    version: str | None = None
    """What proves to the server that we hold a part of the same file; None when it has to start over."""


async def download(
    http: httpx.AsyncClient,
    request: Callable[[dict[str, str]], tuple[httpx.Request, httpx.Auth | None]],
    path: Path,
    progress: Progress,
    clock: Clock,
) -> DownloadedFile:
    """Fetches `request(headers)` to `path`, which appears whole or not at all. Raises TransferFailed."""
    part = _Part(path.with_name(f"{path.name}.part"))
    try:
        for pause in (*PAUSES, None):
            try:
                await _fetch(http, *request(_resuming(part)), part, progress)
                break
            except (_Broken, httpx.HTTPError, httpx.StreamError) as error:
                if pause is None:
                    raise TransferFailed("broken off", path=path) from error
            await clock.sleep(pause)
        os.replace(part.path, path)
    except httpx.InvalidURL as error:
        raise TransferFailed("no address", path=path) from error
    except OSError as error:
        reason = "disk" if error.errno in _FULL else "permission"
        raise TransferFailed("can't be written", reason=reason, path=path) from error
    finally:
        # Only what came whole was moved away; a part nobody can vouch for is of no use.
        with suppress(OSError):
            part.path.unlink()
    return DownloadedFile(size=part.size)


def _resuming(part: _Part) -> dict[str, str]:
    # Compressed on the way, a file could neither be measured nor resumed.
    headers = {"Accept-Encoding": "identity"}
    if part.size and part.version:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": part.version}
    return headers


async def _fetch(
    http: httpx.AsyncClient,
    request: httpx.Request,
    auth: httpx.Auth | None,
    part: _Part,
    progress: Progress,
) -> None:
    """One try."""
    response = await http.send(request, auth=auth, stream=True, follow_redirects=True)
    try:
        _check(response, part)
        with part.path.open("ab" if part.size else "wb") as file:
            progress(part.size, part.total)
            async for piece in response.aiter_bytes():
                file.write(piece)
                part.size += len(piece)
                progress(part.size, max(part.total, part.size) if part.total else 0)
    finally:
        await response.aclose()
    if not part.size or part.size != (part.total or part.size):
        raise _Broken


def _check(response: httpx.Response, part: _Part) -> None:
    """Learns from the head of an answer where its body goes. Raises _Broken or TransferFailed."""
    status, headers = response.status_code, response.headers
    if status >= 500 or status in (408, 416, 429):
        part.size, part.version = (0, None) if status == 416 else (part.size, part.version)
        raise _Broken
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if status not in (200, 206) or kind in ("text/html", "application/json"):
        raise TransferFailed(f"HTTP {status} {kind}", path=part.path.with_suffix(""), status=status)
    if status == 206:
        _continue(headers, part)
        return
    plain = headers.get("content-encoding", "identity") == "identity"
    length = headers.get("content-length", "")
    part.size, part.total = 0, int(length) if plain and length.isdecimal() and len(length) < 16 else 0
    tag = headers.get("etag", "")
    # A weak tag vouches for the meaning of a file, not for its bytes.
    part.version = tag if plain and tag and not tag.startswith("W/") else None


def _continue(headers: Mapping[str, str], part: _Part) -> None:
    """The rest of what we hold, provided that it starts where we stopped."""
    match = _RANGE.fullmatch(headers.get("content-range", ""))
    if match is None or int(match[1]) != part.size:
        part.size, part.version = 0, None
        raise _Broken
    part.total = int(match[2]) if match[2] != "*" else part.total
