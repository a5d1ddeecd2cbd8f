"""An upload that broke off is settled by looking at the project, and sent again only where it can't have arrived."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_nemo import FakeNemo, JumpingClock
from PIL import Image
from pillow_heif import from_pillow
from world import World

from agent.backend.transfer import PIECE_UP

JPG = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 99


class Project(FakeNemo):
    """Keeps what was uploaded, breaks uploads off on demand and tells what it has."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.blind = False
        self.faults: list[str] = []
        """Of one upload after the other: cut (half of it left), lost (all of it left), late (it arrived), "" (fine)."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "/upload-video/" in request.url.path:
            return await self._upload(request)
        if self.blind and request.url.path.startswith("/api/state"):
            raise httpx.ReadError("no state")
        return await super().handle_async_request(request)

    async def _upload(self, request: httpx.Request) -> httpx.Response:
        fault = self.faults.pop(0) if self.faults else ""
        body = b""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for piece in request.stream:
            if fault == "cut" and body:
                self.blind = self.blind or "blind" in self.faults
                raise httpx.WriteError("reset by peer")
            body += piece
        self.bodies.append(body)
        names = [part.split('"')[0] for part in body.decode("latin-1").split('filename="')[1:]]
        names = names or [url.rpartition("/")[2] for url in body.decode().split('"') if "://" in url]
        if fault not in ("lost", "refuse"):
            self.files += [{"id": f"m{len(self.files) + n}", "filename": name} for n, name in enumerate(names)]
        if fault in ("late", "lost", "late blind"):
            self.blind = "blind" in fault
            raise httpx.ReadError("reset by peer")
        if fault == "refuse":
            return httpx.Response(200, json={"code": 4001, "message": "no"})
        if fault == "page":
            return httpx.Response(502, html="<html>bad gateway</html>")
        return httpx.Response(200, json={"code": 0, "data": {"files": [{"filename": name} for name in names]}})

    def _usual(self, request: httpx.Request, path: str) -> httpx.Response:
        if path.startswith("/api/state"):
            # Signed addresses are new at every look.
            signed = [{**file, "cdn_url": f"http://c.test/{file['id']}?s={len(self.requests)}"} for file in self.files]
            state = {"draft": self.draft, "video_infos": signed}
            return httpx.Response(200, json={"code": 0, "data": {"state": state}})
        return super()._usual(request, path)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, nemo=Project(), clock=JumpingClock())


def photo(world: World, name: str = "a.jpg") -> str:
    path = world.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(JPG)
    return str(path)


def upload(world: World, faults: list[str], *files: str) -> tuple[str, list[str]]:
    """What was read, and the errors among it."""
    assert isinstance(world.nemo, Project)
    world.nemo.faults = faults
    events = world.say("", files=files)
    read = [event for event in events if event.kind in ("text", "error")]
    return "\n".join(event.text for event in read), [event.code for event in read if event.kind == "error"]


@pytest.mark.parametrize("fault", ["late", "page"])
def test_an_upload_without_an_answer_that_is_in_the_project_arrived(world: World, fault: str) -> None:
    text, errors = upload(world, [fault], photo(world))
    assert ("Uploaded 1:\n- a.jpg" in text, errors) == (True, [])
    assert len(world.nemo.bodies) == 1  # type: ignore[attr-defined]
    assert world.clock.slept == [30]


def test_an_upload_that_left_whole_and_is_not_there_is_told_and_not_sent_again(world: World) -> None:
    text, errors = upload(world, ["lost"], photo(world))
    assert ("does not show a.jpg" in text, errors) == (True, ["stream_lost"])
    assert len(world.nemo.bodies) == 1  # type: ignore[attr-defined]
    assert world.clock.slept == [30, 60, 60, 60, 60]


def test_an_upload_cut_off_half_way_is_sent_once_more(world: World) -> None:
    text, errors = upload(world, ["cut", ""], photo(world))
    assert ("Uploaded 1:\n- a.jpg" in text, errors) == (True, [])
    assert world.clock.slept == [3]
    assert len(world.nemo.files) == 1  # type: ignore[attr-defined]


def test_an_upload_cut_off_twice_is_told(world: World) -> None:
    text, errors = upload(world, ["cut", "cut", ""], photo(world))
    assert ("does not show a.jpg" in text, errors) == (True, ["stream_lost"])
    assert world.nemo.files == []  # type: ignore[attr-defined]


def test_where_the_project_can_not_be_seen_nothing_is_claimed_and_nothing_sent_again(world: World) -> None:
    text, errors = upload(world, ["late blind"], photo(world))
    assert ("nobody knows whether a.jpg arrived" in text, errors) == (True, ["stream_lost"])
    assert len(world.nemo.bodies) == 1  # type: ignore[attr-defined]


def test_of_a_second_file_of_the_name_the_first_is_no_proof(world: World) -> None:
    upload(world, [], photo(world))
    _, errors = upload(world, ["lost"], photo(world))
    assert errors == ["stream_lost"]
    _, errors = upload(world, ["late"], photo(world))
    assert errors == []


def test_the_conversation_goes_on_after_a_lost_upload(world: World) -> None:
    upload(world, ["lost"], photo(world))
    text, errors = upload(world, [], photo(world))
    assert ("Uploaded 1:\n- a.jpg" in text, errors) == (True, [])


def test_several_files_leave_in_one_request(world: World) -> None:
    text, _ = upload(world, [], photo(world), photo(world, "b.jpg"), photo(world, "c.jpg"))
    assert "Uploaded 3:\n- a.jpg\n- b.jpg\n- c.jpg" in text
    assert len(world.nemo.bodies) == 1  # type: ignore[attr-defined]


def test_one_bad_file_among_several_holds_all_of_them_back(world: World) -> None:
    _, errors = upload(world, [], photo(world), str(world.folder / "none.jpg"))
    assert (errors, world.nemo.bodies) == (["upload_refused"], [])  # type: ignore[attr-defined]


def test_a_heic_photo_leaves_as_jpg_under_its_name(world: World) -> None:
    path = world.folder / "IMG_1.heic"
    from_pillow(Image.new("RGB", (64, 48), "red")).save(path)
    text, _ = upload(world, [], str(path))
    assert "- IMG_1.jpg" in text
    assert b"JFIF" in world.nemo.bodies[0]  # type: ignore[attr-defined]


def test_a_link_is_given_to_the_backend_and_never_fetched_here(world: World) -> None:
    link = "https://elsewhere.test/movies/b.mp4"
    text, errors = upload(world, ["late"], link)
    assert ("- b.mp4" in text, errors) == (True, [])
    assert b'{"urls":["https://elsewhere.test/movies/b.mp4"],"source_type":"url"}' in world.nemo.bodies  # type: ignore[attr-defined]
    assert {request.url.host for request in world.nemo.requests} == {"nemo.test"}


def test_what_arrived_before_a_refusal_is_told(world: World) -> None:
    text, errors = upload(world, ["", "refuse"], photo(world), "https://elsewhere.test/b.exe")
    assert ("Uploaded 1:\n- a.jpg" in text, errors) == (True, ["file_type_refused"])


def test_a_file_that_can_not_be_read_to_its_end_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = os.read

    def gone(file: int, size: int) -> bytes:
        if size == PIECE_UP:
            raise OSError(5, "the stick was pulled")
        return usual(file, size)

    name = photo(world)
    monkeypatch.setattr("agent.backend.transfer.os.read", gone)
    text, errors = upload(world, [], name)
    assert ("can't be read" in text, errors) == (True, ["upload_refused"])
