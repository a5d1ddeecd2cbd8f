"""The three timelines of the README, drawn anew by `python tests/agent/readme_timelines.py`."""

from __future__ import annotations

import io
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from rich.console import Console
from three_timelines import segment, track

from agent.draft import Draft
from agent.lanes import lanes
from agent.picture import svg
from agent.repl.lanes import Drawing
from prompts import Lang

FOLDER = Path(__file__).parent / "timelines"
COLUMNS = 100


def _forty() -> list[Any]:
    names = cycle(("tram", "harbour", "skyline", "crowd", "night market"))
    lengths = cycle((3000, 4000, 1500, 3000, 9000, 1500, 4000, 1500))
    shots, at = [], 0
    for number, (name, lasts) in enumerate(islice(zip(names, lengths, strict=False), 40)):
        shots.append(segment(name, at, lasts, id=f"shot_{number}"))
        at += lasts
    return shots


SHOTS = _forty()
END = SHOTS[-1]["s"] + SHOTS[-1]["d"]
TIMELINES: dict[str, tuple[Any, Lang, tuple[str, ...]]] = {
    "plain": (
        {
            "m": {"title": "Urban Dreams"},
            "t": [
                track(0, "Video", segment("futuristic city at night", 0, 6000), segment("rain on glass", 6000, 4000)),
                track(1, "BGM", segment("Lo-fi", 0, 10_000, volume=0.35)),
                track(7, "Title", segment("Urban Dreams", 0, 3000), segment("Made with reelchat", 7500, 2500)),
            ],
        },
        "en",
        ("sg_Lo-fi",),
    ),
    "chinese": (
        {
            "m": {"title": "都市之梦 🌃"},
            "t": [
                track(
                    0,
                    "Video",
                    segment("未来城市夜景", 0, 15_000),
                    segment("雨中的霓虹街道，镜头缓缓推近", 15_000, 30_000),
                    segment("日出时的天际线 🌇", 45_000, 30_000),
                ),
                track(1, "BGM", segment("低保真节拍", 0, 75_000, volume=0.35)),
                track(1, "Voice", segment("旁白：一座城市的一天", 12_000, 40_000)),
                track(7, "Title", segment("都市之梦", 0, 5000), segment("明天见 👋", 60_000, 15_000)),
            ],
        },
        "zh",
        ("sg_雨中的霓虹街道，镜头缓缓推近",),
    ),
    "forty": (
        {
            "m": {"title": "Forty shots"},
            "t": [
                track(0, "Video", *SHOTS),
                track(1, "BGM", segment("Cinematic", 0, 64_500, volume=0.4), segment("Upbeat", 60_500, END - 60_500)),
                track(7, "Title", segment("Forty shots", 0, 4000), segment("The end", END - 6000, 6000)),
            ],
        },
        "en",
        ("shot_4", "shot_33"),
    ),
}


def picture(name: str) -> str:
    """The timeline as SVG."""
    raw, lang, changed = TIMELINES[name]
    return svg(lanes(Draft.read(raw), lang, changed), raw["m"]["title"])


def capture(name: str) -> str:
    """The timeline as a terminal of COLUMNS columns shows it."""
    raw, lang, changed = TIMELINES[name]
    out = io.StringIO()
    Console(file=out, width=COLUMNS, force_terminal=True, color_system=None).print(
        Drawing(lanes(Draft.read(raw), lang, changed))
    )
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).strip("\n")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in TIMELINES:
        (FOLDER / f"{name}.svg").write_text(picture(name), "utf-8")
        print(capture(name), end="\n\n")  # noqa: T201  # to be pasted
