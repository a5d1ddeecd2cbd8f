"""Files by address: public hosts only, checked before each hop, and connected to the very address that was checked."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpx

from studio.wire import Problem
from studio.words import say

__all__ = ["Fetcher", "Resolve"]

HOPS, TOTAL_S, STEP_S = 4, 120.0, 30.0
LONGEST = 8192  # characters of an address
PORTS = {"http": 80, "https": 443}
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_INSIDE = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home.arpa", "onion")
# What is_global lets pass, or lets pass in some versions of Python only: protocol assignments, documentation, relays
# of 6to4 and AMT, AS112, benchmarks, and the address that Azure's machines ask about themselves.
_NOT_PUBLIC = [
    ipaddress.IPv4Network(net)
    for net in (
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "168.63.129.16/32",
    )
]
# Of IPv6, only what is handed out to networks (2000::/3), without the parts of it that carry an IPv4 address.
_PUBLIC6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC6 = [
    ipaddress.IPv6Network(net)
    for net in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20")
]

Resolve = Callable[[str, int], Awaitable[list[str]]]


class Fetcher:
    """Fetches within a size limit. `transport` and `resolve` are for a stage without a network."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve | None = None,
        *,
        total_s: float = TOTAL_S,
    ) -> None:
        self._transport = transport
        self._resolve = resolve or _lookup
        self._total_s = total_s

    async def fetch(self, url: str, out: Path, limit: int) -> str:
        """Writes the file to `out`; its name as the address has it. Raises Problem 4001 or 4002."""
        try:
            async with asyncio.timeout(self._total_s), self._client() as client:
                return await self._follow(client, _parse(url), out, limit)
        except httpx.InvalidURL:  # a redirect that httpx looks at before we do
            raise _refused() from None
        except (httpx.HTTPError, OSError, TimeoutError, UnicodeError):
            raise Problem(4001, say("en", "url_failed")) from None

    def _client(self) -> httpx.AsyncClient:
        # No proxy from the environment: it would connect to an address nobody checked. No cookies: two hosts behind
        # one address would get each other's.
        return httpx.AsyncClient(
            transport=self._transport,
            timeout=STEP_S,
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def _follow(self, client: httpx.AsyncClient, url: httpx.URL, out: Path, limit: int) -> str:
        for _ in range(HOPS):
            address = await self._public(url)
            host = url.raw_host.decode("ascii")
            # Unpacked on our side, a small answer could become any amount of memory.
            headers = {"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity"}
            request = client.build_request("GET", url.copy_with(host=address), headers=headers)
            request.extensions["sni_hostname"] = host
            response = await client.send(request, stream=True)
            try:
                if not response.has_redirect_location:
                    response.raise_for_status()
                    await _save(response, out, limit)
                    return url.path.rsplit("/", 1)[-1] or host
                url = _parse(response.headers["location"], url)
            finally:
                await response.aclose()
        raise Problem(4001, say("en", "url_failed"))

    async def _public(self, url: httpx.URL) -> str:
        """One address of the host; every one of them must be public."""
        if url.scheme not in PORTS or url.userinfo:
            raise _refused()
        port = PORTS[url.scheme] if url.port is None else url.port
        host = url.raw_host.decode("ascii")
        if port not in PORTS.values() or not _may_ask(host):
            raise _refused()
        addresses = await self._resolve(host, port)
        if not addresses or not all(_is_public(address) for address in addresses):
            raise _refused()
        return addresses[0]


def _parse(text: str, base: httpx.URL | None = None) -> httpx.URL:
    """An address that means the same to everybody who reads it."""
    if len(text) > LONGEST or "\\" in text:
        raise _refused()
    try:
        return base.join(text) if base else httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise _refused() from None


def _refused() -> Problem:
    return Problem(4001, say("en", "url_refused"))


async def _save(response: httpx.Response, out: Path, limit: int) -> None:
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Problem(4001, say("en", "url_failed"))
    promised = response.headers.get("content-length", "0")
    size = int(promised) if promised.isdecimal() and len(promised) < 20 else 0
    if size > limit:
        raise Problem(4002, limit=limit // 2**20)
    size = 0
    with out.open("wb") as file:
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > limit:
                raise Problem(4002, limit=limit // 2**20)
            file.write(chunk)


async def _lookup(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _may_ask(host: str) -> bool:
    """Whether a host is a plain IP address, or a name that a public name server could know."""
    try:
        return _is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        name = host.rstrip(".").lower()
    last = name.rpartition(".")[2]
    # 127.1, 0x7f.0.0.1, 2130706433 and 127.0.0.1.: what is no address but is read as one.
    if not name.isascii() or "." not in name or "%" in name or _NUMBER.fullmatch(last):
        return False
    return not any(name == inside or name.endswith(f".{inside}") for inside in _INSIDE)


def _is_public(address: str) -> bool:
    """Not this machine, not this network, not a cloud's metadata address, not a way to any of them."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inside = any(ip in net for net in _NOT_PUBLIC6) or ip.scope_id is not None
        isatap = ip.packed[8:12] in (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")
        return ip in _PUBLIC6 and ip.is_global and not inside and not isatap
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _NOT_PUBLIC)
