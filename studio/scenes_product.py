"""A packshot: one object turned on a lathe, in studio light on white, and a view of space."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from studio.scenes_paint import Grid, Picture, add_glow, blur, colour, distance, mix, noise, stars, unit

__all__ = ["Shape", "packshot", "space"]

Shape = Literal["bottle", "jar", "can", "tube"]


class _Part(NamedTuple):
    """A piece of the object between two heights (0 foot, 1 top): its radius at both ends, material and rounding."""

    low: float
    high: float
    foot: float
    top: float
    material: Literal["body", "metal", "label", "dark"]


_SHAPES: dict[Shape, tuple[float, tuple[_Part, ...]]] = {
    "bottle": (
        0.64,
        (
            _Part(0.0, 0.60, 0.205, 0.205, "body"),
            _Part(0.14, 0.46, 0.2055, 0.2055, "label"),
            _Part(0.60, 0.72, 0.205, 0.075, "body"),
            _Part(0.72, 0.77, 0.075, 0.075, "body"),
            _Part(0.76, 0.80, 0.088, 0.088, "metal"),
            _Part(0.80, 1.0, 0.094, 0.092, "dark"),
        ),
    ),
    "jar": (
        0.42,
        (
            _Part(0.0, 0.66, 0.50, 0.50, "body"),
            _Part(0.16, 0.5, 0.501, 0.501, "label"),
            _Part(0.68, 1.0, 0.515, 0.515, "metal"),
        ),
    ),
    "can": (
        0.60,
        (
            _Part(0.0, 0.05, 0.205, 0.235, "metal"),
            _Part(0.05, 0.9, 0.235, 0.235, "body"),
            _Part(0.28, 0.64, 0.2355, 0.2355, "label"),
            _Part(0.9, 0.96, 0.235, 0.2, "body"),
            _Part(0.96, 1.0, 0.206, 0.206, "metal"),
        ),
    ),
    "tube": (
        0.64,
        (
            _Part(0.0, 0.2, 0.125, 0.125, "dark"),
            _Part(0.21, 1.0, 0.155, 0.175, "body"),
            _Part(0.4, 0.78, 0.166, 0.172, "label"),
        ),
    ),
}


def packshot(rng: np.random.Generator, height: int, width: int, shape: Shape, tint: str | None) -> Picture:
    """The product in `tint` (#rrggbb; None picks one) on a seamless light ground, with shadow and reflection."""
    tint = tint or str(rng.choice(["#c4243b", "#1f6f6b", "#2450a8", "#d98a1f", "#6b3fa0", "#1f8a5b"]))
    u = unit(height, width)
    floor = int(height * (0.82 if width >= height else 0.68))
    picture = _studio(height, width, floor)
    tall = int(_SHAPES[shape][0] * min(height, width * 1.15))
    middle = width // 2
    body, cover = _lathe(_SHAPES[shape][1], tall, tint)
    wide = body.shape[1]
    left, top = middle - wide // 2, floor - tall
    foot = _SHAPES[shape][1][0].foot * tall
    _shadow(picture, middle, floor, foot, u)
    depth = min(height - floor, tall)
    fade = (0.30 * np.clip(1 - np.arange(depth) / (0.30 * tall), 0, 1) ** 1.4).astype(np.float32)[:, None]
    flipped = blur(body[::-1][:depth], 1.5 * u)
    area = picture[floor : floor + depth, left : left + wide]
    area[:] = mix(area, flipped, cover[::-1][:depth] * fade)
    area = picture[top:floor, left : left + wide]
    area[:] = mix(area, body, cover)
    return picture


def _studio(height: int, width: int, floor: int) -> Picture:
    """A seamless sweep: white in the middle, soft grey at the edges, the floor a shade lighter than the wall."""
    away = distance(height, width, width * 0.46, height * 0.4) / max(height, width)
    tone = 0.985 - 0.34 * np.clip(away, 0, 1) ** 1.6
    bend = 1 / (1 + np.exp(-(np.arange(height) - floor + height * 0.07) / (height * 0.035)))
    tone = tone + (0.035 * bend - 0.012)[:, None]
    return np.asarray(np.clip(tone, 0, 1)[:, :, None] * np.array([0.985, 0.992, 1.0]), np.float32)


def _shadow(picture: Picture, middle: int, floor: int, foot: float, u: float) -> None:
    """A tight contact shadow and a wide soft one to the right."""
    height, width = picture.shape[:2]
    rows, columns = np.ogrid[:height, :width]
    for shift, wide, flat, depth, soft in (
        (0.0, 1.02, 0.035, 0.55, 3.0),
        (0.22, 1.5, 0.11, 0.26, 16.0),
        (0.5, 2.3, 0.16, 0.12, 40.0),
    ):
        x, y = (columns - middle - shift * foot) / (foot * wide), (rows - floor - 0.02 * foot) / (foot * flat * 2)
        spot = blur(np.asarray(x**2 + y**2 < 1, np.float32), soft * u)
        picture *= (1 - depth * spot)[:, :, None]


def _lathe(parts: tuple[_Part, ...], tall: int, tint: str) -> tuple[Picture, Grid]:
    """The object's colours and coverage, `tall` pixels high."""
    wide = 2 * int(tall * max(max(part.foot, part.top) for part in parts) + 4)
    body: Picture = np.zeros((tall, wide, 3), np.float32)
    cover: Grid = np.zeros((tall, wide), np.float32)
    up = (1 - (np.arange(tall) + 0.5) / tall)[:, None]
    across = np.arange(wide)[None, :] + 0.5 - wide / 2
    for part in parts:
        share = np.clip((up - part.low) / (part.high - part.low), 0, 1)
        ease = share * share * (3 - 2 * share) if part.foot != part.top else share
        round_ = 0.0 if part.material == "label" else min(0.016, (part.high - part.low) * 0.3)
        radius = (part.foot + (part.top - part.foot) * ease) * tall
        corner = np.minimum(np.abs(up - part.low), np.abs(part.high - up)) / max(round_, 1e-6)
        if part.foot == part.top:
            radius = radius - round_ * tall * (1 - np.sqrt(np.clip(1 - (1 - np.clip(corner, 0, 1)) ** 2, 0, 1)))
        inside = (up >= part.low) & (up <= part.high)
        alpha = np.clip(radius - np.abs(across) + 0.5, 0, 1) * inside
        turn = np.clip(across / np.maximum(radius, 1), -1, 1)
        paint = _material(part, turn, share, tint)
        body = mix(body, paint, np.asarray(alpha, np.float32))
        cover = np.maximum(cover, np.asarray(alpha, np.float32))
    return body, cover


def _material(part: _Part, turn: Grid, share: Grid, tint: str) -> Picture:
    """Light on a cylinder: a big soft box on the left, a strip on the right, dark edges; `turn` -1..1 across."""
    base = {"body": colour(tint), "metal": colour("#c9ccd2"), "dark": colour("#1d1f26"), "label": colour("#f7f3ea")}[
        part.material
    ]
    facing = np.sqrt(np.clip(1 - turn**2, 0, 1))
    shade = 0.34 + 0.72 * np.clip(facing * 0.8 - turn * 0.34, 0, 1)
    gloss = {"body": 0.55, "metal": 0.75, "dark": 0.42, "label": 0.07}[part.material]
    fade = np.clip(share * 9, 0, 1) * np.clip((1 - share) * 9, 0, 1)
    box = np.clip((0.13 - np.abs(turn + 0.52)) * 22, 0, 1) * (0.72 + 0.28 * share)
    strip = np.clip((0.03 - np.abs(turn - 0.66)) * 60, 0, 1)
    light = gloss * (box * 0.75 + strip * 0.8) * fade
    if part.material == "metal":
        shade = 0.45 + 0.5 * np.cos(turn * 5.2 + 0.6) ** 2
    paint = base * shade[:, :, None] + light[:, :, None]
    if part.material == "label":
        ink = _print(turn, share)
        paint = mix(np.asarray(paint, np.float32), np.asarray(colour(tint) * 0.75 * shade[:, :, None], np.float32), ink)
    if part.material == "body":
        paint = paint + (np.clip(np.abs(turn) - 0.86, 0, 1) * 1.2)[:, :, None] * np.float32(0.5)
    return np.asarray(np.clip(paint, 0, 1), np.float32)


def _print(turn: Grid, share: Grid) -> Grid:
    """A mark and two lines on the label, wrapped around it: no words, so none can be wrong."""
    angle = np.arcsin(np.clip(turn, -0.999, 0.999))
    up = np.broadcast_to(share, angle.shape)
    ring = np.sqrt((angle / 0.30) ** 2 + ((up - 0.66) / 0.17) ** 2)
    mark = ((ring < 1) & (ring > 0.82)) | (ring < 0.42)
    lines = (np.abs(angle) < 0.62) & (np.abs(up - 0.34) < 0.018) | (np.abs(angle) < 0.38) & (np.abs(up - 0.24) < 0.014)
    edge = (np.abs(up - 0.035) < 0.012) | (np.abs(up - 0.965) < 0.012)
    return blur(np.asarray(mark | lines | edge, np.float32), 0.8)


def space(rng: np.random.Generator, height: int, width: int) -> Picture:
    """A planet with a ring of air before a nebula and stars."""
    u = unit(height, width)
    picture = np.zeros((height, width, 3), np.float32) + colour("#04050d")
    tones = [("#2b4fd8", "#c2367f"), ("#1f7f9f", "#7a3fd0"), ("#b8542f", "#2f4fb0")][int(rng.integers(3))]
    mask = np.clip(noise(rng, height, width, 2.2, 4) + 0.25, 0, 1.3)
    for tone in tones:
        cloud = np.clip(noise(rng, height, width, 2.5, 8) + 0.18, 0, 1.6) ** 1.7 * mask
        picture += cloud[:, :, None] * colour(tone) * np.float32(0.62)
    dust = np.clip(noise(rng, height, width, 5, 7), 0, 1)
    picture *= (1 - 0.55 * dust)[:, :, None]
    stars(rng, picture, 2600, 1.0)
    x, y = float(rng.choice([0.3, 0.68])) * width, height * 0.60
    radius = 290 * u
    add_glow(picture, x, y, 300 * u, tones[0], 0.14)
    _planet(rng, picture, x, y, radius, str(rng.choice(["#d8a26a", "#6fa8d8", "#c9715a", "#8fc7b0"])), tones[0])
    return picture


def _planet(rng: np.random.Generator, picture: Picture, x: float, y: float, radius: float, tint: str, air: str) -> None:
    """A banded sphere lit from the upper left, its air glowing on the lit side."""
    height, width = picture.shape[:2]
    away = distance(height, width, x, y)
    rows, columns = np.ogrid[:height, :width]
    dx, dy = (columns - x) / radius, (rows - y) / radius
    dz = np.sqrt(np.clip(1 - dx**2 - dy**2, 0, 1))
    light = np.clip(-0.62 * dx - 0.45 * dy + 0.62 * dz, 0, 1)
    swirl = noise(rng, height, width, 7, 5, 2.0)
    band = 0.5 + 0.5 * np.sin((dy + 0.35 * dx) * 15 + swirl * 1.6) * 0.6 + 0.16 * noise(rng, height, width, 22, 4, 3.0)
    dark, bright = colour(tint) * np.float32(0.62), np.clip(colour(tint) * 1.25 + 0.1, 0, 1)
    face = dark + (bright - dark) * band[:, :, None]
    disc = np.clip(radius - away + 0.5, 0, 1)
    rim = np.clip(1 - dz, 0, 1) ** 3 * light
    lit = face * (0.02 + 1.05 * light)[:, :, None] + rim[:, :, None] * colour(air) * np.float32(1.6)
    picture[:] = mix(picture, np.asarray(lit, np.float32), disc)
    halo = (
        np.exp(-np.clip(away - radius, 0, None) / (radius * 0.05))
        * (1 - disc)
        * np.clip(-0.62 * dx - 0.45 * dy + 0.3, 0, 1)
    )
    picture += halo[:, :, None].astype(np.float32) * colour(air) * np.float32(0.9)
