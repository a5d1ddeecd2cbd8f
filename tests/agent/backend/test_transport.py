"""The transport against servers that behave and servers that don't: which errors say that nothing was sent."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.backend.calls import NOTHING_SENT
from agent.backend.transport import Transport, _Body
from agent.house import open_house
from agent.settings import Settings
from agent.skills import load_skill

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that does what `handler` says with every connection; its address."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http{'s' if tls else ''}://{host}:{port}"


def client(**given: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=Transport(ssl.create_default_context), **given)  # type: ignore[arg-type]


async def request_of(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    if b"chunked" in head:
        return head, await reader.readuntil(b"0\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0)
    return head, await reader.readexactly(length)


def answering(answer: bytes, seen: list[tuple[bytes, bytes]] | None = None) -> Handler:
    """Reads requests and says the same to each; hangs up where the answer does not say how long it is."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            got = await request_of(reader)
            if seen is not None:
                seen.append(got)
            writer.write(answer)
            await writer.drain()
            if b"Content-Length" not in answer and b"chunked" not in answer:
                return

    return handle


async def error_of(handler: Handler, **given: object) -> Exception:
    """What a POST and the reading of its answer raise."""
    async with serving(handler) as url, client(timeout=5) as http:
        with pytest.raises(httpx.HTTPError) as caught:
            await http.post(url, **{"content": b"words", **given})  # type: ignore[arg-type]
    return caught.value


def test_a_request_is_httpxs_own_to_the_letter() -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def ask() -> None:
        async with serving(answering(OK, seen)) as url:
            for transport in (Transport(ssl.create_default_context), httpx.AsyncHTTPTransport()):
                async with httpx.AsyncClient(transport=transport) as http:
                    await http.get(f"{url}/a%20b/%E4%BD%A0?q=%2F&x", headers={"X-Client-Id": "x y", "Accept": "a/b"})
                    await http.get(url.replace("//", "//anna:se%20cret@"))
                    await http.post(url, content=b'{"a":1}', headers={"Content-Type": "application/json"})
                    await http.post(url, files={"files": ("x.bin", b"123")}, headers={"Content-Type": BOUNDARY})
                    await http.post(url, content=two_pieces())
                    await http.delete(url)
                    await http.post(url)

    asyncio.run(ask())
    # Of a DELETE aiohttp says that it has no body.
    lines = [(set(head.lower().split(b"\r\n")) - {b"content-length: 0"}, body) for head, body in seen]
    assert lines[:7] == lines[7:]


async def two_pieces() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


BOUNDARY = "multipart/form-data; boundary=abc"


def test_nobody_there_means_that_nothing_was_sent() -> None:
    async def ask(url: str) -> Exception:
        async with client(timeout=5) as http:
            with pytest.raises(httpx.HTTPError) as caught:
                await http.post(url, content=b"words")
        return caught.value

    async def refused() -> str:
        async with serving(answering(OK)) as url:
            return url

    for url in (asyncio.run(refused()), "http://nobody.invalid", "ftp://127.0.0.1", "http://"):
        assert isinstance(asyncio.run(ask(url)), NOTHING_SENT), url


def test_a_server_that_nobody_vouches_for_gets_nothing() -> None:
    async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 this is no TLS\r\n\r\n")

    async def ask() -> Exception:
        async with serving(no_tls) as url, client(timeout=5) as http:
            with pytest.raises(httpx.HTTPError) as caught:
                await http.post(url.replace("http:", "https:"), content=b"words")
        return caught.value

    assert isinstance(asyncio.run(ask()), httpx.ConnectError)


def test_a_connection_that_is_never_made_is_given_up() -> None:
    """The system takes it, but nobody ever answers the greeting."""

    async def ask() -> Exception:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, start_serving=False)
        async with client(timeout=httpx.Timeout(5, connect=0.05)) as http:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(httpx.HTTPError) as caught:
                await http.post(f"https://127.0.0.1:{port}", content=b"words")
        server.close()
        return caught.value

    assert isinstance(asyncio.run(ask()), NOTHING_SENT)


def test_where_a_proxy_is_set_everything_goes_through_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def ask() -> None:
        async with serving(answering(OK, seen)) as proxy:
            monkeypatch.setenv("http_proxy", proxy)
            monkeypatch.setenv("no_proxy", "")
            settings = Settings.load(backend="http://backend.invalid", home=tmp_path, exports=tmp_path, environ={})
            async with open_house(settings, load_skill()) as house:
                assert (await house.http.get("http://backend.invalid/api")).text == "ok"

    asyncio.run(ask())
    assert seen[0][0].startswith(b"GET http://backend.invalid/api HTTP/1.1")


@pytest.mark.parametrize("read", [0, 1, 40, 10_000])
def test_a_connection_that_breaks_after_it_was_made_may_have_carried_everything(read: int) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(read)
        writer.transport.abort()

    assert not isinstance(asyncio.run(error_of(hang_up)), NOTHING_SENT)


def test_a_post_on_a_connection_that_was_kept_is_made_once() -> None:
    posts: list[bytes] = []

    async def one_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(OK)
        posts.append((await request_of(reader))[1])

    async def ask() -> Exception:
        async with serving(one_answer) as url, client(timeout=5) as http:
            await http.get(url)
            with pytest.raises(httpx.HTTPError) as caught:
                await http.post(url, content=b"words")
        return caught.value

    assert not isinstance(asyncio.run(ask()), NOTHING_SENT)
    assert posts == [b"words"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"no HTTP at all\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"",
    ],
)
def test_an_answer_that_is_none_is_an_error(answer: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(answer)
        await writer.drain()

    error = asyncio.run(error_of(say))
    assert isinstance(error, httpx.TransportError)
    assert not isinstance(error, NOTHING_SENT)


def test_an_answer_that_does_not_come_is_waited_for_as_long_as_was_said() -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await reader.read()

    for handler in (nothing, half):
        error = asyncio.run(error_of(handler, timeout=httpx.Timeout(5, read=0.05)))
        assert isinstance(error, httpx.ReadTimeout)


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield bytes(1 << 20)


def test_a_body_that_nobody_takes_is_given_up() -> None:
    async def ask() -> Exception:
        given_up, gone = asyncio.Event(), asyncio.Event()

        async def sit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await given_up.wait()
            writer.transport.abort()
            gone.set()

        async with serving(sit) as url, client() as http:
            with pytest.raises(httpx.HTTPError) as caught:
                await http.post(url, content=endless(), timeout=httpx.Timeout(5, write=0.1))
            given_up.set()
            await gone.wait()
        return caught.value

    assert isinstance(asyncio.run(ask()), httpx.WriteTimeout)


async def broken() -> AsyncIterator[bytes]:
    yield b"a beginning"
    raise LookupError("the stick was pulled")


def test_a_body_that_breaks_says_so_itself_and_is_not_sent_as_if_it_were_whole() -> None:
    seen: list[bytes] = []

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())

    async def ask() -> None:
        async with serving(read) as url, client(timeout=5) as http:
            with pytest.raises(LookupError, match="stick"):
                await http.post(url, content=broken())

    asyncio.run(ask())
    assert all(not body.endswith(b"0\r\n\r\n") for body in seen)


def test_others_have_their_turn_between_the_pieces_of_a_body() -> None:
    async def ask() -> list[int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        stream = httpx.Request("POST", "http://there", content=two_pieces()).stream
        body, task, seen = _Body(stream, None), asyncio.create_task(other()), list[int]()
        assert not isinstance(body.data, bytes | None)
        async with body.patience:
            async for _ in body.data:
                seen.append(turns)
        task.cancel()
        return seen

    first, second = asyncio.run(ask())
    assert second > first


def test_a_refusal_that_comes_before_everything_was_sent_is_read() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\nConnection: close\r\n\r\ntoo big")
        await writer.drain()
        while await reader.read(1 << 20):
            pass

    async def ask() -> httpx.Response:
        async with serving(refuse) as url, client(timeout=5) as http:
            return await http.post(url, files={"files": ("x", bytes(20 << 20))})

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.text) == (413, "too big")


def test_nothing_is_followed_kept_or_unpacked_but_by_httpx() -> None:
    packed = gzip.compress(b"hello")
    answer = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: a=1\r\nContent-Encoding: gzip\r\n"
    answer += b"Content-Length: %d\r\n\r\n" % len(packed) + packed
    seen: list[tuple[bytes, bytes]] = []

    async def ask() -> httpx.Response:
        async with serving(answering(answer, seen)) as url, client() as http:
            got = await http.get(f"{url}/a")
            http.cookies.clear()
            await http.get(f"{url}/a")
            return got

    got = asyncio.run(ask())
    assert (got.status_code, got.text, got.headers["location"]) == (302, "hello", "/b")
    assert len(seen) == 2
    assert all(b"ookie" not in head for head, _ in seen)


def test_a_long_address_to_go_on_to_is_read() -> None:
    there = "https://storage.invalid/film.mp4?signature=" + "x" * 20_000
    answer = f"HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n".encode()

    async def ask() -> httpx.Response:
        async with serving(answering(answer)) as url, client() as http:
            return await http.get(url)

    assert asyncio.run(ask()).headers["location"] == there


def test_a_header_with_a_line_of_its_own_is_not_sent() -> None:
    error = asyncio.run(error_of(answering(OK), headers={"X-Client-Id": "a\r\nX-Other: b"}))
    assert isinstance(error, httpx.LocalProtocolError)


def test_connections_are_kept_and_those_that_were_left_in_the_middle_are_not() -> None:
    connections = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await request_of(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            if connections > 1:
                writer.write(b"0\r\n\r\n")

    async def ask() -> None:
        async with serving(count) as url, client(timeout=5) as http:
            async with http.stream("GET", url) as answer:
                assert await anext(answer.aiter_bytes()) == b"hello"
            for _ in range(3):
                assert (await http.get(url)).text == "hello"

    asyncio.run(ask())
    assert connections == 2


@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=5), chunked=st.booleans())
def test_a_body_arrives_as_it_was_sent_however_it_is_cut(body: bytes, cuts: list[int], chunked: bool) -> None:
    if chunked:
        pieces = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:]) if part)
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    else:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        at = 0
        for cut in [*sorted(cuts), len(answer)]:
            writer.write(answer[at:cut])
            await writer.drain()
            await asyncio.sleep(0)
            at = max(at, cut)

    async def ask() -> bytes:
        async with serving(say) as url, client(timeout=5) as http:
            return (await http.get(url)).content

    assert asyncio.run(ask()) == body
