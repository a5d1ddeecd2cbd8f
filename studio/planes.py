"""Pictures as the encoder wants them: three BT.709 4:2:0 planes, half the data of RGB and no conversion per frame."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from studio.text import Raster

__all__ = [
    "BLACK",
    "Overlay",
    "Planes",
    "black",
    "blend",
    "from_frame",
    "from_rgb",
    "overlay",
    "put",
    "slide",
    "to_rgb",
]

BLACK = (16, 128, 128)
Box = tuple[float, float, float, float]


class Planes(NamedTuple):
    """Y at full size, U and V at half; even sizes only."""

    y: Image.Image
    u: Image.Image
    v: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        return self.y.size

    def view(self, box: Box, width: int, height: int) -> Planes:
        """The part inside `box` as `width` x `height`; the box is in fractions of Y's pixels, so motion is smooth."""
        half: Box = (box[0] / 2, box[1] / 2, box[2] / 2, box[3] / 2)
        small = (width // 2, height // 2)
        linear = Image.Resampling.BILINEAR
        return Planes(
            self.y.resize((width, height), linear, box=_inside(box, self.y)),
            self.u.resize(small, linear, box=_inside(half, self.u)),
            self.v.resize(small, linear, box=_inside(half, self.v)),
        )

    def copy(self) -> Planes:
        return Planes(self.y.copy(), self.u.copy(), self.v.copy())

    def turned(self, degrees: int) -> Planes:
        """Turned counter-clockwise by a multiple of 90 degrees."""
        turns = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
        method = turns.get(degrees % 360)
        return self if method is None else Planes(*(plane.transpose(method) for plane in self))

    def paste(self, other: Planes, x: int, y: int) -> None:
        """Lays `other` over this picture; x and y must be even."""
        self.y.paste(other.y, (x, y))
        self.u.paste(other.u, (x // 2, y // 2))
        self.v.paste(other.v, (x // 2, y // 2))


def _inside(box: Box, plane: Image.Image) -> Box:
    """Rounding may push a box a hair over the edge, which Pillow refuses."""
    left, top = max(0.0, box[0]), max(0.0, box[1])
    return left, top, min(float(plane.width), box[2]), min(float(plane.height), box[3])


def black(width: int, height: int) -> Planes:
    small = (width // 2, height // 2)
    return Planes(
        Image.new("L", (width, height), BLACK[0]), Image.new("L", small, BLACK[1]), Image.new("L", small, BLACK[2])
    )


def from_rgb(picture: Image.Image) -> Planes:
    """Planes of an RGB picture; an odd last row or column is dropped."""
    width, height = picture.width // 2 * 2, picture.height // 2 * 2
    if picture.size != (width, height):
        picture = picture.crop((0, 0, width, height)) if width and height else picture.resize((2, 2))
    return from_frame(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24"))


def from_frame(frame: av.VideoFrame, width: int | None = None, height: int | None = None) -> Planes:
    """Planes of a decoded frame, scaled. Untagged HD is taken as BT.709, untagged SD as BT.601, as players do."""
    untagged = frame.colorspace in (0, 2) and frame.height >= 720 and not frame.format.is_rgb
    # A reformatter of its own: the frame's cached one is not safe when two threads show the same frame.
    converted = av.video.reformatter.VideoReformatter().reformat(
        frame,
        width=width or frame.width // 2 * 2,
        height=height or frame.height // 2 * 2,
        format="yuv420p",
        src_colorspace=Colorspace.ITU709 if untagged else None,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation="BICUBIC",
    )
    return Planes(*(_image(plane) for plane in converted.planes[:3]))


def _image(plane: av.video.plane.VideoPlane) -> Image.Image:
    size = (plane.width, plane.height)
    return Image.frombuffer("L", size, bytes(plane), "raw", "L", plane.line_size, 1)


def put(planes: Planes) -> av.VideoFrame:
    """A tagged frame for the encoder."""
    frame = av.VideoFrame(*planes.size, "yuv420p")
    for target, source in zip(frame.planes, planes, strict=True):
        # Its type says that it is a buffer only from Python 3.12 on.
        rows = np.frombuffer(cast(Any, target), np.uint8).reshape(-1, target.line_size)
        rows[: source.height, : source.width] = np.asarray(source)
    frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
    frame.color_primaries = frame.color_trc = 1
    return frame


def to_rgb(planes: Planes) -> Image.Image:
    """The picture as RGB, for gif and still outputs."""
    frame = put(planes)
    converted = frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU709, interpolation="BICUBIC")
    return Image.fromarray(np.asarray(converted.to_ndarray()))


def blend(before: Planes, after: Planes, share: float) -> Planes:
    """`share` 0 is all `before`, 1 all `after`."""
    return Planes(*(Image.blend(a, b, share) for a, b in zip(before, after, strict=True)))


def slide(before: Planes, after: Planes, share: float) -> Planes:
    """`after` pushes `before` out to the left, slow at both ends."""
    width, height = before.size
    eased = share * share * (3 - 2 * share)
    shift = 2 * round(width * eased / 2)
    picture = black(width, height)
    picture.paste(before, -shift, 0)
    picture.paste(after, width - shift, 0)
    return picture


class Overlay(NamedTuple):
    """A title ready to be laid over frames: its colours, and how much of them shows, at both plane sizes."""

    planes: Planes
    mask: Image.Image
    half: Image.Image
    x: int
    y: int

    def over(self, picture: Planes, level: float) -> None:
        """Paints the title on `picture` with `level` 0-1 of its strength."""
        mask, half = self.mask, self.half
        if level < 1:
            mask, half = mask.point(lambda v: v * level), half.point(lambda v: v * level)
        picture.y.paste(self.planes.y, (self.x, self.y), mask)
        for plane, colour in ((picture.u, self.planes.u), (picture.v, self.planes.v)):
            plane.paste(colour, (self.x // 2, self.y // 2), half)


def overlay(title: Raster) -> Overlay:
    mask = title.image.getchannel("A")
    half = mask.resize((mask.width // 2, mask.height // 2), Image.Resampling.BOX)
    return Overlay(from_rgb(title.image.convert("RGB")), mask, half, title.x, title.y)
