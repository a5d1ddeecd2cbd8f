"""The painter's tools: noise, gradients, glows, skies and the finish, on float pictures (height, width, 3) in 0-1."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = [
    "SKIES",
    "Grid",
    "Look",
    "Picture",
    "Time",
    "add_glow",
    "birds",
    "blur",
    "clouds",
    "colour",
    "distance",
    "finish",
    "gradient",
    "mix",
    "noise",
    "resized",
    "ridged",
    "sky",
    "stars",
    "unit",
]

Picture = NDArray[np.floating[Any]]
Grid = NDArray[np.floating[Any]]
Time = Literal["sunset", "dawn", "noon", "night"]


class Look(NamedTuple):
    """How a time of day looks. `stops` go from the zenith (0) to the horizon (1)."""

    stops: tuple[tuple[float, str], ...]
    sun: str
    glow: str
    glow_strength: float
    cloud_light: str
    cloud_dark: str
    light: float


SKIES: dict[Time, Look] = {
    "sunset": Look(
        ((0, "#1d1646"), (0.3, "#4d2670"), (0.55, "#a8397c"), (0.76, "#ee6a55"), (0.9, "#ffa552"), (1, "#ffd98a")),
        "#fff3c9", "#ffb45e", 0.85, "#ff9a6b", "#5b2a63", 0.95,
    ),
    "dawn": Look(
        ((0, "#32538f"), (0.4, "#7f93c4"), (0.68, "#d9a9b4"), (0.86, "#f8c9a6"), (1, "#ffe9c4")),
        "#fffbe6", "#ffdba3", 0.45, "#ffe3cf", "#8d86a8", 1.0,
    ),
    "noon": Look(
        ((0, "#1559b8"), (0.45, "#3f8fe0"), (0.8, "#93c8f2"), (1, "#dff0fb")),
        "#ffffff", "#ffffff", 0.45, "#ffffff", "#9fb6cf", 1.05,
    ),
    "night": Look(
        ((0, "#03050f"), (0.45, "#0a1433"), (0.8, "#15275a"), (1, "#2b457f")),
        "#f3f6ff", "#8fb0ff", 0.4, "#33457a", "#070c20", 0.45,
    ),
}  # fmt: skip


def colour(code: str) -> Grid:
    """#rrggbb as three floats."""
    return np.array([int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)], np.float32)


def unit(height: int, width: int) -> float:
    """The length that is one pixel in a 1920x1080 picture."""
    return float(np.sqrt(height * width) / 1440)


def resized(grid: Grid, height: int, width: int) -> Grid:
    """A grid smoothly scaled."""
    return np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC), np.float32)


def noise(
    rng: np.random.Generator, height: int, width: int, cells: float, octaves: int = 5, stretch: float = 1.0
) -> Grid:
    """Cloud-like noise around 0, about -1..1; `cells` blobs across the width, each `stretch` times wider than high."""
    total: Grid = np.zeros((height, width), np.float32)
    weight = 0.0
    for octave in range(octaves):
        wide = max(2, round(cells * 2**octave))
        high = max(2, round(cells * 2**octave * stretch * height / width))
        if wide > width or high > height * 2:
            break
        total += resized(rng.standard_normal((high, wide)).astype(np.float32), height, width) * 0.5**octave
        weight += 0.25**octave
    return np.asarray(total / (1.6 * np.sqrt(max(weight, 0.1))), np.float32)


def ridged(rng: np.random.Generator, size: int, cells: int, octaves: int = 7) -> Grid:
    """A square height map, 0-1, with sharp ridges between valleys, like folded mountains; its edges meet."""
    total: Grid = np.zeros((size, size), np.float32)
    weight: Grid = np.ones((size, size), np.float32)
    for octave in range(octaves):
        count = cells * 2**octave
        base = np.pad(rng.standard_normal((count, count)).astype(np.float32), 4, mode="wrap")
        step = size // count
        layer = resized(base, (count + 8) * step, (count + 8) * step)[
            4 * step : 4 * step + size, 4 * step : 4 * step + size
        ]
        fold = (1 - np.minimum(1, np.abs(layer) * 0.8)) ** 1.5 * weight
        weight = np.clip(fold * 1.6, 0.25, 1)
        total += fold * 0.47**octave
    return np.asarray((total - total.min()) / (total.max() - total.min()), np.float32)


def mix(a: Picture, b: Picture, share: Grid | float) -> Picture:
    """a where share is 0, b where it is 1; a share per pixel is spread over the colours."""
    if isinstance(share, np.ndarray) and share.ndim == 2:
        share = share[:, :, None]
    return np.asarray(a + (b - a) * share, np.float32)


def gradient(height: int, width: int, stops: tuple[tuple[float, str], ...], end: float = 1.0) -> Picture:
    """Colours from top to bottom; the last stop is reached at `end` of the height."""
    at = np.linspace(0, 1 / max(end, 1e-3), height)
    places = [place for place, _ in stops]
    shades = np.stack([colour(code) for _, code in stops])
    rows = np.stack([np.interp(at, places, shades[:, channel]) for channel in range(3)], axis=1)
    return np.repeat(rows[:, None, :].astype(np.float32), width, axis=1)


def blur(picture: Grid, radius: float) -> Grid:
    """Gaussian blur of a grid or picture; wide ones are worked out small."""
    if radius < 0.3:
        return picture
    shrink = max(1, int(radius / 3))
    height, width = picture.shape[:2]
    small = (max(2, height // shrink), max(2, width // shrink))
    layers = [picture] if picture.ndim == 2 else [picture[:, :, i] for i in range(picture.shape[2])]
    done = []
    for layer in layers:
        tiny = Image.fromarray(np.ascontiguousarray(layer)).resize(small[::-1], Image.Resampling.BOX)
        soft = _gauss(np.asarray(tiny, np.float32), radius / shrink)
        done.append(resized(soft, height, width) if shrink > 1 else soft)
    return done[0] if picture.ndim == 2 else np.stack(done, axis=2)


def _gauss(grid: Grid, radius: float) -> Grid:
    """Pillow blurs bytes only, too coarse for a sky: a separable kernel of our own."""
    reach = max(1, int(radius * 2.6))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2).astype(np.float32)
    kernel /= kernel.sum()
    for axis in (0, 1):
        padded = np.pad(grid, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        length = grid.shape[axis]
        parts = (
            np.take(padded, range(i, i + length), axis=axis) if axis else padded[i : i + length]
            for i in range(len(kernel))
        )
        grid = np.asarray(sum(part * share for part, share in zip(parts, kernel, strict=True)), np.float32)
    return grid


def distance(height: int, width: int, x: float, y: float) -> Grid:
    """Distance of every pixel from (x, y), in pixels."""
    rows, columns = np.ogrid[:height, :width]
    return np.sqrt((columns - x) ** 2 + (rows - y) ** 2).astype(np.float32)


def add_glow(picture: Picture, x: float, y: float, radius: float, code: str, strength: float) -> None:
    """Light that fades with the distance from (x, y)."""
    away = distance(picture.shape[0], picture.shape[1], x, y) / radius
    picture += (np.exp(-away) * strength)[:, :, None] * colour(code)


def sky(
    rng: np.random.Generator, height: int, width: int, time: Time, horizon: float, sun: tuple[float, float]
) -> Picture:
    """Gradient, glow, sun or moon at `sun` (shares of width and height), clouds, and stars at night."""
    look = SKIES[time]
    u = unit(height, width)
    picture = gradient(height, width, look.stops, horizon)
    x, y = sun[0] * width, sun[1] * height
    if time == "night":
        stars(rng, picture, 900, horizon)
    add_glow(picture, x, y, 330 * u, look.glow, look.glow_strength * 0.55)
    clouds(rng, picture, time, horizon, sun)
    add_glow(picture, x, y, 90 * u, look.glow, look.glow_strength)
    if time != "noon":
        radius = (46 if time == "night" else 38) * u
        disc = np.clip((radius - distance(height, width, x, y)) / (1.5 * u) + 0.5, 0, 1)
        face = colour(look.sun) * np.float32(1.15)
        if time == "night":
            spots = 1 - 0.16 * np.clip(noise(rng, height, width, 60, 3), 0, 1)
            picture[:] = mix(picture, face * spots[:, :, None], disc)
        else:
            picture[:] = mix(picture, np.broadcast_to(face, picture.shape), disc)
    return picture


def clouds(rng: np.random.Generator, picture: Picture, time: Time, horizon: float, sun: tuple[float, float]) -> None:
    """Streaks that flatten towards the horizon, lit from the sun's side."""
    height, width = picture.shape[:2]
    look = SKIES[time]
    high = max(8, int(height * horizon))
    field = noise(rng, high * 2, width, 3.0, 7, 2.6)
    near = np.linspace(0, 1, high) ** 1.7  # rows of the field crowd together towards the horizon
    rows = (near * (high * 2 - 1)).astype(int)
    density = field[rows]
    lit = density - field[np.minimum(rows + 14, high * 2 - 1)]
    cover = np.clip((density - 0.12) * 1.5, 0, 1) ** 1.2
    cover *= np.clip(np.linspace(1.25, 0.1, high), 0, 1)[:, None] * (0.55 if time == "night" else 0.85)
    close = np.exp(-distance(high, width, sun[0] * width, sun[1] * height) / (0.42 * width))
    warmth = np.clip(0.28 + 0.5 * close + lit * 0.9, 0, 1)
    shade = mix(
        np.broadcast_to(colour(look.cloud_dark), (high, width, 3)),
        np.broadcast_to(colour(look.cloud_light), (high, width, 3)),
        warmth,
    )
    picture[:high] = mix(picture[:high], shade, cover.astype(np.float32))


def stars(rng: np.random.Generator, picture: Picture, count: int, horizon: float) -> None:
    """Points of many brightnesses, fewer towards the horizon."""
    height, width = picture.shape[:2]
    u = unit(height, width)
    rows = (rng.random(count) ** 1.3 * height * horizon * 0.97).astype(int)
    columns = rng.integers(0, width, count)
    power = (rng.random(count) ** 6 * 1.1 + 0.12).astype(np.float32)
    tint = np.stack([0.85 + 0.15 * rng.random(count), np.full(count, 0.92), 0.85 + 0.15 * rng.random(count)], axis=1)
    layer: Picture = np.zeros_like(picture)
    np.maximum.at(layer, (rows, columns), (power[:, None] * tint).astype(np.float32))
    picture += layer + blur(layer, 1.1 * u) * 3.0


def birds(rng: np.random.Generator, picture: Picture, x: float, y: float, count: int = 7) -> None:
    """A small flock around (x, y), shares of the picture."""
    height, width = picture.shape[:2]
    u = unit(height, width)
    for _ in range(count):
        middle_x, middle_y = x * width + rng.normal(0, 70 * u), y * height + rng.normal(0, 22 * u)
        span = rng.uniform(7, 14) * u
        t = np.linspace(-1, 1, int(8 * span) + 8)
        columns = (middle_x + t * span).astype(int)
        rows = (middle_y - np.abs(np.sin(np.abs(t) * 2.3)) * span * 0.33).astype(int)
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height - 1)
        for shift in (0, 1):
            picture[rows[inside] + shift, columns[inside]] *= np.float32(0.35)


def finish(rng: np.random.Generator, picture: Picture, bloom: float = 0.35, vignette: float = 0.3) -> Image.Image:
    """Bloom, a film-like curve, darker corners, and grain that hides banding."""
    height, width = picture.shape[:2]
    u = unit(height, width)
    bright = np.clip(picture - 0.62, 0, 1.2)
    light = blur(bright, 9 * u) * 0.7 + blur(bright, 46 * u) * 0.6
    picture = 1 - (1 - np.clip(picture, 0, 1)) * (1 - np.clip(light * bloom * 2, 0, 1))
    rows, columns = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    picture *= (1 - vignette * np.clip((rows**2 + columns**2) / 2, 0, 1) ** 1.4)[:, :, None].astype(np.float32)
    picture += 0.09 * (picture * (1 - picture) * (2 * picture - 1)) * 2
    grain = rng.standard_normal((height, width), dtype=np.float32) * np.float32(0.0085)
    picture += grain[:, :, None] + (rng.random((height, width, 1), dtype=np.float32) - 0.5) / 255
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
