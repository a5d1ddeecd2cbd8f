"""Music beds: the same for the same seed, as long as wanted, at a steady level, without clicks."""

from __future__ import annotations

import itertools

import media_files as make
import numpy as np
import pytest

from studio.music import MOODS, Stereo, bed

ASKED_FOR = {"lofi", "cinematic", "epic", "upbeat", "corporate", "ambient"}


def listen(mood: str, seed: int = 5, bars: int = 3) -> Stereo:
    return np.concatenate(list(itertools.islice(bed(mood, seed), bars)))


def test_all_six_moods_can_be_played() -> None:
    assert set(MOODS) == ASKED_FOR


@pytest.mark.parametrize("mood", sorted(ASKED_FOR))
def test_a_bed_is_loud_enough_never_clips_and_does_not_click(mood: str) -> None:
    wave = listen(mood)
    assert 0.25 < np.abs(wave).max() < 0.57
    assert -25 < 20 * np.log10(make.loudness(wave)) < -15
    assert np.abs(np.diff(wave, axis=0)).max() < 0.3
    assert np.abs(wave[0]).max() < 0.02


@pytest.mark.parametrize("mood", ["lofi", "ambient"])
def test_bars_join_without_a_seam(mood: str) -> None:
    first, second = itertools.islice(bed(mood, 5), 2)
    inside = np.abs(np.diff(second[1000:], axis=0)).max()
    assert np.abs(second[0] - first[-1]).max() <= max(0.02, inside)


def test_a_seed_decides_the_music() -> None:
    assert np.array_equal(listen("lofi", 1, 1), listen("lofi", 1, 1))
    one, other = listen("lofi", 1, 1), listen("lofi", 2, 1)
    assert len(one) != len(other) or not np.allclose(one, other)


def test_an_unknown_mood_is_played_as_lofi() -> None:
    assert np.array_equal(listen("polka", 1, 1), listen("lofi", 1, 1))
