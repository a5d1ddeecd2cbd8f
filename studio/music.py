"""Music beds from a mood and a seed, bar by bar: as long as anybody wants, in the memory of a few bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.instruments import (
    RATE,
    Wave,
    bass,
    bell,
    clap,
    hat,
    kick,
    pad,
    piano,
    pluck,
    rhodes,
    room,
    strings,
    taiko,
)

__all__ = ["MOODS", "Stereo", "bed"]

Stereo = NDArray[np.float32]
"""(samples, 2) at 48 kHz."""

_TAIL = 3.4  # seconds a note may ring past its bar
_CEILING, _KNEE = 0.56, 0.40
_PENTATONIC = {"major": (0, 2, 4, 7, 9, 12, 14), "minor": (0, 3, 5, 7, 10, 12, 15)}


class _Mood(NamedTuple):
    """Chords are semitones above the key; `gain` brings every mood to the same loudness."""

    bpm: tuple[int, int]
    scale: str
    chords: tuple[tuple[int, ...], ...]
    play: Callable[[_Bar], None]
    reverb: float
    wet: float
    gain: float


class _Bar:
    """One bar of four beats being written; strokes may ring on into the next."""

    def __init__(self, song: _Song, number: int) -> None:
        self.number, self.beat = number, 60 / song.bpm
        self.key, self.motif = song.key, song.motif
        self.chord = song.mood.chords[number % len(song.mood.chords)]
        self.scale = _PENTATONIC[song.mood.scale]
        self.rng = np.random.default_rng((song.seed, number))
        self.length = round(4 * self.beat * RATE)
        size = self.length + int(_TAIL * RATE)
        self.dry: Stereo = np.zeros((size, 2), np.float32)
        self.wet: Stereo = np.zeros((size, 2), np.float32)

    def add(self, wave: Wave, beat: float, gain: float = 1.0, pan: float = 0.0, wet: float = 0.3) -> None:
        """A stroke at `beat` of the bar; pan -1 left to 1 right; `wet` is its share in the room."""
        start = int(beat * self.beat * RATE)
        wave = wave[: len(self.dry) - start]
        for side, level in ((0, gain * np.sqrt((1 - pan) / 2)), (1, gain * np.sqrt((1 + pan) / 2))):
            self.dry[start : start + len(wave), side] += wave * np.float32(level)
            self.wet[start : start + len(wave), side] += wave * np.float32(level * wet)

    def held(self, note: int, gain: float, *, pan: float = 0.0, brightness: float = 1.0) -> None:
        """A pad note through the whole bar."""
        self.add(pad(note, round(4 * self.beat, 3), brightness), 0, gain, pan, 0.6)

    def ducked(self, depth: float) -> None:
        """What was written so far makes room for a kick on every beat."""
        t = np.arange(len(self.dry)) / RATE % self.beat
        gain = (1 - depth * np.exp(-t * 7)).astype(np.float32)[:, None]
        self.dry *= gain
        self.wet *= gain


def _lofi(bar: _Bar) -> None:
    root = bar.key - 12
    for spread, note in enumerate(bar.chord):
        bar.add(rhodes(root + 12 + note, 2.6), 0.02 * spread, 0.62, (spread - 2) * 0.22, 0.35)
        bar.add(rhodes(root + 12 + note, 1.4, 0.6), 2.5 + 0.02 * spread, 0.4, (spread - 2) * 0.22, 0.35)
    for beat, gain in ((0, 1.0), (1.67, 0.55), (2, 0.8), (3.5, 0.5)):
        bar.add(bass(root - 12 + bar.chord[0] % 12, 0.9 * bar.beat), beat, 0.8 * gain, 0, 0.02)
    for beat in (0, 2.33) if bar.number % 2 else (0, 1.67, 2.33):
        bar.add(kick(0.7), beat, 0.75, 0, 0.04)
    for beat in (1, 3):
        bar.add(clap(True), beat, 0.5, 0.05, 0.3)
    for eighth in range(8):
        swing = 0.16 if eighth % 2 else 0.0
        bar.add(hat(), eighth / 2 + swing, 0.32 + 0.2 * bar.rng.random(), 0.25, 0.1)
    _melody(bar, rhodes, 12, 0.34, rest=0.45)
    hiss = bar.rng.standard_normal((bar.length, 2)).astype(np.float32) * 0.0022
    pops = (bar.rng.random((bar.length, 1)) < 9e-5) * bar.rng.uniform(-0.05, 0.05, (bar.length, 1))
    bar.dry[: bar.length] += hiss + pops.astype(np.float32)


def _cinematic(bar: _Bar) -> None:
    root = bar.key - 12
    swell = min(1.0, 0.55 + 0.12 * bar.number)
    for spread, note in enumerate(bar.chord):
        bar.held(root + note, 0.55 * swell, pan=(spread - 1) * 0.5)
        bar.held(root + 12 + note, 0.32 * swell, pan=(1 - spread) * 0.6, brightness=0.6)
    bar.held(root - 12 + bar.chord[0], 0.75 * swell, brightness=0.4)
    for step, beat in enumerate((0, 1, 1.5, 2.5, 3)):
        note = bar.chord[step % len(bar.chord)]
        bar.add(piano(root + 12 + note, 2.4), beat, 0.5, 0.25 - 0.1 * step, 0.6)
    bar.add(taiko(), 0, 0.75 * swell, 0, 0.5)
    if bar.number % 2:
        bar.add(taiko(), 3, 0.4 * swell, -0.2, 0.5)
        bar.add(taiko(), 3.5, 0.5 * swell, 0.2, 0.5)


def _epic(bar: _Bar) -> None:
    root = bar.key - 12
    for spread, note in enumerate(bar.chord):
        bar.held(root + note, 0.5, pan=(spread - 1) * 0.6, brightness=1.25)
    bar.held(root - 12 + bar.chord[0], 0.7, brightness=0.8)
    for eighth in range(8):
        note = bar.chord[(0, 1, 2, 1, 0, 1, 2, 2)[eighth]]
        accent = 1.0 if eighth % 4 == 0 else 0.7
        bar.add(strings(root + 12 + note, 0.34), eighth / 2, 0.8 * accent, -0.3, 0.35)
        bar.add(strings(root + note, 0.34), eighth / 2, 0.6 * accent, 0.3, 0.35)
    hits = (0, 0.75, 1.5, 2, 2.75, 3.5) if bar.number % 4 < 3 else (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.25, 3.5, 3.75)
    for beat in hits:
        bar.add(taiko(), beat, 1.0 if beat in (0, 2) else 0.6, float(bar.rng.uniform(-0.4, 0.4)), 0.4)
    if bar.number % 2 == 0:
        bar.add(clap(), 2, 0.5, 0, 0.6)


def _upbeat(bar: _Bar) -> None:
    root = bar.key
    for spread, note in enumerate(bar.chord):
        bar.held(root - 12 + note, 0.5, pan=(spread - 1) * 0.6, brightness=1.2)
    for sixteenth in range(16):
        note = bar.chord[(0, 2, 1, 2)[sixteenth % 4]] + (12 if sixteenth % 8 >= 4 else 0)
        bar.add(pluck(root + note, 0.4), sixteenth / 4, 0.4 if sixteenth % 4 else 0.55, 0.5 * (-1) ** sixteenth, 0.3)
    bar.ducked(0.55)
    for eighth in range(8):
        gain = 0.65 if eighth % 2 else 0.3
        bar.add(bass(root - 24 + bar.chord[0] % 12, bar.beat * 0.42), eighth / 2, gain, 0, 0.02)
    for beat in range(4):
        bar.add(kick(), beat, 0.85, 0, 0.03)
        bar.add(hat(True), beat + 0.5, 0.65, -0.15, 0.1)
    for beat in (1, 3):
        bar.add(clap(), beat, 0.6, 0, 0.3)
    for sixteenth in range(16):
        bar.add(hat(), sixteenth / 4, 0.3 + 0.2 * (sixteenth % 2), 0.3, 0.05)
    if bar.number % 4 >= 2:
        _melody(bar, bell, 12, 0.4, rest=0.3)


def _corporate(bar: _Bar) -> None:
    root = bar.key - 12
    for spread, note in enumerate(bar.chord):
        bar.held(root + note, 0.34, pan=(spread - 1) * 0.5, brightness=0.7)
        bar.add(piano(root + 12 + note, 1.8), 0.015 * spread, 0.5, (spread - 1) * 0.25, 0.35)
        bar.add(piano(root + 12 + note, 1.2), 2.5 + 0.015 * spread, 0.34, (spread - 1) * 0.25, 0.35)
    for eighth in range(8):
        note = bar.chord[(0, 1, 2, 1, 0, 2, 1, 2)[eighth]]
        bar.add(pluck(root + 12 + note, 0.32), eighth / 2, 0.5, -0.35 if eighth % 2 else 0.35, 0.25)
    for beat in (0, 2):
        bar.add(bass(root - 12 + bar.chord[0] % 12, bar.beat * 1.7), beat, 0.62, 0, 0.02)
        bar.add(kick(0.8), beat, 0.6, 0, 0.03)
    if bar.number >= 2:
        for beat in (1, 3):
            bar.add(clap(True), beat, 0.4, 0, 0.3)
    for eighth in range(8):
        bar.add(hat(), eighth / 2, 0.28 + 0.22 * (eighth % 2), 0.3, 0.08)
    _melody(bar, bell, 24, 0.22, rest=0.5)


def _ambient(bar: _Bar) -> None:
    root = bar.key - 12
    for spread, note in enumerate(bar.chord):
        bar.held(root + note, 0.5, pan=(spread - 1.5) * 0.45, brightness=0.3)
        bar.held(root + 12 + note, 0.18, pan=(1.5 - spread) * 0.45, brightness=0.7)
    bar.held(root - 12 + bar.chord[0], 0.6, brightness=0.1)
    _melody(bar, bell, 12, 0.42, rest=0.55, steps=(0, 1, 1.5, 2.5, 3))


def _melody(
    bar: _Bar,
    instrument: Callable[[int, float], Wave],
    above: int,
    gain: float,
    rest: float,
    steps: tuple[float, ...] = (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5),
) -> None:
    """The song's motif, each bar a little different; `rest` is the share of steps left out."""
    for index, beat in enumerate(steps):
        if bar.rng.random() < rest:
            continue
        degree = int(bar.motif[index % len(bar.motif)] + bar.rng.integers(-1, 2)) % len(bar.scale)
        note = bar.key + above + bar.scale[degree]
        bar.add(
            instrument(note, 1.6), beat, gain * float(bar.rng.uniform(0.7, 1)), float(bar.rng.uniform(-0.5, 0.5)), 0.5
        )


MOODS: dict[str, _Mood] = {
    "lofi": _Mood(
        (72, 84),
        "major",
        ((2, 5, 9, 12, 16), (7, 11, 14, 17, 21), (0, 4, 7, 11, 14), (9, 12, 16, 19, 23)),
        _lofi,
        1.4,
        0.5,
        0.52,
    ),
    "cinematic": _Mood(
        (62, 72), "minor", ((0, 3, 7), (8, 12, 15), (3, 7, 10), (10, 14, 17)), _cinematic, 3.0, 0.9, 0.38
    ),
    "epic": _Mood((96, 108), "minor", ((0, 3, 7), (8, 12, 15), (3, 7, 10), (-2, 2, 5)), _epic, 2.4, 0.7, 0.32),
    "upbeat": _Mood((116, 126), "major", ((0, 4, 7), (-5, -1, 2), (-3, 0, 4), (5, 9, 12)), _upbeat, 1.4, 0.5, 0.52),
    "corporate": _Mood(
        (100, 112), "major", ((0, 4, 7), (5, 9, 12), (-3, 0, 4), (-5, -1, 2)), _corporate, 1.8, 0.5, 0.58
    ),
    "ambient": _Mood(
        (54, 62), "major", ((0, 4, 7, 11), (5, 9, 12, 16), (-3, 0, 4, 7), (5, 9, 12, 14)), _ambient, 3.4, 1.2, 0.28
    ),
}


class _Song:
    """What the seed decides once: tempo, key, motif."""

    def __init__(self, mood: str, seed: int) -> None:
        self.mood, self.seed = MOODS[mood], seed
        rng = np.random.default_rng((seed, 7, sorted(MOODS).index(mood)))
        self.bpm = int(rng.integers(*self.mood.bpm, endpoint=True))
        self.key = 60 + int(rng.integers(-5, 4))
        self.motif = [int(step) for step in rng.integers(0, 7, 8)]


def bed(mood: str, seed: int) -> Iterator[Stereo]:
    """Blocks of one bar, for ever; the same mood and seed give the same music. An unknown mood is played as lo-fi."""
    song = _Song(mood if mood in MOODS else "lofi", seed)
    echo = room(song.mood.reverb)
    carry: Stereo = np.zeros((0, 2), np.float32)
    number = 0
    while True:
        bar = _Bar(song, number)
        song.mood.play(bar)
        heard = _with_room(bar, echo, song.mood.wet)
        size = max(len(heard), len(carry))
        total: Stereo = np.zeros((size, 2), np.float32)
        total[: len(heard)] += heard
        total[: len(carry)] += carry
        carry = total[bar.length :]
        yield _soft(total[: bar.length] * np.float32(song.mood.gain))
        number += 1


def _with_room(bar: _Bar, echo: Stereo, wet: float) -> Stereo:
    size = len(bar.wet) + len(echo) - 1
    fast = 1 << (size - 1).bit_length()
    spectrum = np.fft.rfft(bar.wet, fast, axis=0) * np.fft.rfft(echo, fast, axis=0)
    heard = (np.fft.irfft(spectrum, fast, axis=0)[:size] * wet).astype(np.float32)
    heard[: len(bar.dry)] += bar.dry
    return heard


def _soft(wave: Stereo) -> Stereo:
    """Peaks bend above the knee and never pass the ceiling."""
    size = np.abs(wave)
    bent = _KNEE + (_CEILING - _KNEE) * np.tanh((size - _KNEE) / (_CEILING - _KNEE))
    return np.where(size > _KNEE, np.sign(wave) * bent, wave).astype(np.float32)
