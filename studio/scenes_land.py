"""Mountains over a lake or a meadow, and a forest in the mist."""

from __future__ import annotations

import numpy as np

from studio.scenes_ground import Ground, at_places, cast, haze_of, lanes
from studio.scenes_paint import (
    SKIES,
    Grid,
    Picture,
    Time,
    add_glow,
    birds,
    colour,
    mix,
    noise,
    resized,
    ridged,
    sky,
    unit,
)
from studio.scenes_water import mirror

__all__ = ["forest", "mountains"]


def mountains(rng: np.random.Generator, height: int, width: int, time: Time, lake: bool) -> Picture:
    """Folded peaks with snow, over still water or a meadow."""
    shore = int(height * (0.60 if lake else 0.66))
    sun = (float(rng.uniform(0.42, 0.62)), {"noon": 0.12, "night": 0.16}.get(time, 0.455))
    picture = sky(rng, height, width, time, 0.64, sun)
    ground = _alps(rng, time, sun[0])
    _terrain(picture, ground, shore, time, sun[0], 0.56 if time in ("noon", "night") else 0.48)
    if time != "night":
        birds(rng, picture, sun[0] - 0.14, 0.22)
    _shore(rng, picture, shore, time)
    if lake:
        mirror(
            rng, picture, shore, calm=0.86, tint="#0e1226" if time in ("night", "sunset") else "#35506b", strength=0.9
        )
        _bank(rng, picture, time)
    else:
        _meadow(rng, picture, shore, time)
    return picture


def _alps(rng: np.random.Generator, time: Time, sun: float) -> Ground:
    """Rock, snow on what is high and not too steep, woods at the feet; lit from the sun's side."""
    size = 1024
    heights = ridged(rng, size, 4)
    steep_x = (np.roll(heights, -1, 1) - np.roll(heights, 1, 1)) * size / 2
    steep_z = (np.roll(heights, -1, 0) - np.roll(heights, 1, 0)) * size / 2
    slope = np.sqrt(steep_x**2 + steep_z**2) * 0.3
    side = 0.85 if sun > 0.5 else -0.85
    light = np.clip((-steep_x * 0.3 * side + steep_z * 0.16 + 0.75) / np.sqrt(1 + slope**2), 0.06, 1.5)
    patch = noise(rng, size, size, 24, 5)
    snow = np.clip((heights + 0.09 * patch - 0.46 - 0.035 * slope) * 9, 0, 1)
    woods = np.clip((0.30 + 0.06 * patch - heights) * 12, 0, 1)
    rock, wood, white = {
        "sunset": ("#6d4a55", "#2b2433", "#f3c3b0"),
        "dawn": ("#6f6a78", "#3c4a45", "#fff0e6"),
        "noon": ("#77787c", "#31502f", "#ffffff"),
        "night": ("#3a4a75", "#141d33", "#a9bbe6"),
    }[time]
    shade = mix(np.broadcast_to(colour(rock), (size, size, 3)), np.broadcast_to(colour(wood), (size, size, 3)), woods)
    shade = mix(shade * (1 + 0.22 * patch)[:, :, None], np.broadcast_to(colour(white), (size, size, 3)), snow)
    return Ground(heights, np.asarray(shade * light[:, :, None], np.float32))


def _terrain(picture: Picture, ground: Ground, shore: int, time: Time, sun: float, peak: float) -> None:
    """Peaks above row `shore` with a valley under the sun; `peak` is the share of the height for the highest summit."""
    height, width = picture.shape[:2]
    depth, across = lanes(width, 1.0, 6.0, sun)
    x, z = across * depth * 0.42 + 0.31, depth * 0.17 + 0 * across
    open_ = 1 - 0.72 * np.exp(-((across / 0.15) ** 2))
    rise = np.clip((depth - 1.0) / 2.8, 0, 1) ** 0.8
    tall = (0.16 + 0.84 * rise) * at_places(ground.heights, z, x) * open_ * np.clip((depth - 1) * 5, 0, 1)
    seen = np.asarray(tall * (peak * height * 4.3) / (depth + 1.6), np.float32)
    cast(picture, ground, (x, z), seen, (shore, shore), time, sun)


def _shore(rng: np.random.Generator, picture: Picture, shore: int, time: Time) -> None:
    """A dark line of firs along the far bank."""
    height, width = picture.shape[:2]
    u = unit(height, width)
    line: Grid = np.zeros(width, np.float32)
    swell = 0.45 + 0.75 * np.clip(resized(rng.standard_normal((1, 12)).astype(np.float32), 1, width)[0] + 0.4, 0, 1.4)
    columns = np.arange(width)
    for x in np.cumsum(rng.uniform(2.5, 9, int(width / 5.5 / u)) * u):
        if x >= width:
            break
        tall = rng.uniform(8, 30) * u * swell[int(x)]
        reach = slice(max(0, int(x - tall)), min(width, int(x + tall) + 1))
        away = np.abs(columns[reach] - x)
        line[reach] = np.maximum(line[reach], tall - away * (2.6 + 1.2 * ((away / (2.2 * u)).astype(int) % 2)))
    rows = np.arange(height)[:, None]
    wood = np.clip(line[None, :] + 2 * u - (shore - rows), 0, 1) * (rows < shore)
    tint = {"sunset": "#1b1422", "dawn": "#39424a", "noon": "#1e3524", "night": "#060a16"}[time]
    picture[:] = mix(picture, np.broadcast_to(colour(tint), picture.shape), np.asarray(wood, np.float32))


def _bank(rng: np.random.Generator, picture: Picture, time: Time) -> None:
    """Our own side of the lake in the corners, with reeds."""
    height, width = picture.shape[:2]
    u = unit(height, width)
    x = np.arange(width) / width
    hollow = (
        0.10 * np.abs(x - 0.5 + rng.uniform(-0.1, 0.1)) ** 2 * 4.2
        + 0.006 * resized(rng.standard_normal((1, 14)).astype(np.float32), 1, width)[0]
    )
    top = height * (1 - hollow)
    rows = np.arange(height)[:, None]
    ground: Grid = np.clip(rows - top[None, :], 0, 1).astype(np.float32)
    for _ in range(260):
        column = float(rng.beta(0.45, 0.45)) * width
        tall, lean = rng.uniform(18, 64) * u, rng.normal(0, 9 * u)
        t = np.linspace(0, 1, max(8, int(tall)))
        xs = (column + lean * t**2).astype(int)
        foot = height - hollow[min(width - 1, int(column))] * height
        ys = (foot + 4 * u - t * tall).astype(int)
        ok = (xs >= 0) & (xs < width - 2) & (ys >= 0) & (ys < height)
        for thick in range(2 if u > 0.7 else 1):
            ground[ys[ok], xs[ok] + thick] = np.maximum(ground[ys[ok], xs[ok] + thick], 0.9)
    tint = {"sunset": "#120b14", "dawn": "#2a3236", "noon": "#16281a", "night": "#04060c"}[time]
    picture[:] = mix(picture, np.broadcast_to(colour(tint), picture.shape), ground)


def _meadow(rng: np.random.Generator, picture: Picture, shore: int, time: Time) -> None:
    """Grass in perspective under the peaks."""
    height, width = picture.shape[:2]
    rows = height - shore
    near = (np.arange(rows) / rows)[:, None].astype(np.float32)
    far, close = {
        "sunset": ("#6b4a3c", "#1f1a1e"),
        "dawn": ("#8d9a6e", "#2f4a35"),
        "noon": ("#8fb35a", "#2f6b2c"),
        "night": ("#16264a", "#060b16"),
    }[time]
    tuft = np.concatenate(
        [noise(rng, rows, width, 40, 4, 3.5) * (1 - near), noise(rng, rows, width, 160, 3, 0.5) * near]
    )
    mottled = tuft[:rows] + tuft[rows:]
    base = mix(
        np.broadcast_to(colour(far), (rows, width, 3)),
        np.broadcast_to(colour(close), (rows, width, 3)),
        near * np.ones((1, width), np.float32),
    )
    picture[shore:] = base * (1 + 0.22 * mottled)[:, :, None]


def forest(rng: np.random.Generator, height: int, width: int, time: Time) -> Picture:
    """Firs in layers of mist with the light behind them."""
    u = unit(height, width)
    sun = (float(rng.uniform(0.4, 0.62)), 0.34 if time != "noon" else 0.2)
    picture = sky(rng, height, width, time, 0.8, sun)
    haze = haze_of(time, width, sun[0])
    dark = colour({"sunset": "#1a1020", "dawn": "#1d2a2c", "noon": "#12281a", "night": "#03060e"}[time])
    for index in range(6):
        near = index / 5
        shade = haze * np.float32((1 - near) ** 1.3) + dark * np.float32(1 - (1 - near) ** 1.3)
        _firs(rng, picture, near, shade, u)
        mist = np.clip((np.arange(height)[:, None] / height - 0.52 - 0.1 * near) * 2.2, 0, 1) * (0.55 - 0.45 * near)
        drift = np.clip(0.75 + 0.5 * noise(rng, height, width, 4, 4, 3), 0, 1.2)
        picture[:] = mix(
            picture, np.broadcast_to(haze[None, :, :], picture.shape), np.asarray(mist * drift, np.float32)
        )
        if index == 2:
            add_glow(picture, sun[0] * width, sun[1] * height, 200 * u, SKIES[time].glow, 0.12)
    return picture


def _firs(rng: np.random.Generator, picture: Picture, near: float, shade: Grid, u: float) -> None:
    """One row of trees over its own ground line."""
    height, width = picture.shape[:2]
    ground = height * (0.60 + 0.36 * near + 0.02 * resized(rng.standard_normal((1, 6)).astype(np.float32), 1, width)[0])
    cover: Grid = (np.arange(height)[:, None] > ground[None, :]).astype(np.float32)
    x = -40 * u
    while x < width + 40 * u:
        tall = (70 + 500 * near**1.6) * rng.uniform(0.55, 1.15) * u
        _fir(rng, cover, x, float(ground[int(np.clip(x, 0, width - 1))]) + 6 * u, tall)
        x += tall * rng.uniform(0.10, 0.34) * (1 + 1.6 * (near > 0.75))
    picture[:] = mix(picture, np.broadcast_to(shade[None, :, :], picture.shape), cover)


def _fir(rng: np.random.Generator, cover: Grid, x: float, foot: float, tall: float) -> None:
    """A silhouette whose branches hang in tiers, ragged at the ends."""
    height, width = cover.shape
    top = int(foot - tall)
    rows = np.arange(max(0, top), min(height, int(foot)))
    if not len(rows):
        return
    down = (rows - top) / tall
    tiers = int(9 + tall / 40)
    tooth = (down * tiers * (0.75 + 0.5 * down)) % 1
    reach = tall * 0.19 * down**0.85 * (0.5 + 0.5 * tooth) * (0.8 + 0.4 * rng.random(len(rows)))
    reach = np.where(down > 0.94, tall * 0.014, np.maximum(reach, tall * 0.004))
    left, right = max(0, int(x - tall * 0.25)), min(width, int(x + tall * 0.25) + 1)
    if left >= right:
        return
    away = np.abs(np.arange(left, right)[None, :] - x - tall * 0.006 * rng.standard_normal((len(rows), 1)))
    area = cover[rows[0] : rows[-1] + 1, left:right]
    np.maximum(area, np.clip(reach[:, None] - away + 0.5, 0, 1), out=area)
