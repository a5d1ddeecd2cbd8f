from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

import httpx
import pytest

from agent.backend.parts import Part
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


def streamed(wire: Any, status: int, headers: dict[str, str], *pieces: bytes | float | Exception) -> httpx.Response:
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


def test_three_tries_without_getting_on_are_all_there_are(wire: Any, out: Path) -> None:
    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE[:300], httpx.ReadError("cut")))
    with pytest.raises(TransferFailed) as caught:
        fetch(wire, out)
    assert caught.value.reason == ""
    assert len(wire.requests) == 3
    assert not out.exists()


def test_tries_that_get_on_are_not_counted(wire: Any, out: Path) -> None:
    whole = bytes(range(256)) * 4096 * 7

    def serve(request: httpx.Request) -> httpx.Response:
        start = int(request.headers.get("range", "bytes=0-")[6:-1])
        headers = {"etag": '"v1"', "content-length": str(len(whole) - start)}
        if start:
            headers["content-range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
        piece = whole[start : start + (1 << 20)]
        last = [] if start + len(piece) == len(whole) else [httpx.ReadError("cut")]
        return streamed(wire, 206 if start else 200, headers, piece, *last)

    wire.on("GET", "/a.mp4", serve)
    assert fetch(wire, out)[0].size == len(whole)
    assert (out.read_bytes() == whole, len(wire.requests)) == (True, 7)


def test_without_proof_nothing_is_left_of_a_download_that_broke_off(wire: Any, out: Path) -> None:
    reply = {"content-length": "1000"}
    wire.on("GET", "/a.mp4", streamed(wire, 200, reply, FILE[:300], httpx.ReadError("cut")))
    with pytest.raises(TransferFailed):
        fetch(wire, out)
    assert left(out.parent) == []


def test_a_server_that_asks_to_wait_is_waited_for(wire: Any, out: Path) -> None:
    busy = httpx.Response(503, headers={"retry-after": "7"})
    wire.on("GET", "/a.mp4", busy, streamed(wire, 200, FULL, FILE))
    fetch(wire, out)
    assert wire.clock.slept == [7.0]


# Another process goes on


def broken_off(wire: Any, out: Path, *, url: str = URL) -> None:
    """What a killed process leaves: 300 of 1000 bytes, and nothing under the final name."""
    wire.on(
        "GET",
        "/a.mp4",
        streamed(wire, 200, FULL, FILE[:300], httpx.ReadError("cut")),
        httpx.Response(503),
    )
    with pytest.raises(TransferFailed):
        fetch(wire, out, url)
    assert not out.exists()
    wire.requests.clear()


def test_another_process_goes_on_where_the_first_was_stopped(wire: Any, out: Path) -> None:
    broken_off(wire, out)
    wire.on("GET", "/a.mp4", streamed(wire, 206, rest(300), FILE[300:]))
    done, seen = fetch(wire, out, f"{URL}&expires=later")
    assert [(r.headers["range"], r.headers["if-range"]) for r in wire.requests] == [("bytes=300-", '"v1"')]
    assert (done.size, out.read_bytes(), left(out.parent)) == (1000, FILE, ["a.mp4"])
    assert seen[0] == (300, 1000)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {**FULL, "etag": '"v2"'}),  # changed, or the server knows no ranges
        (200, FULL),
        (200, {"content-length": "1000"}),
    ],
)
def test_a_file_that_changed_between_two_processes_starts_over(
    wire: Any, out: Path, status: int, headers: dict[str, str]
) -> None:
    broken_off(wire, out)
    wire.on("GET", "/a.mp4", streamed(wire, status, headers, FILE[::-1]))
    assert fetch(wire, out)[0].size == 1000
    assert (out.read_bytes(), left(out.parent)) == (FILE[::-1], ["a.mp4"])


@pytest.mark.parametrize(
    "wrong",
    [{"etag": '"v2"'}, {"content-range": "bytes 300-1998/1999"}, {"content-range": "bytes 299-999/1000"}],
)
def test_a_rest_of_another_file_is_never_put_behind_ours(wire: Any, out: Path, wrong: dict[str, str]) -> None:
    broken_off(wire, out)
    odd = streamed(wire, 206, {**rest(300), **wrong}, b"x" * 700)
    wire.on("GET", "/a.mp4", odd, streamed(wire, 200, FULL, FILE))
    fetch(wire, out)
    assert (out.read_bytes(), left(out.parent)) == (FILE, ["a.mp4"])


def test_a_part_that_is_all_there_asks_for_its_last_byte_as_proof(
    wire: Any, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Any, target: Any) -> None:
        raise PermissionError(errno.EACCES, "open in a player")

    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE), streamed(wire, 206, rest(999), FILE[999:]))
    with monkeypatch.context() as patched, pytest.raises(TransferFailed):
        patched.setattr("agent.backend.transfer.os.replace", refuse)
        fetch(wire, out)
    assert fetch(wire, out)[0].size == 1000
    assert (wire.requests[-1].headers["range"], out.read_bytes()) == ("bytes=999-", FILE)


@pytest.mark.parametrize("note", ["", "[]", "{", '{"version": "v\\n", "total": 5}', '{"version": "a", "total": "x"}'])
def test_a_damaged_note_beside_a_part_means_starting_over(wire: Any, out: Path, note: str) -> None:
    broken_off(wire, out)
    next(out.parent.glob("*.json")).write_text(note)
    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE))
    fetch(wire, out)
    assert ("range" in wire.requests[0].headers, out.read_bytes()) == (False, FILE)


def test_a_canceled_download_is_gone_on_with(wire: Any, out: Path) -> None:
    async def cancel() -> None:
        task = asyncio.create_task(wire.backend().download(URL, out, lambda done, total: None))
        await asyncio.sleep(5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    wire.on(
        "GET",
        "/a.mp4",
        streamed(wire, 200, FULL, FILE[:300], 20.0, FILE[300:]),
        streamed(wire, 206, rest(300), FILE[300:]),
    )
    wire.run(cancel())
    assert not out.exists()
    fetch(wire, out)
    assert (wire.requests[-1].headers["range"], out.read_bytes()) == ("bytes=300-", FILE)


CLIENT = """
import asyncio, sys
from pathlib import Path
import httpx
from agent.backend.transfer import download
from agent.clock import SystemClock

async def main(url, path):
    async with httpx.AsyncClient(trust_env=False) as http:
        request = lambda headers: (http.build_request("GET", url, headers=headers), None)
        tell = lambda done, total: print(done, flush=True)
        await download(http, request, Path(path), tell, SystemClock())

asyncio.run(main(*sys.argv[1:]))
"""


class Stalling(BaseHTTPRequestHandler):
    """Gives half of a file to whoever asks for all of it, and then nothing; the rest to whoever has a part."""

    whole = os.urandom(3_000_000)
    asked: ClassVar[list[str | None]] = []
    over = Event()

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        start = int(wanted[6:-1]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("ETag", '"v1"')
        self.send_header("Content-Length", str(len(self.whole) - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(self.whole) - 1}/{len(self.whole)}")
        self.end_headers()
        self.wfile.write(self.whole[start:] if wanted else self.whole[:1_500_000])
        if not wanted:
            self.over.wait(60)


def test_a_killed_process_leaves_a_part_that_the_next_one_goes_on_with(out: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stalling) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        command = [sys.executable, "-c", CLIENT, f"http://127.0.0.1:{server.server_address[1]}/a.mp4", str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout
            while int(process.stdout.readline()) < 1_500_000:
                pass
            process.kill()
        assert not out.exists()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)
        Stalling.over.set()
        server.shutdown()
    first, second = Stalling.asked
    assert (first, out.read_bytes() == Stalling.whole, left(out.parent)) == (None, True, ["a.mp4"])
    assert second and int(second[6:-1]) > 1_400_000


def test_two_files_of_one_name_never_share_a_part(wire: Any, out: Path) -> None:
    broken_off(wire, out)
    wire.on("GET", "/b.mp4", streamed(wire, 200, FULL, FILE[::-1]))
    fetch(wire, out, "https://cdn.test/b.mp4")
    assert "range" not in wire.requests[-1].headers
    assert out.read_bytes() == FILE[::-1]


def test_more_bytes_than_promised_are_not_the_file_either(wire: Any, out: Path) -> None:
    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE + b"x"), streamed(wire, 200, FULL, FILE))
    assert fetch(wire, out)[0].size == 1000
    assert out.read_bytes() == FILE


def test_a_token_that_ended_is_renewed_for_the_fallback_address(wire: Any, out: Path) -> None:
    backend = wire.backend()
    path = "/api/render/proxy/render_1/download"
    wire.on("GET", path, wire.refused(1001), streamed(wire, 200, FULL, FILE))
    wire.on("POST", "/api/auth/anonymous-token", wire.ok(token="nmv_usr_old"), wire.ok(token="nmv_usr_new"))
    wire.run(backend.download(backend.fallback_url("render_1"), out, lambda done, total: None))
    used = [r.headers["authorization"] for r in wire.requests if r.url.path == path]
    assert used == ["Bearer nmv_usr_old", "Bearer nmv_usr_new"]


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
    assert not out.exists()


@pytest.mark.parametrize(("number", "reason"), [(errno.ENOSPC, "disk"), (errno.EACCES, "permission")])
def test_a_disk_that_fills_up_half_way_loses_nothing_of_what_came(
    wire: Any, out: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    usual = Part.open

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *error: object) -> None:
            self.file.close()

        def write(self, piece: bytes) -> None:
            if self.file.tell() >= 300:
                raise OSError(number, os.strerror(number))
            self.file.write(piece)

    wire.on("GET", "/a.mp4", streamed(wire, 200, FULL, FILE[:300], FILE[300:]))
    with monkeypatch.context() as patched, pytest.raises(TransferFailed) as caught:
        patched.setattr(Part, "open", lambda part: Full(usual(part)))
        fetch(wire, out)
    assert (caught.value.reason, caught.value.values["path"], out.exists()) == (reason, out, False)
    wire.on("GET", "/a.mp4", streamed(wire, 206, rest(300), FILE[300:]))
    fetch(wire, out)
    assert (wire.requests[-1].headers["range"], out.read_bytes()) == ("bytes=300-", FILE)


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
