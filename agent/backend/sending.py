"""One send over HTTP: open the stream, refuse what is no stream, listen until it ends or must be given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from datetime import UTC, datetime

import httpx

from agent.backend.answers import read_answer
from agent.backend.calls import RULES, body_of, failed
from agent.backend.lines import Lines, Payload
from agent.backend.screen import Hide, Screen, Tail
from agent.backend.stream import Reconstruction, StreamEvent
from agent.errors import ApiError, BackendError, BadAnswer, StreamLost

__all__ = ["TIMEOUT", "Hide", "listen", "open_stream"]

TOTAL_LIMIT = 15 * 60.0
"""Seconds one send may take in all."""
SILENT_LIMIT = 10 * 60.0
"""Seconds with nothing but heartbeats, or with nothing at all, between two events that say something."""
TIMEOUT = httpx.Timeout(10.0, write=60.0, read=None)
"""httpx knows reads that take too long, but no deadline: both limits on listening are kept here."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_READ_ERRORS = (httpx.HTTPError, httpx.StreamError, OSError)


async def open_stream(
    http: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth, now: datetime, hide: Hide
) -> httpx.Response:
    """The open response of a chat stream, for the caller to close.

    Raises Unreachable (nothing was sent), ApiError (refused), StreamLost or BadAnswer (nobody knows).
    """
    try:
        async with asyncio.timeout(SILENT_LIMIT):
            response = await http.send(request, auth=auth, stream=True, follow_redirects=False)
            if _is_stream(response):
                return response
            text = hide(await body_of(response))
    except TimeoutError:
        raise StreamLost("no answer") from None
    except _READ_ERRORS as error:
        raise failed(error, RULES["send"]) from error
    raise _no_stream(response, text, now)


def _no_stream(response: httpx.Response, text: str, now: datetime) -> BackendError:
    """What JSON, a page or nothing at all in place of a stream means."""
    status = response.status_code
    try:
        read_answer(status, response.headers, text, now)
    except BadAnswer as error:
        if not 300 <= status < 500:
            return error
    except BackendError as error:
        return error
    if 300 <= status < 500:
        # Whoever wrote that page turned the words away: they ran nowhere.
        return ApiError(f"HTTP {status}", code=status, status=status)
    return BadAnswer("an answer that is no stream", status=status)


async def listen(
    response: httpx.Response, sent_at: float, hide: Hide, tail: Tail = lambda text: 0
) -> AsyncGenerator[StreamEvent, None]:
    """Everything the stream says, `Ended` last. Raises StreamLost when it is cut, falls silent or is too large to hold.

    `sent_at` is the running loop's time at which the send began, in seconds. What calls itself a stream and is none
    raises as in `open_stream`, before the first event.
    """
    lines, heard, screen = Lines(), Reconstruction(), Screen(hide, tail)
    async with aclosing(_pieces(response, sent_at + TOTAL_LIMIT, heard)) as pieces:
        try:
            async for piece in pieces:
                for event in _events(lines.feed(piece), heard, screen):
                    yield event
                if heard.failed:
                    break
        except StreamLost:
            for event in screen.close():
                yield event
            raise
    for event in _rest(response, lines, heard, screen):
        yield event


def _rest(response: httpx.Response, lines: Lines, heard: Reconstruction, screen: Screen) -> Iterator[StreamEvent]:
    """What is left when a stream ended by itself."""
    yield from _events(lines.close(), heard, screen)
    if lines.stray and not heard.heard:
        raise _no_stream(response, screen.hide(lines.stray), _LONG_AGO)
    if (lines.dropped or heard.overflowed) and not heard.failed:
        # Heard to its end all the same: whoever hangs up stops the work that was paid for.
        yield from screen.close()
        raise StreamLost("too large")
    for event in heard.close():
        yield from screen.show(event)


def _events(payloads: list[Payload], heard: Reconstruction, screen: Screen) -> list[StreamEvent]:
    return [shown for payload in payloads for event in heard.feed(payload) for shown in screen.show(event)]


async def _pieces(response: httpx.Response, last: float, heard: Reconstruction) -> AsyncGenerator[bytes, None]:
    """The body as it comes. What somebody does between two pieces counts for the total, never for the silence."""
    loop = asyncio.get_running_loop()
    pieces, count, silent = response.aiter_bytes(), 0, 0.0
    while True:
        before = loop.time()
        try:
            async with asyncio.timeout_at(min(last, before + SILENT_LIMIT - silent)):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise StreamLost("out of time" if loop.time() >= last else "silent") from None
        except _READ_ERRORS as error:
            raise StreamLost(type(error).__name__) from error
        waited = loop.time() - before
        yield piece
        silent = 0.0 if heard.heard > count else silent + waited
        count = heard.heard


def _is_stream(response: httpx.Response) -> bool:
    """A server that names no type at all is given the benefit of the doubt."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return response.status_code == 200 and kind in ("", "text/event-stream")
