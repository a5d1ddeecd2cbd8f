"""Water: mirrors what stands above it, and the open sea under a low sun."""

from __future__ import annotations

import numpy as np

from studio.scenes_paint import SKIES, Grid, Picture, Time, birds, blur, colour, mix, noise, sky, unit

__all__ = ["mirror", "ocean"]


def ripples(rng: np.random.Generator, rows: int, width: int, scale: float) -> Grid:
    """Waves in perspective: fine and flat at the horizon (row 0), broad in front; about -1..1."""
    size = 512
    base = noise(rng, size, size, 20, 4)
    fold = np.linspace(
        0, 1, 64, dtype=np.float32
    )  # the sheet's edges are made to meet, or the repeat would show as lines
    base[:, :64] = base[:, :64] * fold + base[:, -64:][:, ::-1] * (1 - fold)
    depth = 1 / (np.arange(rows, dtype=np.float32) / rows + 0.035)
    across = (np.arange(width, dtype=np.float32)[None, :] - width / 2) * depth[:, None] * (0.16 * scale)
    away = np.broadcast_to(depth[:, None] * (190 * scale), across.shape)
    first = _sample(base, away * 1.0, across)
    second = _sample(base, away * 2.3 + 57, across * 2.1 + 130)
    return np.asarray(first * 0.65 + second * 0.45, np.float32)


def _sample(sheet: Grid, row: Grid, column: Grid) -> Grid:
    """The sheet at float places, repeating, between its four neighbours."""
    size = sheet.shape[0]
    y, x = np.floor(row).astype(np.int32), np.floor(column).astype(np.int32)
    fy, fx = row - y, column - x
    y0, x0, y1, x1 = y % size, x % size, (y + 1) % size, (x + 1) % size
    top = sheet[y0, x0] * (1 - fx) + sheet[y0, x1] * fx
    low = sheet[y1, x0] * (1 - fx) + sheet[y1, x1] * fx
    return np.asarray(top * (1 - fy) + low * fy, np.float32)


def mirror(
    rng: np.random.Generator,
    picture: Picture,
    water: int,
    calm: float = 0.8,
    tint: str = "#101830",
    strength: float = 0.85,
) -> None:
    """Fills everything under row `water` with a rippled reflection of what is above it; `calm` 0-1."""
    height, width = picture.shape[:2]
    u = unit(height, width)
    rows = height - water
    if rows < 2:
        return
    near = (np.arange(rows, dtype=np.float32) / rows)[:, None]
    wave = ripples(rng, rows, width, 1 / u)
    above = picture[:water]
    tall = _smeared(above, rows)
    rough = (1 - calm) * 46 * u
    source = water - 1 - np.arange(rows)[:, None] * 1.12 + wave * (0.25 + near) * rough * 1.6
    column = np.arange(width)[None, :] + wave * (0.12 + near) * rough * 0.55
    y = np.clip(source, 0, water - 1).astype(np.int32)
    x = np.clip(column, 0, width - 1).astype(np.int32)
    sharp = above[y, x]
    soft = tall[np.clip(water - 1 - y, 0, rows - 1), x]
    seen = mix(sharp, soft, np.asarray(0.2 + 0.4 * near, np.float32) * np.ones((1, width), np.float32))
    seen += np.clip(soft - 0.25, 0, 1) * np.float32(0.6)  # lights reach further on water than walls do
    fall = strength * (1 - 0.42 * near)
    picture[water:] = mix(np.broadcast_to(colour(tint), seen.shape), seen, fall * np.ones((1, width), np.float32))
    picture[water:] += (np.clip(wave, 0, 2) * 0.05 * (1 - near))[:, :, None] * blur(seen, 30 * u)


def _smeared(above: Picture, rows: int) -> Picture:
    """The reflection drawn out downwards, as lights are on moving water; row 0 is the waterline."""
    part = above[::-1][: min(len(above), int(rows * 1.3) + 2)]
    total = np.cumsum(np.pad(part, ((1, 0), (0, 0), (0, 0))), axis=0, dtype=np.float32)
    reach = max(2, rows // 7)
    index = np.arange(len(part))
    low, high = np.maximum(index - reach, 0), np.minimum(index + reach // 3, len(part) - 1)
    smear = (total[high + 1] - total[low]) / (high + 1 - low)[:, None, None]
    if len(smear) < rows:
        smear = np.concatenate([smear, np.repeat(smear[-1:], rows - len(smear), axis=0)])
    return np.asarray(smear[:rows], np.float32)


def ocean(rng: np.random.Generator, height: int, width: int, time: Time) -> Picture:
    """Open water to the horizon, with a path of light under the sun or moon."""
    u = unit(height, width)
    horizon = int(height * 0.56)
    sun = (float(rng.uniform(0.36, 0.64)), {"noon": 0.12, "night": 0.22}.get(time, 0.43))
    picture = sky(rng, height, width, time, 0.57, sun)
    if time != "night":
        birds(rng, picture, sun[0] + 0.16, 0.24)
    rows = height - horizon
    near = (np.arange(rows, dtype=np.float32) / rows)[:, None]
    wave = ripples(rng, rows, width, 1.25 / u)
    slope = wave - np.roll(wave, max(1, round(3 * u)), axis=0)
    sheen = _sea_colour(picture, horizon, time, wave, near)
    glitter = _glitter(rng, rows, width, sun[0], wave, near, u)
    sheen += glitter[:, :, None] * colour(SKIES[time].glow) * np.float32(1.15 if time != "noon" else 0.35)
    shade = np.clip(1 + slope * (0.25 + 0.75 * near) * 0.9, 0.55, 1.5)
    picture[horizon:] = sheen * shade[:, :, None]
    edge = np.exp(-(((np.arange(height) - horizon) / (5 * u)) ** 2)).astype(np.float32) * 0.5
    picture[:] = mix(picture, blur(picture, 4 * u), edge[:, None] * np.ones((1, width), np.float32))
    return picture


def _sea_colour(picture: Picture, horizon: int, time: Time, wave: Grid, near: Grid) -> Picture:
    """The sky's colours upside down, deeper towards us where the eye looks into the water."""
    rows, width = wave.shape
    deep = {"sunset": "#2a1a3f", "dawn": "#41607f", "noon": "#0d4f86", "night": "#050a1c"}[time]
    source = horizon - 2 - near * horizon * 0.75 + wave * near * horizon * 0.16
    y = np.clip(source, 0, horizon - 1).astype(np.int32)
    column = picture[:horizon].mean(axis=1)  # without the sun's own disc: its path is painted separately
    seen = column[y[:, :]]
    depth = np.clip(0.22 + 0.62 * near - wave * 0.22, 0.05, 0.95) * np.ones((1, width), np.float32)
    return mix(seen, np.broadcast_to(colour(deep), seen.shape), depth.astype(np.float32))


def _glitter(rng: np.random.Generator, rows: int, width: int, sun: float, wave: Grid, near: Grid, u: float) -> Grid:
    """The broken path of light: narrow and solid far away, wide and sparse in front."""
    away = np.abs(np.arange(width)[None, :] - sun * width)
    spread = (34 + 190 * near) * u
    path = np.exp(-((away / spread) ** 2))
    facets = np.clip(wave * 1.25 + 0.32 - 0.62 * near, 0, 1) ** 1.6
    solid = np.exp(-near * 9)
    sparkle = np.clip(noise(rng, rows, width, width / (5 * u), 1, 0.35), 0.4, 3) - 0.4
    light = path * (solid * 0.9 + facets * (1.1 - 0.5 * near)) + path**2 * sparkle * facets * 1.2
    return np.asarray(light, np.float32)
