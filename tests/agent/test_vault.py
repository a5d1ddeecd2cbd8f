"""One user's files: what goes in, under which name, how much of it, and how it comes out again."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from gate import MP4, PNG, Caller, Gate, at_gate

from agent.errors import UploadRefused
from agent.serve import Options
from agent.serve.links import LIFE_S, Links
from agent.serve.vault import Vault, clean_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("beach.mp4", "beach.mp4"),
        ("../../etc/passwd.png", "passwd.png"),
        ("..\\..\\windows\\win.ini.png", "win.ini.png"),
        ("/etc/passwd", "passwd"),
        ("C:\\a.png", "a.png"),
        ("\\\\server\\share\\a.png", "a.png"),
        ("..", "file"),
        ("", "file"),
        (" . ", "file"),
        (".hidden.png", "hidden.png"),
        ("a\r\nSet-Cookie: x=1.png", "aSet-Cookie x=1.png"),
        ("a\0.png", "a.png"),
        ('a"; filename="b.png', "a; filename=b.png"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("\ud800.png", "file.png"),
        ("CON.png", "_CON.png"),
        ("com1", "_com1"),
        ("movie.part", "movie.part_"),
        ("movie.mp4.PART.JSON", "movie.mp4.PART.JSON_"),
        ("<script>.png", "script.png"),
        ("海滩.mp4", "海滩.mp4"),
        ("file:///etc/passwd", "passwd"),
        ("~root", "~root"),
    ],
)
def test_a_name_is_only_a_name(given: str, kept: str) -> None:
    found = clean_name(given)
    assert found == kept or (given.startswith("\ud800") and found == "png")


@pytest.mark.parametrize("name", ["x" * 5000 + ".mp4", "海" * 5000 + ".mp4", "😀" * 200, "." * 5000, "a." * 5000])
def test_a_long_name_fits_every_disk_and_keeps_its_suffix(tmp_path: Path, name: str) -> None:
    found = clean_name(name)
    assert len(found) <= 100 and len(found.encode()) <= 190
    assert found.endswith(".mp4") == name.endswith(".mp4")
    (tmp_path / f"{found}.part.json").touch()


@pytest.mark.parametrize(
    ("name", "data", "kept"),
    [
        ("a.png", PNG, "a.png"),
        ("a.PNG", PNG, "a.PNG"),
        ("a.png", MP4, "a.mp4"),
        ("film.mov", MP4, "film.mov"),
        ("sound.m4a", MP4, "sound.m4a"),
        ("a", PNG, "a.png"),
        ("a.html", PNG, "a.html.png"),
        ("a.svg", PNG, "a.svg.png"),
        ("a.part", PNG, "a.part_.png"),
        ("archive.tar", PNG, "archive.tar.png"),
    ],
)
def test_a_suffix_follows_the_content(tmp_path: Path, name: str, data: bytes, kept: str) -> None:
    vault = Vault(tmp_path)
    stored = vault.keep(io.BytesIO(data), name, 1)
    assert stored.name == kept and vault.find(stored.id) == stored and stored.path.read_bytes() == data
    assert [path.name for path in stored.path.parent.iterdir()] == [kept]


@pytest.mark.parametrize("data", [b"", b"<html><script>", b"<svg/>", b"MZ", b"#!/bin/sh", b"\x00" * 100, b"%PDF-1.7"])
def test_what_is_no_medium_leaves_nothing(tmp_path: Path, data: bytes) -> None:
    vault = Vault(tmp_path)
    with pytest.raises(UploadRefused):
        vault.keep(io.BytesIO(data), "a.png", 1)
    assert vault.all() == [] and vault.used() == 0 and not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_upload_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        Vault(tmp_path).keep(Broken(), "a.png", 1)
    assert not list((tmp_path / "given").iterdir())


def test_what_a_killed_upload_left_counts_until_it_is_tidied(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    coming = vault.new("a.mp4").parent / ".upload"
    coming.mkdir()
    (coming / "a.mp4").write_bytes(MP4)
    vault.tidy()
    assert vault.all() == [] and vault.used() == len(MP4)
    os.utime(coming, (0, 0))
    vault.tidy()
    assert vault.used() == 0 and not list((tmp_path / "given").iterdir())


def test_a_link_in_the_vault_leads_nowhere(tmp_path: Path) -> None:
    secret, vault = tmp_path / "secret.png", Vault(tmp_path / "files")
    secret.write_bytes(PNG)
    inside = vault.new("a.png")
    other = tmp_path / "elsewhere" / "a.png"
    other.parent.mkdir()
    other.write_bytes(PNG)
    folder = inside.parent.parent / ("file_" + "1" * 32)
    try:
        inside.symlink_to(secret)
        folder.symlink_to(other.parent, target_is_directory=True)
    except OSError:
        pytest.skip("links are not allowed here")
    for handle in (inside.parent.name, folder.name):
        assert vault.find(handle) is None and not vault.holds(handle) and not vault.delete(handle)
        with pytest.raises(UploadRefused):
            vault.take(handle, 1)
    assert vault.all() == [] and vault.used() == 0


@pytest.mark.parametrize(
    "handle", ["..", ".", "", "file_", "file_" + "0" * 31, "file_" + "G" * 32, "file_../../x", "/"]
)
def test_only_a_handle_is_a_handle(tmp_path: Path, handle: str) -> None:
    assert Vault(tmp_path).find(handle) is None and not Vault(tmp_path).delete(handle)


def test_uploads_at_the_same_time_stay_within_the_quota(tmp_path: Path) -> None:
    film = MP4 + bytes(400_000)

    async def scenario(gate: Gate) -> None:
        answers = await asyncio.gather(*(gate.upload(f"{n}.mp4", film) for n in range(6)))
        fine = [one for one in answers if one.status_code == 200]
        assert len(fine) == 2
        assert {one.json()["error"]["code"] for one in answers if one not in fine} == {"quota"}
        kept = (await gate.client.get("/v1/files")).json()["data"]
        assert sum(one["bytes"] for one in kept) <= 1_000_000 and len(kept) == 2
        # Room is room again.
        assert (await gate.client.delete(f"/v1/files/{kept[0]['id']}")).status_code == 200
        assert (await gate.upload("x.mp4", film)).status_code == 200

    at_gate(tmp_path, scenario, Options(quota_mb=1))


def test_two_processes_that_add_files_at_the_same_time_stay_within_the_quota(tmp_path: Path) -> None:
    film = MP4 + bytes(400_000)

    async def scenario(gate: Gate) -> None:
        vault = gate.host.turns.agent("guest").tools.desk
        assert isinstance(vault, Vault)
        keep = vault.keep

        def race(*given: Any) -> Any:
            stored = keep(*given)
            Vault(vault._folder).keep(io.BytesIO(film), "other.mp4", 1)  # the other process looked when we did
            return stored

        vault.keep = race  # type: ignore[method-assign]
        assert (await gate.upload("a.mp4", film)).json()["error"]["code"] == "quota"
        assert [one.name for one in vault.all()] == ["other.mp4"]

    at_gate(tmp_path, scenario, Options(quota_mb=0.5))


def test_a_form_that_cannot_fit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        headers = {"content-type": "multipart/form-data; boundary=x", "content-length": "5000000"}
        caller = Caller(gate, "POST", "/v1/files", headers)
        assert await caller.status() == 413 and b'"quota"' in await caller.body() and caller.taken == 0

    at_gate(tmp_path, scenario, Options(quota_mb=1))


def test_an_upload_that_its_sender_leaves_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))

    async def scenario(gate: Gate) -> None:
        caller = Caller(gate, "POST", "/v1/files", {"content-type": "multipart/form-data; boundary=x"})
        caller.give(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n' + MP4, more=True)
        for _ in range(3):
            caller.give(bytes(1_000_000), more=True)
        caller.leave()
        await asyncio.gather(caller.task, return_exceptions=True)
        assert not _handles(spool, "*") and gate.host.limits.open == 0
        assert not _handles(tmp_path)

    at_gate(tmp_path, scenario)


def part(name: str, data: bytes, more: str = "") -> bytes:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + data + b"\r\n"


FILE = part("file", PNG, '; filename="a.png"')


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (b"", "x"),
        (b"--x--\r\n", "x"),
        (FILE, "x"),  # never ends
        (b"nothing of that kind", "x"),
        (part("file", b"words") + b"--x--\r\n", "x"),
        (part("other", PNG, '; filename="a.png"') + b"--x--\r\n", "x"),
        (FILE * 2 + b"--x--\r\n", "x"),
        (part("purpose", b"user_data") * 11 + FILE + b"--x--\r\n", "x"),
        (part("purpose", bytes(100_000)) + FILE + b"--x--\r\n", "x"),
        (FILE + b"--x--\r\n", ""),
        (FILE + b"--x--\r\n", "x; charset=punycode"),
        (b"--x\r\n" + b"A: b\r\n" * 5000 + b"\r\n\r\n--x--\r\n", "x"),
        (b"--x\r\nA: " + b"b" * 100_000 + b"\r\n\r\n--x--\r\n", "x"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--\r\n", "x"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the parser forgets the last to close
def test_a_form_that_is_none_is_refused_and_leaves_nothing(tmp_path: Path, body: bytes, boundary: str) -> None:
    async def scenario(gate: Gate) -> None:
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        answer = await gate.client.post("/v1/files", content=body, headers=headers)
        if "punycode" in boundary and answer.status_code == 200:
            return
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["code"] == "bad_request" and answer.json()["error"]["request_id"]
        assert not _handles(tmp_path)

    at_gate(tmp_path, scenario)


@pytest.mark.parametrize(
    ("asked", "status", "length"),
    [
        (None, 200, 1000),
        ("bytes=0-9", 206, 10),
        ("bytes=990-", 206, 10),
        ("bytes=-10", 206, 10),
        ("bytes=0-999999999999999", 206, 1000),
        ("bytes=1000-", 416, 0),
        ("bytes=5-1", 200, 1000),
        ("bytes=0-" + "9" * 5000, 200, 1000),
        ("bytes=" + "9" * 5000 + "-", 200, 1000),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 200, 2)), 200, 1000),
        ("bytes=0-,0-,0-,0-", 200, 1000),
        ("bytes=", 200, 1000),
        ("bytes=a-b", 200, 1000),
        ("lines=0-1", 200, 1000),
        ("bytes=\u0662-\u0663", 200, 1000),
    ],
)
def test_one_range_or_the_whole_and_never_more_than_the_file(
    tmp_path: Path, asked: str | None, status: int, length: int
) -> None:
    film = (MP4 + bytes(1000))[:1000]

    async def scenario(gate: Gate) -> None:
        id = (await gate.upload("a.mp4", film)).json()["id"]
        headers = [] if asked is None else [(b"range", asked.encode())]
        answer = await gate.client.get(f"/v1/files/{id}/content", headers=headers)
        if asked == "bytes=5-1":
            assert answer.status_code in (200, 400, 416) and len(answer.content) <= 1000
            return
        assert (answer.status_code, len(answer.content)) == (status, length)

    at_gate(tmp_path, scenario)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.html", PNG, "image/png"),
        ("a.png", MP4, "video/mp4"),
        ("海滩 (1).mp4", MP4, "video/mp4"),
        ("a;b.png", PNG, "image/png"),
    ],
)
def test_what_comes_out_is_what_it_is_and_runs_nowhere(tmp_path: Path, name: str, data: bytes, kind: str) -> None:
    async def scenario(gate: Gate) -> None:
        id = (await gate.upload(name, data)).json()["id"]
        answer = await gate.client.get(f"/v1/files/{id}/content")
        assert answer.headers["content-type"] == kind
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox")
        named = answer.headers["content-disposition"]
        assert named.startswith("inline; filename") and named.isascii() and named.count('"') in (0, 2)

    at_gate(tmp_path, scenario)


def test_a_link_is_for_one_file_of_one_user_until_it_expires(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        links, now = gate.host.links, gate.clock.now().timestamp()
        handles = [(await gate.upload("a.png", PNG, gate.key(user))).json()["id"] for user in ("anna", "anna", "ben")]
        anna, ben = (gate.host.house.folder(user).name for user in ("anna", "ben"))
        link = links.make(anna, handles[0], "a.png", now)
        answer = await gate.client.get(link)
        assert answer.content == PNG and answer.headers["cross-origin-resource-policy"] == "cross-origin"
        elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://chat.example.org"}
        shown = await gate.client.get(link, headers=elsewhere)
        assert shown.status_code == 200 and "access-control-allow-origin" not in shown.headers
        wrong = [
            link.replace(handles[0], handles[1]),
            link.replace(anna, ben),
            link.replace(anna, ben).replace(handles[0], handles[2]),
            link[:-1] + ("0" if link[-1] != "0" else "1"),
            link.replace("expires=", "expires=9"),
            link.replace("signature=", "signature=x"),
            link.partition("&")[0],
            link.partition("?")[0],
            Links(b"another secret").make(anna, handles[0], "a.png", now),
            links.make(anna, handles[0], "a.png", now - LIFE_S - 60),
            links.make(anna, handles[2], "a.png", now),
            link.replace("expires=", "expires=%D9%A1"),
            link.replace("expires=", "expires=-"),
        ]
        for one in wrong:
            answer = await gate.client.get(one)
            assert answer.status_code == 404 and answer.json()["error"]["code"] == "not_found", one
        await gate.client.delete(f"/v1/files/{handles[0]}", headers=gate.key("anna"))
        assert (await gate.client.get(link)).status_code == 404

    at_gate(tmp_path, scenario, users=["anna", "ben"])


def _handles(folder: Path, pattern: str = "file_*") -> list[Path]:
    return list(folder.rglob(pattern))
