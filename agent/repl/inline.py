"""A result shown in the terminal: a poster of a still, four frames of a video, in the terminal's own escapes."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from agent.settings import Graphics

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Showing", "escape", "picture"]

log = logging.getLogger("reelchat.inline")

COLUMNS, LINES = 60, 18
"""As large as a picture gets, in cells."""
CELL = (10, 20)
"""Pixels of a cell, near enough: a terminal that scales needs only the shape, sixel shows them as they are."""
SHARP = 1.5
"""Pixels for each of those, where the terminal scales."""
FRAMES = 4
MOST_DECODED = 150
"""Frames to look through for each that is shown: where key frames are far apart, an earlier one will do."""
CHUNK = 4096
"""Bytes of base64 in one of kitty's escapes."""
PATIENCE = 3.0
"""Seconds to wait for a picture when everything else has been told."""
MOVES = ("mp4", "mov", "m4v", "webm", "mkv")


class Showing:
    """A picture that is made while the turn goes on. Whatever goes wrong, there is none: the path was told."""

    def __init__(self, path: str, graphics: Graphics, columns: int = COLUMNS) -> None:
        self._text = ""
        self._work = Thread(target=self._make, args=(path, graphics, columns), daemon=True)
        self._work.start()

    def text(self, patience: float = PATIENCE) -> str:
        """What to write to the terminal; empty where there is no picture in `patience` seconds."""
        self._work.join(patience)
        return self._text

    def _make(self, path: str, graphics: Graphics, columns: int) -> None:
        try:
            made = picture(Path(path))
            self._text = escape(made, graphics, columns) if made else ""
        except Exception:
            log.debug("no picture of %s", path, exc_info=True)


def picture(path: Path) -> Image | None:
    """A still as it is, or frames of what moves side by side. None where nothing can be shown; raises freely."""
    from PIL import Image

    if path.suffix.lstrip(".").lower() in MOVES:
        return _sheet(list(_filmed(path)))
    with Image.open(path) as found:
        count = getattr(found, "n_frames", 1)
        if count < FRAMES:
            return _small(found, COLUMNS)
        return _sheet(list(_flipped(found, count)))


def escape(made: Image, graphics: Graphics, columns: int = COLUMNS) -> str:
    """What draws `made`, at most `columns` wide, and leaves the cursor on the line below it."""
    wide = max(1, min(columns, COLUMNS, round(LINES * CELL[1] * made.width / made.height / CELL[0])))
    if graphics == "sixel":
        return _sixel(_scaled(made, wide * CELL[0])) + "\n"
    kept = io.BytesIO()
    _scaled(made, int(wide * CELL[0] * SHARP)).save(kept, "PNG")
    data = base64.b64encode(kept.getvalue()).decode()
    if graphics == "iterm":
        size = f"size={len(kept.getvalue())};width={wide};height=auto;preserveAspectRatio=1"
        return f"\x1b]1337;File=inline=1;{size}:{data}\x07\n"
    return "".join(_kitty(data, wide)) + "\n"


def _kitty(data: str, columns: int) -> Iterator[str]:
    """Sends and places a PNG; q=2 tells the terminal not to answer, which would land in the prompt."""
    for at in range(0, len(data), CHUNK):
        head = f"a=T,f=100,q=2,c={columns}," if at == 0 else "q=2,"
        yield f"\x1b_G{head}m={int(at + CHUNK < len(data))};{data[at : at + CHUNK]}\x1b\\"


def _sixel(made: Image) -> str:
    """64 colours, in bands of six lines; a run of equal cells is written as its length."""
    import numpy as np
    from PIL.Image import Dither

    flat = made.convert("RGB").quantize(64, dither=Dither.NONE)
    colours = (flat.getpalette() or [])[: 64 * 3]
    pixels = np.asarray(flat)
    parts = [f'\x1bPq"1;1;{made.width};{made.height}']
    for number in range(len(colours) // 3):
        red, green, blue = (round(value * 100 / 255) for value in colours[number * 3 : number * 3 + 3])
        parts.append(f"#{number};2;{red};{green};{blue}")
    weights = np.array([1, 2, 4, 8, 16, 32])
    for top in range(0, made.height, 6):
        band = pixels[top : top + 6]
        for number in np.unique(band):
            bits = ((band == number) * weights[: len(band), None]).sum(axis=0)
            parts.append(f"#{number}{_runs(bits)}$")
        parts.append("-")
    return "".join(parts) + "\x1b\\"


def _runs(bits: Any) -> str:
    """Sixel cells, equal ones together."""
    import numpy as np

    edges = np.flatnonzero(np.diff(bits)) + 1
    starts = np.concatenate(([0], edges))
    lengths = np.diff(np.concatenate((starts, [len(bits)])))
    return "".join(f"!{n}{chr(63 + int(bits[at]))}" for at, n in zip(starts, lengths, strict=True))


def _filmed(path: Path) -> Iterator[Image]:
    """Frames of a video, from the middle of each quarter."""
    import av

    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        stream.thread_type = "AUTO"
        # An unknown length shows the beginning.
        lasts = stream.duration or 0
        for number in range(FRAMES):
            wanted = (stream.start_time or 0) + lasts * (2 * number + 1) // (2 * FRAMES)
            film.seek(wanted, stream=stream)
            frame = None
            for seen, frame in enumerate(film.decode(stream)):
                if seen >= MOST_DECODED or (frame.pts is not None and frame.pts >= wanted):
                    break
            if frame is not None:
                yield _small(frame.to_image(), COLUMNS // FRAMES)  # type: ignore[no-untyped-call]


def _flipped(found: Image, count: int) -> Iterator[Image]:
    for number in range(FRAMES):
        found.seek(count * (2 * number + 1) // (2 * FRAMES))
        yield _small(found, COLUMNS // FRAMES)


def _sheet(frames: list[Image]) -> Image | None:
    """Frames side by side, a little apart."""
    from PIL import Image

    if not frames:
        return None
    apart = CELL[0] // 2
    width = sum(frame.width for frame in frames) + apart * (len(frames) - 1)
    sheet = Image.new("RGBA", (width, max(frame.height for frame in frames)), (0, 0, 0, 0))
    left = 0
    for frame in frames:
        sheet.paste(frame, (left, 0))
        left += frame.width + apart
    return sheet


def _small(found: Image, columns: int) -> Image:
    made = found.convert("RGBA")
    made.thumbnail((int(columns * CELL[0] * SHARP), int(LINES * CELL[1] * SHARP)))
    return made


def _scaled(made: Image, width: int) -> Image:
    return made if made.width <= width else made.resize((width, max(1, made.height * width // made.width)))
