"""Cities: towers in layers of haze with lit windows, neon, traffic in the air, and a river that doubles them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from studio.scenes_paint import (
    Grid,
    Picture,
    Time,
    add_glow,
    blur,
    clouds,
    colour,
    distance,
    gradient,
    mix,
    noise,
    sky,
    stars,
    unit,
)
from studio.scenes_tower import STYLES, Style, tower
from studio.scenes_water import mirror

__all__ = ["city"]


class _Layer(NamedTuple):
    """Towers equally far away: widths and window cells in pixels at 1080p, heights in shares of the picture."""

    haze: float
    widths: tuple[int, int]
    heights: tuple[float, float]
    cell: tuple[int, int]
    gap: float


_LAYERS = (
    _Layer(0.80, (22, 48), (0.24, 0.60), (5, 6), 0.55),
    _Layer(0.58, (36, 72), (0.22, 0.66), (6, 7), 0.80),
    _Layer(0.34, (56, 104), (0.16, 0.56), (8, 10), 1.0),
    _Layer(0.13, (84, 150), (0.10, 0.40), (11, 13), 1.25),
    _Layer(0.0, (70, 170), (0.03, 0.13), (11, 13), 0.8),
)


def city(rng: np.random.Generator, height: int, width: int, time: Time, future: bool) -> Picture:
    """A skyline over water at a time of day."""
    style = STYLES["future" if future and time == "night" else time]
    water = int(height * 0.80)
    centre = float(rng.uniform(0.42, 0.6))
    sun = (centre + float(rng.choice([-0.2, 0.2])), {"noon": 0.1, "night": 0.17}.get(time, 0.66))
    picture = _neon_sky(rng, height, width, centre) if style.neon > 0.5 else sky(rng, height, width, time, 0.84, sun)
    haze = colour(style.haze)
    for index, layer in enumerate(_LAYERS):
        _row(rng, picture, water, centre, layer, style)
        if index < 4:
            rise = np.exp(-np.clip(water - np.arange(height), 0, None) / (height * (0.17 - 0.025 * index))).astype(
                np.float32
            )
            share = (0.42 - 0.08 * index) * rise[:, None] * np.ones((1, width), np.float32)
            picture[:water] = mix(picture[:water], np.broadcast_to(haze, picture[:water].shape), share[:water])
        if index == 1 and style.neon > 0.5:
            _traffic(rng, picture, water)
    _embankment(rng, picture, water, style)
    if style.neon > 0.5:
        _beams(rng, picture, water)
    mirror(
        rng,
        picture,
        water,
        calm=0.7,
        tint=("#0b1030" if time == "night" else "#56708a"),
        strength=0.95 if time == "night" else 0.8,
    )
    return picture


def _neon_sky(rng: np.random.Generator, height: int, width: int, centre: float) -> Picture:
    """Violet haze over the horizon, low clouds lit by the streets, a large pale moon."""
    u = unit(height, width)
    stops = (
        (0, "#04050f"),
        (0.3, "#100c30"),
        (0.55, "#34145f"),
        (0.76, "#8a2488"),
        (0.92, "#e0408a"),
        (1.0, "#ff8a70"),
    )
    picture = gradient(height, width, stops, 0.84)
    stars(rng, picture, 500, 0.5)
    x, y, radius = (centre + float(rng.choice([-0.24, 0.24]))) * width, height * 0.25, 118 * u
    away = distance(height, width, x, y)
    face = 0.86 - 0.3 * np.clip(noise(rng, height, width, 26, 5), -0.2, 1)
    face *= 1 - 0.35 * np.clip((np.arange(height)[:, None] - y) / radius, -1, 1)
    disc = np.clip((radius - away) / (2 * u) + 0.5, 0, 1)
    moon = np.asarray(face[:, :, None] * colour("#ffd9ea"), np.float32)
    picture += (np.exp(-away / (170 * u)) * 0.2)[:, :, None] * colour("#c86bff")
    picture[:] = mix(picture, moon, disc * 0.9)
    clouds(rng, picture, "night", 0.8, (centre, 0.8))
    add_glow(picture, centre * width, height * 0.8, 300 * u, "#ff4fa0", 0.5)
    return picture + np.clip(noise(rng, height, width, 4, 6, 2.5), 0, 1)[:, :, None] * colour("#4a1470") * np.float32(
        0.3
    )


def _row(rng: np.random.Generator, picture: Picture, water: int, centre: float, layer: _Layer, style: Style) -> None:
    """One layer of towers from left to right, higher around the centre."""
    height, width = picture.shape[:2]
    u = unit(height, width)
    cell = max(3, round(layer.cell[0] * u)), max(4, round(layer.cell[1] * u))
    lowest, highest = layer.heights
    x = -float(rng.uniform(0, layer.widths[1])) * u
    while x < width:
        wide = int(rng.uniform(*layer.widths) * u)
        away = abs((x + wide / 2) / width - centre)
        tall = (lowest + (highest - lowest) * rng.random() ** 1.7) * (0.42 + 0.58 * np.exp(-((away / 0.24) ** 2)))
        landmark = 1.25 if rng.random() < 0.12 else 1.0
        high = int(min(tall * landmark, 0.74) * height)
        if wide >= 6 and high >= 8:
            tower(rng, picture, (int(x), water), (wide, high), layer.haze, cell, style)
        x += wide * rng.uniform(0.75, 1.25) * layer.gap + rng.uniform(-6, 10) * u


def _traffic(rng: np.random.Generator, picture: Picture, water: int) -> None:
    """Lanes of flying lights with short trails."""
    height, width = picture.shape[:2]
    u = unit(height, width)
    for _ in range(4):
        base, bend, slope = rng.uniform(0.42, 0.82) * water, rng.uniform(-40, 40) * u, rng.uniform(-0.05, 0.05)
        tint = colour(str(rng.choice(["#fff3d6", "#ff5b5b", "#8fe6ff"])))
        for x in np.cumsum(rng.exponential(80, 60) * u + 12 * u):
            if x >= width - 1:
                break
            row = int(base + bend * np.sin(x / width * 3) + slope * (x - width / 2))
            trail = int(rng.uniform(5, 16) * u) + 1
            if 0 < row < water - 2:
                fade = np.linspace(0, 1, trail, dtype=np.float32)[: width - int(x), None]
                picture[row : row + max(1, round(1.3 * u)), int(x) : int(x) + trail] += fade * tint * np.float32(0.8)


def _beams(rng: np.random.Generator, picture: Picture, water: int) -> None:
    """Two or three faint searchlights."""
    height, width = picture.shape[:2]
    light: Grid = np.zeros((height, width), np.float32)
    rows = np.arange(water, dtype=np.float32)[:, None]
    for _ in range(int(rng.integers(2, 4))):
        x, lean = rng.uniform(0.15, 0.85) * width, rng.uniform(-0.45, 0.45)
        rise = (water * 0.62 - rows) / water
        middle = x + lean * rise * water
        spread = (0.004 + 0.05 * rise) * width
        beam = np.exp(-(((np.arange(width)[None, :] - middle) / np.maximum(spread, 1)) ** 2)) * (rise > 0)
        light[:water] += (beam * np.clip(1 - rise * 1.5, 0, 1)).astype(np.float32)
    picture += light[:, :, None] * colour("#9fb4ff") * np.float32(0.1)


def _embankment(rng: np.random.Generator, picture: Picture, water: int, style: Style) -> None:
    """The dark line where the city meets the river, with its lamps."""
    height, width = picture.shape[:2]
    u = unit(height, width)
    band = max(2, round(7 * u))
    picture[water - band : water] = colour(style.wall) * np.float32(0.7)
    if style.lit < 0.1:
        return
    lamps: Picture = np.zeros((height, width, 3), np.float32)
    for x in np.arange(rng.uniform(0, 30), width - 3, 34 * u):
        size = max(1, round(1.8 * u))
        lamps[water - band - size : water - band + size, int(x) : int(x) + 2 * size] = colour("#ffdca0")
    picture += lamps * np.float32(style.lit * 2.4) + blur(lamps, 5 * u) * np.float32(style.lit * 4)
