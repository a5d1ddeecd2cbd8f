"""One user's files on this host: what they uploaded and what was made for them. Nothing else has a name here.

Type by content and bounds on bytes are kept here; what a small file unfolds to in a decoder is the backend's matter.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import stat
import time
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Literal

from agent.errors import UploadRefused
from agent.material import ACCEPTED, CONVERTED, check, type_of

__all__ = ["HANDLE", "Stored", "Vault", "clean_name"]

HANDLE = re.compile(r"file_[0-9a-f]{32}")
LONGEST, LONGEST_BYTES = 100, 180
"""Of a name; a file system takes 255 bytes, and what is made on the way there is called longer."""
STALE_S = 24 * 3600
"""An upload that is not finished by then never will be: its process died."""
Origin = Literal["given", "made"]
_UNFINISHED = re.compile(r"(?i)^\.|\.part(\.json)?$")
_COMING = ".upload"
_SUFFIXES = {"jpeg": "jpg", "heif": "heic", "m4v": "mp4", "qt": "mov", "apng": "png"} | {
    one: one for one in (*ACCEPTED, *CONVERTED)
}
_FAMILIES = ({"mp4", "mov", "m4a"}, {"mkv", "webm"}, {"heic", "avif"}, {"mp3", "aac"})
"""One container by several names: what is in it, its suffix says better than its first bytes."""
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True, slots=True)
class Stored:
    """One file."""

    id: str
    path: Path
    origin: Origin
    size: int
    """Bytes."""
    at: float
    """Seconds since 1970."""

    @property
    def name(self) -> str:
        """As its owner called it, or as we did."""
        return self.path.name


class Vault:
    """A folder for each handle, with one file in it; the disk itself is the list. A desk for those who are not here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.one = asyncio.Lock()
        """Held while a file is added: how much is there is counted one upload at a time."""

    def new(self, name: str, origin: Origin = "given") -> Path:
        """A path for a new file, whose folder is its handle."""
        folder = self._folder / origin / f"file_{uuid.uuid4().hex}"
        folder.mkdir(parents=True, mode=0o700)
        return folder / clean_name(name)

    def keep(self, source: IO[bytes], name: str, max_mb: int) -> Stored:
        """A copy of an uploaded file, with a suffix that fits its content. Raises UploadRefused; then nothing stays."""
        path = self.new(name)
        coming = path.parent / _COMING / path.name  # nobody's file before it is whole and looked at
        try:
            coming.parent.mkdir()
            with coming.open("xb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
            check(str(coming), max_mb)
            os.replace(coming, path.with_name(_fitting(path.name, type_of(coming))))
            coming.parent.rmdir()
            found = _stored(path.parent, "given")
            if found is None:
                raise UploadRefused(reason="unreadable", name=path.name)
            return found
        except BaseException:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise

    def used(self) -> int:
        """Bytes of everything that is here, finished or not."""
        return sum(found.st_size for found in self._everything())

    def tidy(self) -> None:
        """Takes away what uploads left behind whose process died."""
        before = time.time() - STALE_S
        for coming in (self._folder / "given").glob(f"file_*/{_COMING}"):
            if coming.stat().st_mtime < before:
                shutil.rmtree(coming.parent, ignore_errors=True)

    def find(self, handle: str) -> Stored | None:
        """The file of that handle; None where this user has none."""
        if not HANDLE.fullmatch(handle):
            return None
        found: tuple[Origin, ...] = ("given", "made")
        return next((one for origin in found if (one := _stored(self._folder / origin / handle, origin))), None)

    def all(self) -> list[Stored]:
        """Every file, oldest first."""
        return sorted(self._all(), key=lambda one: one.at)

    def delete(self, handle: str) -> bool:
        """Whether there was such a file."""
        found = self.find(handle)
        if found:
            shutil.rmtree(found.path.parent, ignore_errors=True)
        return found is not None

    # What a desk does

    def holds(self, name: str) -> bool:
        """Whether it is a handle of this user's; the host's own paths are nobody's."""
        return self.find(name) is not None

    def distinct(self, names: Sequence[str]) -> list[str]:
        """Handles and names, without the names of files whose handle is there."""
        given = {found.name for name in names if (found := self.find(name))}
        return [name for name in dict.fromkeys(names) if name not in given]

    def take(self, name: str, max_mb: int) -> Path:
        """The file of that handle, or the last one uploaded under that name. Raises UploadRefused."""
        named = [one for one in self.all() if one.origin == "given" and one.name == name]
        found = self.find(name) or (named[-1] if named else None)
        if found is None:
            raise UploadRefused(reason="elsewhere", name=clean_name(name))
        return check(str(found.path), max_mb)

    def place(self, named: str | None, name: str, suffix: str, folder: str, now: datetime) -> Path:
        """A new place of the user's own, whatever path was asked for: only its last part is a name."""
        stem = re.split(r"[/\\]", named)[-1].rpartition(".")[0] if named else name
        return self.new(f"{clean_name(stem or name)}.{suffix}", "made")

    def shown(self, path: Path) -> str:
        """The name alone."""
        return path.name

    def _everything(self) -> Iterator[os.stat_result]:
        for path in self._folder.rglob("*"):
            try:
                found = path.lstat()
            except OSError:
                continue  # gone in between
            if stat.S_ISREG(found.st_mode):
                yield found

    def _all(self) -> Iterator[Stored]:
        origins: tuple[Origin, ...] = ("given", "made")
        for origin in origins:
            for folder in (self._folder / origin).glob("file_*"):
                if one := _stored(folder, origin):
                    yield one


def clean_name(name: str) -> str:
    """A name that is only a name on every system, and says the same to a reader as to a header."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(one for one in last if one.isprintable() and one not in '<>:"|?*').strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    if not dot or not stem or len(suffix) >= 10:
        stem, dot, suffix = plain, "", ""
    stem = stem[: LONGEST - len(dot + suffix)]
    while len((stem + dot + suffix).encode()) > LONGEST_BYTES:
        stem = stem[:-1]
    plain = f"{stem.strip(' .')}{dot}{suffix}"
    if _UNFINISHED.search(plain):
        plain = f"{plain.strip('.')}_"
    return f"_{plain}" if _DEVICES.match(plain) else plain or "file"


def _fitting(name: str, kind: str) -> str:
    """A name whose suffix is of its content: others go by it, and a picture must not pass for a film."""
    stem, dot, suffix = name.rpartition(".")
    known = _SUFFIXES.get(suffix.lower()) if dot else None
    if known == kind or not kind or any({known, kind} <= family for family in _FAMILIES):
        return name
    return f"{stem}.{kind}" if known else f"{name}.{kind}"


def _stored(folder: Path, origin: Origin) -> Stored | None:
    try:
        files = [path for path in folder.iterdir() if not _UNFINISHED.search(path.name)]
        path = files[0]
        about = path.lstat()
        if folder.is_symlink() or not stat.S_ISREG(about.st_mode):  # nothing here leads out of here
            return None
    except (OSError, IndexError):
        return None
    return Stored(folder.name, path, origin, about.st_size, about.st_mtime)
