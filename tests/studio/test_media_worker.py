"""The worker as a process: its lines, its exit codes, and what it leaves behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import media_files as make
import pytest
from PIL import Image

ON_POSIX = sys.platform != "win32"


def start(spec: dict[str, Any], folder: Path) -> subprocess.Popen[str]:
    path = folder / "spec.json"
    path.write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    command = [sys.executable, "-m", "studio.worker", str(path)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[2],
    )


def work(spec: dict[str, Any], folder: Path) -> tuple[int, list[dict[str, Any]]]:
    with start(spec, folder) as process:
        out, _ = process.communicate(timeout=60)
    return process.returncode, [json.loads(line) for line in out.splitlines()]


def rendering(folder: Path, length: int = 600, size: tuple[int, int] = (320, 180)) -> dict[str, Any]:
    picture = make.picture(folder / "a.png")
    draft = make.draft((0, [make.shot("a", 0, length, motion="zoom-in")]), width=size[0], height=size[1])
    assets = {"a": {"path": str(picture), "kind": "image", "mime": "image/png"}}
    return {
        "job": "render",
        "draft": draft,
        "assets": assets,
        "output": {"format": "mp4"},
        "out": str(folder / "x.mp4"),
    }


def test_a_render_reports_progress_and_then_its_result(tmp_path: Path) -> None:
    code, lines = work(rendering(tmp_path), tmp_path)
    assert code == 0
    shares = [line["progress"] for line in lines[:-1]]
    assert shares and shares == sorted(shares) and 0 <= shares[0] and shares[-1] <= 1
    size = (tmp_path / "x.mp4").stat().st_size
    assert lines[-1] == {"result": {"size": size, "duration_ms": 600, "width": 320, "height": 180}}
    assert not list(tmp_path.glob("*.part"))


def test_a_drawing_says_what_it_became(tmp_path: Path) -> None:
    spec = {"job": "draw", "seed": 1, "width": 320, "height": 180, "out": str(tmp_path / "x.png")}
    assert work({**spec, "prompt": "夜晚未来城市"}, tmp_path)[1][-1] == {
        "result": {"width": 320, "height": 180, "kind": "scene", "label": "city"}
    }
    assert work({**spec, "prompt": "a cat"}, tmp_path)[1][-1]["result"]["kind"] == "card"
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.size == (320, 180)


def test_a_probe_answers_with_what_the_file_is(tmp_path: Path) -> None:
    path = make.tone(tmp_path / "song", seconds=1.0)
    code, lines = work({"job": "probe", "path": str(path), "name": "song.mp3"}, tmp_path)
    want = {
        "kind": "audio",
        "mime": "audio/wav",
        "width": 0,
        "height": 0,
        "duration_ms": 1000,
        "fps": 0.0,
        "ext": "wav",
    }
    assert (code, lines) == (0, [{"result": want}])


def test_a_phone_picture_is_turned_into_a_jpeg_when_a_place_is_given(tmp_path: Path) -> None:
    path = make.picture(tmp_path / "a.heic", format="HEIF")
    spec = {"job": "probe", "path": str(path), "name": "a.heic", "out": str(tmp_path / "a.jpg")}
    result = work(spec, tmp_path)[1][-1]["result"]
    assert (result["ext"], result["mime"], result["path"]) == ("jpg", "image/jpeg", str(tmp_path / "a.jpg"))
    with Image.open(tmp_path / "a.jpg") as picture:
        assert picture.size == (320, 180)


def test_bad_media_is_the_files_fault_and_names_it(tmp_path: Path) -> None:
    spec = rendering(tmp_path)
    (tmp_path / "a.png").write_bytes(b"<html>")
    code, lines = work(spec, tmp_path)
    assert code == 3
    assert (lines[-1]["asset"], lines[-1]["code"]) == ("a", "type")
    assert lines[-1]["error"]
    assert work({"job": "probe", "path": str(tmp_path / "a.png"), "name": "a.png"}, tmp_path)[0] == 3
    assert not (tmp_path / "x.mp4").exists()
    assert not list(tmp_path.glob("*.part"))


def test_an_unknown_job_is_a_bug_with_a_trace(tmp_path: Path) -> None:
    with start({"job": "sing"}, tmp_path) as process:
        out, trace = process.communicate(timeout=60)
    assert process.returncode == 1
    assert json.loads(out)["code"] == "bug"
    assert "unknown job sing" in trace


@pytest.mark.skipif(not ON_POSIX, reason="Windows ends a process without asking it")
def test_a_canceled_render_leaves_nothing(tmp_path: Path) -> None:
    with start(rendering(tmp_path, length=60_000, size=(1280, 720)), tmp_path) as process:
        assert process.stdout is not None
        assert any((tmp_path / "x.mp4.part").exists() for _ in process.stdout)
        assert not (tmp_path / "x.mp4").exists()
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)
    assert process.returncode == 4
    assert json.loads(out.splitlines()[-1])["code"] == "canceled"
    assert not list(tmp_path.glob("x.mp4*"))


@pytest.mark.skipif(not ON_POSIX, reason="a closed pipe is noticed differently on Windows")
def test_a_worker_nobody_listens_to_stops(tmp_path: Path) -> None:
    with start(rendering(tmp_path, length=60_000), tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=20) == 4
    assert not list(tmp_path.glob("x.mp4*"))
