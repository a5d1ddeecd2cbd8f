"""Bytes of an event stream -> payloads, cut anywhere by the network.

An event is httpx-sse's. What it exports to read them, `EventSource`, takes a whole response or nothing; a test holds
this module to it wherever it is right. It does not read here, for it
- decodes by the charset that the server claims, but an event stream is always UTF-8;
- takes a byte order mark for a part of the first field's name, and loses the first event without a word;
- drops a last event that no blank line follows, which a backend that just closes does leave;
- makes an event of every further blank line after any `id:`, and nothing of a comment, though a comment is how a
  proxy keeps a line open;
- raises an httpx.TransportError for an answer that is no stream, so that a bad token looks like a lost connection;
- has no limit to what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from httpx_sse import ServerSentEvent

__all__ = ["LINE_CAP", "STRAY_CAP", "Lines", "Payload"]

LINE_CAP = 16 * 1024 * 1024
"""Bytes of a line, and of the data of one event, past which it is dropped: whole pictures do come inline."""
STRAY_CAP = 64 * 1024
"""Characters kept of a body that is no event stream at all."""

_BREAK = re.compile(rb"\r\n|\r|\n")
"""Nothing else ends a line: U+2028, U+2029 and U+0085 stand in people's titles."""
_MARK = b"\xef\xbb\xbf"


class Payload(ServerSentEvent):
    """One event as it came. Blank data is a sign of life and no more."""

    def __init__(self, data: str, event: str = "message", ended: bool = True) -> None:
        super().__init__(event=event, data=data)
        self.ended = ended
        """False for what the stream broke off in: no blank line followed it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Payload) and self._told() == other._told()

    def __hash__(self) -> int:
        return hash(self._told())

    def _told(self) -> tuple[str, str, bool]:
        return self.event, self.data, self.ended


class Lines:
    """An event stream read piece by piece: `feed` what comes, then `close`."""

    def __init__(self, cap: int = LINE_CAP) -> None:
        self.dropped = 0
        """Lines and events that were too large and are lost."""
        self.stray = ""
        """The beginning of a body whose first line is no field: JSON or a page that was called a stream."""
        self._cap = cap
        self._held = bytearray()
        self._after_return = False
        self._first = True
        self._too_long = False
        self._opening = True
        """Whether only blank lines have come."""
        self._data: list[str] = []
        self._name = ""
        self._size = 0
        self._open = False

    def feed(self, piece: bytes) -> list[Payload]:
        """The payloads that `piece` completes."""
        if not piece:
            return []
        if self._after_return and piece.startswith(b"\n"):
            piece = piece[1:]
        self._after_return = piece.endswith(b"\r")
        *ends, rest = _BREAK.split(piece)
        payloads = self._payloads(self._line(end) for end in ends)
        self._hold(rest)
        return payloads

    def close(self) -> list[Payload]:
        """What the stream broke off in, if anything."""
        payloads = self._payloads([self._line(b"")] if self._held else [])
        left = self._frame()
        return [*payloads, Payload(left.data, left.event, ended=False)] if left else payloads

    def _hold(self, part: bytes) -> None:
        if self._too_long or len(self._held) + len(part) > self._cap:
            self._too_long = True
            self._held.clear()
        else:
            self._held += part

    def _line(self, end: bytes) -> str | None:
        """The line that `end` ends; None for one that was too long."""
        self._hold(end)
        line, self._held = bytes(self._held), bytearray()
        if self._first:
            line, self._first = line.removeprefix(_MARK), False
        if self._too_long:
            self._too_long, self.dropped = False, self.dropped + 1
            return None
        return line.decode("utf-8", "replace")

    def _payloads(self, lines: Iterable[str | None]) -> list[Payload]:
        payloads: list[Payload] = []
        for line in lines:
            if line is None:
                self._opening = False
            elif line.startswith(":"):
                self._opening = False
                payloads.append(Payload(""))
            elif line:
                self._field(line)
            elif payload := self._frame():
                payloads.append(payload)
        return payloads

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        if self.stray or (self._opening and name not in ("data", "event", "id", "retry")):
            self.stray = f"{self.stray}{line}\n"[:STRAY_CAP]
        self._opening = False
        if name not in ("data", "event"):
            return  # An id, a retry, a line of an old server's error that lost its head.
        self._open = True
        self._size += len(line)
        if self._size > self._cap:
            self._data.clear()
        elif name == "data":
            self._data.append(value.removeprefix(" "))
        else:
            self._name = value.removeprefix(" ")

    def _frame(self) -> Payload | None:
        """What the fields since the last blank line amount to; None without any."""
        if not self._open:
            return None
        payload, too_large = Payload("\n".join(self._data), self._name or "message"), self._size > self._cap
        self._open, self._size, self._name = False, 0, ""
        self._data.clear()
        self.dropped += too_large
        return None if too_large else payload
