"""What a host writes on stderr: a line for each record, with the request that it belongs to, and no secrets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from agent.logs import Redacting, redacted
from agent.serve.options import LogFormat

__all__ = ["REQUEST", "about_request", "hashed", "log_here"]

REQUEST: ContextVar[MutableMapping[str, Any] | None] = ContextVar("reelchat_request", default=None)
"""The ASGI scope of the request that this code runs for; a turn keeps that of the request that began it."""
HEARD = ("reelchat", "uvicorn", "uvicorn.error", "langgraph", "py.warnings")
EXTRA = ("method", "status", "ms")
"""What a record may carry besides its message."""


def hashed(user: str) -> str:
    """A user as logs name them: the beginning of their folder's name."""
    return sha256(user.encode("utf-8", "replace")).hexdigest()[:12] if user else ""


def about_request() -> dict[str, str]:
    """Id, route and user of the request that is served here, as far as they are known yet."""
    scope: Mapping[str, Any] = REQUEST.get() or {}
    state = scope.get("state") or {}
    found = {
        "request_id": str(state.get("id") or ""),
        "route": str(getattr(scope.get("route"), "path", "")),
        "user": hashed(getattr(state.get("principal"), "user", "")),
    }
    return {name: value for name, value in found.items() if value}


def log_here(kind: LogFormat, level: int = logging.INFO) -> None:
    """Sends what we, the server and the graph's library say to stderr, and nothing anywhere else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if kind == "json" else _Plain())
    handler.addFilter(Redacting())
    for name in HEARD:
        logger = logging.getLogger(name)
        for old in logger.handlers:
            old.close()
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = True  # Its lines hold whole addresses; ours name the route.
    for quiet in ("uvicorn", "uvicorn.error", "langgraph"):
        logging.getLogger(quiet).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **about_request(),
        }
        line |= {name: value for name in EXTRA if (value := getattr(record, name, None)) is not None}
        if trace := _trace(self, record):
            line["exception"] = trace
        return json.dumps(line, ensure_ascii=False)


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
        words = [time, record.levelname, record.name, record.getMessage(), about_request().get("request_id", "")]
        # One record is one line, whatever names somebody made up.
        line = " ".join(word.replace("\n", "\\n").replace("\r", "\\r") for word in words if word)
        return "\n".join(filter(None, [line, _trace(self, record)]))


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if isinstance(record.exc_info, tuple):
        record.exc_text = redacted(formatter.formatException(record.exc_info))
    return record.exc_text or ""
