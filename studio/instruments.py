"""Synthesised instruments: each makes one note or stroke as mono float32 at 48 kHz that starts and ends at zero."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "RATE",
    "Wave",
    "bass",
    "bell",
    "clap",
    "hat",
    "kick",
    "pad",
    "piano",
    "pluck",
    "rhodes",
    "room",
    "strings",
    "taiko",
]

RATE = 48_000
Wave = NDArray[np.float32]
_TAU = 2 * np.pi


def _clock(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * RATE)) / RATE


def _shape(wave: NDArray[np.floating], attack: float = 0.004, release: float = 0.02) -> Wave:
    """No click at either end."""
    shaped = wave.astype(np.float32)
    rise, fall = max(1, int(attack * RATE)), max(1, int(release * RATE))
    shaped[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)[: len(shaped)]
    shaped[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)[-len(shaped) :]
    return shaped


def hertz(note: float) -> float:
    """Frequency of a MIDI note number."""
    return float(440 * 2 ** ((note - 69) / 12))


def _noise(seconds: float, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal(int(seconds * RATE))


def _smooth(wave: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """A running mean over `width` samples: a gentle low pass."""
    total = np.cumsum(np.concatenate([np.zeros(width), wave]))
    smooth: NDArray[np.float64] = (total[width:] - total[:-width]) / width
    return smooth


@lru_cache(256)
def pad(note: int, seconds: float, brightness: float = 1.0) -> Wave:
    """Detuned soft saws that swell; the release outlasts `seconds` so that chords melt into each other."""
    t = _clock(seconds + 0.7)
    wave = np.zeros_like(t)
    for detune, phase in ((-0.06, 0.3), (0.0, 1.7), (0.07, 4.1)):
        f = hertz(note + detune)
        for k in range(1, 9):
            if f * k < 9000:
                wave += np.sin(_TAU * f * k * t + phase * k) / k ** (2.3 - 0.8 * brightness)
    wave *= 1 + 0.08 * np.sin(_TAU * 0.23 * t + note)
    return _shape(wave * 0.12, attack=min(0.6, seconds * 0.3), release=0.75)


@lru_cache(256)
def strings(note: int, seconds: float) -> Wave:
    """A short bowed note for an ostinato."""
    t = _clock(seconds)
    wave = np.zeros_like(t)
    for detune in (-0.05, 0.04):
        f = hertz(note + detune)
        for k in range(1, 12):
            if f * k < 8000:
                wave += np.sin(_TAU * f * k * t + k * k) / k**1.35
    return _shape(wave * np.exp(-t * 3.2) * 0.16, attack=0.018, release=0.05)


@lru_cache(256)
def rhodes(note: int, seconds: float, force: float = 1.0) -> Wave:
    """An electric piano by frequency modulation."""
    t = _clock(seconds)
    f = hertz(note)
    tine = np.exp(-t * 9) * np.sin(_TAU * f * 7 * t) * 0.12
    body = np.sin(_TAU * f * t + force * 1.1 * np.exp(-t * 3.5) * np.sin(_TAU * f * t))
    tremolo = 1 + 0.1 * np.sin(_TAU * 4.6 * t)
    return _shape((body + tine) * np.exp(-t * 1.3) * tremolo * 0.3, release=0.12)


@lru_cache(256)
def piano(note: int, seconds: float) -> Wave:
    """A felt piano: few, slightly stretched harmonics."""
    t = _clock(seconds)
    f = hertz(note)
    wave = np.zeros_like(t)
    for k in range(1, 7):
        stretched = f * k * (1 + 0.0004 * k * k)
        wave += np.sin(_TAU * stretched * t) * np.exp(-t * (0.9 + 0.8 * k)) / k**1.6
    return _shape(wave * 0.34, attack=0.006, release=0.15)


@lru_cache(256)
def pluck(note: int, seconds: float = 0.5) -> Wave:
    """A muted, bright string."""
    t = _clock(seconds)
    f = hertz(note)
    wave = sum(np.sin(_TAU * f * k * t) * np.exp(-t * (5 + 4.5 * k)) / k for k in range(1, 9) if f * k < 12_000)
    return _shape(np.asarray(wave) * 0.32, attack=0.002)


@lru_cache(256)
def bell(note: int, seconds: float = 3.0) -> Wave:
    """A glassy bell that rings."""
    t = _clock(seconds)
    f = hertz(note)
    wave = np.zeros_like(t)
    for ratio, gain, fall in ((1, 1, 1.4), (2.0, 0.35, 2.2), (2.76, 0.25, 3.0), (5.4, 0.1, 5.0)):
        wave += gain * np.sin(_TAU * f * ratio * t) * np.exp(-t * fall)
    return _shape(wave * 0.2, attack=0.01, release=0.3)


@lru_cache(64)
def bass(note: int, seconds: float) -> Wave:
    """A round bass."""
    t = _clock(seconds)
    f = hertz(note)
    wave = np.sin(_TAU * f * t) + 0.35 * np.sin(_TAU * 2 * f * t) * np.exp(-t * 3) + 0.1 * np.sin(_TAU * 3 * f * t)
    return _shape(wave * np.exp(-t * 0.8) * 0.42, attack=0.012, release=0.06)


@lru_cache(8)
def kick(depth: float = 1.0) -> Wave:
    t = _clock(0.32)
    sweep = 46 * t + 5.2 * depth * (1 - np.exp(-t * 26))
    thump = np.sin(_TAU * sweep) * np.exp(-t * 11)
    click = _smooth(_noise(0.32, 1), 4) * np.exp(-t * 220) * 0.2
    return _shape((thump + click) * 0.85, attack=0.001, release=0.04)


@lru_cache(8)
def taiko() -> Wave:
    t = _clock(0.9)
    body = np.sin(_TAU * (62 * t + 1.7 * (1 - np.exp(-t * 22)))) * np.exp(-t * 5)
    skin = _smooth(_noise(0.9, 2), 40) * np.exp(-t * 30) * 2.2
    return _shape((body + skin) * 0.8, attack=0.001, release=0.15)


@lru_cache(8)
def clap(soft: bool = False) -> Wave:
    """A snare-like clap; `soft` is a brushed one."""
    t = _clock(0.26)
    rush = _noise(0.26, 3)
    rush = _smooth(rush, 9 if soft else 3) - _smooth(rush, 60)
    tone = np.sin(_TAU * 190 * t) * np.exp(-t * 30) * 0.5
    spread = sum(np.exp(-np.maximum(t - at, 0) * 24) * (t >= at) for at in (0.0, 0.011, 0.021)) / 3
    return _shape((rush * spread * (0.75 if soft else 0.5) + tone * 0.5) * 0.55, attack=0.001)


@lru_cache(8)
def hat(open_: bool = False) -> Wave:
    length = 0.22 if open_ else 0.07
    t = _clock(length)
    rush = _noise(length, 4)
    crisp = rush - _smooth(rush, 5)
    return _shape(crisp * np.exp(-t * (16 if open_ else 60)) * 0.16, attack=0.0005, release=0.015)


@lru_cache(4)
def room(seconds: float) -> NDArray[np.float32]:
    """A reverb's impulse response (samples, 2): decaying noise that darkens."""
    t = _clock(seconds)
    sides = []
    for seed in (11, 12):
        rush = _noise(seconds, seed)
        dark = _smooth(rush, 24) * 3.2
        mixed = rush * np.exp(-t * 9 / seconds) * 0.5 + dark * np.exp(-t * 5.5 / seconds)
        sides.append(_shape(mixed, attack=0.012, release=0.1))
    tail = np.stack(sides, axis=1)
    return np.asarray(tail / np.sqrt((tail**2).sum(axis=0)), dtype=np.float32)
