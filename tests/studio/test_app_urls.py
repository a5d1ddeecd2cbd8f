"""Uploads by address, and the process itself."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from studio.fetch import Fetcher
from studio.wire import Problem

ADDRESSES = {"cdn.example": ["93.184.216.34"], "home.example": ["93.184.216.34", "192.168.1.7"]}


async def resolve(host: str, port: int) -> list[str]:
    return ADDRESSES.get(host, [host])


def fetched(tmp_path: Path, url: str, handler: httpx.MockTransport, limit: int = 100) -> tuple[str, bytes]:
    out = tmp_path / "out"
    name = asyncio.run(Fetcher(handler, resolve).fetch(url, out, limit))
    return name, out.read_bytes()


def test_a_public_address_is_fetched_from_the_very_address_that_was_checked(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.host, request.headers["host"]))
        return httpx.Response(200, content=b"film")

    url = "https://cdn.example/films/a%20b.mp4?x=1"
    assert fetched(tmp_path, url, httpx.MockTransport(answer)) == ("a b.mp4", b"film")
    assert asked == [("93.184.216.34", "cdn.example")]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.png",
        "http://10.0.0.5/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/a.png",
        "http://[::ffff:127.0.0.1]/a.png",
        "http://[fe80::1]/a.png",
        "http://0.0.0.0/a.png",
        "http://home.example/a.png",
        "http://me:secret@cdn.example/a.png",
        "file:///etc/passwd",
        "ftp://cdn.example/a.png",
        "nonsense",
    ],
)
def test_an_address_that_is_not_public_is_never_asked(tmp_path: Path, url: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"asked {request.url}")

    with pytest.raises(Problem) as refused:
        fetched(tmp_path, url, httpx.MockTransport(answer))
    assert refused.value.code == 4001


def test_a_redirect_to_a_private_address_is_refused(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "93.184.216.34"
        return httpx.Response(302, headers={"location": "http://127.0.0.1:8000/secret"})

    with pytest.raises(Problem) as refused:
        fetched(tmp_path, "http://cdn.example/a", httpx.MockTransport(answer))
    assert refused.value.code == 4001 and "public" in str(refused.value)


def test_a_file_that_is_too_large_is_given_up(tmp_path: Path) -> None:
    handler = httpx.MockTransport(lambda request: httpx.Response(200, content=b"x" * 101))
    with pytest.raises(Problem) as refused:
        fetched(tmp_path, "http://cdn.example/a", handler)
    assert refused.value.code == 4002


def test_the_process_says_one_line_and_ends_when_its_parent_does(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "studio", "--data", str(tmp_path), "--pace", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdin
        url = json.loads(process.stdout.readline())["url"]
        with httpx.Client(base_url=url, trust_env=False) as http:
            assert http.get("/api/credits/balance/simple").json()["code"] == 1001
            assert http.get("/", headers={"Host": "evil.example"}).status_code == 400
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait(20) == 0
