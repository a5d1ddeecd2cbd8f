"""Files coming in: told by their content, checked by a worker, kept once a session."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from studio.director import Drawer
from studio.edits import Asset
from studio.fetch import Fetcher
from studio.media import sniff
from studio.store import Session, Store
from studio.wire import Problem, body
from studio.words import say
from studio.workers import WorkerFailed

__all__ = ["Uploads"]

MIB = 1024 * 1024
LIMIT, LARGE_LIMIT = 200 * MIB, 500 * MIB
LARGE_SOURCE = "how-to-create-ai-video"
MOST_FILES, MOST_URLS = 20, 10
CHUNK = MIB


class _Parser(MultiPartParser):
    """Counts each file; what is over the limit is read and dropped, so that the sender hears the answer."""

    limit = LIMIT
    over = False
    _size = 0

    def on_part_begin(self) -> None:
        self._size = 0
        super().on_part_begin()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        self.over = self.over or self._size > self.limit
        if not self.over:
            super().on_part_data(data, start, end)


class Uploads:
    """Takes files by form or by address."""

    def __init__(self, store: Store, drawer: Drawer, fetcher: Fetcher) -> None:
        self._store, self._drawer, self._fetcher = store, drawer, fetcher

    async def take(self, request: Request, session: Session) -> list[Asset]:
        """What was uploaded, in order. Raises Problem 4001 or 4002; then none of the files is kept."""
        limit = LARGE_LIMIT if request.headers.get("x-skill-source") == LARGE_SOURCE else LIMIT
        form = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
        taken = await self._by_form(request, limit) if form else await self._by_address(await body(request), limit)
        known = {asset.sha256: asset for asset in self._store.assets(session.id) if asset.origin == "upload"}
        with self._store.write() as db:
            for asset in taken:
                if asset.sha256 in known:  # the same file again is the same asset
                    _forget(asset)
                else:
                    known[asset.sha256] = asset
                    self._store.add_asset(db, session.id, asset)
        return [known[asset.sha256] for asset in taken]

    async def _by_form(self, request: Request, limit: int) -> list[Asset]:
        async with _form(request, limit) as form:
            files = [item for item in form.getlist("files") if isinstance(item, UploadFile)]
            if not files:
                raise Problem(400, "no file in the field files", status=400)
            return [await self._keep_upload(file) for file in files]

    async def _by_address(self, wanted: dict[str, Any], limit: int) -> list[Asset]:
        urls = wanted.get("urls")
        if not isinstance(urls, list) or not urls or len(urls) > MOST_URLS or not all(isinstance(u, str) for u in urls):
            raise Problem(400, f"urls must be a list of 1 to {MOST_URLS} addresses", status=400)
        kept = []
        for url in urls:
            path = self._new_path()
            try:
                name = await self._fetcher.fetch(url, path, limit)
                kept.append(await self._check(path, name))
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        return kept

    async def _keep_upload(self, file: UploadFile) -> Asset:
        path = self._new_path()
        try:
            with path.open("wb") as out:
                while piece := await file.read(CHUNK):
                    out.write(piece)
            return await self._check(path, file.filename or "file")
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _new_path(self) -> Path:
        return self._store.media / f"md_{secrets.token_hex(8)}.part"

    async def _check(self, part: Path, name: str) -> Asset:
        """The asset a file is, under a name of ours. The person's own name is for showing only."""
        with part.open("rb") as file:
            extension = sniff(file.read(65536))
        if extension is None:
            raise Problem(4001)
        path = part.with_suffix(f".{extension}")
        os.replace(part, path)
        try:
            found = await self._drawer.probe(path, name)
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, WorkerFailed) and error.blame == "media":
                raise Problem(4001, f"{_clean(name)}: {error}") from None
            raise
        return Asset(
            id=part.stem,
            kind=found["kind"],
            name=_clean(name),
            path=str(path),
            mime=found.get("mime", ""),
            width=found.get("width"),
            height=found.get("height"),
            duration_ms=found.get("duration_ms") or None,  # a still has none
            fps=found.get("fps") or None,
            sha256=_digest(path),
        )


@asynccontextmanager
async def _form(request: Request, limit: int) -> AsyncIterator[FormData]:
    parser = _Parser(request.headers, request.stream(), max_files=MOST_FILES, max_fields=20)
    parser.limit = limit
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Problem(400, error.message, status=400) from None
    try:
        if parser.over:
            raise Problem(4002, say("en", "code_4002", limit=limit // MIB))
        yield form
    finally:
        await form.close()


def _forget(asset: Asset) -> None:
    Path(asset.path).unlink(missing_ok=True)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _clean(name: str) -> str:
    """A file name fit for showing: no path, no control characters, not long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].encode("utf-8", "replace").decode()
    return "".join(char for char in last if char.isprintable()).strip()[:120] or "file"
