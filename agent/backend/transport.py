"""httpx on aiohttp's connections: the same requests and errors, at a quarter of the work a call.

httpx maps connections with httpcore, whose cost grows with them; a host that holds hundreds of streams feels it.
What must be exact here is which errors mean that nothing was sent: those that aiohttp raises while it connects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from ssl import SSLContext
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Client", "Transport"]

IDLE_S = 4.0
"""Seconds that a connection is kept for the next call: fewer than any server waits before it hangs up."""
BUFFER = 1 << 18
"""Bytes that are read ahead. The usual 64 KB cost a download more in calls than in copying."""
LINE = 1 << 16
"""Bytes of one header: a signed address to go on to is longer than the 8 KB that aiohttp takes."""


class Client(httpx.AsyncClient):
    """Keeps no cookies: it is shared, and one person's must not travel with another's token."""

    @property  # type: ignore[misc]  # Nobody sets them.
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        pass


_NO_COOKIES = _NoCookies()


class Transport(httpx.AsyncBaseTransport):
    """Direct connections only: where a proxy is set, httpx's own transport goes through it."""

    def __init__(self, trusted: Callable[[], SSLContext]) -> None:
        """`trusted` is asked for whom to believe once something is called over TLS."""
        self._trusted = trusted
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends `request` and returns the open answer. Raises what httpx's own transport does."""
        from yarl import URL

        if request.url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol("no address of HTTP")
        timeout = request.extensions.get("timeout", {})
        body = _Body(request.stream, timeout.get("write"))
        with _as_httpx(body):
            async with body.patience:
                answer = await self._open().request(
                    request.method,
                    # Who somebody is in an address has become a header by now.
                    URL(
                        str(request.url.copy_with(userinfo=b"") if request.url.userinfo else request.url), encoded=True
                    ),
                    headers=_headers(request),
                    data=body.data,
                    allow_redirects=False,
                    ssl=self._trusted() if request.url.scheme == "https" else True,
                    timeout=_timeout(timeout),
                )
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Answer(answer), request=request)

    async def aclose(self) -> None:
        """Closes every connection."""
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Made for the first call: aiohttp takes a while to load, and wants a running loop."""
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                # How many sends there may be at once is for the doors to say.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                auto_decompress=False,
                read_bufsize=BUFFER,
                max_line_size=LINE,
                max_field_size=LINE,
            )
        return self._session


class _Body:
    """What a request carries: bytes as they are, or a stream with an eye on whether anybody takes it."""

    def __init__(self, stream: object, write: float | None) -> None:
        self.patience = asyncio.timeout(None)
        """A limit on one request that moves along with its body."""
        self.failed: Exception | None = None
        """What reading it raised: aiohttp would tell only that it was not sent."""
        self._stream, self._write = stream, write
        self.data = (b"".join(stream) or None) if isinstance(stream, httpx.ByteStream) else self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        assert isinstance(self._stream, httpx.AsyncByteStream)
        try:
            async for piece in self._stream:
                self._wait(self._write)
                yield piece
                await asyncio.sleep(0)  # A server that is fast enough to take it all lets nobody else have a turn.
        except Exception as error:
            self.failed = error
            raise
        self._wait(None)

    def _wait(self, seconds: float | None) -> None:
        with suppress(RuntimeError):  # answered before it was sent
            self.patience.reschedule(seconds and asyncio.get_running_loop().time() + seconds)


class _Answer(httpx.AsyncByteStream):
    """The body of an answer as it comes."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            while piece := await self._answer.content.readany():
                yield piece

    async def aclose(self) -> None:
        self._answer.close()  # Read to its end, it has given its connection back already.


@contextmanager
def _as_httpx(body: _Body | None = None) -> Iterator[None]:
    """aiohttp's errors in httpx's words."""
    import aiohttp

    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except (aiohttp.ClientConnectorError, aiohttp.ClientConnectorCertificateError) as error:
        raise httpx.ConnectError(str(error)) from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise httpx.UnsupportedProtocol(str(error)) from error
    except aiohttp.ServerTimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if body and body.failed:
            raise body.failed from None
        if isinstance(error, ValueError):
            raise httpx.LocalProtocolError("nothing that can be sent") from error
        if isinstance(error, TimeoutError):
            raise httpx.WriteTimeout("nobody takes it") from error
        raise httpx.ReadError(str(error)) from error


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    """As they are, but for the one that aiohttp writes itself."""
    raw = request.headers.raw
    return [(name.decode(), value.decode()) for name, value in raw if name.lower() != b"transfer-encoding"]


def _timeout(given: dict[str, float | None]) -> aiohttp.ClientTimeout:
    import aiohttp

    return aiohttp.ClientTimeout(connect=given.get("connect"), sock_read=given.get("read"))
