"""`python -m evals.loopback SIZE`: a backend that only moves bytes, as fast as it can, for benches and nothing else.

It speaks just enough of the wire for a turn to upload, to export a file of SIZE bytes and to hear a stream. It prints
its address on a line of its own and ends with its standard input.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["FIRST_WORDS", "PIECE", "SENTENCES"]

PIECE = 1 << 20
FIRST_WORDS = "Sentence number"
SENTENCES = 20
"""In one stream, each in two pieces: its words, and a moment later the bytes that end it."""
DRAFT = {"m": {"title": "bench"}, "t": [{"tt": 0, "sg": [{"id": "v", "s": 0, "d": 1000, "m": {"name": "city"}}]}]}


class _Wire(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        if self.path.startswith("/file"):
            self._file()
        elif self.path.startswith("/stamps"):
            self._ok({"stamps": self.server.stamps})
        elif self.path.startswith("/api/state"):
            self._ok({"state": {"draft": DRAFT}})
        elif self.path.startswith("/api/render"):
            url = f"{self.server.url}/file.mp4"
            self._ok({"id": self.path.rpartition("/")[2], "status": "completed", "output": {"url": url}})
        else:
            self._ok({"available": 90, "frozen": 0, "total": 100})

    def do_POST(self) -> None:
        self._drain(int(self.headers["Content-Length"] or 0))
        if self.path == "/run_sse":
            self._talk()
        elif self.path.startswith("/api/upload"):
            self._ok({"files": [{"filename": "big.mp4", "file_type": "video"}]})
        elif self.path.startswith("/api/render"):
            self._ok({"status": "pending"})
        else:
            self._ok({"token": "nmv_usr_bench", "session_id": "s1", "task_id": "t1", "user_id": "u1"})

    def _ok(self, data: dict[str, Any]) -> None:
        body = json.dumps({"code": 0, "data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drain(self, left: int) -> None:
        room = memoryview(bytearray(PIECE))
        while left:
            left -= self.rfile.readinto(room[: min(left, PIECE)]) or left

    def _file(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(self.server.size))
        self.send_header("ETag", '"bench"')
        self.end_headers()
        piece, left = memoryview(os.urandom(PIECE)), self.server.size
        while left:
            self.wfile.write(piece[: min(left, PIECE)])
            left -= min(left, PIECE)

    def _talk(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.server.stamps, sentences = [], [f"{FIRST_WORDS} {number} tells of the sea" for number in range(SENTENCES)]
        for sentence in sentences:
            self._say(sentence)
            time.sleep(0.03)  # the reader is idle again when the end comes
            self.server.stamps.append(time.perf_counter())
            self._say(". ")
        self._say("".join(f"{sentence}. " for sentence in sentences), partial=False)
        self.close_connection = True

    def _say(self, words: str, *, partial: bool = True) -> None:
        event = {"author": "nemo", "partial": partial, "content": {"parts": [{"text": words}]}}
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, size: int) -> None:
        super().__init__(("127.0.0.1", 0), _Wire)
        self.size = size
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.stamps: list[float] = []


def main(size: int) -> None:
    """Serves until standard input ends."""
    with _Server(size) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.url, flush=True)  # noqa: T201
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
