"""Pictures from a prompt, drawn by rules and no image model: the same prompt and seed give the same picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, PngImagePlugin

from studio.scenes_card import card, lettered
from studio.scenes_city import city
from studio.scenes_ground import desert
from studio.scenes_land import forest, mountains
from studio.scenes_paint import Picture, finish
from studio.scenes_product import packshot, space
from studio.scenes_water import ocean
from studio.scenes_words import Wish, headline, wish

__all__ = ["NOTE", "Drawn", "draw"]

NOTE = "sketch drawn locally; no image model"


class Drawn(NamedTuple):
    """A finished picture: a scene, labelled by its place, or a card, labelled by its words."""

    image: Image.Image
    kind: Literal["scene", "card"]
    label: str

    def save(self, out: Path) -> None:
        """A PNG that says how it was made."""
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", NOTE)
        info.add_text("Software", "reelchat studio")
        self.image.save(out, "PNG", pnginfo=info, compress_level=2)


def draw(
    prompt: str, seed: int | None, width: int, height: int, step: Callable[[float, str], None] = lambda *_: None
) -> Drawn:
    """Draws `prompt` at `width` x `height`; `seed` varies it, None means the prompt's own."""
    key = f"{' '.join(prompt.casefold().split())}\n{'' if seed is None else seed}"
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode("utf-8", "replace")).digest()[:8], "big"))
    step(0.05, "draw")
    wanted = wish(prompt)
    if wanted is None:
        words = headline(prompt)
        ground, accent, ink = card(rng, height, width)
        step(0.6, "draw")
        return Drawn(lettered(finish(rng, ground, 0.1, 0.25), words, accent, ink), "card", words)
    picture = _paint(rng, height, width, wanted)
    step(0.7, "draw")
    is_product = wanted.place == "product"
    image = finish(rng, picture, 0.0 if is_product else 0.35, 0.1 if is_product else 0.3)
    return Drawn(image, "scene", wanted.place)


def _paint(rng: np.random.Generator, height: int, width: int, wanted: Wish) -> Picture:
    painters: dict[str, Callable[[], Picture]] = {
        "city": lambda: city(rng, height, width, wanted.time, wanted.future),
        "lake": lambda: mountains(rng, height, width, wanted.time, lake=True),
        "mountains": lambda: mountains(rng, height, width, wanted.time, lake=False),
        "ocean": lambda: ocean(rng, height, width, wanted.time),
        "desert": lambda: desert(rng, height, width, wanted.time),
        "forest": lambda: forest(rng, height, width, wanted.time),
        "space": lambda: space(rng, height, width),
        "product": lambda: packshot(rng, height, width, wanted.shape, wanted.tint),
    }
    return painters[wanted.place]()
