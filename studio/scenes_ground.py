"""Ground seen through a real camera: height maps cast on the picture, the haze of distance, and dunes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from studio.scenes_paint import SKIES, Grid, Picture, Time, blur, colour, mix, noise, sky

__all__ = ["Ground", "at_places", "cast", "desert", "haze_of", "lanes"]

_STEPS = 420


class Ground(NamedTuple):
    """A height map of side 1 that repeats, and the colour of every place on it."""

    heights: Grid
    colours: Picture


def lanes(width: int, first: float, last: float, middle: float) -> tuple[Grid, Grid]:
    """Depths (steps, 1), denser near the eye, and places across (1, columns), 0 at `middle` of the width."""
    steps = np.linspace(0, 1, _STEPS, dtype=np.float32)[:, None]
    return first + (last - first) * steps**1.3, (np.arange(width, dtype=np.float32) / width - np.float32(middle))[
        None, :
    ]


def cast(
    picture: Picture, ground: Ground, at: tuple[Grid, Grid], seen: Grid, rows: tuple[int, int], time: Time, sun: float
) -> None:
    """Paints ground, nearest first: places `at` (x, z) are `seen` pixels above row `rows[0]`; down to row `rows[1]`."""
    height, width = picture.shape[:2]
    base, lowest = rows
    first = np.maximum.accumulate(seen, axis=0)
    top = min(base, int(first.max()) + 1)
    wanted = np.arange(top, base - lowest, -1, dtype=np.float32)
    hit = np.empty((len(wanted), width), np.int32)
    for column in range(width):
        hit[:, column] = np.searchsorted(first[:, column], wanted)
    place = np.minimum(hit, _STEPS - 1)
    before = np.maximum(place - 1, 0)
    columns = np.arange(width)[None, :]
    gap = np.maximum(first[place, columns] - first[before, columns], 1e-3)
    share = np.clip((wanted[:, None] - first[before, columns]) / gap, 0, 1)
    x, z = (grid[before, columns] * (1 - share) + grid[place, columns] * share for grid in at)
    shade = at_places(ground.colours, z, x) * np.float32(SKIES[time].light)
    fog = np.clip(1 - np.exp(-((before / _STEPS * 1.25) ** 2)), 0, 0.82)
    if base == lowest:  # mist over the water's edge
        fog = np.maximum(fog, np.exp(-wanted / (0.05 * height))[:, None] * 0.35)
    area = picture[base - top : lowest]
    hazy = mix(shade, haze_of(time, width, sun)[None, :, :], np.asarray(fog, np.float32))
    area[:] = mix(area, hazy, _edge(hit < _STEPS))


def _edge(solid: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Grid:
    """The ridge line, a pixel soft."""
    return np.where(solid, np.clip(blur(solid.astype(np.float32), 0.6) * 1.2, 0, 1), 0).astype(np.float32)


def haze_of(time: Time, width: int, sun: float) -> Grid:
    """The colour distance takes on, warmer under the sun: one colour a column."""
    cold = colour({"sunset": "#8a5a86", "dawn": "#b9b3c9", "noon": "#a9c9e6", "night": "#1c2c5c"}[time])
    warm = colour({"sunset": "#ffb072", "dawn": "#ffe0bf", "noon": "#d8eaf7", "night": "#33508c"}[time])
    close = np.exp(-((np.arange(width) / width - sun) ** 2) / 0.05)[:, None]
    return np.asarray(cold * (1 - close) + warm * close, np.float32)


def at_places(sheet: Grid, z: Grid, x: Grid) -> Grid:
    """The sheet at places in units of its side, between its four neighbours; it repeats."""
    size = sheet.shape[0]
    row, column = z * size, x * size
    y, i = np.floor(row).astype(np.int32), np.floor(column).astype(np.int32)
    fy, fx = row - y, column - i
    y0, i0, y1, i1 = y % size, i % size, (y + 1) % size, (i + 1) % size
    if sheet.ndim == 3:
        fy, fx = fy[:, :, None], fx[:, :, None]
    top = sheet[y0, i0] * (1 - fx) + sheet[y0, i1] * fx
    return np.asarray(top * (1 - fy) + (sheet[y1, i0] * (1 - fx) + sheet[y1, i1] * fx) * fy, np.float32)


def desert(rng: np.random.Generator, height: int, width: int, time: Time) -> Picture:
    """Dunes with sharp crests, lit from the side."""
    horizon = int(height * 0.55)
    sun = (float(rng.choice([0.3, 0.7]) + rng.uniform(-0.06, 0.06)), {"noon": 0.12, "night": 0.18}.get(time, 0.42))
    picture = sky(rng, height, width, time, 0.57, sun)
    ground = _dunes(rng, time, sun[0])
    depth, across = lanes(width, 0.42, 9.0, 0.5)
    x, z = across * depth * 0.30 * width / height * 0.5 + 0.37, depth * 0.26 + 0 * across
    tall = at_places(ground.heights, z, x) * (0.5 + 0.5 * np.clip(depth / 3, 0, 1))
    seen = np.asarray((tall * 0.34 - 0.42) * height * 0.52 / depth, np.float32)
    cast(picture, ground, (x, z), seen, (horizon, height), time, sun[0])
    return picture


def _dunes(rng: np.random.Generator, time: Time, sun: float) -> Ground:
    """Winding ridges, each with a long windward side and a steep lee; ripples on the sand."""
    size = 1024
    bright, dark = {
        "sunset": ("#ffab62", "#4f2436"),
        "dawn": ("#f6d3a4", "#7d6170"),
        "noon": ("#f4cf94", "#a86f38"),
        "night": ("#5f70a6", "#0a0e22"),
    }[time]
    z, x = (np.mgrid[0:size, 0:size] / size).astype(np.float32)
    turn = 2 * np.pi
    warp = sum(
        np.sin(turn * (i * x + j * z) + phase) / k
        for i, j, k, phase in (
            (1, 1, 5, 0.3),
            (2, -1, 9, rng.uniform(0, 6)),
            (1, 3, 14, rng.uniform(0, 6)),
            (5, 2, 60, 1.0),
        )
    )
    ramp = (2 * z + x + warp) % 1
    crest = 0.68
    heights = np.where(ramp < crest, np.sin(ramp / crest * np.pi / 2) ** 1.4, ((1 - ramp) / (1 - crest)) ** 1.15)
    heights = np.asarray(heights * (0.55 + 0.45 * np.sin(turn * (x - z) + 1.3 + warp * 3)), np.float32)
    side = 1.0 if sun > 0.5 else -1.0
    slope_x = (np.roll(heights, -2, 1) - np.roll(heights, 2, 1)) * size / 4
    slope_z = (np.roll(heights, -2, 0) - np.roll(heights, 2, 0)) * size / 4
    ripple = 0.035 * np.sin(turn * (46 * x + 20 * z + 9 * warp)) + 0.03 * noise(rng, size, size, 90, 3)
    lit = np.clip(0.46 + (slope_z * 0.075 - slope_x * side * 0.10) + ripple, 0.02, 1.1)
    tone = colour(dark) + (colour(bright) - colour(dark)) * lit[:, :, None]
    return Ground(heights, np.asarray(tone, np.float32))
