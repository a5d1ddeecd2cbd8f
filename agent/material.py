"""Files a person gives us, looked at before they leave: there, readable, of an accepted type, not too large."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import filetype

from agent.errors import UploadRefused

__all__ = ["ACCEPTED", "bare_name", "check", "is_here", "prepared", "type_of"]

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
        if not path.is_file():  # to open a pipe is to wait for whoever writes into it
            raise UploadRefused(reason="unreadable", name=path.name)
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


def type_of(path: Path) -> str:
    """What a file is by its content, in the accepted list's names; "" when unknown or unreadable."""
    try:
        with path.open("rb") as file:
            return _type(file.read(HEAD))
    except OSError:
        return ""


@asynccontextmanager
async def prepared(paths: Sequence[Path]) -> AsyncIterator[list[Path]]:
    """The files as the backend takes them; conversions live as long as the upload. Raises UploadRefused."""
    with ExitStack() as kept:
        yield [await _convert(path, kept) if _to_convert(path) else path for path in paths]


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


def _to_convert(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _type(file.read(HEAD)) in CONVERTED
    except OSError as error:
        raise UploadRefused(reason="unreadable", name=path.name) from error


async def _convert(path: Path, kept: ExitStack) -> Path:
    """A JPG of its own folder: photos of two phones have the same names."""
    try:
        folder = kept.enter_context(TemporaryDirectory(prefix="reelchat-", ignore_cleanup_errors=True))
        return await asyncio.to_thread(_as_jpg, path, Path(folder) / f"{path.stem}.jpg")
    except OSError as error:
        raise UploadRefused(reason="no_room", name=path.name, folder=gettempdir()) from error


def _as_jpg(path: Path, target: Path) -> Path:
    """Writes the photo upright and in its own colours. Raises UploadRefused, and OSError where it can't be written."""
    from PIL import Image, ImageOps  # only phone photos need it
    from pillow_heif import register_heif_opener

    register_heif_opener()
    try:
        with Image.open(path) as image:
            colours = image.info.get("icc_profile")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    # What a decoder raises over a damaged or oversized file is anybody's guess.
    except Exception as error:
        raise UploadRefused(reason="type", name=path.name, accepted=", ".join(ACCEPTED)) from error
    upright.save(target, quality=95, icc_profile=colours)
    return target
