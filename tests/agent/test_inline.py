"""A result shown where the terminal takes pictures."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from agent.events import Delivered, Text
from agent.repl import inline
from agent.repl.inline import Showing, escape, picture
from agent.repl.live import LiveView
from agent.settings import Graphics, graphics_here

RED, BLUE = (200, 20, 20), (20, 20, 200)


def still(path: Path, size: tuple[int, int] = (320, 180)) -> Path:
    Image.new("RGB", size, RED).save(path)
    return path


def film(path: Path, frames: int = 40) -> Path:
    """Two seconds, red and then blue."""
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mpeg4", rate=20)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(frames):
            pixels = np.full((180, 320, 3), RED if number < frames // 2 else BLUE, dtype=np.uint8)
            made.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        made.mux(stream.encode())
    return path


def dominant(made: Image.Image, place: float) -> str:
    red, _, blue, _ = made.convert("RGBA").getpixel((int(made.width * place), made.height // 2))  # type: ignore[misc]
    return "red" if red > blue else "blue"


@pytest.mark.parametrize(
    ("environ", "graphics"),
    [
        ({}, None),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"KITTY_WINDOW_ID": "1", "TERM": "xterm"}, "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM": "foot-extra"}, "sixel"),
        ({"TERM": "mlterm"}, "sixel"),
        ({"TERM_PROGRAM": "vscode"}, None),
        ({"TERM_PROGRAM": "Apple_Terminal"}, None),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"}, None),
        ({"TERM_PROGRAM": "iTerm.app", "STY": "1.pts"}, None),
        ({"TERM": "xterm-kitty", "REELCHAT_IMAGES": "off"}, None),
        ({"TERM": "xterm-kitty", "REELCHAT_IMAGES": "auto"}, "kitty"),
    ],
)
def test_a_terminal_is_known_by_what_it_says_of_itself(environ: dict[str, str], graphics: Graphics | None) -> None:
    assert graphics_here(environ) == graphics


def test_a_video_is_four_frames_in_a_row(tmp_path: Path) -> None:
    made = picture(film(tmp_path / "a.mp4"))
    assert made is not None
    assert [dominant(made, place) for place in (0.1, 0.4, 0.6, 0.9)] == ["red", "red", "blue", "blue"]
    assert made.width > 6 * made.height


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_what_flips_is_four_frames_too(tmp_path: Path, name: str) -> None:
    pages = [Image.new("RGB", (160, 90), RED if number < 4 else BLUE) for number in range(8)]
    pages[0].putpixel((0, 0), BLUE)
    for number, page in enumerate(pages):
        page.putpixel((number, 1), (0, 255, 0))
    pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:], duration=100)
    made = picture(tmp_path / name)
    assert made is not None
    assert [dominant(made, place) for place in (0.1, 0.9)] == ["red", "blue"]


@pytest.mark.parametrize(("size", "columns"), [((1920, 1080), 60), ((1080, 1920), 20), ((5000, 10), 60), ((1, 1), 36)])
def test_a_still_keeps_its_shape_within_the_cells(tmp_path: Path, size: tuple[int, int], columns: int) -> None:
    made = picture(still(tmp_path / "a.png", size))
    assert made is not None
    assert f",c={columns}," in escape(made, "kitty")


def test_kitty_gets_a_png_in_pieces_and_is_told_not_to_answer(tmp_path: Path) -> None:
    noise = Image.effect_noise((900, 300), 90).convert("RGB")
    text = escape(noise, "kitty")
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert "".join(f"\x1b_G{head};{data}\x1b\\" for head, data in pieces) + "\n" == text
    assert len(pieces) > 1 and all(len(data) <= 4096 and "q=2" in head for head, data in pieces)
    assert [head[-1] for head, _ in pieces] == ["1"] * (len(pieces) - 1) + ["0"]
    assert Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in pieces)))).format == "PNG"


def test_iterm_gets_the_file_and_its_size() -> None:
    found = re.fullmatch(
        r"\x1b]1337;File=inline=1;size=(\d+);width=60;height=auto;preserveAspectRatio=1:([\w+/=]+)\x07\n",
        escape(Image.new("RGB", (1920, 1080), RED), "iterm"),
    )
    assert found and len(base64.b64decode(found[2])) == int(found[1])


def test_sixels_draw_the_picture() -> None:
    made = Image.new("RGB", (24, 12), RED)
    made.paste(BLUE, (12, 0, 24, 12))
    text = escape(made, "sixel")
    assert text.startswith('\x1bPq"1;1;24;12#') and text.endswith("\x1b\\\n")
    bands = re.sub(r"#\d+;2;\d+;\d+;\d+", "", text.removeprefix('\x1bPq"1;1;24;12').removesuffix("\x1b\\\n")).split("-")
    assert len(bands) == 3 and bands[2] == ""
    for band in bands[:2]:
        # Each band is two colours that leave each other's half empty.
        assert sorted(re.sub(r"#\d+", "", colour) for colour in band.split("$")) == ["", "!12?!12~", "!12~!12?"]


def delivered(path: Path) -> Delivered:
    return Delivered(text=f"Ready: {path.name}", path=str(path), format=path.suffix[1:], size=1, duration_ms=None)


def shown(path: Path, graphics: Graphics | None) -> str:
    screen = io.StringIO()
    view = LiveView(Console(file=screen, width=80, color_system=None, legacy_windows=False), graphics)
    with view.turn():
        view.show(delivered(path))
        view.show(Text(id="a", text="Credits: 3."))
    return screen.getvalue()


@pytest.mark.parametrize("graphics", ["kitty", "iterm", "sixel"])
def test_the_picture_comes_when_all_words_are_said(tmp_path: Path, graphics: Graphics) -> None:
    screen = shown(still(tmp_path / "a.png"), graphics)
    path, words, drawing = screen.index("Ready: a.png"), screen.index("Credits: 3."), screen.index("\x1b")
    assert path < words < drawing and screen.endswith("\n")


def test_elsewhere_the_path_is_enough(tmp_path: Path) -> None:
    assert shown(still(tmp_path / "a.png"), None) == "Ready: a.png\nCredits: 3.\n"


@pytest.mark.parametrize("name", ["gone.png", "broken.mp4", "broken.png", "empty.gif", "words.xyz"])
def test_what_cannot_be_shown_is_passed_over(tmp_path: Path, name: str) -> None:
    if not name.startswith("gone"):
        (tmp_path / name).write_bytes(b"" if name.startswith("empty") else b"no picture" * 50)
    assert shown(tmp_path / name, "kitty") == f"Ready: {name}\nCredits: 3.\n"


def test_nobody_waits_for_a_picture_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    go = Event()
    monkeypatch.setattr(inline, "picture", lambda path: go.wait(10) and None)
    showing = Showing(str(tmp_path / "a.png"), "kitty")
    assert showing.text(patience=0.01) == ""
    go.set()


def test_a_delivery_between_turns_is_only_told(tmp_path: Path) -> None:
    screen = io.StringIO()
    view: Any = LiveView(Console(file=screen, width=80, color_system=None, legacy_windows=False), "kitty")
    view.show(delivered(still(tmp_path / "a.png")))
    assert screen.getvalue() == "Ready: a.png\n"
