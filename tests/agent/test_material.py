"""What may be uploaded is decided by content, before the first byte leaves."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest
from PIL import Image
from pillow_heif import from_pillow

from agent.errors import UploadRefused
from agent.material import check, prepared

HEADS = {
    "a.mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41",
    "b.mov": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "old.mov": b"\0\0\0\x08wide\0\0\x10\0mdat" + b"\0" * 16,
    "c.avi": b"RIFF\x10\0\0\0AVI LIST" + b"\0" * 16,
    "d.webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webmB\x87\x81\x04",
    "f.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 16,
    "g.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 16,
    "h.gif": b"GIF89a" + b"\0" * 16,
    "i.webp": b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 16,
    "j.mp3": b"ID3\4\0\0\0\0\0\0" + b"\0" * 16,
    "bare.mp3": b"\xff\xfb\x90\x64" + b"\0" * 16,
    "k.wav": b"RIFF\x10\0\0\0WAVEfmt " + b"\0" * 16,
    "l.m4a": b"\0\0\0\x20ftypM4A \0\0\2\0M4A mp42isom" + b"\0" * 8,
    "m.aac": b"\xff\xf1\x50\x80" + b"\0" * 16,
}


@pytest.mark.parametrize("name", sorted(HEADS))
def test_every_accepted_type_is_known_by_its_content(name: str, tmp_path: Path) -> None:
    path = tmp_path / "no-ending"
    path.write_bytes(HEADS[name])
    assert check(str(path), 200) == path


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("page.jpg", b"<!doctype html><html>", "type"),
        ("notes.mp4", b"just some text", "type"),
        ("list.mp4", b"#EXTM3U\nfile:///etc/passwd\n", "type"),
        ("empty.png", b"", "empty"),
    ],
)
def test_what_only_looks_accepted_is_refused(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UploadRefused) as raised:
        check(str(tmp_path / name), 200)
    assert raised.value.reason == reason


def test_missing_files_folders_and_impossible_names_have_their_own_reasons(tmp_path: Path) -> None:
    for name, reason in ((tmp_path / "none.jpg", "missing"), (tmp_path, "folder"), ("a\0b.jpg", "missing")):
        with pytest.raises(UploadRefused) as raised:
            check(str(name), 200)
        assert raised.value.reason == reason


def test_a_file_over_the_personas_limit_is_refused_with_both_numbers(tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    with path.open("wb") as file:
        file.write(HEADS["a.mp4"])
        file.truncate(201_000_000)  # sparse: nothing is written
    with pytest.raises(UploadRefused) as raised:
        check(str(path), 200)
    assert raised.value.values == {"name": "long.mp4", "size": "201", "limit": 200}
    assert check(str(path), 500) == path


def test_a_file_url_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a photo.png"
    path.write_bytes(HEADS["g.png"])
    assert check(path.as_uri(), 200) == path


def test_a_heic_photo_is_uploaded_as_jpg(tmp_path: Path) -> None:
    photo = tmp_path / "IMG_1.heic"
    from_pillow(Image.new("RGB", (64, 48), "red")).save(photo)

    async def names() -> list[tuple[str, str | None]]:
        async with prepared([check(str(photo), 200)]) as ready:
            with Image.open(ready[0]) as image:
                return [(ready[0].name, image.format)]

    assert asyncio.run(names()) == [("IMG_1.jpg", "JPEG")]


def heic(path: Path, colour: str = "red") -> Path:
    path.parent.mkdir(exist_ok=True)
    from_pillow(Image.new("RGB", (64, 48), colour)).save(path)
    return path


def test_photos_of_one_name_from_two_folders_stay_two_photos(tmp_path: Path) -> None:
    photos = [heic(tmp_path / "a" / "IMG_1.heic", "red"), heic(tmp_path / "b" / "IMG_1.heic", "blue")]

    async def converted() -> list[tuple[str, bool]]:
        async with prepared(photos) as ready:
            return [(path.name, path.read_bytes() == ready[0].read_bytes()) for path in ready]

    assert asyncio.run(converted()) == [("IMG_1.jpg", True), ("IMG_1.jpg", False)]


def test_conversions_are_gone_after_the_upload_and_the_photo_is_not(tmp_path: Path) -> None:
    photo = heic(tmp_path / "IMG_1.heic")

    async def where() -> Path:
        async with prepared([photo]) as ready:
            return ready[0]

    assert not asyncio.run(where()).parent.exists()
    assert photo.exists()


def refusal(photo: Path) -> str:
    async def prepare() -> None:
        async with prepared([photo]):
            pass

    with pytest.raises(UploadRefused) as raised:
        asyncio.run(prepare())
    return raised.value.reason


def test_a_damaged_photo_is_refused(tmp_path: Path) -> None:
    photo = heic(tmp_path / "IMG_1.heic")
    photo.write_bytes(photo.read_bytes()[:60] + b"\0" * 400)
    assert refusal(photo) == "type"


def test_no_room_for_a_conversion_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    photo = heic(tmp_path / "IMG_1.heic")
    monkeypatch.setattr(Image.Image, "save", full)
    assert refusal(photo) == "no_room"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(UploadRefused) as raised:
        check(str(tmp_path / "pipe.mp4"), 200)
    assert raised.value.reason == "unreadable"
