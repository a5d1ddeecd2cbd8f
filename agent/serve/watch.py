"""Sees every request from before the guard to after its last byte: for the numbers, and for a line in the log."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.serve.logs_json import REQUEST
from agent.serve.metrics import Metrics

__all__ = ["Watch", "route_of"]

log = logging.getLogger("reelchat.http")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
QUIET = ("/healthz", "/readyz", "/metrics")
"""Routes that are asked every few seconds; they are logged only when something is wrong."""
FILES = ("/v1/files", "/v1/files/{handle}/content", "/files/{handle}/{name}")


class Watch:
    """Pure ASGI. `streams` holds the tasks of open event streams, so that a host that stops can end them."""

    def __init__(self, app: ASGIApp, metrics: Metrics, streams: set[asyncio.Task[Any]]) -> None:
        self._app, self._metrics, self._streams = app, metrics, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        REQUEST.set(scope)
        exchange = _Exchange(self._streams, self._metrics, receive, send)
        began = time.perf_counter()
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            exchange.status = exchange.status or 499  # whoever asked has gone
            raise
        finally:
            exchange.close()
            self._tell(scope, exchange, time.perf_counter() - began)

    def _tell(self, scope: Scope, exchange: _Exchange, seconds: float) -> None:
        route, status, metrics = route_of(scope), exchange.status or 500, self._metrics
        method = scope["method"] if scope["method"] in METHODS else "other"
        metrics.requests.labels(method, route, str(status)).inc()
        metrics.request_seconds.labels(route).observe(seconds)
        if code := scope["state"].get("refused"):
            metrics.refused.labels(code).inc()
        if route in FILES:
            metrics.file_bytes.labels("in").inc(exchange.heard)
            metrics.file_bytes.labels("out").inc(exchange.said)
        if route not in QUIET or status >= 400:
            about = {"method": method, "status": status, "ms": round(seconds * 1000, 1)}
            log.info("%s %s %d in %d ms", method, route, status, seconds * 1000, extra=about)


class _Exchange:
    """One request and its answer, as they go by."""

    def __init__(self, streams: set[asyncio.Task[Any]], metrics: Metrics, receive: Receive, send: Send) -> None:
        self._streams, self._metrics, self._receive, self._send = streams, metrics, receive, send
        self._stream: asyncio.Task[Any] | None = None
        self.status = self.heard = self.said = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self.heard += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kinds = [value for name, value in message.get("headers", ()) if name.lower() == b"content-type"]
            task = asyncio.current_task()
            if task and kinds and kinds[0].startswith(b"text/event-stream"):
                self._stream = task
                self._streams.add(task)
                self._metrics.streams.inc()
        else:
            self.said += len(message.get("body", b""))
        await self._send(message)

    def close(self) -> None:
        if self._stream:
            self._streams.discard(self._stream)
            self._metrics.streams.dec()


def route_of(scope: Scope) -> str:
    """The template of the route that was taken; one word for everything that is none of ours."""
    return str(getattr(scope.get("route"), "path", None) or "none")
