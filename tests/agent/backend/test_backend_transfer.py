from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.errors import TransferFailed

URL = "https://cdn.test/a.mp4?sig=1"
FILE = b"0123456789" * 100
FULL = {"content-length": "1000", "etag": '"v1"', "content-type": "video/mp4"}


def rest(start: int) -> dict[str, str]:
    return {**FULL, "content-length": str(1000 - start), "content-range": f"bytes {start}-999/1000"}


def fetch(wire: Any, path: Path, url: str = URL) -> Any:
    seen: list[tuple[int, int]] = []
    done = wire.run(wire.backend().download(url, path, lambda done, total: seen.append((done, total))))
    return done, seen


def streamed(wire: Any, status: int, headers: dict[str, str], *pieces: bytes | Exception) -> httpx.Response:
    reply: httpx.Response = wire.stream(*pieces)
    return httpx.Response(status, headers=headers, stream=reply.stream)


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports" / "a.mp4"


def test_a_file_arrives_whole_under_its_name_with_progress(wire: Any, out: Path) -> None:
    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE[:400], FILE[400:]))
    done, seen = fetch(wire, out)
    assert (done.size, out.read_bytes(), left(out.parent)) == (1000, FILE, ["a.mp4"])
    assert seen == [(0, 1000), (400, 1000), (1000, 1000)]


def test_a_foreign_host_gets_no_token_and_no_persona(wire: Any, out: Path) -> None:
    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE))
    fetch(wire, out)
    headers = wire.requests[-1].headers
    assert "authorization" not in headers
    assert not [name for name in headers if name.startswith("x-skill")]
    assert headers["accept-encoding"] == "identity"
    assert wire.paths() == ["/a.mp4"]


def test_the_backends_own_host_gets_the_persona_but_no_token(wire: Any, out: Path) -> None:
    wire.on("GET", "/files/a.mp4", streamed(wire, 200, FULL, FILE))
    fetch(wire, out, "/files/a.mp4")
    assert str(wire.requests[-1].url) == "https://backend.test/files/a.mp4"
    assert wire.requests[-1].headers["x-skill-source"] == "generator-image"
    assert "authorization" not in wire.requests[-1].headers


def test_the_fallback_address_gets_the_token_and_where_it_leads_does_not(wire: Any, out: Path, canary: str) -> None:
    backend = wire.backend()
    url = backend.fallback_url("render_1")
    assert url == "https://backend.test/api/render/proxy/render_1/download"
    moved = httpx.Response(302, headers={"location": URL})
    wire.on("GET", "/api/render/proxy/render_1/download", moved)
    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE))
    wire.run(backend.download(url, out, lambda done, total: None))
    first, second = wire.requests[-2:]
    assert first.headers["authorization"] == f"Bearer {canary}"
    assert "authorization" not in second.headers


def test_a_broken_download_goes_on_where_it_stopped(wire: Any, out: Path) -> None:
    wire.on(
        "GET",
        "/a.mp4",
        streamed(wire, 200, FULL, FILE[:300], httpx.ReadError("cut")),
        streamed(wire, 206, rest(300), FILE[300:700], httpx.RemoteProtocolError("cut")),
        streamed(wire, 206, rest(700), FILE[700:]),
    )
    done, seen = fetch(wire, out)
    assert (done.size, out.read_bytes(), left(out.parent)) == (1000, FILE, ["a.mp4"])
    assert [(r.headers.get("range"), r.headers.get("if-range")) for r in wire.requests] == [
        (None, None),
        ("bytes=300-", '"v1"'),
        ("bytes=700-", '"v1"'),
    ]
    assert seen[-1] == (1000, 1000)
    assert len(wire.clock.slept) == 2


def test_a_body_shorter_than_promised_is_not_a_file(wire: Any, out: Path) -> None:
    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE[:300]), streamed(wire, 206, rest(300), FILE[300:]))
    assert fetch(wire, out)[0].size == 1000
    assert out.read_bytes() == FILE


def test_a_file_that_changed_meanwhile_is_fetched_anew(wire: Any, out: Path) -> None:
    wire.on(
        "GET",
        "/a.mp4",
        streamed(wire, 200, FULL, FILE[:300], httpx.ReadError("cut")),
        streamed(wire, 200, {**FULL, "etag": '"v2"', "content-length": "4"}, b"next"),
    )
    assert fetch(wire, out)[0].size == 4
    assert out.read_bytes() == b"next"


@pytest.mark.parametrize("headers", [{}, {"etag": 'W/"weak"'}])
def test_without_proof_that_it_is_the_same_file_it_starts_over(wire: Any, out: Path, headers: dict[str, str]) -> None:
    reply = {"content-length": "1000", **headers}
    wire.on(
        "GET",
        "/a.mp4",
        streamed(wire, 200, reply, FILE[:300], httpx.ReadError("cut")),
        streamed(wire, 200, reply, FILE),
    )
    assert fetch(wire, out)[0].size == 1000
    assert "range" not in wire.requests[-1].headers
    assert out.read_bytes() == FILE


@pytest.mark.parametrize(
    "odd",
    [
        {"content-range": "bytes 200-899/1000"},
        {"content-range": "nonsense"},
        {},
    ],
)
def test_a_part_that_does_not_fit_is_thrown_away(wire: Any, out: Path, odd: dict[str, str]) -> None:
    wire.on(
        "GET",
        "/a.mp4",
        streamed(wire, 200, FULL, FILE[:300], httpx.ReadError("cut")),
        streamed(wire, 206, odd, b"x" * 700),
        streamed(wire, 200, FULL, FILE),
    )
    assert fetch(wire, out)[0].size == 1000
    assert out.read_bytes() == FILE


def test_three_tries_are_all_there_are_and_nothing_is_left_behind(wire: Any, out: Path) -> None:
    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE[:300], httpx.ReadError("cut")))
    with pytest.raises(TransferFailed) as caught:
        fetch(wire, out)
    assert caught.value.reason == ""
    assert len(wire.requests) == 3
    assert left(out.parent) == []


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(403, text="expired"),
        httpx.Response(200, html="<html>log in</html>"),
        httpx.Response(200, json={"code": 1001}),
    ],
)
def test_a_page_or_a_refusal_is_not_taken_for_the_file(wire: Any, out: Path, reply: httpx.Response) -> None:
    wire.on("GET", "/a.mp4", reply)
    with pytest.raises(TransferFailed) as caught:
        fetch(wire, out)
    assert caught.value.values["status"] == reply.status_code
    assert len(wire.requests) == 1
    assert left(out.parent) == []


def test_an_older_file_of_the_name_stays_until_the_new_one_is_whole(wire: Any, out: Path) -> None:
    out.write_bytes(b"old")
    wire.on("GET", "/a.mp4", httpx.ReadError("cut"))
    with pytest.raises(TransferFailed):
        fetch(wire, out)
    assert (out.read_bytes(), left(out.parent)) == (b"old", ["a.mp4"])


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, "disk"), (errno.EACCES, "permission"), (errno.EROFS, "permission")],
)
def test_a_full_disk_and_a_closed_folder_have_their_own_sentences(
    wire: Any, out: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def refuse(source: Any, target: Any) -> None:
        raise OSError(number, os.strerror(number))

    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE))
    backend = wire.backend()
    monkeypatch.setattr("agent.backend.transfer.os.replace", refuse)
    with pytest.raises(TransferFailed) as caught:
        wire.run(backend.download(URL, out, lambda done, total: None))
    assert (caught.value.reason, caught.value.values["path"]) == (reason, out)
    assert left(out.parent) == []


def test_a_folder_that_is_not_there_is_told(wire: Any, tmp_path: Path) -> None:
    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE))
    with pytest.raises(TransferFailed) as caught:
        fetch(wire, tmp_path / "none" / "a.mp4")
    assert caught.value.reason == "permission"


@pytest.mark.parametrize("url", ["http://x:port/a", "file:///etc/passwd", "https://"])
def test_an_address_that_is_none_is_a_failed_transfer(wire: Any, out: Path, url: str) -> None:
    with pytest.raises(TransferFailed):
        fetch(wire, out, url)
    assert wire.requests == []
