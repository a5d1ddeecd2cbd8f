"""Files that are on the stage's machine: small ones that begin as their kind does, or as large as a dialogue says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["PROPS", "check", "lay"]

_HEADS = {
    "png": bytes.fromhex("89504e470d0a1a0a0000000d49484452000000040000000308020000003a8cfb05"),
    "jpg": bytes.fromhex("ffd8ffe000104a46494600010100000100010000"),
    "gif": b"GIF89a\x04\x00\x03\x00",
    "webp": b"RIFF\x40\x00\x00\x00WEBPVP8 ",
    "mp4": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2",
    "mov": b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  ",
    "webm": bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d"),
    "mp3": b"ID3\x03\x00\x00\x00\x00\x00\x21",
    "wav": b"RIFF\x40\x00\x00\x00WAVEfmt ",
}
_OTHERWISE = {"image": "png", "clip": "mp4", "audio": "mp3"}
_KINDS = {"png": "image", "jpg": "image", "gif": "image", "webp": "image", "mp3": "audio", "wav": "audio"}
PROPS = (*_OTHERWISE, "text", "empty", "missing")
MEGABYTE = 1_000_000


def check(made: Any) -> None:
    """Raises ValueError for what is no file."""
    words = isinstance(made, dict) and len(made) == 1 and isinstance(made.get("text"), str)
    sized = isinstance(made, dict) and len(made) == 1 and isinstance(made.get("mb"), int | float)
    if made not in PROPS and not words and not sized:
        raise ValueError(f"{made!r} is no file: write {', '.join(PROPS)}, {{mb: 300}} or {{text: words}}")


def lay(folder: Path, name: str, made: Any) -> None:
    """Puts one into `folder`."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if made == "missing":
        return
    if isinstance(made, dict) and "text" in made:
        path.write_text(made["text"], encoding="utf-8")
        return
    content = {"text": b"Just some words.\n", "empty": b""}.get(made) if isinstance(made, str) else None
    # The name is part of it, so that two files are never the same one.
    path.write_bytes(_media(name, made) + name.encode() if content is None else content)
    if isinstance(made, dict):
        with path.open("r+b") as file:
            file.truncate(int(made["mb"] * MEGABYTE))  # A hole: it takes no room.


def _media(name: str, made: Any) -> bytes:
    extension = name.rpartition(".")[2].lower().replace("jpeg", "jpg")
    kind = made if isinstance(made, str) else _KINDS.get(extension, "clip")
    fits = extension in _HEADS and _KINDS.get(extension, "clip") == kind
    return _HEADS[extension if fits else _OTHERWISE[kind]] + b"\0" * 64
