"""A sample of what `python -m evals.fuzz` tries ten thousand times, and proof that it would notice."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from agent.backend import screen, stream
from agent.backend.lines import LINE_CAP, Lines
from agent.backend.stream import Reconstruction
from evals import fuzz


def test_no_stream_gets_anything_out_but_our_own_errors(tmp_path: Path) -> None:
    async def work() -> None:
        for seed in range(500):
            await fuzz.fuzz_stream(seed, tmp_path)

    asyncio.run(work())


@pytest.mark.parametrize("call", fuzz.CALLS)
def test_no_reply_gets_anything_out_but_our_own_errors(call: str, tmp_path: Path) -> None:
    async def work() -> None:
        for seed in range(60):
            await fuzz.fuzz_reply(call, seed, tmp_path)

    asyncio.run(work())


def test_any_split_of_any_stream_is_heard_alike() -> None:
    def play(data: bytes, size: int) -> list[Any]:
        lines, heard, found = Lines(), Reconstruction(), []
        for at in range(0, len(data), size):
            found += [e for payload in lines.feed(data[at : at + size]) for e in heard.feed(payload)]
        return [*found, *(e for payload in lines.close() for e in heard.feed(payload)), *heard.close()]

    for seed in range(200):
        data = fuzz.body(random.Random(seed))
        assert play(data, 1) == play(data, 1000) == play(data, len(data) + 1), seed


@pytest.mark.parametrize(
    ("module", "name", "broken"),
    [
        (stream, "visible", lambda event: event["content"]["parts"][0]["text"]),
        (stream, "printable", lambda text: text),
        (stream, "visible", lambda event: str(event.get("content"))),
        (screen.Screen, "_kept", lambda self, text, number, segment: 0),
    ],
)
def test_a_broken_reader_is_noticed(
    module: Any, name: str, broken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        for seed in range(500):
            await fuzz.fuzz_stream(seed, tmp_path)

    monkeypatch.setattr(module, name, broken)
    with pytest.raises((fuzz.Fuzzed, UnicodeEncodeError)):
        asyncio.run(work())


def test_an_endless_line_is_held_no_longer_than_the_cap() -> None:
    lines, piece = Lines(), b"x" * 1_000_000
    tracemalloc.start()
    lines.feed(b"data: ")
    for _ in range(100):
        lines.feed(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * LINE_CAP
