"""Drafts that pictures are looked at with: a plain one, a Chinese one, one of forty segments; and any at all."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st


def segment(name: str, start: Any = None, lasts: Any = None, id: str = "", **more: Any) -> dict[str, Any]:
    place = {key: value for key, value in (("s", start), ("d", lasts)) if value is not None}
    return {"id": id or f"sg_{name}", **place, "m": {"name": name, **more}}


def track(kind: Any, name: str, *segments: Any) -> dict[str, Any]:
    return {"tt": kind, "m": {"name": name}, "sg": list(segments)}


PLAIN = {
    "m": {"title": "Urban Dreams"},
    "t": [
        track(0, "Video", segment("futuristic city at night", 0, 6000), segment("rain on glass", 6000, 4000)),
        track(1, "BGM", segment("Lo-fi", 0, 10_000, volume=0.35)),
        track(7, "Title", segment("Urban Dreams", 0, 3000)),
    ],
}
CHINESE = {
    "m": {"title": "都市之梦 🌃"},
    "t": [
        track(0, "Video", segment("未来城市夜景", 0, 15_000), segment("日出时的天际线 🌇", 15_000, 60_000)),
        track(1, "BGM", segment("低保真节拍", 0, 75_000, volume=0.35)),
        track(1, "Voice", segment("旁白：一座城市的一天", 12_000, 40_000)),
        track(7, "Title", segment("都市之梦", 0, 5000)),
    ],
}
FORTY = {
    "m": {"title": "Forty shots"},
    "t": [
        track(0, "Video", *(segment(f"shot {n}", n * 2000, 2000, id=f"sg_{n}") for n in range(40))),
        track(1, "BGM", segment("Cinematic", 0, 44_000, volume=0.4), segment("Upbeat", 40_000, 40_000)),
        track(7, "Title", segment("The end", 76_000, 4000)),
    ],
}

NAMES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "都市之梦",
            "👨‍👩‍👧 family",
            "e\u0301\u0301",
            "🇨🇳",
            "</svg><script>",
            "\x1b[31m",
            "\u202eabc",
            "]]>&",
            "a" * 400,
        ]
    ),
)
NUMBERS = st.one_of(st.integers(-5, 200_000), st.floats(), st.none(), st.text(max_size=3), st.integers())
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, NAMES),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)
SEGMENTS = st.one_of(
    st.builds(segment, NAMES, NUMBERS, NUMBERS, volume=NUMBERS), st.fixed_dictionaries({"m": JUNK, "s": NUMBERS}), JUNK
)
TRACKS = st.one_of(
    st.builds(lambda kind, name, found: track(kind, name, *found), NUMBERS, NAMES, st.lists(SEGMENTS, max_size=12)),
    st.builds(
        lambda name, found: track(0, name, *found),
        NAMES,
        st.lists(st.builds(segment, NAMES, st.integers(0, 60_000), st.integers(0, 60_000)), max_size=12),
    ),
    JUNK,
)
DRAFTS = st.one_of(st.fixed_dictionaries({"m": JUNK, "t": st.lists(TRACKS, max_size=15)}), JUNK)
"""Any JSON, most of it nearly a draft."""
