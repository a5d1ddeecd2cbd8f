"""The backend as the nodes see it: one method a thing it can do, and no HTTP outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from agent.backend import transfer, wire
from agent.backend.answers import Drafts, read_answer, retry_after
from agent.backend.attribution import Attribution
from agent.backend.auth import Bearer, Credentials
from agent.backend.calls import RULES, Endpoint, body_of, encoded, failed, persist
from agent.backend.sending import TIMEOUT, listen, open_stream
from agent.backend.stream import StreamEvent
from agent.clock import Clock
from agent.errors import ApiError, ClientIdMissing, RateLimited, SettingsError, TokenRejected

__all__ = ["Backend"]

APP = "nemo_agent"
USER = "me"
"""Whose sessions they are: the token says who that is."""
RENDERS = "/api/render/proxy"
CALL_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
CALL_LIMIT = 120.0
"""Seconds for a call that carries no file, its whole answer included: httpx's own limits are per read."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Call:
    """One request that answers in JSON."""

    endpoint: Endpoint
    method: str
    path: str
    body: dict[str, Any] | None = None
    files: tuple[Path, ...] = ()
    progress: transfer.Progress | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    fields: dict[str, Any]
    wait: float | None
    """Seconds that the backend asks to wait before the next look; None when it does not say."""
    text: str


class Backend:
    """A typed client for every endpoint, speaking for one persona.

    Each method raises a BackendError: Unreachable when nothing was sent, an ApiError when it was refused, StreamLost
    or BadAnswer when nobody knows what became of it. What may be tried again has been.
    """

    def __init__(
        self,
        base_url: str,
        http: httpx.AsyncClient,
        credentials: Credentials,
        attribution: Attribution,
        clock: Clock,
        *,
        web_url: str = "https://nemovideo.com",
        drafts: Drafts | None = None,
    ) -> None:
        self._url = base_url.rstrip("/")
        if not _usable(self._url):
            raise SettingsError("not a backend", reason="backend", value=base_url)
        self._http = http
        self._credentials = credentials
        self._attribution = attribution
        self._clock = clock
        self._web_url = web_url.rstrip("/")
        self._drafts = drafts or Drafts()

    def __repr__(self) -> str:
        return f"<Backend {httpx.URL(self._url).host}>"

    async def connect(self) -> None:
        """Makes sure that there is a token."""
        await self._token()

    async def create_session(self, language: str) -> wire.Session:
        """A new, empty conversation in `language` (an ISO code)."""
        body = {"task_name": "project", "language": language}
        path = f"/api/tasks/{USER}/with-session/{APP}"
        return wire.read(wire.Session, (await self._ask(_Call("session", "POST", path, body))).fields)

    async def credits(self, within: float = 0.0) -> wire.Credits:
        """What the account has, asked once for all who want to know now, or had less than `within` seconds ago."""
        return await self._credentials.balance.ask(self._credits, self._clock, within)

    async def snapshot(self, session_id: str) -> wire.Snapshot:
        """The session's state as it is."""
        path = f"/api/state/{APP}/{USER}/{_segment(session_id)}/latest"
        answer = await self._ask(_Call("state", "GET", path))
        snapshot = wire.snapshot(answer.fields)
        self._drafts.keep(snapshot.draft, answer.text)
        return snapshot

    async def send(self, session_id: str, text: str) -> AsyncGenerator[StreamEvent, None]:
        """Says `text` in the session, once, and yields what comes back, `Ended` last. Close it when done early.

        Before the first event: Unreachable and ApiError say that nothing ran, StreamLost and BadAnswer that nobody
        knows. After it only StreamLost can come.
        """
        message = {"parts": [{"text": _clean(text)}]}
        body = {"app_name": APP, "user_id": USER, "session_id": session_id, "new_message": message}
        started = asyncio.get_running_loop().time()

        async def attempt(token: SecretStr) -> httpx.Response:
            nonlocal started
            started = asyncio.get_running_loop().time()
            headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
            request = self._request("POST", "/run_sse", headers, content=encoded(body), timeout=TIMEOUT)
            hide = self._credentials.hide
            return await open_stream(self._http, request, Bearer(token), self._clock.now(), hide)

        response = await self._with_token(attempt)
        try:
            async for event in listen(response, started, self._credentials.hide, self._credentials.tail):
                yield event
        finally:
            await response.aclose()

    async def upload(self, session_id: str, paths: Sequence[Path], progress: transfer.Progress) -> list[wire.Uploaded]:
        """Gives files to the session, in one request. Also raises UploadRefused; `progress` counts bytes of files."""
        path = f"/api/upload-video/{APP}/{USER}/{_segment(session_id)}"
        call = _Call("upload", "POST", path, files=tuple(paths), progress=progress)
        return wire.uploads((await self._ask(call)).fields)

    async def upload_urls(self, session_id: str, urls: Sequence[str]) -> list[wire.Uploaded]:
        """Has the backend fetch files by itself: nothing of them comes through here."""
        path = f"/api/upload-video/{APP}/{USER}/{_segment(session_id)}"
        body = {"urls": list(urls), "source_type": "url"}
        return wire.uploads((await self._ask(_Call("upload", "POST", path, body))).fields)

    async def submit_render(
        self, render_id: str, session_id: str, draft: Any, output: dict[str, Any]
    ) -> wire.RenderStatus:
        """Asks for one file of `draft`, JSON or its Verbatim text. Lost: look `render_id` up before anything."""
        body = {"id": render_id, "sessionId": session_id, "draft": draft, "output": output}
        return await self._render(render_id, _Call("render", "POST", f"{RENDERS}/lambda", body))

    async def render_status(self, render_id: str) -> wire.RenderStatus:
        """How the job stands; `unknown` only when the backend says that there is no such job."""
        try:
            return await self._render(render_id, _Call("poll", "GET", _job(render_id)))
        except ApiError as error:
            if 404 not in (error.status, error.number):
                raise
            return wire.RenderStatus(id=render_id, status="unknown", message=str(error))

    async def cancel_render(self, render_id: str) -> wire.RenderStatus:
        """Stops a job, if it is not too late."""
        return await self._render(render_id, _Call("cancel", "POST", f"{_job(render_id)}/cancel"))

    def fallback_url(self, render_id: str) -> str:
        """Where a completed job's file is when its status does not say."""
        return f"{self._url}{RENDERS}/{quote(render_id, safe='')}/download"

    async def download(self, url: str, path: Path, progress: transfer.Progress) -> wire.DownloadedFile:
        """Fetches a rendered file to `path`, whole or not at all. Raises TransferFailed.

        Only `fallback_url` gets the token: any other address may be a stranger's.
        """

        async def attempt(token: SecretStr | None) -> wire.DownloadedFile:
            def request(headers: dict[str, str]) -> tuple[httpx.Request, httpx.Auth | None]:
                full = httpx.URL(self._url + url if url.startswith("/") else url)
                if not _usable(str(full)):
                    raise httpx.InvalidURL("no address")
                own = self._attribution.headers() if full.host == httpx.URL(self._url).host else {}
                timeout = transfer.DOWNLOAD_TIMEOUT
                made = self._http.build_request("GET", full, headers={**own, **headers}, timeout=timeout)
                return made, Bearer(token) if token else None

            return await transfer.download(self._http, request, path, progress, self._clock)

        guarded = url.startswith(f"{self._url}{RENDERS}/") and url.endswith("/download")
        return await (self._with_token(attempt) if guarded else attempt(None))

    async def claim_link(self, session: wire.Session) -> str:
        """A link under which a person can take the project over in a browser. It holds no token."""
        body = {"task_id": session.task_id, "session_id": session.session_id}
        answer = await self._ask(_Call("claim", "POST", "/api/auth/claim-token", body))
        claim = wire.read(wire.Claim, answer.fields).claim_token
        return f"{self._web_url}/workspace/claim?ct={quote(claim, safe='')}"

    # How calls are made

    async def _credits(self) -> wire.Credits:
        answer = await self._ask(_Call("credits", "GET", "/api/credits/balance/simple"))
        return wire.read(wire.Credits, answer.fields)

    async def _render(self, render_id: str, call: _Call) -> wire.RenderStatus:
        answer = await self._ask(call)
        return wire.RenderStatus.of(render_id, answer.fields, answer.wait)

    async def _ask(self, call: _Call) -> _Answer:
        """The answer to a call, made again as the table and the token allow."""
        rule = RULES[call.endpoint]

        async def attempt(token: SecretStr) -> _Answer:
            return await persist(rule, lambda: self._once(call, Bearer(token)), self._clock)

        return await self._with_token(attempt)

    async def _with_token(self, attempt: Callable[[SecretStr], Awaitable[Result]]) -> Result:
        """`attempt`, and once more with a new token when ours has ended: a 1001 means that nothing ran."""
        token = await self._token()
        try:
            return await attempt(token)
        except TokenRejected:
            token = await self._token(rejected=token)
        return await attempt(token)

    async def _token(self, rejected: SecretStr | None = None) -> SecretStr:
        return await self._credentials.token(self._issue, self._clock, rejected=rejected)

    async def _issue(self, client_id: str) -> wire.Issued:
        """A new token for this machine; with a new client id where the backend does not see the old one."""
        try:
            return await persist(RULES["token"], lambda: self._anonymous(client_id), self._clock)
        except ClientIdMissing:
            pass
        except RateLimited as error:
            raise RateLimited(str(error), status=error.status, reason="token") from error
        return await self._anonymous(self._credentials.new_client_id())

    async def _anonymous(self, client_id: str) -> wire.Issued:
        call = _Call("token", "POST", "/api/auth/anonymous-token")
        answer = await self._once(call, None, {"X-Client-Id": client_id})
        return wire.read(wire.Issued, answer.fields)

    async def _once(self, call: _Call, auth: httpx.Auth | None, extra: dict[str, str] | None = None) -> _Answer:
        """One request and its answer."""
        files = transfer.upload_files(call.files, call.progress) if call.progress else nullcontext()
        with files as form:
            request = self._request(
                call.method,
                call.path,
                extra or {},
                content=None if call.body is None else encoded(call.body),
                files=form,
                timeout=transfer.UPLOAD_TIMEOUT if call.endpoint == "upload" else CALL_TIMEOUT,
            )
            try:
                async with asyncio.timeout(None if call.endpoint == "upload" else CALL_LIMIT):
                    response = await self._http.send(request, auth=auth, stream=True, follow_redirects=False)
                    text = await body_of(response)
            except (httpx.HTTPError, httpx.StreamError, OSError) as error:
                raise failed(error, RULES[call.endpoint]) from error
        now, headers = self._clock.now(), response.headers
        text = self._credentials.hide(text) if auth else text
        return _Answer(read_answer(response.status_code, headers, text, now), retry_after(headers, now), text)

    def _request(self, method: str, path: str, extra: dict[str, str], **body: Any) -> httpx.Request:
        headers = {**self._attribution.headers(), **extra}
        if body.get("content") is not None:
            headers["Content-Type"] = "application/json"
        return self._http.build_request(method, _address(self._url + path), headers=headers, **body)


def _segment(value: str) -> str:
    """An id from the backend as one segment of a path."""
    return quote(value, safe="")


_address = lru_cache(256)(httpx.URL)
"""To read one takes longer than to look it up, and a session's are used in every turn."""


@lru_cache(64)
def _usable(url: str) -> bool:
    try:
        return httpx.URL(url).scheme in ("http", "https") and bool(httpx.URL(url).host)
    except httpx.InvalidURL:
        return False


def _job(render_id: str) -> str:
    return f"{RENDERS}/lambda/{quote(render_id, safe='')}"


def _clean(text: str) -> str:
    """Without lone surrogates: one of them breaks the server's session for good."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
