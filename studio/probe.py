"""Opens untrusted media safely and says what it is: sniffed type, pinned demuxer, limits, non-zero sizes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import av
import av.container
from PIL import Image, ImageOps
from pillow_heif import register_heif_opener

from studio.media import ACCEPTED, MAX_AUDIO_MS, MAX_PIXELS, MAX_SIDE, MAX_STREAMS, BadMedia, Kind, sniff

__all__ = [
    "Probe",
    "flat",
    "frame_ms",
    "is_moving",
    "open_media",
    "open_picture",
    "probe",
    "read_picture",
    "to_jpeg",
    "type_of",
]

register_heif_opener()
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow only warns here and raises at twice this


class Probe(NamedTuple):
    """What a file holds. Sizes in pixels as shown (after rotation), 0 for sound; duration_ms 0 for a still."""

    kind: Kind
    mime: str
    width: int
    height: int
    duration_ms: int
    fps: float
    ext: str


def type_of(path: Path) -> str:
    """Extension by content. BadMedia when the file is missing, empty or of a type that is not accepted."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise BadMedia("missing", "the file is not there or cannot be read") from error
    ext = sniff(head)
    if ext is None:
        raise BadMedia("type", "this is not one of the accepted file types")
    return ext


def probe(path: Path) -> Probe:
    """What the file at `path` is; raises BadMedia."""
    ext = type_of(path)
    kind, mime, demuxer = ACCEPTED[ext]
    if demuxer:
        with open_media(path) as container:
            return _probe_streams(container, ext)
    with open_picture(path) as picture:
        duration = _animation_ms(picture)
        frames = getattr(picture, "n_frames", 1)
        width, height = _upright_size(picture)
    fps = round(frames * 1000 / duration, 3) if duration else 0.0
    # A moving picture is used as a clip; a still one has no length.
    return Probe("clip" if duration else "image", mime, width, height, duration, fps, ext)


def open_media(path: Path) -> av.container.InputContainer:
    """A libav container opened with the one demuxer its first bytes name, local files only, and within limits."""
    demuxer = ACCEPTED[type_of(path)].demuxer
    if not demuxer:
        raise BadMedia("type", "this file has no moving pictures or sound")
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mp3,wav,aac",
    }
    try:
        container = av.open(str(path), mode="r", format=demuxer, options=options, timeout=10)
    except (av.FFmpegError, ValueError) as error:
        raise BadMedia("unreadable", "the file is damaged or not what its first bytes say") from error
    if len(container.streams) > MAX_STREAMS:
        container.close()
        raise BadMedia("unreadable", f"the file has more than {MAX_STREAMS} streams")
    return container


def _probe_streams(container: av.container.InputContainer, ext: str) -> Probe:
    duration = _duration_ms(container)
    if duration > MAX_AUDIO_MS:
        raise BadMedia("too_long", f"the file is longer than {MAX_AUDIO_MS // 3_600_000} hours")
    pictures = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if pictures and ACCEPTED[ext].kind == "clip":
        width, height, fps = _probe_pictures(container, pictures[0])
        return Probe("clip", ACCEPTED[ext].mime, width, height, duration, fps, ext)
    if not container.streams.audio:
        raise BadMedia("unreadable", "the file has neither pictures nor sound")
    _decode_one(container, container.streams.audio[0])
    ext = "m4a" if ACCEPTED[ext].kind == "clip" and ext in ("mp4", "mov") else ext
    mime = ACCEPTED[ext].mime.replace("video/", "audio/")
    return Probe("audio", mime, 0, 0, duration, 0.0, ext)


def _probe_pictures(container: av.container.InputContainer, stream: av.VideoStream) -> tuple[int, int, float]:
    if not stream.width or not stream.height:
        raise BadMedia("unreadable", "the clip has no picture size")
    if max(stream.width, stream.height) > MAX_SIDE:
        raise BadMedia("too_large", f"the clip is larger than {MAX_SIDE} pixels a side")
    frame = _decode_one(container, stream)
    rotation = frame.rotation if isinstance(frame, av.VideoFrame) else 0
    size = (stream.width, stream.height)
    width, height = size[::-1] if rotation % 180 else size
    return width, height, round(float(stream.average_rate or stream.guessed_rate or 0), 3)


def _decode_one(container: av.container.InputContainer, stream: av.VideoStream | av.AudioStream) -> object:
    """The first frame that decodes: a file that opens may still hold nothing."""
    try:
        for frame in container.decode(stream):
            return frame
    except av.FFmpegError as error:
        raise BadMedia("unreadable", "the file does not decode") from error
    raise BadMedia("unreadable", "the file holds no frame")


def _duration_ms(container: av.container.InputContainer) -> int:
    if container.duration:
        return round(container.duration / 1000)
    for stream in container.streams:
        if stream.duration and stream.time_base:
            return round(float(stream.duration * stream.time_base) * 1000)
    last = 0.0
    try:  # a raw stream without an index: its packets are the only clock
        for packet in container.demux():
            if packet.pts is not None and packet.time_base is not None:
                last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        container.seek(0)
    except av.FFmpegError as error:
        raise BadMedia("unreadable", "the file does not read to its end") from error
    return round(last * 1000)


def open_picture(path: Path) -> Image.Image:
    """A picture whose first frame decodes, not yet turned upright."""
    ext = type_of(path)
    if ACCEPTED[ext].demuxer:
        raise BadMedia("type", "this file is not a picture")
    name = {"jpg": "JPEG", "heic": "HEIF"}.get(ext, ext.upper())
    too_large = BadMedia("too_large", f"the picture has more than {MAX_PIXELS // 1_000_000} megapixels")
    picture = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns below the limit that is enforced here
        try:
            picture = Image.open(path, formats=[name])
            if picture.width * picture.height > MAX_PIXELS:
                raise too_large
            picture.load()
        except Image.DecompressionBombError as error:
            raise too_large from error
        except (BadMedia, MemoryError):
            picture.close() if picture else None
            raise
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            picture.close() if picture else None
            raise BadMedia("unreadable", "the picture is damaged") from error
    return picture


def read_picture(path: Path) -> Image.Image:
    """The picture at `path` (the first frame of a moving one), flat, with its file closed."""
    with open_picture(path) as picture:
        return flat(picture).copy()


def flat(picture: Image.Image) -> Image.Image:
    """RGB, upright by its EXIF orientation, transparency laid on white."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == "RGB":
        return picture
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        paper = Image.new("RGB", seen.size, "white")
        paper.paste(seen, mask=seen.getchannel("A"))
        return paper
    if picture.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion clips instead of scaling
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    return picture.convert("RGB")


def is_moving(picture: Image.Image) -> bool:
    """Whether a gif or webp has more than one frame."""
    return bool(getattr(picture, "is_animated", False))


def to_jpeg(path: Path, out: Path) -> None:
    """The picture at `path` as an upright JPEG at `out`: what a phone's HEIC becomes."""
    read_picture(path).save(out, "JPEG", quality=92)


def _animation_ms(picture: Image.Image) -> int:
    if not is_moving(picture):
        return 0
    total = 0
    try:
        for index in range(getattr(picture, "n_frames", 1)):
            picture.seek(index)
            total += frame_ms(picture)
        picture.seek(0)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise BadMedia("unreadable", "the picture is damaged") from error
    return total


def frame_ms(picture: Image.Image) -> int:
    """How long the current frame of an animation is shown; 0 and 10 ms mean 100, as in every browser."""
    duration = int(picture.info.get("duration") or 0)
    return duration if duration > 10 else 100


def _upright_size(picture: Image.Image) -> tuple[int, int]:
    turned = picture.getexif().get(0x0112) in (5, 6, 7, 8)
    return (picture.height, picture.width) if turned else picture.size
