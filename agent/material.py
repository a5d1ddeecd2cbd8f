"""Files a person gives us, looked at before they leave: there, readable, of an accepted type, not too large."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import filetype

from agent.errors import UploadRefused

__all__ = ["ACCEPTED", "bare_name", "check", "is_here", "prepared"]

ACCEPTED = ("mp4", "mov", "avi", "webm", "mkv", "jpg", "png", "gif", "webp", "mp3", "wav", "m4a", "aac")
CONVERTED = ("heic", "avif")
"""Phone photos the backend does not list; they go as JPG."""
HEAD = 8192
MB = 1_000_000


def check(name: str, max_mb: int) -> Path:
    """The path of a file that may be uploaded. Raises UploadRefused with the reason."""
    try:
        path = _local(name)
        if path.is_dir():
            raise UploadRefused(reason="folder", name=path.name)
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
    except (FileNotFoundError, NotADirectoryError, ValueError, RuntimeError):  # RuntimeError: nobody of that ~name
        raise UploadRefused(reason="missing", name=name) from None
    except OSError as error:
        raise UploadRefused(reason="unreadable", name=Path(name).name) from error
    if not size:
        raise UploadRefused(reason="empty", name=path.name)
    if size > max_mb * MB:
        raise UploadRefused(reason="size", name=path.name, size=f"{size / MB:.0f}", limit=max_mb)
    if _type(head) not in (*ACCEPTED, *CONVERTED):
        raise UploadRefused(reason="type", name=path.name, accepted=", ".join(ACCEPTED))
    return path


def is_here(name: str) -> bool:
    """Whether a name somebody wrote is a file of this machine."""
    try:
        return "://" not in name and _local(name).is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def bare_name(name: str) -> bool:
    """Whether a name says nothing of where its file is."""
    return not any(sign in name for sign in ("/", "\\", "://"))


@asynccontextmanager
async def prepared(paths: Sequence[Path]) -> AsyncIterator[list[Path]]:
    """The files as the backend takes them; conversions live as long as the upload."""
    with tempfile.TemporaryDirectory(prefix="reelchat-") as folder:
        yield [await _convert(path, Path(folder)) for path in paths]


def _local(name: str) -> Path:
    if name.startswith("file:"):
        return Path(url2pathname(unquote(urlsplit(name).path)))
    return Path(name).expanduser()


def _type(head: bytes) -> str:
    """The file's type by content, in the accepted list's names; "" when unknown."""
    found = filetype.guess_extension(head) or ""
    if found in ("heic", "heif") or head[4:12] in (b"ftypmif1", b"ftypmsf1"):
        return "heic"
    # "m4v" is what the library calls an mp4 with Apple's brand.
    return {"m4v": "mp4", "jpeg": "jpg"}.get(found, found) or _more(head)


def _more(head: bytes) -> str:
    """Types whose marks the library misses: QuickTime without a brand, MP3 and AAC frames without a tag."""
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return "mov"
    if head[4:8] == b"ftyp":
        return "mp4"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "aac"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "mp3"
    return ""


async def _convert(path: Path, folder: Path) -> Path:
    with path.open("rb") as file:
        if _type(file.read(HEAD)) not in CONVERTED:
            return path
    return await asyncio.to_thread(_as_jpg, path, folder)


def _as_jpg(path: Path, folder: Path) -> Path:
    from PIL import Image, ImageOps  # only phone photos need it
    from pillow_heif import register_heif_opener

    register_heif_opener()
    target = folder / f"{path.stem}.jpg"
    try:
        with Image.open(path) as image:
            ImageOps.exif_transpose(image).convert("RGB").save(target, quality=95)
    except (OSError, ValueError) as error:
        raise UploadRefused(reason="type", name=path.name, accepted=", ".join(ACCEPTED)) from error
    return target
