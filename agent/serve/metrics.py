"""Numbers about one host for Prometheus; no user, no conversation and no address is in any label."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from agent.settings import handed_down

__all__ = ["CONTENT_TYPE_LATEST", "SHARED", "Metrics"]

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series beside each other one, which nobody reads

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The client's own variable: the folder in which the processes of one host put their numbers together."""
TURN_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
HTTP_S = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
SENDS, RENDERS = "/run_sse", "/api/render/"


class Metrics:
    """What one application counts, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.turns = self._counter("turns", "Turns that ended.", "door", "status")
        self.turn_seconds = self._histogram("turn_seconds", "How long turns took.", TURN_S, "door")
        self.turns_live = self._gauge("turns_live", "Turns that are under way.")
        self.streams = self._gauge("streams_open", "Answers that are being streamed.")
        self.credits = self._counter("credits", "Credits that turns used, as far as the balance told.")
        self.sends = self._counter("sends", "Edits asked of the backend.", "status")
        self.renders = self._counter("renders", "Renders submitted to the backend.", "status")
        self.refused = self._counter("refused", "Requests that were not carried out.", "code")
        self.requests = self._counter("http_requests", "Requests that were answered.", "method", "route", "status")
        self.request_seconds = self._histogram("http_request_seconds", "How long answers took.", HTTP_S, "route")
        self.file_bytes = self._counter("file_bytes", "Bytes of files that came in and went out.", "direction")
        self.stored = self._gauge("stored_bytes", "Bytes of all users' files, when retention last looked.", "max")
        if not handed_down(SHARED):
            ProcessCollector(registry=self.registry)

    def exposed(self) -> bytes:
        """Everything, as Prometheus reads it; of all processes of this host where there are several."""
        folder = handed_down(SHARED)
        if not folder:
            return generate_latest(self.registry)
        for file in Path(folder).glob("gauge_live*.db"):
            if not _lives(pid := int(file.stem.rpartition("_")[2])):
                mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
        together = CollectorRegistry()
        MultiProcessCollector(together, path=folder)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    async def count_call(self, response: Any) -> None:
        """Hears every answer of the backend; a hook of the house's HTTP client."""
        request = response.request
        if request.method == "POST" and (path := str(request.url.path)).endswith(SENDS):
            self.sends.labels(str(response.status_code)).inc()
        elif request.method == "POST" and SENDS not in path and RENDERS in path:
            self.renders.labels(str(response.status_code)).inc()

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"reelchat_{name}", about, labels, registry=self.registry)

    def _gauge(self, name: str, about: str, together: Any = "livesum") -> Gauge:
        return Gauge(f"reelchat_{name}", about, registry=self.registry, multiprocess_mode=together)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"reelchat_{name}", about, labels, registry=self.registry, buckets=buckets)


def _lives(pid: int, ask: Callable[[int, int], None] = os.kill) -> bool:
    if os.name == "nt":  # there it would end the process
        return True
    try:
        ask(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
