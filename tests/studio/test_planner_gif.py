"""A gif of a tall film is as small as one of a wide film."""

from __future__ import annotations

from pathlib import Path

import media_files as make
from PIL import Image

from studio.film import read
from studio.render import render


def test_the_longer_side_of_a_gif_is_480_at_ten_pictures_a_second(tmp_path: Path) -> None:
    library = {"a": {"path": str(make.picture(tmp_path / "a.png", "#c03020")), "kind": "image"}}
    draft = make.draft((0, [make.shot("a", 0, 1_000)]), width=1080, height=1920)
    done = render(read(draft, library), {"format": "gif"}, tmp_path / "x.gif", lambda share, stage: None)
    with Image.open(tmp_path / "x.gif") as picture:
        assert picture.size == (270, 480) == (done.width, done.height)
        assert picture.info["duration"] == 100
