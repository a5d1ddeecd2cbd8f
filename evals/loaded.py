"""Stand-ins for the load on a host: a backend that only waits and talks, and a server with nothing behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Coroutine
from functools import cache
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

__all__ = ["backend", "plain", "run"]

Answer = TypeVar("Answer")
PIECES, PIECE_S = 20, 0.1
REPLY = (
    "Done. I added the sunset at the end of the video track, for three seconds. The music fades out below it, and the"
    " title stays where it was. Your project is now eighteen seconds long. The colours are a little warmer than before,"
    " because the sunset is quite orange. If that is too much for you, tell me and I make it cooler. There is also a"
    " short silence between the second and the third clip."
)
"""About as much as a language model says in two seconds."""
DRAFT = {"m": {"title": "bench"}, "t": [{"tt": 0, "sg": [{"id": "v", "s": 0, "d": 1000, "m": {"name": "city"}}]}]}


async def backend(port: int) -> None:
    """Just enough of the wire for a turn; a stream says a few words every tenth of a second, for two seconds."""
    server = await asyncio.start_server(_answer_all, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


async def _answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A socket and no framework: on the same two cores it is not to take what is measured."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            if head.startswith(b"post /run_sse"):
                await _talk(writer)
            else:
                body = json.dumps({"code": 0, "data": _answer(head)}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    writer.close()


async def _talk(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    *pieces, last = _chunks()
    for piece in pieces:
        await asyncio.sleep(PIECE_S)
        writer.write(piece)
    writer.write(last)


@cache
def _chunks() -> list[bytes]:
    """The reply piece by piece, then as a whole with the end of the stream: encoded once, for all."""
    frames = [_frame(_piece(number), partial=True).encode() for number in range(PIECES)]
    chunks = [b"%x\r\n%b\r\n" % (len(frame), frame) for frame in (*frames, _frame(REPLY, partial=False).encode())]
    return [*chunks[:-1], chunks[-1] + b"0\r\n\r\n"]


def _answer(head: bytes) -> dict[str, Any]:
    if head.startswith(b"get /api/state"):
        return {"state": {"draft": DRAFT}}
    if head.startswith(b"post"):
        return {"token": "nmv_usr_bench", "session_id": "s1", "task_id": "t1", "user_id": "u1"}
    return {"available": 90, "frozen": 0, "total": 100}


def _piece(number: int) -> str:
    return REPLY[len(REPLY) * number // PIECES : len(REPLY) * (number + 1) // PIECES]


def _frame(text: str, *, partial: bool) -> str:
    event = {"content": {"parts": [{"text": text}], "role": "model"}, "partial": partial, "author": "nemo_agent"}
    return f"data: {json.dumps(event)}\n\n"


def plain() -> Starlette:
    """What a stream costs where nothing is behind it: the ceiling of server and client together."""

    async def stream(request: Request) -> Response:
        await request.body()

        async def pieces() -> AsyncIterator[str]:
            for number in range(PIECES):
                await asyncio.sleep(PIECE_S)
                yield f'data: {{"kind":"text","id":"1","text":"{_piece(number)}"}}\n\n'
            yield "event: end\ndata: {}\n\n"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    return Starlette(routes=[Route("/v1/turns", stream, methods=["POST"])])


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """`asyncio.run` on the host's own loop, where there is one: what measures is not to take what is measured."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


if __name__ == "__main__":
    run(backend(int(sys.argv[1])))
