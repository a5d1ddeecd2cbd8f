"""Asks a live backend everything that is free, and looks at the shapes of its answers. Nothing else can leave here."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from agent.backend.attribution import Attribution
from agent.backend.auth import Credentials
from agent.backend.client import Backend
from agent.clock import Clock, SystemClock
from agent.errors import AgentError, BadAnswer, SettingsError
from agent.settings import Settings

__all__ = ["Finding", "ask_everything_free"]

FREE = (
    ("POST", "/api/auth/anonymous-token"),
    ("POST", "/api/tasks/me/with-session/nemo_agent"),
    ("GET", "/api/credits/balance/simple"),
    ("GET", "/api/state/nemo_agent/me/"),
)
"""Methods and how their paths begin: the only requests that are let through."""
KNOWN = {
    "token": ("token", "user_id", "expires_at", "credits"),
    "session": ("task_id", "session_id", "user_id"),
    "credits": ("available", "frozen", "total"),
    "state": ("state", "draft", "video_infos", "generated_media", "canvas_config", "user_id"),
}
MOST_NAMES = 12
"""Names of fields shown at most: a backend may send any number."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one call answered. Names of fields only: a value may be a token."""

    name: str
    status: int = 0
    ms: int = 0
    enveloped: bool = False
    """Whether the answer stands inside "data"."""
    code: int | None = None
    known: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    draft: Literal["", "empty", "short", "other"] = ""
    held: bool = False
    """A token that was there already: a new one comes once a week, so none was asked for."""
    skipped: bool = False
    error: AgentError | None = None


class _OnlyFree:
    """Refuses whatever could cost or change anything before it leaves, and keeps the last answer."""

    def __init__(self, address: str) -> None:
        self._root = httpx.URL(address).path.rstrip("/")
        self._started = 0.0
        self.last: tuple[int, bytes, int] | None = None
        """Status, body and milliseconds."""

    async def check(self, request: httpx.Request) -> None:
        """Called by httpx before a request."""
        path = request.url.path.removeprefix(self._root)
        if not any(request.method == method and path.startswith(start) for method, start in FREE):
            raise AssertionError(f"{request.method} {path} is not free")
        self._started = time.monotonic()

    async def keep(self, response: httpx.Response) -> None:
        """Called by httpx after an answer."""
        body = await response.aread()
        self.last = (response.status_code, body, round((time.monotonic() - self._started) * 1000))


async def ask_everything_free(
    settings: Settings,
    attribution: Attribution,
    *,
    clock: Clock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Finding]:
    """Token, session, credits and state of the backend that `settings` name; a call that fails is a finding too."""
    address = settings.base_url
    if address is None:
        raise SettingsError("no address", reason="backend", value=settings.backend)
    only = _OnlyFree(address)
    hooks: dict[str, list[Any]] = {"request": [only.check], "response": [only.keep]}
    credentials = Credentials(
        settings.backend,
        settings.data,
        settings.client_id_file,
        supplied=settings.token,
        client_id=settings.client_id,
    )
    async with httpx.AsyncClient(transport=transport, event_hooks=hooks) as http:
        backend = Backend(address, http, credentials, attribution, clock or SystemClock(), web_url=settings.web_url)
        token, _ = await _ask("token", backend.connect, only)
        yield token
        if token.error is not None:
            return
        session, made = await _ask("session", lambda: backend.create_session(settings.lang), only)
        yield session
        yield (await _ask("credits", backend.credits, only))[0]
        if made is None:
            yield Finding("state", skipped=True)
            return
        yield (await _ask("state", lambda: backend.snapshot(made.session_id), only))[0]


async def _ask(name: str, call: Callable[[], Awaitable[Any]], only: _OnlyFree) -> tuple[Finding, Any]:
    """The finding about one call, and what the client made of the answer; None when it failed."""
    only.last = None
    try:
        result = await call()
    except AgentError as error:
        return Finding(name, error=error), None
    if only.last is None:
        return Finding(name, held=True), result
    status, body, ms = only.last
    try:
        found = _shape(name, status, body, ms)
    except (ValueError, AttributeError):
        return Finding(name, error=BadAnswer("not the JSON it was")), result
    if name == "credits" and not found.known:
        return Finding(name, error=BadAnswer("none of available, frozen, total")), result
    return found, result


def _shape(name: str, status: int, body: bytes, ms: int) -> Finding:
    answer = json.loads(body)
    code = answer.get("code")
    enveloped = isinstance(answer.get("data"), dict)
    fields: dict[str, Any] = answer["data"] if enveloped else answer
    if name == "state" and isinstance(fields.get("state"), dict):
        fields = {"state": None, **fields["state"], **{k: v for k, v in fields.items() if k != "state"}}
    known = tuple(one for one in KNOWN[name] if one in fields)
    outer = ("code", "message", "data", "success", *known)
    extra = tuple(sorted(str(one)[:40] for one in fields if one not in outer))[:MOST_NAMES]
    draft = _draft(fields.get("draft")) if name == "state" else ""
    number = code if isinstance(code, int) else None
    return Finding(name, status, ms, enveloped, number, known, extra, draft)


def _draft(draft: Any) -> Literal["empty", "short", "other"]:
    if not draft:
        return "empty"
    if isinstance(draft, dict) and isinstance(draft.get("t"), list):
        return "short" if draft["t"] else "empty"
    return "other"
