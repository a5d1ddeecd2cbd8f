"""The sound of films, measured: gains, lengths, fades, speed, limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import media_files as make
import numpy as np
import pytest

from studio.film import read
from studio.render import render
from studio.sound import Mixer, limit


def sound_of(tracks: list[Any], library: dict[str, Any], out: Path) -> np.ndarray[Any, Any]:
    render(read(make.draft(*tracks, width=64, height=36), library), {"format": "mp4"}, out, lambda *_: None)
    return make.heard(out)


@pytest.fixture
def library(tmp_path: Path) -> dict[str, Any]:
    make.picture(tmp_path / "a.png")
    make.tone(tmp_path / "t.wav", seconds=1.0, level=0.4)
    make.clip(tmp_path / "c.mp4", seconds=2.0, sound=0.4)
    make.clip(tmp_path / "mute.mp4", seconds=1.0)
    kinds = {"a": ("a.png", "image"), "t": ("t.wav", "audio"), "c": ("c.mp4", "clip"), "mute": ("mute.mp4", "clip")}
    return {key: {"path": str(tmp_path / name), "kind": kind} for key, (name, kind) in kinds.items()}


def test_music_is_heard_at_the_gain_that_was_asked_for(library: dict[str, Any], tmp_path: Path) -> None:
    picture = (0, [make.shot("a", 0, 4000)])
    full = sound_of([picture, (1, [make.music(4000, 1.0)])], library, tmp_path / "full.mp4")
    soft = sound_of([picture, (1, [make.music(4000, 0.35)])], library, tmp_path / "soft.mp4")
    assert make.loudness(full) > 0.05
    assert make.loudness(soft) / make.loudness(full) == pytest.approx(0.35, rel=0.05)


@pytest.mark.parametrize("mood", ["lofi", "cinematic", "epic", "upbeat", "corporate", "ambient"])
def test_every_mood_keeps_its_gain_in_the_mix(mood: str) -> None:
    waves = []
    for volume in (1.0, 0.35):
        mixer = Mixer(read(make.draft((1, [make.music(2000, volume, mood)])), {}))
        waves.append(np.concatenate([mixer.block(1024) for _ in range(90)]))
        mixer.close()
    assert make.loudness(waves[1]) / make.loudness(waves[0]) == pytest.approx(0.35, rel=0.01)


def test_a_film_without_sound_has_a_silent_track(library: dict[str, Any], tmp_path: Path) -> None:
    wave = sound_of([(0, [make.shot("a", 0, 700)])], library, tmp_path / "x.mp4")
    assert abs(len(wave) / 48_000 - 0.7) < 0.1
    assert np.abs(wave).max() < 1e-4


def test_music_fades_out_at_its_end_and_is_not_cut(library: dict[str, Any], tmp_path: Path) -> None:
    tracks = [(0, [make.shot("a", 0, 4000)]), (1, [make.music(4000, 1.0, "ambient")])]
    wave = sound_of(tracks, library, tmp_path / "x.mp4")
    body, last = wave[96_000:140_000], wave[int(3.9 * 48_000) : 4 * 48_000]
    assert make.loudness(last) < 0.2 * make.loudness(body)


def test_a_file_is_heard_in_its_place_at_its_volume(library: dict[str, Any], tmp_path: Path) -> None:
    voice = {"s": 500, "d": 500, "m": {"src": "t", "kind": "voice", "volume": 0.5}}
    wave = sound_of([(0, [make.shot("a", 0, 1500)]), (1, [voice])], library, tmp_path / "x.mp4")
    assert make.loudness(wave[:22_000]) < 0.005
    assert make.loudness(wave[26_000:46_000]) == pytest.approx(0.4 * 0.5 / np.sqrt(2), rel=0.05)
    assert make.loudness(wave[50_000:70_000]) < 0.005


def test_silence_follows_a_file_that_is_shorter_than_its_place(library: dict[str, Any], tmp_path: Path) -> None:
    voice = {"s": 0, "d": 2000, "m": {"src": "t", "kind": "voice", "in": 400}}
    wave = sound_of([(0, [make.shot("a", 0, 2000)]), (1, [voice])], library, tmp_path / "x.mp4")
    assert make.loudness(wave[5_000:26_000]) > 0.2
    assert make.loudness(wave[32_000:90_000]) < 0.005


def test_a_clip_brings_its_own_sound_unless_it_is_muted(library: dict[str, Any], tmp_path: Path) -> None:
    loud = sound_of([(0, [make.shot("c", 0, 1000, kind="clip")])], library, tmp_path / "loud.mp4")
    half = sound_of([(0, [make.shot("c", 0, 1000, kind="clip", volume=0.5)])], library, tmp_path / "half.mp4")
    mute = sound_of([(0, [make.shot("c", 0, 1000, kind="clip", volume=0)])], library, tmp_path / "mute.mp4")
    assert make.loudness(half[5000:40_000]) / make.loudness(loud[5000:40_000]) == pytest.approx(0.5, rel=0.05)
    assert make.loudness(mute) < 1e-4
    silent = sound_of([(0, [make.shot("mute", 0, 800, kind="clip")])], library, tmp_path / "silent.mp4")
    assert make.loudness(silent) < 1e-4


def pitch(wave: np.ndarray[Any, Any]) -> float:
    spectrum = np.abs(np.fft.rfft(wave[:, 0] * np.hanning(len(wave))))
    return float(spectrum.argmax() * 48_000 / len(wave))


@pytest.mark.parametrize("speed", [0.4, 1.0, 2.0])
def test_another_speed_keeps_the_pitch(library: dict[str, Any], tmp_path: Path, speed: float) -> None:
    length = round(900 / speed)
    tracks = [(0, [make.shot("c", 0, length, kind="clip", speed=speed)])]
    wave = sound_of(tracks, library, tmp_path / "x.mp4")
    inside = wave[4800 : int(len(wave) * 0.85)]
    assert make.loudness(inside) > 0.15
    assert pitch(inside) == pytest.approx(440, abs=12)


def test_a_sum_that_would_clip_is_bent_and_everything_else_is_left_alone() -> None:
    quiet = np.linspace(-0.95, 0.95, 101, dtype=np.float32)[:, None].repeat(2, axis=1)
    assert np.array_equal(limit(quiet), quiet)
    loud = np.linspace(-3, 3, 101, dtype=np.float32)[:, None].repeat(2, axis=1)
    assert np.abs(limit(loud)).max() <= 1.0
    assert (np.diff(limit(loud)[:, 0]) >= 0).all()


def test_blocks_of_any_size_make_the_same_sound() -> None:
    film = read(make.draft((1, [make.music(1000, 0.8)])), {})
    whole, parts = Mixer(film), Mixer(film)
    pieces = [parts.block(size) for size in (1, 1023, 7000, 39_976)]
    assert np.array_equal(whole.block(48_000), np.concatenate(pieces))
