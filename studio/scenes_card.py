"""A typographic card: the prompt's own words, well set, where a drawing would have to guess."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from studio.scenes_paint import Picture, blur, colour, noise, unit
from studio.text import clean, fit

__all__ = ["card", "lettered"]

_PALETTES = (  # ground from, ground to, light, ink
    ("#141b3c", "#3c1f5c", "#ff7a8a", "#fff6ee"),
    ("#0e2f3a", "#14595c", "#ffd27a", "#fdf8ec"),
    ("#3a1530", "#7a2a3c", "#ffb36b", "#fff4ea"),
    ("#10243f", "#1f5f8f", "#8fe3ff", "#f4fbff"),
    ("#1f2a1c", "#4a6b3a", "#f2e08a", "#fbfbf0"),
    ("#262432", "#4d4a63", "#e9a6c8", "#faf6fb"),
)


def card(rng: np.random.Generator, height: int, width: int) -> tuple[Picture, str, str]:
    """A quiet ground of two colours with a light drifting over it; with the accent and ink colours for the words."""
    low, high, accent, ink = _PALETTES[int(rng.integers(len(_PALETTES)))]
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    slope = np.clip(rows * 0.6 + columns * 0.5 + 0.14 * noise(rng, height, width, 1.6, 3), 0, 1)[:, :, None]
    picture = np.asarray(colour(low) * (1 - slope) + colour(high) * slope, np.float32)
    x, y = float(rng.uniform(0.55, 0.9)), float(rng.uniform(0.1, 0.4))
    light = np.exp(-(((columns - x) / 0.42) ** 2 + ((rows - y) / 0.55) ** 2))
    picture += light[:, :, None] * colour(accent) * np.float32(0.34)
    u = unit(height, width)
    for _ in range(3):  # large thin rings, cut by the edge
        radius = rng.uniform(0.28, 0.75) * min(height, width)
        away = np.hypot((columns - rng.uniform(0.1, 1)) * width, (rows - rng.uniform(0, 1)) * height)
        ring = np.exp(-(((away - radius) / (1.4 * u)) ** 2)) * 0.16 + np.clip((radius - away) / (2 * u), 0, 1) * 0.025
        picture += blur(ring.astype(np.float32), 0.6)[:, :, None] * colour(accent)
    return picture, accent, ink


def lettered(image: Image.Image, words: str, accent: str, ink: str) -> Image.Image:
    """Sets the words on the card: left-aligned, over a short rule."""
    width, height = image.size
    u = unit(height, width)
    words = clean(words) or "…"
    margin = round(width * 0.11)
    lines, face = fit(words, round(132 * u), width - 2 * margin, height * 0.56, 650)
    step = face.size * 1.26
    block = step * len(lines)
    top = (height - block) / 2 - 8 * u
    draw = ImageDraw.Draw(image)
    rule = max(2, round(5 * u))
    draw.rectangle((margin, top - 46 * u, margin + 96 * u, top - 46 * u + rule), fill=accent)
    for index, line in enumerate(lines):
        draw.text((margin, top + step * (index + 0.5)), line, fill=ink, font=face, anchor="lm")
    return image
