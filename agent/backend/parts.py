"""What has come of a download so far: its bytes, and beside them what proves whose bytes they are."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import BinaryIO

import httpx

__all__ = ["Part", "discard_parts"]

LONGEST_NAME = 50
"""Characters of the file's own name: with what is added to it, it still is one that every file system takes."""


@dataclass(slots=True)
class Part:
    """The beginning of a file; another process may go on with it where `version` says which file it is."""

    path: Path
    size: int = 0
    total: int = 0
    """Bytes in all; 0 where nobody knows."""
    version: str | None = None
    """What proves to the server that we hold a part of the same file; None when it has to start over."""

    @classmethod
    def found(cls, path: Path, url: httpx.URL) -> Part:
        """The part of `path` as an earlier try left it. Each address has its own: two jobs never write into one."""
        # A signed address has another query every time.
        whose = f"{url.copy_with(query=None, fragment=None)} {path.name}"
        mark = hashlib.sha256(whose.encode("utf-8", "replace")).hexdigest()[:8]
        part = cls(path.with_name(f"{path.name[:LONGEST_NAME]}.{mark}.part"))
        part._recall()
        return part

    @property
    def _proof(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    def _recall(self) -> None:
        try:
            known = json.loads(self._proof.read_text("utf-8"))
            version, total = str(known["version"]), int(known["total"])
            size = self.path.stat().st_size
        except (OSError, ValueError, TypeError, KeyError):
            return
        # One byte at least is asked for: the answer to that says whether it still is the same file.
        size = min(size, total - 1) if total else size
        if size > 0 and version and version.isascii() and version.isprintable():
            self.size, self.total, self.version = size, total, version

    def begin(self, total: int, version: str | None) -> None:
        """Empties it for another file. Raises OSError."""
        self.size, self.total, self.version = 0, total, version
        # In this order: a proof never stands beside bytes of an older file.
        self.path.write_bytes(b"")
        if version:
            self._proof.write_text(json.dumps({"version": version, "total": total}), "utf-8")
        else:
            self._proof.unlink(missing_ok=True)

    def doubt(self) -> None:
        """What is here belongs to another file: the next try asks for all of it."""
        self.size, self.total, self.version = 0, 0, None

    def open(self) -> BinaryIO:
        """The file, to be written on from `size`. Raises OSError."""
        file = self.path.open("r+b")
        file.truncate(self.size)
        file.seek(self.size)
        return file

    def leave(self) -> None:
        """After a failed download: goes away, unless another try can go on with it."""
        if not (self.size and self.version):
            self.discard()

    def discard(self) -> None:
        """Takes away whatever is left of it."""
        for path in (self.path, self._proof):
            with suppress(OSError):
                path.unlink()


def discard_parts(path: Path) -> None:
    """Takes away what downloads to `path` left behind, whatever address they came from."""
    for part in path.parent.glob(f"{escape(path.name[:LONGEST_NAME])}.{'?' * 8}.part"):
        Part(part).discard()
