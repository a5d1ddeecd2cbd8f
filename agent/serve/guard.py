"""What every request passes before it reaches a door: a name for it, who it is from, and whether that is allowed."""

from __future__ import annotations

import logging
import re
import uuid
from contextlib import ExitStack
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.serve.door import Host, Refused, refusal
from agent.serve.keys import GUEST, Principal, on_behalf
from agent.serve.options import Options

__all__ = ["Guard", "may_bind"]

log = logging.getLogger("reelchat.guard")

PROBES = ("/healthz", "/readyz")
"""Asked by machines every few seconds, by whatever name they have for us; they tell nothing."""
OPEN = ("/", "/v1/about", "/favicon.ico")
"""Without a key."""
LINKS = "/files/"
"""What a signed link leads to: the link is the proof, and pages elsewhere may show what is there."""
USERS = ("x-openwebui-user-id", "x-user-id")
"""Where a gateway names the user it speaks for, the first that is there wins."""
MB = 1_000_000
FORM_MB = 1
"""What a form may have around its file."""
INLINE = ("/v1/chat/completions", "/v1/responses", "/v1/agui")
INLINE_MB = 32.0
"""Of a body that holds pictures as text, those of earlier messages too: chat programs send them all each time."""
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_HOST = re.compile(r"([a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Pure ASGI: a stream goes through it piece by piece."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _Visit(self._app, scope, receive, send).through()


class _Visit:
    """One request on its way in, and its answer on the way out."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._app, self._scope, self._receive, self._send = app, scope, receive, send
        self._request = request = Request(scope, receive)
        self._host = Host.of(request)
        # Not of `request.url`: what a Host header says has no part in it.
        self._path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
        given = request.headers.get("x-request-id", "")
        request.state.id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        self._most = self._host.options.body_mb
        if self._path == "/v1/files":
            self._most = self._host.options.upload_mb + FORM_MB
        elif self._path in INLINE:
            self._most = max(self._most, INLINE_MB)
        self._read = 0
        self._begun = False

    async def through(self) -> None:
        """To the door, or to a refusal."""
        with ExitStack() as held:
            answer: ASGIApp = self._app
            try:
                answer = await self._admitted(held) or self._app
                await answer(self._scope, self._counted, self._sent)
                return
            except Refused as refused:  # by us, or by the count of a body that an answer was to be made from
                if self._begun:
                    raise
                answer = refusal(self._request, refused)
            except Exception:
                if self._begun:
                    raise
                log.exception("request %s broke", self._request.state.id)
                answer = refusal(self._request, Refused("internal"))
            await answer(self._scope, self._receive, self._sent)

    async def _admitted(self, held: ExitStack) -> Response | None:
        """Whether the door is asked; a preflight has its answer here. `held` keeps what ends with the answer."""
        if self._path in PROBES:
            self._request.state.principal = Principal("")
            return None
        if _CONTROL.search(self._path):
            raise Refused("not_found")
        self._check_name()
        self._check_origin()
        if self._request.method == "OPTIONS" and "access-control-request-method" in self._request.headers:
            return self._preflight()
        self._check_length()
        who = self._request.state.principal = await self._who()
        if self._lasts():
            held.enter_context(self._host.limits.reading(who))
        return None

    async def _who(self) -> Principal:
        """Who is asking, counted. Raises Refused."""
        request, host, linked = self._request, self._host, self._path.startswith(LINKS)
        found = await self._known()
        if found is not None:
            if not linked:  # A player asks for a film piece by piece.
                await host.limits.known(found)
            return found
        address = request.client.host if request.client else ""
        if self._path in OPEN:
            await host.limits.visitor(address)
        elif not linked:
            await host.limits.stranger(address)
            raise Refused("unauthorized")
        return Principal("")

    async def _known(self) -> Principal | None:
        """None for whoever has no good key; without any keys everybody at this machine is the guest."""
        host, headers = self._host, self._request.headers
        if not await host.keys.any():
            return Principal(GUEST) if may_bind(host.options, False) else None
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        found = await host.keys.who(secret.strip()) if scheme.lower() == "bearer" and secret else None
        return on_behalf(found, next((said for name in USERS if (said := headers.get(name))), "")) if found else None

    def _lasts(self) -> bool:
        """Whether its answer may take long: what is begun, uploaded or followed, but not what ends it."""
        if self._request.method == "POST":
            return not self._path.endswith("/cancel")
        asked = "text/event-stream" in self._request.headers.get("accept", "")
        return asked or "/turns/" in self._path or self._request.query_params.get("stream") == "true"

    def _check_name(self) -> None:
        """A page elsewhere can make a browser call us by a name of its own; only our names are answered.

        An address is nobody's name: a browser that was led here by a name says that name.
        """
        options, said = self._host.options, self._request.headers.getlist("host")
        whole = said[0].lower() if len(said) == 1 else ""
        found = _HOST.fullmatch(whole)
        name = found[1].strip("[]") if found else ""
        ours = {options.host, "localhost", *options.names, urlsplit(options.public_url).hostname or "localhost"}
        fine = name in {one.lower() for one in ours} or "*" in options.names or _is_address(name)
        if not (found and fine):
            raise Refused("forbidden_host", name=_CONTROL.sub("", whole)[:100])

    def _check_origin(self) -> None:
        """A browser says which page it asks for; pages that are not ours are not answered."""
        if self._path.startswith(LINKS) and self._request.method in ("GET", "HEAD"):
            return
        headers = self._request.headers
        origin = headers.get("origin")
        if origin is None:
            # A picture or a script of a page elsewhere; a click on a link to our own page is none.
            elsewhere = headers.get("sec-fetch-site") in ("cross-site", "same-site")
            if elsewhere and self._path not in OPEN:
                raise Refused("forbidden_origin")
        elif not (self._invited() or self._own(origin)):
            raise Refused("forbidden_origin")

    def _invited(self) -> bool:
        """Whether it comes from a page of another site that may ask."""
        origins, origin = self._host.options.origins, self._request.headers.get("origin", "null")
        return origin in origins or ("*" in origins and origin != "null")

    def _own(self, origin: str) -> bool:
        scheme, _, netloc = origin.partition("://")
        public = urlsplit(self._host.options.public_url)
        if public.netloc and origin == f"{public.scheme}://{public.netloc}":
            return True
        return scheme in ("http", "https") and netloc.lower() == self._request.headers.get("host", "").lower()

    def _check_length(self) -> None:
        said = self._request.headers.get("content-length", "0")
        if not (said.isascii() and said.isdigit() and len(said) < 16) or int(said) > self._most * MB:
            raise Refused("too_large", limit=f"{self._most:g}")

    async def _counted(self) -> Message:
        """The body as it comes, whether or not it said how long it is. Raises Refused."""
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._most * MB:
            raise Refused("too_large", limit=f"{self._most:g}")
        return message

    async def _sent(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._request.state.id
            if self._host.options.origins:
                headers.add_vary_header("Origin")
            if self._invited():
                headers["Access-Control-Allow-Origin"] = self._request.headers["origin"]
                headers["Access-Control-Expose-Headers"] = "X-Request-Id, Retry-After"
                headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)

    def _preflight(self) -> Response:
        """What a browser asks before it lets a page of another site ask; only `_invited` ones come this far."""
        cors = CORSMiddleware(
            self._app,
            allow_origins=self._host.options.origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("*",),
            allow_private_network=True,
        )
        return cors.preflight_response(self._request.headers)


def may_bind(options: Options, has_keys: bool) -> bool:
    """Whether a host may be reached as `options` have it. Without keys only by this machine's own pages and programs:

    a name, a public address and a page of anybody's all mean that others come, even where a proxy stands in between.
    """
    public = urlsplit(options.public_url).hostname or "localhost"
    local = all(_is_here(name) for name in (options.host, public, *options.names))
    return has_keys or (local and "*" not in options.origins)


def _is_here(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name) and ip_address(name).is_loopback


@lru_cache(256)
def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
