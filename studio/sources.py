"""What a shot shows at a moment: stills under a moving camera, clips and animations, each fitted to the canvas."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Protocol

import av
from PIL import Image, ImageFilter

from studio.film import Motion, Shot
from studio.media import ACCEPTED, BadMedia
from studio.planes import Box, Planes, from_frame, from_rgb
from studio.probe import flat, frame_ms, is_moving, open_media, open_picture, read_picture, type_of

__all__ = ["Source", "camera", "cover", "open_source"]

_ZOOM = 1.12
_LEAST_VISIBLE = 0.6  # a crop that would hide more than the rest of a clip is letter-boxed instead


class Source(Protocol):
    """`take` is called in the order of time from one thread; what it returns may run on any."""

    def take(self, ms: float) -> Callable[[], Planes]: ...

    def close(self) -> None: ...


def open_source(shot: Shot, width: int, height: int) -> Source:
    """The shot's pictures for a canvas; BadMedia names the shot's asset."""
    try:
        if not shot.is_clip:
            return Still(read_picture(shot.asset.path), shot, width, height)
        if ACCEPTED[type_of(shot.asset.path)].demuxer:
            return Clip(shot, width, height)
        return Animation(shot, width, height)
    except BadMedia as error:
        error.asset = shot.asset.id
        raise


def cover(size: tuple[int, int], width: int, height: int) -> Box:
    """The largest centred part of a `size` picture that has the canvas's shape."""
    scale = min(size[0] / width, size[1] / height)
    wide, high = width * scale, height * scale
    left, top = (size[0] - wide) / 2, (size[1] - high) / 2
    return left, top, left + wide, top + high


def camera(size: tuple[int, int], width: int, height: int, motion: Motion, progress: float) -> Box:
    """Where the camera looks, in float pixels of the picture, at `progress` 0-1 of the shot."""
    left, top, right, bottom = cover(size, width, height)
    zoom = {"zoom-in": 1 + (_ZOOM - 1) * progress, "zoom-out": _ZOOM - (_ZOOM - 1) * progress, "none": 1.0}.get(
        motion, _ZOOM
    )
    wide, high = (right - left) / zoom, (bottom - top) / zoom
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    room = size[0] - wide if motion.startswith("pan") else 0.0
    travel = min(room, wide * 0.25) * (progress - 0.5)
    middle_x += travel if motion == "pan-right" else -travel
    return middle_x - wide / 2, middle_y - high / 2, middle_x + wide / 2, middle_y + high / 2


class Still:
    """A picture seen through a camera that moves by fractions of a pixel."""

    def __init__(self, picture: Image.Image, shot: Shot, width: int, height: int) -> None:
        scale = max(width / picture.width, height / picture.height) * _ZOOM * 1.1
        if scale < 1:  # finer detail than a frame can hold would shimmer, and cost time in every frame
            small = (max(2, round(picture.width * scale)), max(2, round(picture.height * scale)))
            picture = picture.resize(small, Image.Resampling.LANCZOS, reducing_gap=3.0)
        self._planes = from_rgb(picture)
        self._shot, self._size = shot, (width, height)

    def take(self, ms: float) -> Callable[[], Planes]:
        progress = min(1.0, max(0.0, ms / (self._shot.duration_ms + self._shot.tail_ms)))
        box = camera(self._planes.size, *self._size, self._shot.motion, progress)
        return lambda: self._planes.view(box, *self._size)

    def close(self) -> None:
        pass


class _Once:
    """Planes worked out at most once, however many frames show them."""

    def __init__(self, work: Callable[[], Planes]) -> None:
        self._work, self._lock = work, threading.Lock()
        self._planes: Planes | None = None

    def __call__(self) -> Planes:
        with self._lock:
            if self._planes is None:
                self._planes = self._work()
            return self._planes


class Clip:
    """A video file from its in point, at its speed; its last frame stays."""

    def __init__(self, shot: Shot, width: int, height: int) -> None:
        self._shot, self._size = shot, (width, height)
        self._container = open_media(shot.asset.path)
        if not self._container.streams.video:
            self._container.close()
            raise BadMedia("unreadable", "the clip has no pictures")
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        self._sar = float(stream.sample_aspect_ratio or 1)
        self._zero = float((stream.start_time or 0) * (stream.time_base or 0))
        seek_to = (self._zero + shot.in_ms / 1000) / float(stream.time_base or 1)
        if shot.in_ms:
            self._container.seek(int(seek_to), stream=stream, backward=True)
        self._frames = self._decode(stream)
        self._next = next(self._frames, None)
        if self._next is None:
            raise BadMedia("unreadable", "the clip holds no frame at its in point", shot.asset.id)
        self._shown = self._fitted(self._next)

    def _decode(self, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
        try:
            for frame in self._container.decode(stream):
                if frame.width and frame.height:
                    yield frame
        except av.FFmpegError:
            return  # a cut-off file: what was read so far is shown, and its last frame stays

    def take(self, ms: float) -> Callable[[], Planes]:
        wanted = self._zero + (self._shot.in_ms + ms * self._shot.speed) / 1000 + 0.001
        newest = None
        while self._next is not None and (self._next.time or 0.0) <= wanted:
            newest, self._next = self._next, next(self._frames, None)
        if newest is not None:
            self._shown = self._fitted(newest)
        return self._shown

    def _fitted(self, frame: av.VideoFrame) -> _Once:
        return _Once(lambda: _fit(frame, self._sar, *self._size))

    def close(self) -> None:
        self._frames.close()  # type: ignore[attr-defined]
        self._container.close()


def _fit(frame: av.VideoFrame, sar: float, width: int, height: int) -> Planes:
    """The frame upright and filling the canvas, by cropping a little or over a blurred copy of itself."""
    turn = frame.rotation
    wide, high = frame.width * sar, float(frame.height)
    seen = (high, wide) if turn % 180 else (wide, high)
    fill = max(width / seen[0], height / seen[1])
    visible = (width * height) / (seen[0] * seen[1] * fill * fill)
    scale = fill if visible >= _LEAST_VISIBLE else min(width / seen[0], height / seen[1])
    planes = from_frame(frame, _even(wide * scale), _even(high * scale)).turned(turn)
    if planes.size == (width, height):
        return planes
    if scale == fill:
        return planes.view(cover(planes.size, width, height), width, height)
    picture = _blurred(planes, width, height)
    x, y = (width - planes.size[0]) // 4 * 2, (height - planes.size[1]) // 4 * 2
    picture.paste(planes, x, y)
    return picture


def _blurred(planes: Planes, width: int, height: int) -> Planes:
    """A dim, soft fill of the canvas made from the picture itself."""
    small = planes.view(cover(planes.size, width, height), max(8, width // 32 * 2), max(8, height // 32 * 2))
    soft = Planes(*(plane.filter(ImageFilter.GaussianBlur(3)) for plane in small))
    dim = soft._replace(y=soft.y.point(lambda v: 16 + (v - 16) * 0.55))
    return dim.view((0, 0, *dim.size), width, height)


def _even(value: float) -> int:
    return max(2, 2 * round(value / 2))


class Animation:
    """A gif or webp, repeated for as long as it is shown."""

    def __init__(self, shot: Shot, width: int, height: int) -> None:
        self._shot, self._size = shot, (width, height)
        self._picture = open_picture(shot.asset.path)
        self._index, self._until = 0, float(frame_ms(self._picture))
        self._shown = self._current()

    def _current(self) -> _Once:
        picture = flat(self._picture)
        planes = from_rgb(picture)
        return _Once(lambda: planes.view(cover(planes.size, *self._size), *self._size))

    def take(self, ms: float) -> Callable[[], Planes]:
        wanted = self._shot.in_ms + ms * self._shot.speed
        moved = False
        while is_moving(self._picture) and wanted >= self._until:
            self._index = (self._index + 1) % getattr(self._picture, "n_frames", 1)
            self._picture.seek(self._index)
            self._until += frame_ms(self._picture)
            moved = True
        if moved:
            self._shown = self._current()
        return self._shown

    def close(self) -> None:
        self._picture.close()
