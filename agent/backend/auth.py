"""Credentials: the token and the client id, kept on disk, renewed once however many ask at a time."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import httpx
from filelock import FileLock, Timeout
from pydantic import SecretStr, ValidationError

from agent.backend.screen import beginnings
from agent.backend.together import Together
from agent.backend.wire import TOKEN_LIFE, Credits, Issued
from agent.clock import Clock
from agent.errors import SettingsError, TokenRejected
from agent.logs import conceal

__all__ = ["Bearer", "Credentials"]

OTHERS_RENEW = 45.0
"""Seconds to wait for another process that renews the same token: a 429 makes it wait for 30."""
LOOK_EVERY = 0.2

Issue = Callable[[str], Awaitable[Issued]]
"""Gets a token for a client id from the backend."""

_HEADER = re.compile(r"[!-~]+")
"""What a header may hold; httpx quotes one that it refuses, token and all."""

_log = logging.getLogger(__name__)


class Bearer(httpx.Auth):
    """Puts the token into a request at the last moment, so that no dict of headers ever holds it."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx once per request; redirects to elsewhere lose the header again."""
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        yield request


class Credentials:
    """One backend's token for this machine.

    `name` says whose they are ("studio", "nemo", a host): each backend has a file of its own in `folder`, so
    that a token never goes to another backend. A `supplied` token is the person's own: never replaced, never
    written down. `client_id` overrides the one in `client_id_file`; raises SettingsError when no header can
    hold it.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        client_id_file: Path,
        *,
        supplied: SecretStr | None = None,
        client_id: str | None = None,
    ) -> None:
        self._file = folder / f"token-{_slug(name)}.json"
        self._client_id_file = client_id_file
        if client_id is not None and not _HEADER.fullmatch(client_id):
            raise SettingsError("NEMO_CLIENT_ID is not a UUID")
        self._client_id = client_id
        self._supplied = supplied
        self._issued: Issued | None = None
        self._seen = {supplied.get_secret_value().strip()} - {""} if supplied else set()
        self.balance = Together[Credits]()
        """Readings of what the account has, of which all its turns want to know."""
        self._lock = asyncio.Lock()
        self._renewal: asyncio.Task[SecretStr] | None = None

    def __repr__(self) -> str:
        return f"<Credentials {self._file.stem}{' supplied' if self.supplied else ''}>"

    @property
    def supplied(self) -> bool:
        """Whether the token is the person's own."""
        return self._supplied is not None

    async def token(self, issue: Issue, clock: Clock, *, rejected: SecretStr | None = None) -> SecretStr:
        """The token to use; `issue` makes one when there is none, it has ended or it is the `rejected` one.

        Raises TokenRejected("supplied") for the person's own when it was rejected or could never be sent.
        """
        if self._supplied is not None:
            return self._own(rejected)
        async with self._lock:
            if held := self._usable(self._issued, clock.now(), rejected):
                return held
            if self._renewal is None or self._renewal.done():
                self._renewal = asyncio.create_task(self._renew(issue, clock, rejected))
                self._renewal.add_done_callback(_look_at)
            # A canceled turn leaves it running: the answer holds the only token of the week.
            return await asyncio.shield(self._renewal)

    async def _renew(self, issue: Issue, clock: Clock, rejected: SecretStr | None) -> SecretStr:
        async with self._alone(clock):
            # Another process may have renewed it since we last looked.
            if held := self._usable(self._load(), clock.now(), rejected):
                return held
            issued = await issue(self._ensure_client_id())
            self._keep(issued, clock.now())
            return issued.token

    def new_client_id(self) -> str:
        """Replaces a client id that the backend does not take."""
        self._client_id = str(uuid.uuid4())
        _write(self._client_id_file, self._client_id + "\n")
        return self._client_id

    def hide(self, text: str) -> str:
        """`text` without any token we have used: for words of the backend that may reach a person or a log."""
        for token in self._seen:
            text = text.replace(token, "[token]")
        return text

    def tail(self, text: str) -> int:
        """How many of the last characters of `text` may be the beginning of a token we have used."""
        return max((next(beginnings(token, text), 0) for token in self._seen), default=0)

    def _own(self, rejected: SecretStr | None) -> SecretStr:
        assert self._supplied is not None
        token = self._supplied.get_secret_value().strip()
        if rejected is not None or not _HEADER.fullmatch(token):
            raise TokenRejected("the supplied token", reason="supplied")
        return SecretStr(token)

    def _usable(self, issued: Issued | None, now: datetime, rejected: SecretStr | None) -> SecretStr | None:
        if issued is None or issued.token == rejected or issued.ends(now) <= now:
            return None
        self._remember(issued)
        return issued.token

    def _remember(self, issued: Issued) -> None:
        self._issued = issued
        conceal(issued.token)
        self._seen.add(issued.token.get_secret_value())

    def _load(self) -> Issued | None:
        try:
            return Issued.model_validate_json(self._file.read_bytes())
        except (OSError, ValidationError):
            return None

    def _keep(self, issued: Issued, now: datetime) -> None:
        ends = issued.ends(now)
        if ends <= now:
            # It is new; only its date is not one we can use ("604800", or another watch than ours).
            ends = now + TOKEN_LIFE
        self._remember(issued.model_copy(update={"expires_at": ends}))
        kept = {"token": issued.token.get_secret_value(), "expires_at": ends.isoformat()}
        _write(self._file, json.dumps(kept) + "\n")

    def _ensure_client_id(self) -> str:
        if self._client_id is None:
            with suppress(OSError, ValueError):
                self._client_id = str(uuid.UUID(self._client_id_file.read_text(encoding="utf-8").strip()))
        return self._client_id or self.new_client_id()

    @asynccontextmanager
    async def _alone(self, clock: Clock) -> AsyncIterator[None]:
        """Keeps other processes from renewing meanwhile: one token a client and week is all there is."""
        lock = FileLock(self._file.with_suffix(".lock"), thread_local=False)
        patience = clock.monotonic() + OTHERS_RENEW
        with suppress(OSError):  # Where no lock can be written, no token can be kept either.
            _private(self._file.parent)
            while True:
                try:
                    lock.acquire(timeout=0)
                    break
                except Timeout:
                    if clock.monotonic() > patience:
                        break
                await clock.sleep(LOOK_EVERY)
        try:
            yield
        finally:
            lock.release()


def _look_at(task: asyncio.Task[SecretStr]) -> None:
    """Whoever waits for it is told what went wrong; where nobody does any more, it is no news."""
    if not task.cancelled():
        task.exception()


def _slug(name: str) -> str:
    """A file name for any backend's name; two names never share one."""
    plain = re.sub(r"[^a-z0-9.-]", "_", name)[:60]
    return plain if plain == name else f"{plain}-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix":
        folder.chmod(0o700)


def _write(path: Path, text: str) -> None:
    """Replaces a file whole, for its owner's eyes only. What can't be written lasts as long as we run."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        _log.warning("%s can't be kept: %s", path.name, error.strerror)
