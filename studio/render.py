"""A draft becomes a file: mp4, gif or a still picture, written beside its place and moved there whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.stream import VideoStream
from PIL import Image, PngImagePlugin

from studio.compose import LONGEST_TITLE, Composer, frames
from studio.film import Film, Shot, Title
from studio.instruments import RATE
from studio.media import BadMedia
from studio.planes import put, to_rgb
from studio.probe import read_picture
from studio.sound import Mixer
from studio.sources import cover
from studio.text import raster

__all__ = ["Rendered", "Step", "render"]

Step = Callable[[float, str], None]
"""Called with the share done (0-1) and the stage; raises Canceled to stop."""

_BLOCK = 1024  # samples of one AAC frame
_GIF_LONGEST = 480
_GIF_MS = 100  # gif counts in hundredths of a second, so 10 pictures a second are exact
_LARGEST = 4096


class Rendered(NamedTuple):
    """The finished file: bytes, film length (0 for a still picture), pixels."""

    size: int
    duration_ms: int
    width: int
    height: int


def render(film: Film, output: Mapping[str, Any], out: Path, step: Step) -> Rendered:
    """Renders `film` as output {"format", "quality", "at_ms"} into the file `out`. ValueError: unknown format."""
    kind = str(output.get("format") or "mp4").lower()
    if kind == "mp4":
        return _mp4(film, out, output.get("quality") == "draft", step)
    if kind == "gif":
        return _gif(film, out, step)
    if kind in _WRITERS:
        return _still(film, output.get("at_ms"), kind, out, step)
    raise ValueError(f"unknown format {kind}")


def _mp4(film: Film, out: Path, is_draft: bool, step: Step) -> Rendered:
    width, height = _within(film, 960) if is_draft else (film.width, film.height)
    count = max(1, round(film.duration_ms * film.fps / 1000))
    samples = round(film.duration_ms * RATE / 1000)
    mixer = Mixer(film)
    with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = _video_stream(container, film.fps, width, height, is_draft)
        audio = container.add_stream("aac", rate=RATE, layout="stereo", bit_rate=192_000)
        heard = 0
        pictures = frames(Composer(film, width, height), count, 1000 / film.fps)
        try:
            for number, planes in enumerate(pictures):
                step(number / count, "render")
                frame = put(planes)
                frame.pts, frame.time_base = number, Fraction(1, film.fps)
                container.mux(video.encode(frame))
                while heard < samples and heard * film.fps < (number + 1) * RATE:
                    heard += _encode_sound(container, audio, mixer, heard, min(_BLOCK, samples - heard))
        finally:
            pictures.close()  # type: ignore[attr-defined]
            mixer.close()
        step(1.0, "finish")
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return Rendered(out.stat().st_size, film.duration_ms, width, height)


def _video_stream(
    container: av.container.OutputContainer, fps: int, width: int, height: int, is_draft: bool
) -> VideoStream:
    options = {"preset": "ultrafast", "crf": "28"} if is_draft else {"preset": "veryfast", "crf": "21"}
    video = container.add_stream("libx264", rate=fps, options=options)
    video.width, video.height, video.pix_fmt = width, height, "yuv420p"
    video.time_base = Fraction(1, fps)
    context = video.codec_context
    if (os.cpu_count() or 2) > 8:
        context.thread_count = (
            12  # every thread holds pictures: the worker's memory is limited, the machine's cores are not
        )
    context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1  # BT.709, limited
    return video


def _encode_sound(
    container: av.container.OutputContainer, audio: av.AudioStream, mixer: Mixer, at: int, count: int
) -> int:
    wave = np.ascontiguousarray(mixer.block(count).T)
    frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
    container.mux(audio.encode(frame))
    return count


def _gif(film: Film, out: Path, step: Step) -> Rendered:
    """Two passes: a sample of the film makes one palette, then every picture is written with it."""
    width, height = _within(film, _GIF_LONGEST)
    count = max(1, round(film.duration_ms / _GIF_MS))
    palette = _palette(film, width, height, count)
    colours = np.zeros((256, 4), np.uint8)
    colours[:, 0] = 255  # alpha first, as PyAV wants it
    rows = np.array(palette.getpalette("RGB"), np.uint8).reshape(-1, 3)
    colours[: len(rows), 1:] = rows
    pictures = frames(Composer(film, width, height), count, _GIF_MS)
    with av.open(str(out), "w", format="gif", options={"loop": "0"}) as container:
        stream = container.add_stream("gif", rate=Fraction(1000, _GIF_MS))
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        try:
            for number, planes in enumerate(pictures):
                step(number / count, "render")
                indexed = to_rgb(planes).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
                frame = av.VideoFrame.from_ndarray((np.asarray(indexed), colours), format="pal8")  # type: ignore[arg-type]
                frame.pts, frame.time_base = number, Fraction(_GIF_MS, 1000)
                container.mux(stream.encode(frame))
        finally:
            pictures.close()  # type: ignore[attr-defined]
        container.mux(stream.encode(None))
    return Rendered(out.stat().st_size, film.duration_ms, width, height)


def _palette(film: Film, width: int, height: int, count: int) -> Image.Image:
    """256 colours for the whole film, from up to twelve of its pictures."""
    taken = sorted({count * i // 12 for i in range(12)})
    sheet = Image.new("RGB", (width, height // 2 * len(taken)))
    composer = Composer(film, width, height)
    try:
        for row, number in enumerate(taken):
            picture = to_rgb(composer.at(number * _GIF_MS)()).resize((width, height // 2))
            sheet.paste(picture, (0, row * (height // 2)))
    finally:
        composer.close()
    return sheet.quantize(255, method=Image.Quantize.MEDIANCUT)


def _still(film: Film, at_ms: object, kind: str, out: Path, step: Step) -> Rendered:
    step(0.0, "render")
    notes: dict[str, str] = {}
    if at_ms is None and film.is_still:
        picture, notes = _whole(film)
    else:
        last = film.duration_ms - 1000 / film.fps
        wanted = at_ms if isinstance(at_ms, (int, float)) and not isinstance(at_ms, bool) else _best_ms(film)
        composer = Composer(film)
        picture = to_rgb(composer.at(min(max(0.0, float(wanted)), max(0.0, last)))())
        composer.close()
    step(0.8, "finish")
    _WRITERS[kind](picture, out, notes)
    return Rendered(out.stat().st_size, 0, picture.width, picture.height)


def _whole(film: Film) -> tuple[Image.Image, dict[str, str]]:
    """The one picture at its own size in the canvas's shape, its titles on it, and the notes it carries."""
    asset = film.shots[0].asset
    try:
        picture = read_picture(asset.path)
    except BadMedia as error:
        error.asset = asset.id
        raise
    notes = {key: str(value) for key, value in picture.info.items() if key in ("Comment", "Software")}
    box = cover(picture.size, film.width, film.height)
    scale = min(_LARGEST / max(film.width, film.height), max(1.0, (box[2] - box[0]) / film.width))
    size = (round(film.width * scale), round(film.height * scale))
    if box != (0, 0, *size):
        picture = picture.resize(size, Image.Resampling.LANCZOS, box=box)
    first = min((title.start_ms for title in film.titles), default=0)
    for title in film.titles:
        drawn = raster(title.text[:LONGEST_TITLE], title.place, *size) if title.start_ms == first else None
        if drawn is not None:
            picture.paste(drawn.image, (drawn.x, drawn.y), drawn.image)
    return picture, notes


def _best_ms(film: Film) -> float:
    """A moment worth a picture: the middle of the first title, else of the first shot."""
    parts: list[Title | Shot] = [*film.titles, *film.shots]
    return parts[0].start_ms + parts[0].duration_ms / 2 if parts else film.duration_ms / 2


def _within(film: Film, longest: int) -> tuple[int, int]:
    scale = min(1.0, longest / max(film.width, film.height))
    return 2 * round(film.width * scale / 2), 2 * round(film.height * scale / 2)


def _write_png(picture: Image.Image, out: Path, notes: dict[str, str]) -> None:
    info = PngImagePlugin.PngInfo()
    for key, value in notes.items():
        info.add_itxt(key, value)
    picture.save(out, "PNG", pnginfo=info, compress_level=4)


def _write_jpg(picture: Image.Image, out: Path, notes: dict[str, str]) -> None:
    picture.save(out, "JPEG", quality=92, subsampling=0, optimize=True, comment=notes.get("Comment", ""))


def _write_webp(picture: Image.Image, out: Path, notes: dict[str, str]) -> None:
    picture.save(out, "WEBP", quality=90, method=4)


_WRITERS: dict[str, Callable[[Image.Image, Path, dict[str, str]], None]] = {
    "png": _write_png,
    "jpg": _write_jpg,
    "webp": _write_webp,
}
