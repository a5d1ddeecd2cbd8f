"""What a media file may be: types told by their first bytes, the accepted list, limits, and the error for bad media."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = [
    "ACCEPTED",
    "MAX_AUDIO_MS",
    "MAX_FILM_MS",
    "MAX_PIXELS",
    "MAX_SIDE",
    "MAX_STREAMS",
    "BadMedia",
    "Canceled",
    "Kind",
    "Type",
    "sniff",
]

Kind = Literal["image", "clip", "audio"]


class Type(NamedTuple):
    """One accepted type: what it holds, its MIME name, the libav demuxer that may read it ("": Pillow reads it)."""

    kind: Kind
    mime: str
    demuxer: str


ACCEPTED: dict[str, Type] = {
    "mp4": Type("clip", "video/mp4", "mov"),
    "mov": Type("clip", "video/quicktime", "mov"),
    "avi": Type("clip", "video/x-msvideo", "avi"),
    "webm": Type("clip", "video/webm", "matroska"),
    "mkv": Type("clip", "video/x-matroska", "matroska"),
    "jpg": Type("image", "image/jpeg", ""),
    "png": Type("image", "image/png", ""),
    "gif": Type("image", "image/gif", ""),
    "webp": Type("image", "image/webp", ""),
    "heic": Type("image", "image/heic", ""),
    "mp3": Type("audio", "audio/mpeg", "mp3"),
    "wav": Type("audio", "audio/wav", "wav"),
    "m4a": Type("audio", "audio/mp4", "mov"),
    "aac": Type("audio", "audio/aac", "aac"),
}
"""Extension -> type. HEIC is accepted although the wire's list lacks it: phones make it, and the studio can read it."""

MAX_PIXELS = 120_000_000  # of a picture
MAX_SIDE = 4096  # of a clip
MAX_STREAMS = 16
MAX_AUDIO_MS = 4 * 3600 * 1000  # of a clip or a sound file
MAX_FILM_MS = 10 * 60 * 1000


class BadMedia(Exception):
    """The file is at fault, not the studio. `code`: type | unreadable | missing | too_large | too_long | empty."""

    def __init__(self, code: str, message: str, asset: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.asset = asset


class Canceled(Exception):
    """Somebody asked this job to stop: leave nothing behind."""


def sniff(head: bytes) -> str | None:
    """Extension (a key of ACCEPTED) of a file that begins with `head` (4 KB are plenty), None if not accepted."""
    fixed = (
        (b"\xff\xd8\xff", "jpg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
        (b"ADIF", "aac"),
    )
    for magic, ext in fixed:
        if head.startswith(magic):
            return ext
    if head[:4] in (b"RIFF", b"RF64"):
        return {b"WAVE": "wav", b"AVI ": "avi", b"WEBP": "webp"}.get(head[8:12])
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _matroska(head)
    if head[4:8] == b"ftyp":
        return _iso(head)
    if head[4:8] in (b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot"):
        return "mov"  # QuickTime from before file types were written down
    return _bare_audio(head)


_HEIC = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_MP4 = (b"iso", b"mp4", b"avc", b"M4V", b"MSN", b"das", b"3gp", b"3g2", b"f4v", b"F4V", b"XAV", b"hvc", b"cmf", b"mmp")


def _iso(head: bytes) -> str | None:
    size = int.from_bytes(head[:4], "big")
    major = head[8:12]
    brands = {major} | {head[at : at + 4] for at in range(16, min(size, len(head)) - 3, 4)}
    if major in _HEIC or (major in (b"mif1", b"msf1") and brands & _HEIC):
        return "heic"
    if major == b"qt  ":
        return "mov"
    if major in (b"M4A ", b"M4B ", b"M4P "):
        return "m4a"
    return "mp4" if major[:3] in _MP4 else None


def _matroska(head: bytes) -> str | None:
    at = head.find(b"\x42\x82", 4, 96)
    if at < 0 or at + 3 > len(head):
        return None
    name = head[at + 3 : at + 3 + (head[at + 2] & 0x7F)].rstrip(b"\0")
    return {b"webm": "webm", b"matroska": "mkv"}.get(name)


def _bare_audio(head: bytes) -> str | None:
    """MP3 or ADTS AAC, with or without an ID3 tag before it; a tag longer than `head` is taken as MP3's."""
    tagged = head.startswith(b"ID3") and len(head) >= 10
    at = 0
    if tagged:
        size = (head[6] & 127) << 21 | (head[7] & 127) << 14 | (head[8] & 127) << 7 | (head[9] & 127)
        at = 10 + size
        if at + 4 > len(head):
            return "mp3"
    if len(head) < at + 4 or head[at] != 0xFF:
        return "mp3" if tagged else None  # padding after a tag is common
    second, third = head[at + 1], head[at + 2]
    if second & 0xF6 == 0xF0 and (third >> 2) & 15 < 13:
        return "aac"
    layer_three = second & 0xE0 == 0xE0 and second & 0x18 != 0x08 and second & 0x06 == 0x02
    if layer_three and third >> 4 not in (0, 15) and third & 0x0C != 0x0C:
        return "mp3"
    return None
