"""Small media files for the tests, made on the spot: pictures, clips and sounds with known content."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pillow_heif import register_heif_opener

RATE = 48_000
register_heif_opener()


def picture(path: Path, colour: str = "#c03020", size: tuple[int, int] = (320, 180), **options: Any) -> Path:
    Image.new("RGB", size, colour).save(path, **options)
    return path


def dotted(path: Path) -> Path:
    """A white dot right of the middle of a black picture, by which the camera's motion can be measured."""
    rows, columns = np.mgrid[0:360, 0:640]
    dot = np.exp(-((columns - 500) ** 2 + (rows - 180) ** 2) / 200) * 255
    Image.fromarray(np.repeat(dot[:, :, None], 3, axis=2).astype(np.uint8)).save(path)
    return path


def tone(path: Path, seconds: float = 2.0, hertz: float = 440.0, level: float = 0.3) -> Path:
    """A sine at `level` as 16-bit stereo wav."""
    wave = level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)
    samples = np.repeat((wave * 32767).astype(np.int16)[None, :], 2, axis=0)
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(samples.T.reshape(1, -1).copy(), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def clip(
    path: Path, size: tuple[int, int] = (160, 90), seconds: float = 2.0, sound: float = 0.0, kind: str = "mp4"
) -> Path:
    """A clip whose brightness rises from black to white, with a tone of level `sound` if that is not 0."""
    codecs = {"webm": ("libvpx", "libopus"), "avi": ("mpeg4", "libmp3lame")}.get(kind, ("libx264", "aac"))
    count = round(seconds * 25)
    muxer = {"mkv": "matroska"}.get(kind, kind)
    with av.open(str(path), "w", format=muxer) as container:
        video = container.add_stream(codecs[0], rate=25)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        audio = container.add_stream(codecs[1], rate=RATE, layout="stereo") if sound else None
        for number in range(count):
            grey = np.full((size[1], size[0], 3), round(255 * number / max(1, count - 1)), np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            wave = sound * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE).astype(np.float32)
            fifo = av.AudioFifo()
            whole = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
            whole.sample_rate, whole.pts, whole.time_base = RATE, 0, Fraction(1, RATE)
            fifo.write(whole)
            resampler = av.AudioResampler(format=audio.format.name, layout="stereo", rate=RATE)
            for part in [*fifo.read_many(960), *[f for f in [fifo.read(0, partial=True)] if f]]:
                for heard in resampler.resample(part):
                    container.mux(audio.encode(heard))
            container.mux(audio.encode(None))
    return path


def turned(path: Path, out: Path) -> Path:
    """The mp4 at `path` as a phone held upright writes it: with a quarter turn in the track header."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    matrix = at + (40 if data[at] == 0 else 52)
    values = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    data[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in values)
    out.write_bytes(bytes(data))
    return out


def frames(path: Path) -> list[NDArray[np.uint8]]:
    """Every picture of a film as RGB."""
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(container.streams.video[0])]


def heard(path: Path) -> NDArray[np.float32]:
    """A film's sound, (samples, 2)."""
    with av.open(str(path)) as container:
        parts = [frame.to_ndarray().T for frame in container.decode(container.streams.audio[0])]
    return np.concatenate(parts).astype(np.float32)


def loudness(wave: NDArray[np.floating[Any]]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))


def shot(src: str, start: int, length: int, **more: Any) -> dict[str, Any]:
    return {"id": f"sg_{src}{start}", "s": start, "d": length, "m": {"src": src, "kind": "image", "name": src, **more}}


def draft(*tracks: tuple[int, list[dict[str, Any]]], width: int = 320, height: int = 180) -> dict[str, Any]:
    names = {0: "Video", 1: "BGM", 7: "Title"}
    rows = [{"tt": kind, "m": {"name": names[kind]}, "sg": segments} for kind, segments in tracks]
    return {"m": {"title": "test", "width": width, "height": height, "fps": 30}, "t": rows}


def music(length: int, volume: float, mood: str = "lofi", **more: Any) -> dict[str, Any]:
    return {
        "id": "sg_m",
        "s": 0,
        "d": length,
        "m": {"src": f"music:{mood}:5", "kind": "music", "volume": volume, **more},
    }


def title(text: str, start: int, length: int, place: str = "center") -> dict[str, Any]:
    return {"id": "sg_t", "s": start, "d": length, "m": {"text": text, "place": place}}
