"""Files on their way: the body of an upload, and a download that goes on where it broke off."""

from __future__ import annotations

import errno
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from agent.backend.answers import read_answer, retry_after
from agent.backend.parts import Part
from agent.backend.wire import DownloadedFile
from agent.clock import Clock
from agent.errors import BackendError, TokenRejected, TransferFailed, UploadRefused

__all__ = ["DOWNLOAD_TIMEOUT", "UPLOAD_TIMEOUT", "Progress", "download", "upload_files"]

Progress = Callable[[int, int], None]
"""Bytes done and bytes in all; 0 in all where nobody knows."""

UPLOAD_TIMEOUT = httpx.Timeout(10.0, write=120.0, read=300.0)
"""The backend looks at what it was given before it answers."""
DOWNLOAD_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
PAUSES = (1.0, 3.0)
"""Seconds before each further try of a download: one more try than there are pauses."""
LONGEST_PAUSE = 120.0
"""Seconds to wait at most when the server says for how long."""
GETTING_ON = 1 << 20
"""Bytes after which a try that broke off was not in vain."""
PIECE_UP = 1 << 19
"""Bytes that are read at a time. httpx's own 64 KB cost more in calls than in copying: half of the speed."""
LONGEST_REFUSAL = 1 << 16
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _Counted(io.FileIO):
    """A file that tells how much of it has been read."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        super().__init__(path)
        self._tell = tell

    def read(self, size: int | None = -1, /) -> bytes:
        """More than httpx asks for, which takes what it gets. Raises UploadRefused."""
        try:
            piece = os.read(self.fileno(), PIECE_UP)
        except OSError as error:  # the stick was pulled, the share is gone
            raise UploadRefused("can't be read", reason="unreadable", name=Path(str(self.name)).name) from error
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

    def __init__(self, wait: float | None = None) -> None:
        super().__init__()
        self.wait = min(wait or 0.0, LONGEST_PAUSE)
        """Seconds that the server asks us to wait before it."""


async def download(
    http: httpx.AsyncClient,
    request: Callable[[dict[str, str]], tuple[httpx.Request, httpx.Auth | None]],
    path: Path,
    progress: Progress,
    clock: Clock,
) -> DownloadedFile:
    """Fetches `request(headers)` to `path`, which appears whole or not at all.

    What came before it broke off stays beside it, and the next download goes on there, also in another process.
    Raises TransferFailed, or TokenRejected where the request has a token.
    """
    part: Part | None = None
    try:
        part = Part.found(path, request({})[0].url)
        await _fetch_all(_Fetching(http, request, part, progress, clock))
        os.replace(part.path, path)
        part.discard()
    except httpx.InvalidURL as error:
        raise TransferFailed("no address", path=path) from error
    except OSError as error:
        reason = "disk" if error.errno in _FULL else "permission"
        raise TransferFailed("can't be written", reason=reason, path=path) from error
    finally:
        if part:
            part.leave()
    return DownloadedFile(size=part.size)


@dataclass(frozen=True, slots=True)
class _Fetching:
    """What each try of one download needs."""

    http: httpx.AsyncClient
    request: Callable[[dict[str, str]], tuple[httpx.Request, httpx.Auth | None]]
    part: Part
    progress: Progress
    clock: Clock


async def _fetch_all(job: _Fetching) -> None:
    """Tries until all is here; tries that get on are not counted."""
    part, failures, furthest = job.part, 0, job.part.size
    while True:
        try:
            return await _fetch(job)
        except (_Broken, httpx.HTTPError, httpx.StreamError) as error:
            if part.size >= furthest + GETTING_ON:
                failures, furthest = 0, part.size
            if failures == len(PAUSES):
                raise TransferFailed("broken off", path=part.path) from error
            pause = max(PAUSES[failures], error.wait if isinstance(error, _Broken) else 0.0)
            failures += 1
        await job.clock.sleep(pause)


def _resuming(part: Part) -> dict[str, str]:
    # Compressed on the way, a file could neither be measured nor resumed.
    headers = {"Accept-Encoding": "identity"}
    if part.size and part.version:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": part.version}
    return headers


async def _fetch(job: _Fetching) -> None:
    """One try."""
    part, progress = job.part, job.progress
    request, auth = job.request(_resuming(part))
    response = await job.http.send(request, auth=auth, stream=True, follow_redirects=True)
    try:
        await _check(response, part, auth, job.clock)
        with part.open() as file:
            progress(part.size, part.total)
            async for piece in response.aiter_bytes():
                file.write(piece)
                part.size += len(piece)
                progress(part.size, max(part.total, part.size) if part.total else 0)
    finally:
        await response.aclose()
    if not part.size or part.size < part.total:
        raise _Broken
    if part.size > (part.total or part.size):
        part.doubt()
        raise _Broken


async def _check(response: httpx.Response, part: Part, auth: httpx.Auth | None, clock: Clock) -> None:
    """Learns from the head of an answer where its body goes. Raises what `download` does, _Broken and OSError."""
    status, headers = response.status_code, response.headers
    if status >= 500 or status in (408, 416, 429):
        if status == 416:
            part.doubt()
        raise _Broken(retry_after(headers, clock.now()))
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if status not in (200, 206) or kind in ("text/html", "application/json"):
        if auth is not None:
            await _token_rejected(response, clock)
        raise TransferFailed(f"HTTP {status} {kind}", path=part.path, status=status)
    if status == 206:
        _continue(headers, part)
        return
    plain = headers.get("content-encoding", "identity") == "identity"
    length = headers.get("content-length", "")
    tag = headers.get("etag", "")
    part.begin(
        int(length) if plain and length.isdecimal() and len(length) < 16 else 0,
        # A weak tag vouches for the meaning of a file, not for its bytes.
        tag if plain and tag and not tag.startswith("W/") else None,
    )


def _continue(headers: Mapping[str, str], part: Part) -> None:
    """The rest of what we hold, provided that it is of the same file and starts where we stopped."""
    match = _RANGE.fullmatch(headers.get("content-range", ""))
    total = int(match[2]) if match and match[2] != "*" else part.total
    same = headers.get("etag", part.version) == part.version and total == (part.total or total)
    # Without a part nothing but the whole was asked for.
    if not part.size or match is None or int(match[1]) != part.size or not same:
        part.doubt()
        raise _Broken
    part.total = total


async def _token_rejected(response: httpx.Response, clock: Clock) -> None:
    """Raises TokenRejected where a refusal says so: nothing else in it is of interest."""
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > LONGEST_REFUSAL:
            return
    try:
        read_answer(response.status_code, response.headers, body.decode("utf-8", "replace"), clock.now())
    except TokenRejected:
        raise
    except BackendError:
        return
