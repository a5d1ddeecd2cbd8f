"""The draft: read whatever comes, compared without inventing anything, known again by its fingerprint."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.draft import Draft, changes, fingerprint


def segment(name: str, start: int | None, length: int | None, **more: Any) -> dict[str, Any]:
    meta = {"name": name} | more.pop("m", {})
    times = {key: value for key, value in (("s", start), ("d", length)) if value is not None}
    return {"id": f"sg_{name}", **times, "m": meta, **more}


def track(kind: Any, *segments: Any, name: str | None = None) -> dict[str, Any]:
    return {"tt": kind, "sg": list(segments)} | ({"m": {"name": name}} if name else {})


def draft(*tracks: dict[str, Any], width: int = 1920, height: int = 1080) -> dict[str, Any]:
    return {"m": {"title": "film", "width": width, "height": height, "fps": 30}, "t": list(tracks)}


def kinds(before: Any, after: Any) -> list[str]:
    return [change.kind for change in changes(Draft.read(before), Draft.read(after))]


CITY = segment("city", 0, 10000, m={"kind": "image", "src": "a1"})
MUSIC = segment("Lo-fi", 0, 10000, m={"kind": "music", "volume": 0.35})
TITLE = {"id": "sg_t", "s": 0, "d": 3000, "m": {"text": "Urban Dreams", "name": "Urban Dreams"}}
FILM = draft(track(0, CITY, name="Video"), track(1, MUSIC, name="BGM"), track(7, TITLE, name="Title"))


def test_short_names_are_decoded() -> None:
    read = Draft.read(FILM)
    assert [(t.kind, t.label) for t in read.tracks] == [("video", "video"), ("audio", "bgm"), ("text", "title")]
    music = read.tracks[1].segments[0]
    assert (music.id, music.name, music.start_ms, music.duration_ms) == ("sg_Lo-fi", "Lo-fi", 0, 10000)
    assert music.volume == 0.35
    assert (read.title, read.size, read.duration_ms) == ("film", (1920, 1080), 10000)


@pytest.mark.parametrize(
    ("piece", "start"),
    [({"s": 5}, 5), ({"st": 6}, 6), ({"start": "7"}, 7), ({"d": 9}, 3000), ({"s": None, "st": 4}, 4)],
)
def test_a_start_is_read_by_any_of_its_names_or_follows_the_segment_before(piece: dict[str, Any], start: int) -> None:
    read = Draft.read(draft(track(7, segment("a", 0, 3000), piece)))
    assert read.tracks[0].segments[1].start_ms == start


def test_a_segment_after_one_of_unknown_length_has_no_known_start() -> None:
    read = Draft.read(draft(track(0, segment("a", 0, None), {"d": 1000})))
    assert read.tracks[0].segments[1].start_ms is None
    assert read.duration_ms is None


@pytest.mark.parametrize(
    "piece",
    [{"m": {"name": "x"}}, {"m": {"title": "x"}}, {"m": {"text": "x"}}, {"name": "x"}, {"text": "x"}, {"n": "x"}],
)
def test_a_name_is_read_by_any_of_its_names(piece: dict[str, Any]) -> None:
    assert Draft.read(draft(track(0, piece))).tracks[0].segments[0].name == "x"


@pytest.mark.parametrize(
    ("piece", "volume"),
    [
        ({"m": {"volume": 0.35}}, 0.35),
        ({"volume": 35}, 0.35),
        ({"vol": "35%"}, 0.35),
        ({"v": 100}, 1.0),
        ({"m": {"volume": 1}}, 1.0),
        ({"m": {"volume": 0}}, 0.0),
        ({"v": 1.5}, None),
        ({"v": -1}, None),
        ({"v": "loud"}, None),
        ({}, None),
    ],
)
def test_a_volume_is_a_fraction_or_per_cent_and_unknown_where_it_could_be_either(
    piece: dict[str, Any], volume: float | None
) -> None:
    assert Draft.read(draft(track(1, piece))).tracks[0].segments[0].volume == volume


def test_the_words_of_a_title_are_what_is_seen() -> None:
    piece = {"m": {"name": "title-1", "text": "Urban\nDreams\x1b[31m"}}
    assert Draft.read(draft(track(7, piece))).tracks[0].segments[0].name == "Urban Dreams[31m"


@pytest.mark.parametrize(
    ("lane", "label"),
    [
        (track(1, MUSIC), "bgm"),
        (track(1, segment("a", 0, 1, m={"kind": "voice"})), "voice"),
        (track(1, segment("a", 0, 1, m={"kind": "audio"})), "audio"),
        (track(1, segment("a", 0, 1), name="Voice"), "voice"),
        (track(1, segment("a", 0, 1)), "bgm"),
        (track("0", CITY), "video"),
        (track(3, CITY, name="Stickers"), "track"),
        (track(None, CITY), "track"),
    ],
)
def test_a_track_is_called_what_its_type_and_content_say(lane: dict[str, Any], label: str) -> None:
    assert Draft.read(draft(lane)).tracks[0].label == label


@pytest.mark.parametrize("junk", [None, [], "draft", 7, {}, {"t": None}, {"t": "x"}, {"t": [None, 3, {"sg": 4}]}])
def test_junk_is_an_empty_draft(junk: Any) -> None:
    read = Draft.read(junk)
    assert not read.exportable
    assert not read.is_still
    assert read.duration_ms is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["t", "tt", "sg", "d", "s", "m", "id", "name", "volume", "transition", "in"]), inner
        )
    ),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(JSON, JSON)
def test_nothing_in_a_draft_raises_and_equal_drafts_have_no_changes(one: Any, other: Any) -> None:
    kept = repr(one)
    a, b = Draft.read(one), Draft.read(other)
    changes(a, b)
    assert changes(a, a) == []
    assert changes(a, Draft.read(copy.deepcopy(one))) == []
    assert (a.exportable, a.is_still, a.duration_ms, fingerprint(one)) is not None
    assert repr(one) == kept


def test_raw_is_the_very_object_that_was_read() -> None:
    raw = draft(track(0, CITY)) | {"unknown": {"b": 1, "a": 2.0}}
    before = json.dumps(raw)
    assert Draft.read(raw).raw is raw
    assert json.dumps(raw) == before


def test_a_fingerprint_knows_values_and_not_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": [1, 2]}) != fingerprint({"a": [2, 1]})
    assert fingerprint(None) == fingerprint(None)


MOVING = segment("city", 0, 10000, m={"kind": "image", "motion": "zoom-in"})
CLIP = segment("walk", 0, 10000, m={"kind": "clip", "src": "a2"})
UNSAID = segment("city timelapse", 0, 10000)


@pytest.mark.parametrize(
    ("tracks", "still"),
    [
        ([track(0, CITY)], True),
        ([track(0, CITY), track(7, TITLE)], True),
        ([track(0, CITY), track(1)], True),
        ([track(0, segment("photo.jpg", 0, 5000))], True),
        ([track(0, CITY), track(1, MUSIC)], False),
        ([track(0, CITY, CITY)], False),
        ([track(0, CITY), track(5, TITLE)], False),
        ([track(0, MOVING)], False),
        ([track(0, CLIP)], False),
        ([track(0, UNSAID)], False),
        ([track(7, TITLE)], False),
    ],
)
def test_a_still_is_one_silent_picture_that_the_draft_calls_one(tracks: list[dict[str, Any]], still: bool) -> None:
    assert Draft.read(draft(*tracks)).is_still is still


def test_additions_and_removals_are_found() -> None:
    assert kinds(draft(track(0, CITY)), FILM) == ["added", "added"]
    assert kinds(FILM, draft(track(0, CITY))) == ["removed", "removed"]
    assert kinds(None, draft(track(0, CITY))) == ["added"]


def changed(**meta: Any) -> dict[str, Any]:
    piece = copy.deepcopy(CITY)
    piece["m"] |= meta
    return draft(track(0, piece))


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (changed(volume=0.5), ["volume"]),
        (changed(volume=1.0), []),
        (changed(speed=2), ["speed"]),
        (changed(name="town"), ["renamed"]),
        (changed(transition={"name": "crossfade", "d": 600}), ["transition"]),
        (changed(**{"in": 2000}), ["trimmed"]),
        (changed(motion="zoom-in"), ["adjusted"]),
        (draft(track(0, CITY | {"d": 8000})), ["trimmed"]),
        (draft(track(0, CITY | {"s": 2000})), ["moved"]),
        (draft(track(0, CITY), width=1080, height=1920), ["aspect"]),
        (draft(track(0, CITY), track(1)), []),
    ],
)
def test_each_kind_of_change_is_told_apart(after: dict[str, Any], found: list[str]) -> None:
    assert kinds(draft(track(0, CITY)), after) == found


A, B, C = segment("a", 0, 4000), segment("b", 4000, 4000), segment("c", 8000, 4000)


def test_segments_that_only_follow_their_neighbours_have_not_moved() -> None:
    after = draft(track(0, B | {"s": 0}, C | {"s": 4000}))
    assert kinds(draft(track(0, A, B, C)), after) == ["removed"]


def test_a_new_order_is_one_change() -> None:
    after = draft(track(0, C | {"s": 0}, A | {"s": 4000}, B | {"s": 8000}))
    assert kinds(draft(track(0, A, B, C)), after) == ["order"]


def test_a_title_that_plays_later_has_moved() -> None:
    assert kinds(draft(track(7, TITLE)), draft(track(7, TITLE | {"s": 5000}))) == ["moved"]


def test_segments_without_ids_are_matched_by_name_and_place() -> None:
    def nameless(*pieces: dict[str, Any]) -> dict[str, Any]:
        return draft(track(0, *({k: v for k, v in piece.items() if k != "id"} for piece in pieces)))

    assert kinds(nameless(A, B), nameless(A, B | {"d": 2000})) == ["trimmed"]
    assert kinds(nameless(A), nameless(A, B)) == ["added"]
    assert kinds(nameless(A), nameless(A | {"m": {"name": "z"}})) == ["renamed"]


def test_ids_made_anew_are_no_change() -> None:
    assert kinds(draft(track(0, A, B)), draft(track(0, A | {"id": "n1"}, B | {"id": "n2"}))) == []


def test_a_change_names_its_segment() -> None:
    (change,) = changes(Draft.read(draft(track(0, CITY))), Draft.read(changed(volume=0.5)))
    assert (change.id, change.track and change.track.label) == ("sg_city", "video")
