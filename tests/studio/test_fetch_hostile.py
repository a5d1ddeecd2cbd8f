"""Addresses that try to reach what is not public, and hosts that try to harm who fetches."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from studio.fetch import Fetcher
from studio.wire import Problem

PUBLIC = "93.184.216.34"
REFUSED = "Only public http and https addresses can be fetched."
# What a name server says about the names below.
NAMES = {
    "cdn.example.com": [PUBLIC],
    "other.example.com": ["93.184.216.35"],
    "six.example.com": ["2606:2800:220:1::1"],
    "home.example.com": ["192.168.1.7"],
    "both.example.com": [PUBLIC, "10.0.0.1"],
    "late.example.com": [PUBLIC, "::1"],
    "meta.example.com": ["169.254.169.254"],
    "azure.example.com": ["168.63.129.16"],
    "mapped.example.com": ["::ffff:10.0.0.1"],
    "nothing.example.com": [],
    "broken.example.com": ["not an address"],
    "scope.example.com": ["fe80::1%eth0"],
}
HOSTILE = [
    # this machine, this network, the cloud's own addresses
    "http://127.0.0.1/",
    "http://127.8.9.10/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://10.0.0.5/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://100.100.100.200/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://168.63.129.16/machine",
    "http://192.0.0.192/opc/v2/",
    "http://192.88.99.1/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    # the same in IPv6, and IPv4 inside of it
    "http://[::]/",
    "http://[::1]/",
    "http://[::127.0.0.1]/",
    "http://[::7f00:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a00:1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a00:1::1]/",
    "http://[2001:0:53aa:64c:0:fbff:80ff:fffe]/",
    "http://[2001:db8::1]/",
    "http://[2606:2800::5efe:127.0.0.1]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[100::1]/",
    # spelled so that a filter and a connection read different things
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.0.0.1./",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://127｡0｡0｡1/",
    "http://１２７.0.0.1/",
    "http://%31%32%37.0.0.1/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://localhost。/",
    "http://a.localhost/",
    "http://metadata.google.internal/",
    "http://printer.local/",
    "http://intranet/",
    "http:///etc/passwd",
    "http://",
    # names that lead inside
    "http://home.example.com/",
    "http://both.example.com/",
    "http://late.example.com/",
    "http://meta.example.com/",
    "http://azure.example.com/",
    "http://mapped.example.com/",
    "http://nothing.example.com/",
    "http://broken.example.com/",
    "http://scope.example.com/",
    # somebody's name and password, other doors, other protocols
    "http://cdn.example.com@127.0.0.1/",
    "http://me:secret@cdn.example.com/",
    "http://127.0.0.1\\@cdn.example.com/",
    "http://cdn.example.com\\@127.0.0.1/",
    "http://cdn.example.com:22/",
    "http://cdn.example.com:6379/",
    "https://cdn.example.com:8443/",
    "http://cdn.example.com:0/",
    "http://cdn.example.com:99999/",
    "file:///etc/passwd",
    "file://cdn.example.com/etc/passwd",
    "ftp://cdn.example.com/",
    "gopher://cdn.example.com:70/_GET",
    "dict://cdn.example.com/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "//cdn.example.com/",
    "cdn.example.com/a.png",
    "http://cdn.example.com/\r\nHost: 127.0.0.1",
    "http://cdn.example.com/\x00",
    "http://cdn.example.com/" + "a" * 9000,
    "",
]

Answer = Callable[[httpx.Request], httpx.Response]


async def names(host: str, port: int) -> list[str]:
    """A name server; it knows nothing but NAMES, and gives addresses back as they are."""
    return NAMES[host] if host in NAMES else [host]


def fetch(tmp_path: Path, url: str, answer: Answer, limit: int = 100, total_s: float = 5) -> tuple[str, bytes]:
    out = tmp_path / "out"
    name = asyncio.run(Fetcher(httpx.MockTransport(answer), names, total_s=total_s).fetch(url, out, limit))
    return name, out.read_bytes()


def never(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"asked {request.url}")


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_refused_with_the_sentence_and_never_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(Problem) as refused:
        fetch(tmp_path, url, never)
    assert (refused.value.code, str(refused.value)) == (4001, REFUSED)


@pytest.mark.parametrize("url", [url for url in HOSTILE if "://" in url and url.isascii() and url.isprintable()])
def test_a_redirect_to_a_hostile_address_is_not_followed(tmp_path: Path, url: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"location": url})

    with pytest.raises(Problem) as refused:
        fetch(tmp_path, "http://cdn.example.com/a", answer)
    assert refused.value.code == 4001 and set(asked) == {PUBLIC}


@pytest.mark.parametrize(
    ("url", "address", "host", "name"),
    [
        ("http://cdn.example.com/a%20b.mp4", PUBLIC, "cdn.example.com", "a b.mp4"),
        ("https://cdn.example.com:443/a.mp4?x=1", PUBLIC, "cdn.example.com", "a.mp4"),
        ("http://cdn.example.com:443/a.mp4", PUBLIC, "cdn.example.com:443", "a.mp4"),
        ("http://six.example.com/a.mp4", "2606:2800:220:1::1", "six.example.com", "a.mp4"),
        (f"http://{PUBLIC}/a.mp4", PUBLIC, PUBLIC, "a.mp4"),
        ("http://cdn.example.com", PUBLIC, "cdn.example.com", "cdn.example.com"),
    ],
)
def test_a_public_address_is_asked_by_number_under_its_own_name(
    tmp_path: Path, url: str, address: str, host: str, name: str
) -> None:
    asked: list[tuple[str, str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.host, request.headers["host"], request.extensions["sni_hostname"]))
        return httpx.Response(200, content=b"film")

    assert fetch(tmp_path, url, answer) == (name, b"film")
    assert asked == [(address, host, host.partition(":")[0])]


def test_a_name_that_changes_its_mind_after_the_check_gains_nothing(tmp_path: Path) -> None:
    looks: list[str] = []
    asked: list[str] = []

    async def fickle(host: str, port: int) -> list[str]:
        looks.append(host)
        return [PUBLIC] if len(looks) == 1 else ["127.0.0.1"]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"location": "/again"})

    with pytest.raises(Problem, match="public"):
        asyncio.run(Fetcher(httpx.MockTransport(answer), fickle).fetch("http://re.example.com/", tmp_path / "x", 9))
    assert (len(looks), asked) == (2, [PUBLIC]), "one look a hop; the second hop is checked anew"


def test_the_real_transport_connects_to_the_checked_address_and_asks_no_name_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing below the check resolves the name again: it is never heard of there."""
    tried: list[object] = []

    monkeypatch.setattr("anyio.connect_tcp", connect_recorder(tried))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: tried.append("looked up"))
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(proxy, "http://10.0.0.1:3128")
    with pytest.raises(Problem, match="could not be read"):
        asyncio.run(Fetcher(resolve=names).fetch("http://cdn.example.com/a", tmp_path / "x", 9))
    assert tried == [PUBLIC]


def connect_recorder(tried: list[object]) -> Callable[..., object]:
    async def connect(remote_host: str, *rest: object, **more: object) -> None:
        tried.append(remote_host)
        raise OSError("no network")

    return connect


def test_cookies_of_one_host_are_not_sent_to_the_next(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert "cookie" not in request.headers and "authorization" not in request.headers
        if request.url.path == "/a":
            return httpx.Response(302, headers={"location": "/b", "set-cookie": "id=1; Path=/"})
        return httpx.Response(200, content=b"film")

    assert fetch(tmp_path, "http://cdn.example.com/a", answer)[1] == b"film"


def test_redirects_without_end_are_given_up(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(302, headers={"location": f"/{len(asked)}"}, content=b"x" * 10_000)

    with pytest.raises(Problem, match="could not be read"):
        fetch(tmp_path, "http://cdn.example.com/a", answer)
    assert len(asked) == 4


def test_what_says_it_is_too_large_is_not_read(tmp_path: Path) -> None:
    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("read")
        yield b""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-length": "101"}, content=body())

    with pytest.raises(Problem) as refused:
        fetch(tmp_path, "http://cdn.example.com/a", answer)
    assert refused.value.code == 4002


@pytest.mark.parametrize("promised", ["5", "-1", "1e9", "9" * 400, "", "²"])
def test_a_length_that_lies_does_not_let_more_in(tmp_path: Path, promised: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 60
        raise AssertionError("read to the end")

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=[(b"content-length", promised.encode())], content=body())

    with pytest.raises(Problem) as refused:
        fetch(tmp_path, "http://cdn.example.com/a", answer)
    assert refused.value.code == 4002


def test_a_packed_answer_is_not_unpacked(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "identity"
        packed = gzip.compress(b"\0" * 100_000)
        return httpx.Response(200, headers={"content-encoding": "gzip"}, content=stream(packed))

    async def stream(data: bytes) -> AsyncIterator[bytes]:
        yield data

    with pytest.raises(Problem, match="could not be read"):
        fetch(tmp_path, "http://cdn.example.com/a", answer, limit=1000)
    assert not (tmp_path / "out").exists()


def test_a_body_that_never_ends_is_given_up_in_time(tmp_path: Path) -> None:
    async def drip() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    with pytest.raises(Problem, match="could not be read"):
        fetch(tmp_path, "http://cdn.example.com/a", lambda request: httpx.Response(200, content=drip()), total_s=0.05)
