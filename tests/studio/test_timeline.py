"""Edits on a draft: whatever comes, it abuts and fits."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.edits import (
    Asset,
    Delete,
    Edit,
    Length,
    Motion,
    Move,
    Music,
    Place,
    Ratio,
    Retitle,
    Speed,
    Swap,
    Title,
    Transition,
    Trim,
    Volume,
)
from studio.timeline import Cannot, Draft, apply, empty, total_ms

STILL = Asset("md_1", "image", "a.jpg")
CLIP = Asset("md_2", "clip", "b.mp4", duration_ms=4_000)
VOICE = Asset("md_3", "audio", "v.mp3", duration_ms=12_000)

ms = st.integers(100, 60_000)
places = st.integers(1, 4) | st.just(-1)
edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(
        Place,
        st.lists(st.sampled_from([STILL, CLIP]), max_size=4).map(tuple),
        st.none() | ms,
        st.booleans(),
        st.none() | st.just(VOICE),
    ),
    st.builds(Title, st.text(min_size=1, max_size=5), ms, st.none() | ms, st.just("center"), st.booleans()),
    st.builds(Retitle, st.just("x")),
    st.builds(Music, st.none() | st.just("epic"), st.just("Epic"), st.none() | st.floats(0, 1)),
    st.builds(
        Volume, st.sampled_from([None, "music", "voice", "clips"]), st.none() | st.floats(0, 2), st.floats(-1, 1)
    ),
    st.builds(Trim, st.none() | ms, st.integers(0, 5_000), st.integers(0, 5_000), st.none() | places),
    st.builds(Length, st.none() | ms, st.floats(0.1, 4), st.none() | places),
    st.builds(Delete, st.sampled_from(["title", "music", "voice", "transition", "segment", "all"]), places),
    st.builds(Move, places, places),
    st.builds(Swap, places, places),
    st.builds(Speed, st.floats(0.1, 10), st.none() | places),
    st.builds(Ratio, st.just(1080), st.just(1920)),
    st.builds(Transition, st.just("crossfade"), st.integers(1, 2_000)),
    st.builds(Motion, st.sampled_from(["auto", "none", "zoom-in"])),
)


def after(*steps: Edit) -> Draft:
    draft = empty()
    for step in steps:
        draft = apply(draft, step)
    return draft


def spans(draft: Draft, kind: int) -> list[tuple[int, int]]:
    return [(s["s"], s["s"] + s["d"]) for track in draft["t"] if track["tt"] == kind for s in track["sg"]]


@given(st.lists(edits, max_size=12))
def test_pictures_abut_and_nothing_is_negative_or_outlasts_them(steps: list[Edit]) -> None:
    draft = empty()
    for step in steps:
        before = copy.deepcopy(draft)
        try:
            changed = apply(draft, step)
        except Cannot:
            changed = draft
        assert draft == before, "the draft handed in stays as it is"
        draft = changed
        check(draft)


def check(draft: Draft) -> None:
    at = 0
    for start, end in spans(draft, 0):
        assert start == at < end
        at = end
    for kind in (1, 7):
        for start, end in spans(draft, kind):
            assert 0 <= start < end and (not at or end <= at)
    segments: list[dict[str, Any]] = [s for track in draft["t"] for s in track["sg"]]
    assert all(isinstance(s["d"], int) and isinstance(s["s"], int) for s in segments)
    assert len({s["id"] for s in segments}) == len(segments)
    assert all(0 <= s["m"].get("volume", 1) <= 1 for s in segments)
    music = [s for s in segments if s["m"].get("kind") == "music"]
    assert len(music) <= 1 and (not at or all(s["d"] == at for s in music))
    blends = [s["m"]["transition"]["d"] <= s["d"] / 2 for s in segments if "transition" in s["m"]]
    assert all(blends) and (not segments or "transition" not in segments[0]["m"])
    assert all(track["sg"] for track in draft["t"])


def test_music_follows_the_length_of_the_film() -> None:
    draft = after(Music("lofi", "Lo-fi", 0.35), Place((STILL,)), Length(25_000), Trim(to_ms=8_000))
    assert spans(draft, 1) == spans(draft, 0) == [(0, 8_000)]


def test_stills_share_the_length_that_clips_leave() -> None:
    draft = after(Place((STILL, CLIP, STILL), 30_000))
    assert [end - start for start, end in spans(draft, 0)] == [13_000, 4_000, 13_000]
    assert total_ms(after(Place((CLIP, CLIP), 30_000))) == 8_000


def test_a_film_of_uploads_without_a_length_is_as_long_as_the_voice() -> None:
    draft = after(Place((STILL, STILL), sound=VOICE))
    assert total_ms(draft) == 12_000 and spans(draft, 1) == [(0, 12_000)]


def test_cutting_the_head_moves_a_clip_into_its_source_and_titles_along() -> None:
    draft = after(Place((CLIP, STILL)), Title("A"), Title("B", 5_000, 2_000), Trim(head_ms=1_000))
    clip = draft["t"][0]["sg"][0]
    assert (clip["m"]["in"], clip["d"]) == (1_000, 3_000)
    assert spans(draft, 7) == [(0, 3_000), (4_000, 6_000)]


def test_a_title_at_the_end_stays_there() -> None:
    draft = after(Place((STILL,)), Title("Bye", 0, 4_000, at_end=True), Length(20_000))
    assert spans(draft, 7) == [(16_000, 20_000)]


def test_the_same_spot_again_corrects_a_title_and_overlapping_ones_get_a_track_each() -> None:
    draft = after(Place((STILL,)), Title("One"), Title("Two"))
    assert [s["m"]["text"] for s in draft["t"][1]["sg"]] == ["Two"]
    assert len(after(Place((STILL,)), Title("One"), Title("Two", 1_000, 3_000))["t"]) == 3


def test_speed_shortens_a_clip_and_never_leaves_its_bounds() -> None:
    assert total_ms(after(Place((CLIP,)), Speed(2.0))) == 2_000
    draft = after(Place((CLIP,)), Speed(10.0), Speed(10.0))
    assert draft["t"][0]["sg"][0]["m"]["speed"] == 4.0


def test_a_different_song_keeps_the_mood_and_the_volume() -> None:
    first = after(Place((STILL,)), Music("epic", "Epic", 0.2))
    again = apply(first, Music())
    one, other = first["t"][1]["sg"][0]["m"], again["t"][1]["sg"][0]["m"]
    assert one["src"] != other["src"] and other["src"].startswith("music:epic:")
    assert (other["name"], other["volume"]) == ("Epic", 0.2)


@pytest.mark.parametrize(
    ("edit", "key"),
    [
        (Delete("title"), "no_title"),
        (Delete("segment", 3), "no_segment"),
        (Volume("music", 0.2), "no_music"),
        (Trim(to_ms=20_000), "already_shorter"),
        (Trim(head_ms=10_000), "nothing_left"),
        (Transition(), "one_segment"),
        (Title("Late", 11_000), "after_end"),
        (Length(11 * 60_000), "too_long"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(edit: Edit, key: str) -> None:
    with pytest.raises(Cannot) as refused:
        apply(after(Place((STILL,))), edit)
    assert refused.value.key == key
