"""Films measured: codecs, length, pictures at moments, motion, transitions, titles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import media_files as make
import numpy as np
import pytest
from PIL import Image

from studio.film import read
from studio.media import MAX_FILM_MS, BadMedia
from studio.render import Rendered, render

RED, BLUE = (192, 48, 32), (32, 64, 200)


@pytest.fixture
def library(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Media ids a (red), b (blue), dot, and clip."""
    files = {
        "a": make.picture(tmp_path / "a.png", "#c03020"),
        "b": make.picture(tmp_path / "b.png", "#2040c8"),
        "dot": make.dotted(tmp_path / "dot.png"),
        "clip": make.clip(tmp_path / "clip.mp4"),
    }
    return {key: {"path": str(path), "kind": "clip" if key == "clip" else "image"} for key, path in files.items()}


def film(
    draft: Mapping[str, Any], library: Mapping[str, Any], out: Path, output: Mapping[str, Any] | None = None
) -> Rendered:
    return render(read(draft, library), output or {"format": "mp4"}, out, lambda share, stage: None)


def near(pixel: Any, colour: tuple[int, int, int], within: int = 8) -> bool:
    return bool(np.abs(np.asarray(pixel, int) - colour).max() <= within)


def test_an_mp4_is_h264_and_aac_at_the_exact_length(library: dict[str, Any], tmp_path: Path) -> None:
    done = film(make.draft((0, [make.shot("a", 0, 1500)])), library, tmp_path / "x.mp4")
    with av.open(str(tmp_path / "x.mp4")) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (video.width, video.height, float(video.average_rate)) == (320, 180, 30.0)
        assert video.codec_context.colorspace == video.codec_context.color_primaries == 1
        assert (sound.codec_context.name, sound.rate, sound.layout.name) == ("aac", 48_000, "stereo")
        assert abs(container.duration / 1e6 - 1.5) <= 0.1
        assert abs(float(sound.duration * sound.time_base) - 1.5) <= 0.1
    assert len(make.frames(tmp_path / "x.mp4")) == 45
    assert done == Rendered((tmp_path / "x.mp4").stat().st_size, 1500, 320, 180)


def test_the_index_stands_before_the_pictures(library: dict[str, Any], tmp_path: Path) -> None:
    film(make.draft((0, [make.shot("a", 0, 500)])), library, tmp_path / "x.mp4")
    data = (tmp_path / "x.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_colours_survive(library: dict[str, Any], tmp_path: Path) -> None:
    film(make.draft((0, [make.shot("a", 0, 400)])), library, tmp_path / "x.mp4")
    assert near(make.frames(tmp_path / "x.mp4")[5][90, 160], RED)


@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320), (240, 240), (101, 77)])
def test_every_canvas_is_filled_and_even(library: dict[str, Any], tmp_path: Path, width: int, height: int) -> None:
    done = film(make.draft((0, [make.shot("a", 0, 300)]), width=width, height=height), library, tmp_path / "x.mp4")
    assert done.width % 2 == done.height % 2 == 0
    picture = make.frames(tmp_path / "x.mp4")[3]
    assert picture.shape[:2] == (done.height, done.width)
    assert all(near(picture[y, x], RED) for x in (2, -3) for y in (2, -3))


def test_a_title_is_there_at_one_second_and_gone_at_four(library: dict[str, Any], tmp_path: Path) -> None:
    plain = make.draft((0, [make.shot("a", 0, 4500)]))
    titled = make.draft((0, [make.shot("a", 0, 4500)]), (7, [make.title("Urban Dreams 城市", 0, 3000)]))
    film(plain, library, tmp_path / "plain.mp4")
    film(titled, library, tmp_path / "titled.mp4")
    bare, words = make.frames(tmp_path / "plain.mp4"), make.frames(tmp_path / "titled.mp4")
    assert (words[30].min(axis=2) > 225).sum() > 300
    assert (bare[30].min(axis=2) > 225).sum() == 0
    assert np.abs(words[120].astype(int) - bare[120]).mean() < 1
    assert np.abs(words[30].astype(int) - words[60]).mean() < 1  # steady between its fades


def test_the_middle_of_a_crossfade_is_half_of_each(library: dict[str, Any], tmp_path: Path) -> None:
    second = make.shot("b", 1000, 1000, transition={"name": "crossfade", "d": 600})
    film(make.draft((0, [make.shot("a", 0, 1000), second])), library, tmp_path / "x.mp4")
    shown = make.frames(tmp_path / "x.mp4")
    assert len(shown) == 60
    middle = tuple((r + b) // 2 for r, b in zip(RED, BLUE, strict=True))
    assert near(shown[29][90, 160], RED)
    assert near(shown[39][90, 160], middle, 12)
    assert near(shown[50][90, 160], BLUE)


def test_a_fade_goes_through_black_and_a_slide_shows_both(library: dict[str, Any], tmp_path: Path) -> None:
    for name in ("fade-black", "slide"):
        second = make.shot("b", 500, 800, transition={"name": name, "d": 600})
        film(make.draft((0, [make.shot("a", 0, 500), second])), library, tmp_path / f"{name}.mp4")
    dark = make.frames(tmp_path / "fade-black.mp4")[24]
    assert dark.max() < 30
    both = make.frames(tmp_path / "slide.mp4")[24]
    assert near(both[90, 20], RED, 12)
    assert near(both[90, 300], BLUE, 12)


def dot_places(path: Path) -> np.ndarray[Any, Any]:
    """The horizontal centre of light of every frame, in fractions of a pixel."""
    columns = np.arange(320)
    lights = [frame.astype(float).mean(axis=2).clip(12, None) - 12 for frame in make.frames(path)]
    return np.array([(light.sum(axis=0) * columns).sum() / light.sum() for light in lights])


@pytest.mark.parametrize("motion", ["zoom-in", "zoom-out", "pan-left", "pan-right"])
def test_the_camera_moves_evenly_by_fractions_of_a_pixel(library: dict[str, Any], tmp_path: Path, motion: str) -> None:
    film(make.draft((0, [make.shot("dot", 0, 2000, motion=motion)])), library, tmp_path / "x.mp4")
    places = dot_places(tmp_path / "x.mp4")
    assert abs(places[-1] - places[0]) > 4
    line = np.polyval(np.polyfit(np.arange(len(places)), places, 2), np.arange(len(places)))
    assert np.abs(places - line).max() < 0.3
    steps = np.diff(places) * np.sign(places[-1] - places[0])
    assert (steps > -0.15).all()


def test_a_still_without_motion_stands_still(library: dict[str, Any], tmp_path: Path) -> None:
    film(make.draft((0, [make.shot("dot", 0, 600, motion="none")])), library, tmp_path / "x.mp4")
    assert np.ptp(dot_places(tmp_path / "x.mp4")) < 0.1


def test_a_gap_is_black(library: dict[str, Any], tmp_path: Path) -> None:
    draft = make.draft((0, [make.shot("a", 0, 300), make.shot("b", 600, 300)]))
    film(draft, library, tmp_path / "x.mp4")
    shown = make.frames(tmp_path / "x.mp4")
    assert shown[13].max() < 12
    assert near(shown[24][90, 160], BLUE)


def grey(path: Path) -> list[float]:
    return [float(frame[60:120, 100:220].mean()) for frame in make.frames(path)]


def test_a_clip_starts_at_its_in_point_and_runs_at_its_speed(library: dict[str, Any], tmp_path: Path) -> None:
    once = make.shot("clip", 0, 800, kind="clip", **{"in": 1000})
    fast = make.shot("clip", 0, 800, kind="clip", speed=2.0)
    film(make.draft((0, [once])), library, tmp_path / "once.mp4")
    film(make.draft((0, [fast])), library, tmp_path / "fast.mp4")
    slow_start, fast_start = grey(tmp_path / "once.mp4"), grey(tmp_path / "fast.mp4")
    assert abs(slow_start[0] - 255 * 25 / 49) < 12  # one second into a two second rise from black to white
    assert fast_start[0] < 10
    assert abs(fast_start[15] - 255 * 25 / 49) < 14


def test_the_last_picture_of_a_clip_stays(library: dict[str, Any], tmp_path: Path) -> None:
    film(make.draft((0, [make.shot("clip", 0, 2600, kind="clip")])), library, tmp_path / "x.mp4")
    assert min(grey(tmp_path / "x.mp4")[-10:]) > 245


def test_an_upright_clip_stands_upright_over_a_soft_fill(tmp_path: Path) -> None:
    source = make.turned(make.clip(tmp_path / "c.mp4", size=(160, 90)), tmp_path / "phone.mp4")
    library = {"c": {"path": str(source), "kind": "clip"}}
    film(make.draft((0, [make.shot("c", 0, 400, kind="clip", **{"in": 1500})])), library, tmp_path / "x.mp4")
    picture = make.frames(tmp_path / "x.mp4")[5].astype(int)
    assert picture[90, 160].mean() > picture[90, 30].mean() + 30 > 60


def test_an_animation_plays_and_repeats(tmp_path: Path) -> None:
    parts = [Image.new("RGB", (64, 36), colour) for colour in ((192, 48, 32), (32, 64, 200))]
    parts[0].save(tmp_path / "a.gif", save_all=True, append_images=parts[1:], duration=200)
    library = {"g": {"path": str(tmp_path / "a.gif"), "kind": "clip"}}
    film(make.draft((0, [make.shot("g", 0, 800, kind="clip")])), library, tmp_path / "x.mp4")
    shown = [frame[90, 160] for frame in make.frames(tmp_path / "x.mp4")]
    assert [near(shown[number], RED, 16) for number in (2, 9, 15, 21)] == [True, False, True, False]
    film(make.draft((0, [make.shot("g", 0, 400)])), library, tmp_path / "still.mp4")
    assert near(make.frames(tmp_path / "still.mp4")[9][90, 160], RED, 16)


def test_a_gif_is_small_and_moves_and_keeps_its_length(library: dict[str, Any], tmp_path: Path) -> None:
    draft = make.draft((0, [make.shot("a", 0, 800), make.shot("b", 800, 800)]), width=960, height=540)
    done = film(draft, library, tmp_path / "x.gif", {"format": "gif"})
    with Image.open(tmp_path / "x.gif") as picture:
        assert picture.size == (480, 270) == (done.width, done.height)
        lengths = []
        for index in range(picture.n_frames):
            picture.seek(index)
            lengths.append(picture.info["duration"])
        assert abs(sum(lengths) - 1600) <= 100
        assert near(picture.convert("RGB").getpixel((240, 135)), BLUE, 14)
        picture.seek(0)
        assert near(picture.convert("RGB").getpixel((240, 135)), RED, 14)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_a_frame_of_a_film_is_delivered_at_full_size(library: dict[str, Any], tmp_path: Path, kind: str) -> None:
    draft = make.draft((0, [make.shot("a", 0, 800), make.shot("b", 800, 800)]))
    for at, colour in ((200, RED), (1200, BLUE), (99_000, BLUE)):
        done = film(draft, library, tmp_path / "x", {"format": kind, "at_ms": at})
        with Image.open(tmp_path / "x") as picture:
            assert picture.format == {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[kind]
            assert picture.size == (320, 180)
            assert near(picture.convert("RGB").getpixel((160, 90)), colour)
        assert done.duration_ms == 0


def test_a_still_draft_is_the_picture_itself_with_its_title(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 200, (360, 640, 3), np.uint8)).save(tmp_path / "n.png")
    library = {"n": {"path": str(tmp_path / "n.png"), "kind": "image"}}
    draft = make.draft((0, [make.shot("n", 0, 10_000, motion="zoom-in")]))
    film(draft, library, tmp_path / "x.png", {"format": "png"})
    with Image.open(tmp_path / "x.png") as shown, Image.open(tmp_path / "n.png") as source:
        assert shown.tobytes() == source.tobytes()
    draft = make.draft((0, [make.shot("n", 0, 10_000)]), (7, [make.title("Hello", 0, 3000)]))
    film(draft, library, tmp_path / "x.png", {"format": "png"})
    with Image.open(tmp_path / "x.png") as shown:
        assert shown.size == (640, 360)
        assert (np.asarray(shown).min(axis=2) > 240).sum() > 300


def test_a_draft_render_is_smaller(library: dict[str, Any], tmp_path: Path) -> None:
    draft = make.draft((0, [make.shot("a", 0, 300)]), width=1920, height=1080)
    done = film(draft, library, tmp_path / "x.mp4", {"format": "mp4", "quality": "draft"})
    assert (done.width, done.height) == (960, 540)


def test_an_empty_an_endless_and_a_torn_timeline_are_refused(library: dict[str, Any]) -> None:
    cases = {
        "empty": make.draft((0, [])),
        "too_long": make.draft((0, [make.shot("a", 0, MAX_FILM_MS + 1)])),
        "missing": make.draft((0, [make.shot("nobody", 0, 1000)])),
    }
    for code, draft in cases.items():
        with pytest.raises(BadMedia) as caught:
            read(draft, library)
        assert caught.value.code == code


def test_odd_values_in_a_draft_are_read_as_well_as_they_can_be(library: dict[str, Any], tmp_path: Path) -> None:
    odd = {"speed": "fast", "volume": None, "motion": 3, "transition": "none", "in": float("nan")}
    draft = {
        "m": {"width": "wide", "height": True, "fps": 10_000},
        "t": [7, {"tt": 0, "sg": [make.shot("a", 0, 300, **odd)]}],
    }
    plan = read(draft, library)
    assert (plan.width, plan.height, plan.fps, plan.duration_ms) == (1920, 1080, 60, 300)
    assert read({"t": [{"tt": 0, "sg": [make.shot("a", 0, 300)]}]}, library).fps == 30


def test_a_bad_file_is_named_by_its_id(library: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"rubbish" * 50)
    with pytest.raises(BadMedia) as caught:
        film(make.draft((0, [make.shot("a", 0, 300)])), library, tmp_path / "x.mp4")
    assert (caught.value.asset, caught.value.code) == ("a", "unreadable")
