"""`python -m evals.fuzz [COUNT]`: so many broken streams, and broken replies to every call, all from one seed each.

Nothing but a BackendError may come out, no token and no thought may reach a screen, every stream that is heard to
its end says how it ended, and the memory in use never passes a limit. Exit code 1 at the first that does not hold.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from agent.backend import Attribution, Backend, Credentials, Ended, Failed, Said
from agent.errors import BackendError, TransferFailed

__all__ = ["CALLS", "THOUGHT", "TOKEN", "Fuzzed", "body", "fuzz_reply", "fuzz_stream", "main"]

COUNT = 10_000
PEAK = 64_000_000
"""Bytes of Python objects in use, over all streams and replies."""
TOKEN = "nmv_usr_fuzz0123456789abcdef"
THOUGHT = "the-thought-that-nobody-sees"
ERRORS = (
    httpx.ReadError,
    httpx.RemoteProtocolError,
    httpx.DecodingError,
    httpx.StreamClosed,
    OSError,
    httpx.ReadTimeout,
)
WORDS = (
    *("Added music. ", "I encountered a temporary issue", "Error: ", "", " ", "\n\n", "你好，", "\u2028\u0085", "😀"),
    *("\ud83d", "\x00", TOKEN, TOKEN[:11], TOKEN[11:], "nmv_usr_", "1", "x" * 500),
)
KEYS = (
    *("type", "content", "parts", "text", "author", "partial", "error", "name", "code", "message", "branch", "data"),
    *("functionCall", "functionResponse", "finishReason", "turnComplete", "errorCode", "invocationId", "detail"),
)
FIELDS = (
    *("code", "message", "data", "detail", "error", "success", "token", "session_id", "task_id", "user_id", "state"),
    *("draft", "video_infos", "available", "frozen", "total", "files", "filename", "file_type", "duration", "width"),
    *("id", "status", "progress", "outputUrl", "output", "url", "expires_at", "claim_token", "t", "sg", "hash"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 200, 400, 402, 429, 500, 1001, 1002, 2001, 4001, 4002, 1e400, -1e15, 10**400, 0.5),
    *(
        "",
        "0",
        "1001",
        "abc",
        "completed",
        "failed",
        "Infinity",
        "nan",
        "9" * 5000,
        "2026-01-01",
        "../../etc",
        "\ud83d",
    ),
    *("http://[", "video/mp4", TOKEN, "\u0000", "😀", "-1", "50%", [], {}, [[]], [{}], {"url": 1}, {"code": 1001}),
)


class Fuzzed(AssertionError):
    """Something that must never happen did; the message names the seed."""


class Instant:
    """A clock on which nobody waits."""

    def now(self) -> datetime:
        """Always the same moment."""
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        """Always the same second."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Only lets others go first."""
        await asyncio.sleep(0)


# Streams


def body(chance: random.Random, *, damage: bool = True) -> bytes:
    """Some events of both dialects, framed in some way and, if so wished, damaged."""
    end = chance.choice(["\n", "\n", "\r\n", "\r"])
    events = [_frame(chance, end) for _ in range(chance.randrange(12))]
    if chance.random() < 0.1:
        cut = chance.randrange(len(TOKEN))
        author: dict[str, Any] = chance.choice([{"type": "text"}, {"author": "a", "partial": True}])
        halves = (TOKEN[:cut], TOKEN[cut:])
        events += [
            f"data: {json.dumps({'content': {'parts': [{'text': half}]}, **author})}{end}{end}" for half in halves
        ]
    data = chance.choice([b"", b"", b"", b"\xef\xbb\xbf", b"\n"]) + "".join(events).encode("utf-8", "surrogatepass")
    for _ in range(chance.choice([1, 3, 20]) if damage else 0):
        data = _damaged(chance, data)
    return data


def _frame(chance: random.Random, end: str) -> str:
    written = json.dumps(_event(chance), ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.1:
        written = chance.choice(['{"error": "he said "no""}', '{"error":""}', "[DONE]", "", "[" * 50_000, "{", "1e999"])
    name = chance.choice(["", "", "", "", f"event: error{end}", f"id: 7{end}", f"retry: 9{end}", f": ping{end}"])
    return f"{name}data:{chance.choice([' ', ''])}{written}{end}{end * chance.choice([0, 1, 1, 1, 1, 2])}"


def _event(chance: random.Random) -> Any:
    words = "".join(chance.choices(WORDS, k=chance.randrange(4)))
    match chance.randrange(6):
        case 0:
            return {"type": chance.choice(["text", "heartbeat", "tool_call", "tool_result", "error"]), "content": words}
        case 1 | 2 | 3:
            parts: list[Any] = [{"text": word} for word in chance.choices(WORDS, k=chance.randrange(3))]
            parts.append({"text": THOUGHT, "thought": True})
            parts.append(chance.choice([{}, None, {"functionCall": {"name": words}}, {"functionResponse": {}}]))
            event = {"author": chance.choice(["a", "b", "user", "system"]), "content": {"parts": parts}}
            return event | chance.choice(
                [{"partial": True}, {"partial": True}, {}, {"finishReason": "STOP"}, {"branch": 1}]
            )
        case 4:
            return {"error": words, "code": chance.choice(VALUES)}
        case _:
            return _junk(chance, KEYS, 4)


def _junk(chance: random.Random, names: tuple[str, ...], depth: int) -> Any:
    """JSON of any shape, with names that mean something here and there."""
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(VALUES)
    if chance.random() < 0.2:
        return [_junk(chance, names, depth - 1) for _ in range(chance.randrange(4))]
    return {chance.choice(names): _junk(chance, names, depth - 1) for _ in range(chance.randrange(7))}


def _damaged(chance: random.Random, data: bytes) -> bytes:
    at, size = chance.randrange(len(data) + 1), chance.randrange(1, 9)
    match chance.randrange(4):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[at + size :]
        case 2:
            return data[:at] + chance.randbytes(size) + data[at:]
        case _:
            return data[:at] + data[max(0, at - 40) : at + 400] + data[at:]


class _Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces of any size and may break off."""

    def __init__(self, chance: random.Random, data: bytes) -> None:
        self._chance, self._data = chance, data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = self._chance.choice([1, 7, 100, 100_000])
        for at in range(0, len(self._data), size):
            if at % (64 * size) == 0:
                await asyncio.sleep(0)  # as a socket would, or the loop never drops the timers of past pieces
            yield self._data[at : at + size]
        if self._chance.random() < 0.1:
            raise self._chance.choice(ERRORS[:3])("broken")


def _headers(chance: random.Random) -> dict[str, str]:
    kinds = ["text/event-stream"] * 8 + [
        "",
        "application/json",
        "text/html; charset=gbk",
        "TEXT/EVENT-STREAM; charset=x",
    ]
    extra: list[dict[str, str]] = [{}] * 5 + [
        {"retry-after": "Fri, 31 Feb 9999"},
        {"retry-after": "x"},
        {"content-encoding": "gzip"},
    ]
    return {"content-type": chance.choice(kinds), **chance.choice(extra)}


async def fuzz_stream(seed: int, folder: Path) -> None:
    """One send whose answer is broken in the way of `seed`. Raises Fuzzed."""
    chance, events = random.Random(seed), []
    # Damage may well turn a thought into words.
    damage, secrets = (True, (TOKEN,)) if chance.random() < 0.5 else (False, (TOKEN, THOUGHT))

    def answer(request: httpx.Request) -> httpx.Response:
        if chance.random() < 0.02:
            raise chance.choice(ERRORS[:2])("broken")
        status = chance.choice([200] * 20 + [204, 302, 400, 401, 404, 429, 500, 502])
        return httpx.Response(status, headers=_headers(chance), stream=_Pieces(chance, body(chance, damage=damage)))

    try:
        async for event in _backend(answer, folder).send("s", "hello"):
            events.append(event)
        if not events or not isinstance(events[-1], Ended):
            raise Fuzzed(f"stream {seed} did not say how it ended")
    except BackendError as error:
        _check(f"stream {seed}", f"{error!r} {error.values}")
    except Exception as error:
        raise error if isinstance(error, Fuzzed) else Fuzzed(f"stream {seed}: {error!r}") from error
    _check(f"stream {seed}", *_texts(events), secrets=secrets)


def _texts(events: list[Any]) -> list[str]:
    """What each segment looked like, and the failures."""
    screen: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, Said):
            screen.setdefault(event.segment, []).append(event.text)
    return [*("".join(pieces) for pieces in screen.values()), *(e.message for e in events if isinstance(e, Failed))]


def _check(what: str, *texts: str, secrets: tuple[str, ...] = (TOKEN,)) -> None:
    for text in texts:
        text.encode()  # a lone surrogate would end the terminal
        if any(secret in text for secret in secrets):
            raise Fuzzed(f"{what} shows what nobody may see: {text!r}")


# Replies

CALLS: dict[str, Callable[[Backend], Awaitable[Any]]] = {
    "token": lambda backend: backend.connect(),
    "session": lambda backend: backend.create_session("en"),
    "credits": lambda backend: backend.credits(),
    "state": lambda backend: backend.snapshot("s"),
    "upload": lambda backend: backend.upload_urls("s", ["https://a.test/b.mp4"]),
    "render": lambda backend: backend.submit_render("r", "s", {}, {}),
    "poll": lambda backend: backend.render_status("r"),
    "cancel": lambda backend: backend.cancel_render("r"),
}
"""The calls that take JSON apart."""


async def fuzz_reply(call: str, seed: int, folder: Path) -> None:
    """One call whose answer is broken in the way of `seed`. Raises Fuzzed."""
    chance = random.Random(f"{call}{seed}")

    def answer(request: httpx.Request) -> httpx.Response:
        status = chance.choice([200] * 6 + [201, 204, 302, 400, 401, 402, 404, 413, 422, 429, 500, 503])
        content = json.dumps(_junk(chance, FIELDS, 5)).encode()
        for _ in range(chance.choice([0, 0, 0, 0, 1])):
            content = _damaged(chance, content)
        return httpx.Response(status, headers=_headers(chance), stream=_Pieces(chance, content))

    backend = _backend(answer, folder / f"{call}{seed}" if call == "token" else folder, supplied=call != "token")
    try:
        str(await CALLS[call](backend)).encode("utf-8", "surrogatepass")
    except (BackendError, TransferFailed) as error:
        if call != "token":  # Where it is not ours before it was taken in.
            _check(f"{call} {seed}", f"{error!r} {error.values}".encode("utf-8", "replace").decode())
    except Exception as error:
        raise Fuzzed(f"{call} {seed}: {error!r}") from error


def _backend(answer: Callable[[httpx.Request], httpx.Response], folder: Path, *, supplied: bool = True) -> Backend:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), trust_env=False, verify=False)
    own = SecretStr(TOKEN) if supplied else None
    credentials = Credentials("fuzz", folder, folder / "client_id", supplied=own)
    return Backend("http://fuzz.test", http, credentials, Attribution("fuzz", "1", "unknown"), Instant())


async def _all(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="reelchat-fuzz-") as name:
        for seed in range(count):
            await fuzz_stream(seed, Path(name))
        print(f"{count} streams", flush=True)  # noqa: T201
        for call in CALLS:
            for seed in range(count):
                await fuzz_reply(call, seed, Path(name))
            print(f"{count} replies to {call}", flush=True)  # noqa: T201


def main(arguments: list[str]) -> int:
    """Prints what was tried, how long it took and the most memory that was in use; 1 when that is too much."""
    started = time.monotonic()
    tracemalloc.start()
    asyncio.run(_all(int(arguments[0]) if arguments else COUNT))
    peak = tracemalloc.get_traced_memory()[1]
    print(f"at most {peak / 1e6:.1f} MB in use, {time.monotonic() - started:.0f} s")  # noqa: T201
    return int(peak > PEAK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
