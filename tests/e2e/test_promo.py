"""Five photos and a voice-over make a thirty-second promo, and the file is what was asked for."""

from __future__ import annotations

import asyncio
import math
import struct
import wave
from pathlib import Path

import av
import numpy as np
from PIL import Image

from agent.events import Delivered, Event, Timeline
from agent.state import LocalPath
from agent.turn import turn
from evals.stage import FAST, agent_on, studio

COLOURS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40), (40, 200, 200)]


def material(folder: Path) -> list[LocalPath]:
    """Five plain photos and a twelve-second tone."""
    paths = []
    for number, colour in enumerate(COLOURS):
        path = folder / f"photo {number}.{'png' if number % 2 else 'jpg'}"
        Image.new("RGB", (640, 400), colour).save(path)
        paths.append(LocalPath(str(path)))
    with wave.open(str(folder / "voice.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        tone = (int(9000 * math.sin(2 * math.pi * 300 * n / 16000)) for n in range(12 * 16000))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in tone))
    return [*paths, LocalPath(str(folder / "voice.wav"))]


async def promo(folder: Path) -> list[list[Event]]:
    said = []
    async with (
        studio(folder / "studio", *FAST) as url,
        agent_on(url, folder, skill="how-to-create-ai-video") as agent,
    ):
        for text, files in (
            ("here are my photos and the voice-over", material(folder)),
            ("turn these photos and audio into a 30-second promo video with transitions", []),
            ("export", []),
        ):
            said.append([event async for event in turn(agent, "t", text, files)])
    return said


def test_five_photos_and_a_voice_over_make_a_promo(tmp_path: Path) -> None:
    _, edited, exported = asyncio.run(promo(tmp_path))
    (timeline,) = [event for event in edited if isinstance(event, Timeline)]
    video, voice = timeline.draft["t"][0]["sg"], timeline.draft["t"][-1]
    assert [piece["d"] for piece in video] == [6000] * 5
    assert all("transition" in piece["m"] for piece in video[1:])
    assert voice["m"]["name"] == "Voice"
    (delivered,) = [event for event in exported if isinstance(event, Delivered)]
    with av.open(delivered.path) as film:
        picture, sound = film.streams.video[0], film.streams.audio[0]
        assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert film.duration is not None
        assert abs(film.duration / av.time_base - 30) <= 0.1
        seen = {}
        for frame in film.decode(picture):
            if frame.time is not None and round(frame.time, 2) in (3.0, 9.0, 15.0, 21.0, 27.0):
                seen[round(frame.time)] = frame.to_ndarray(format="rgb24").reshape(-1, 3).mean(axis=0)
    for second, colour in zip((3, 9, 15, 21, 27), COLOURS, strict=True):
        assert np.abs(seen[second] - colour).max() < 25, (second, seen[second])
