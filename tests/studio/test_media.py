"""Types by content, safe opening, and what a probe says."""

from __future__ import annotations

from pathlib import Path

import media_files as make
import pytest
from PIL import Image

from studio.media import ACCEPTED, BadMedia, sniff
from studio.probe import open_media, probe, read_picture, to_jpeg

ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + b"\x00" * 10

HEADS = [
    (b"\xff\xd8\xff\xe0\x00\x10JFIF", "jpg"),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "png"),
    (b"GIF89a\x01\x00", "gif"),
    (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "webp"),
    (b"RIFF\x24\x00\x00\x00WAVEfmt ", "wav"),
    (b"RF64\xff\xff\xff\xffWAVEds64", "wav"),
    (b"RIFF\x24\x00\x00\x00AVI LIST", "avi"),
    (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", "mp4"),
    (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "mp4"),
    (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  ", "mov"),
    (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", "mov"),
    (b"\x00\x00\x00\x1cftypM4A \x00\x00\x02\x00M4A isomiso2", "m4a"),
    (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "heic"),
    (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "heic"),
    (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm\x42\x87", "webm"),
    (b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska\x42\x87", "mkv"),
    (b"\xff\xfb\x90\x64" + b"\x00" * 8, "mp3"),
    (b"\xff\xf3\x40\xc4" + b"\x00" * 8, "mp3"),
    (ID3 + b"\xff\xfb\x90\x64", "mp3"),
    (b"ID3\x04\x00\x00\x00\x7f\x7f\x7f", "mp3"),
    (ID3 + b"\xff\xf1\x50\x80\x00\x1f\xfc", "aac"),
    (b"\xff\xf1\x50\x80\x00\x1f\xfc", "aac"),
    (b"\xff\xf9\x50\x80\x00\x1f\xfc", "aac"),
]

STRANGERS = [
    b"",
    b"#EXTM3U\n#EXT-X-VERSION:3\nfile:///etc/passwd",
    b"ffconcat version 1.0\nfile /etc/passwd",
    b"<html><body>hello",
    b"<svg xmlns='http://www.w3.org/2000/svg'>",
    b"%PDF-1.7",
    b"PK\x03\x04",
    b"MZ\x90\x00",
    b"\xff\xfe<\x00h\x00t\x00m\x00l\x00",
    b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif",
    b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif",
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01",
    b"RIFF\x24\x00\x00\x00CDXA",
    b"OggS\x00\x02",
    b"fLaC\x00\x00\x00\x22",
]


@pytest.mark.parametrize(("head", "kind"), HEADS)
def test_every_accepted_type_is_known_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert sniff(head) == kind


def test_every_accepted_type_has_an_example_here() -> None:
    assert {kind for _, kind in HEADS} == set(ACCEPTED)


@pytest.mark.parametrize("head", STRANGERS)
def test_a_playlist_a_page_or_a_program_is_no_media(head: bytes) -> None:
    assert sniff(head) is None


@pytest.mark.parametrize("head", [head for head, _ in HEADS])
def test_a_cut_off_head_never_crashes(head: bytes) -> None:
    assert all(sniff(head[:length]) in {None, *ACCEPTED} for length in range(len(head)))


@pytest.mark.parametrize("kind", ["mp4", "mov", "avi", "mkv", "webm"])
def test_a_clip_is_probed_with_its_size_length_and_rate(tmp_path: Path, kind: str) -> None:
    found = probe(make.clip(tmp_path / "renamed.bin", kind=kind, seconds=1.0, sound=0.2))
    assert (found.kind, found.ext, found.width, found.height) == ("clip", kind, 160, 90)
    assert found.mime == ACCEPTED[kind].mime
    assert abs(found.duration_ms - 1000) <= 100
    assert found.fps == 25


def test_a_phone_held_upright_makes_an_upright_clip(tmp_path: Path) -> None:
    found = probe(make.turned(make.clip(tmp_path / "a.mp4"), tmp_path / "b.mp4"))
    assert (found.width, found.height) == (90, 160)


@pytest.mark.parametrize(
    ("name", "options"), [("a.png", {}), ("a.jpg", {}), ("a.webp", {}), ("a.gif", {}), ("a.heic", {"format": "HEIF"})]
)
def test_a_picture_is_probed_by_its_content(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    found = probe(make.picture(tmp_path / name, **options).rename(tmp_path / "mystery"))
    assert (found.kind, found.ext) == ("image", name[2:])
    assert (found.width, found.height, found.duration_ms) == (320, 180, 0)


def test_a_moving_gif_is_a_clip_with_a_length(tmp_path: Path) -> None:
    parts = [Image.new("RGB", (64, 36), colour) for colour in ("red", "green", "blue")]
    parts[0].save(tmp_path / "a.gif", save_all=True, append_images=parts[1:], duration=[100, 200, 300])
    found = probe(tmp_path / "a.gif")
    assert (found.kind, found.duration_ms, found.fps) == ("clip", 600, 5.0)


def test_a_wav_is_sound_with_a_length(tmp_path: Path) -> None:
    found = probe(make.tone(tmp_path / "a.mp3", seconds=1.5))
    assert (found.kind, found.ext, found.mime, found.duration_ms) == ("audio", "wav", "audio/wav", 1500)


def test_an_exif_turn_swaps_width_and_height(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    make.picture(tmp_path / "a.jpg", exif=exif)
    assert probe(tmp_path / "a.jpg")[2:4] == (180, 320)
    assert read_picture(tmp_path / "a.jpg").size == (180, 320)


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").getpixel((4, 4)) == (255, 255, 255)


def test_a_phone_picture_becomes_a_jpeg(tmp_path: Path) -> None:
    to_jpeg(make.picture(tmp_path / "a.heic", format="HEIF"), tmp_path / "a.jpg")
    assert probe(tmp_path / "a.jpg").ext == "jpg"


def code_of(path: Path) -> str:
    with pytest.raises(BadMedia) as caught:
        probe(path)
    return caught.value.code


def test_a_damaged_file_is_unreadable(tmp_path: Path) -> None:
    for name, path in (("png", make.picture(tmp_path / "a.png")), ("mp4", make.clip(tmp_path / "a.mp4"))):
        cut = tmp_path / f"cut.{name}"
        cut.write_bytes(path.read_bytes()[:300])
        assert code_of(cut) == "unreadable"


def test_a_head_with_rubbish_behind_it_is_unreadable(tmp_path: Path) -> None:
    for number, (head, _) in enumerate(HEADS):
        path = tmp_path / str(number)
        path.write_bytes(head + b"rubbish" * 200)
        assert code_of(path) == "unreadable"


def test_a_playlist_with_the_name_of_a_clip_is_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    path = tmp_path / "a.mp4"
    path.write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n", encoding="utf-8")
    assert code_of(path) == "type"
    with pytest.raises(BadMedia):
        open_media(path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    assert code_of(tmp_path / "nothing") == "missing"


def test_a_picture_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with Image.new("1", (20_000, 20_000)) as bomb:
        bomb.save(tmp_path / "a.png")
    assert code_of(tmp_path / "a.png") == "too_large"
