"""One send over HTTP: open the stream, refuse what is no stream, listen until it ends or must be given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime

import httpx

from agent.backend.answers import read_answer
from agent.backend.calls import RULES, failed
from agent.backend.lines import Lines, Payload
from agent.backend.stream import Reconstruction, StreamEvent
from agent.errors import BadAnswer, StreamLost

__all__ = ["TIMEOUT", "Hide", "listen", "open_stream"]

TOTAL_LIMIT = 15 * 60.0
"""Seconds one send may take in all."""
SILENT_LIMIT = 10 * 60.0
"""Seconds with nothing but heartbeats, or with nothing at all, between two events that say something."""
TIMEOUT = httpx.Timeout(10.0, write=60.0, read=None)
"""httpx knows reads that take too long, but no deadline: both limits on listening are kept here."""

Hide = Callable[[str], str]
"""Takes tokens out of the backend's words."""

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
            async with aclosing(response):
                await response.aread()
    except TimeoutError:
        raise StreamLost("no answer") from None
    except _READ_ERRORS as error:
        raise failed(error, RULES["send"]) from error
    read_answer(response.status_code, response.headers, hide(response.text), now)
    raise BadAnswer("an answer that is no stream", status=response.status_code)


async def listen(response: httpx.Response, sent_at: float, hide: Hide) -> AsyncGenerator[StreamEvent, None]:
    """Everything the stream says, `Ended` last. Raises StreamLost when it is cut or falls silent.

    `sent_at` is the running loop's time at which the send began, in seconds.
    """
    lines, heard = Lines(), Reconstruction()
    async with aclosing(_pieces(response, sent_at + TOTAL_LIMIT, heard)) as pieces:
        async for piece in pieces:
            for event in _events(lines.feed(piece), heard, hide):
                yield event
            if heard.failed:
                break
    for event in [*_events(lines.close(), heard, hide), *heard.close()]:
        yield event


def _events(payloads: list[Payload], heard: Reconstruction, hide: Hide) -> list[StreamEvent]:
    return [e for payload in payloads for e in heard.feed(replace(payload, data=hide(payload.data)))]


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
