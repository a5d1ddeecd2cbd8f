"""One tower at a time: silhouette, two faces, windows, neon, a mast; and the styles of a city's hours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from studio.scenes_paint import Grid, Picture, colour, mix, unit

__all__ = ["STYLES", "Style", "tower"]

_NEON = tuple(map(colour, ("#35e0ff", "#ff3fb4", "#a86bff", "#ff7a3c", "#3cffc4")))


class Style(NamedTuple):
    """Colours of a city at a time of day; `lit` is the share of windows with light."""

    wall: str
    wall_light: str
    haze: str
    windows: tuple[str, ...]
    lit: float
    neon: float
    power: float


STYLES: dict[str, Style] = {
    "future": Style(
        "#07091c",
        "#1d1c4a",
        "#8a2f8f",
        ("#ffd08a", "#ffb45e", "#7fe9ff", "#bff4ff", "#ff7fd0", "#fff2dc"),
        0.46,
        0.75,
        1.45,
    ),
    "night": Style(
        "#080c18", "#1b2440", "#2f4272", ("#ffd591", "#ffc070", "#fff0d2", "#ffe2b0", "#cfe4ff"), 0.42, 0.08, 1.3
    ),
    "sunset": Style("#2a1b33", "#6a3d52", "#f0875a", ("#ffd591", "#ffbf70", "#ffe9c4"), 0.14, 0.0, 0.95),
    "dawn": Style("#4c5470", "#9d98ab", "#f3cdb4", ("#ffe2b0", "#fff3d8"), 0.06, 0.0, 0.9),
    "noon": Style("#2c4a63", "#86a9c4", "#c3dff3", ("#f4fbff", "#cfeaff", "#9fd0f0"), 0.27, 0.0, 1.5),
}


def tower(
    rng: np.random.Generator,
    picture: Picture,
    at: tuple[int, int],
    size: tuple[int, int],
    haze: float,
    cell: tuple[int, int],
    style: Style,
) -> None:
    """A tower with two faces, a silhouette of its own, windows, and at times neon and a mast."""
    (x, foot), (wide, high) = at, size
    u = unit(*picture.shape[:2])
    shape = _silhouette(rng, high, wide)
    face = int(wide * rng.uniform(0.58, 0.76))
    down = np.linspace(0, 1, high, dtype=np.float32)[:, None]
    wall = mix(colour(style.wall), colour(style.wall_light), 0.25 + 0.75 * float(rng.random()))
    walls: Picture = np.empty((high, wide, 3), np.float32)
    walls[:, :face] = wall
    walls[:, face:] = wall * np.float32(0.6)
    walls *= (0.8 + 0.45 * down)[:, :, None]
    glass = style.lit < 0.3
    light = _windows(rng, high, wide, face, cell, style)
    if rng.random() < style.neon * (0.75 if haze < 0.5 else 0.3):
        _neon(rng, walls, shape, face, max(1, round(1.6 * u)), cell)
    walls = mix(walls, np.broadcast_to(colour(style.haze) * np.float32(0.75), walls.shape), haze * (0.42 + 0.5 * down))
    walls += light * np.float32(style.power * (0.35 if glass else 1.0) * (1 - 0.6 * haze))
    _paste(picture, walls, shape, x, foot - high)
    if high > 0.3 * foot and rng.random() < 0.55:
        _mast(rng, picture, x + wide // 2, foot - high, int(rng.uniform(20, 70) * u), haze, style)


def _silhouette(rng: np.random.Generator, high: int, wide: int) -> Grid:
    """Coverage 0-1: a plain block, steps, a slanted or rounded top, or a taper."""
    rows, columns = np.arange(high)[:, None] / high, (np.arange(wide)[None, :] + 0.5) / wide
    side = np.abs(columns - 0.5) * 2
    form = rng.choice(["block", "steps", "slant", "round", "taper"], p=[0.34, 0.28, 0.14, 0.1, 0.14])
    if high < 1.6 * wide:
        form = "block" if high < 0.7 * wide else "steps"  # a low house with a tower's top looks like a tent
    if form == "steps":
        breaks = np.sort(rng.uniform(0.04, 0.42, rng.integers(1, 4)))
        limit = 1 - 0.24 * sum((rows < at).astype(float) for at in breaks)
        return np.asarray(side <= limit, np.float32)
    if form == "slant":
        lean = columns if rng.random() < 0.5 else 1 - columns
        return np.asarray(np.clip((rows - lean * wide / high * 0.7) * high + 0.5, 0, 1), np.float32)
    if form == "round":
        bow = (1 - np.sqrt(np.clip(1 - side**2, 0, 1))) * wide / high * 0.5
        return np.asarray(np.clip((rows - bow) * high + 0.5, 0, 1), np.float32)
    if form == "taper":
        limit = 0.42 + 0.58 * np.clip(rows / 0.55, 0, 1) ** 0.8
        return np.asarray(np.clip((limit - side) * wide / 2 + 0.5, 0, 1), np.float32)
    return np.ones((high, wide), np.float32)


def _windows(rng: np.random.Generator, high: int, wide: int, face: int, cell: tuple[int, int], style: Style) -> Picture:
    """Light of the windows: a grid, bands of whole floors, or vertical strips; the side face is narrower and dimmer."""
    rows, columns = np.arange(high), np.arange(wide)
    floor, office = (
        rows // cell[1],
        np.where(columns < face, columns // cell[0], (columns - face) * 5 // (cell[0] * 3) + 400),
    )
    inner = np.where(columns < face, columns % cell[0], ((columns - face) * 5 // 3) % cell[0])
    floors, offices = int(floor.max()) + 1, 900
    kind = rng.choice(["grid", "bands", "strips"], p=[0.66, 0.2, 0.14])
    share = style.lit * rng.uniform(0.45, 1.5)
    lit = rng.random((floors, offices)) < share
    if kind == "bands":
        lit = np.repeat(rng.random((floors, 1)) < share * 1.2, offices, axis=1) & (rng.random((floors, offices)) < 0.93)
    if kind == "strips":
        lit = np.repeat(rng.random((1, offices)) < share * 1.1, floors, axis=0) & (rng.random((floors, offices)) < 0.9)
    shades = np.stack([colour(code) for code in style.windows])
    mostly = shades[rng.integers(len(shades))]
    tints = np.where(
        rng.random((floors, offices, 1)) < 0.78, mostly, shades[rng.integers(len(shades), size=(floors, offices))]
    )
    power = lit * (0.3 + 0.7 * rng.random((floors, offices)) ** 1.3)
    pane = (inner >= max(1, cell[0] * 0.28))[None, :] & (kind != "bands")
    pane = pane | np.full((1, wide), kind == "bands")
    frame = ((rows % cell[1]) >= max(1, cell[1] * 0.36))[:, None] | np.full((high, 1), kind == "strips")
    light = (power[:, :, None] * tints).astype(np.float32)[floor][:, office]
    light *= (pane & frame)[:, :, None]
    light[:, face:] *= np.float32(0.62)
    return light


def _neon(rng: np.random.Generator, walls: Picture, shape: Grid, face: int, thick: int, cell: tuple[int, int]) -> None:
    """An outline, a crown of light, or a tall sign."""
    tint = _NEON[int(rng.integers(len(_NEON)))] * np.float32(1.25)
    high = len(shape)
    kind = rng.choice(["edge", "crown", "sign", "rings"])
    if kind == "edge":
        walls[:, max(0, face - thick) : face] = tint
        walls[:, :thick] = tint * np.float32(0.8)
    elif kind == "crown":
        for ring in range(3):
            walls[ring * cell[1] : ring * cell[1] + thick] = tint * np.float32(1 - 0.25 * ring)
    elif kind == "rings":
        for row in range(cell[1] * 3, high, max(cell[1] * 6, 24)):
            walls[row : row + thick] = tint * np.float32(0.9)
    else:
        _sign(rng, walls, tint, face, cell)


def _sign(rng: np.random.Generator, walls: Picture, tint: Grid, face: int, cell: tuple[int, int]) -> None:
    """Rows of made-up characters in a lit frame: light, not words in any language."""
    high = walls.shape[0]
    size = int(max(6, face * 0.26))
    left, top = int(face * rng.uniform(0.12, 0.5)), int(high * rng.uniform(0.06, 0.2))
    count = min(int((high * 0.55) // max(size, 1)), int(rng.integers(3, 8)))
    walls[top : top + count * size + 2, left : left + size] = tint * np.float32(0.16)
    for index in range(count):
        glyph = rng.random((5, 5)) < 0.55
        block = np.kron(glyph, np.ones((max(1, size // 6), max(1, size // 6)), bool))
        y, x = top + index * size + size // 10, left + size // 10
        target = walls[y : y + block.shape[0], x : x + block.shape[1]]
        target[block[: target.shape[0], : target.shape[1]]] = tint


def _paste(picture: Picture, walls: Picture, shape: Grid, x: int, y: int) -> None:
    """Lays a tower on the picture, clipped at its edges."""
    high, wide = shape.shape
    left, right = max(0, x), min(picture.shape[1], x + wide)
    top = max(0, y)
    if left >= right or top >= y + high:
        return
    part = slice(top - y, high), slice(left - x, right - x)
    area = picture[top : y + high, left:right]
    area[:] = mix(area, walls[part], shape[part])


def _mast(rng: np.random.Generator, picture: Picture, x: int, top: int, long: int, haze: float, style: Style) -> None:
    thick = max(1, round(1.4 * unit(*picture.shape[:2])))
    x = min(max(x + int(rng.integers(-4, 5)), 0), picture.shape[1] - thick - 1)
    tip = max(0, top - long)
    shade = mix(colour(style.wall), colour(style.haze), haze * 0.7)
    picture[tip : max(top, 0), x : x + thick] = shade
    if style.lit > 0.3:
        picture[tip : tip + 2 * thick, x : x + 2 * thick] = colour("#ff4a4a") * np.float32(1.3)
