"""Files by address: public hosts only, checked before each hop, and connected to the very address that was checked."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import unquote

import httpx

from studio.wire import Problem
from studio.words import say

__all__ = ["Fetcher", "Resolve"]

HOPS, TOTAL_S = 4, 120.0

Resolve = Callable[[str, int], Awaitable[list[str]]]


class Fetcher:
    """Fetches within a size limit. `transport` and `resolve` are for a stage without a network."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None, resolve: Resolve | None = None) -> None:
        self._transport = transport
        self._resolve = resolve or _lookup

    async def fetch(self, url: str, out: Path, limit: int) -> str:
        """Writes the file to `out`; its name as the address has it. Raises Problem 4001 or 4002."""
        try:
            async with asyncio.timeout(TOTAL_S), self._client() as client:
                return await self._follow(client, httpx.URL(url), out, limit)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, UnicodeError):
            raise Problem(4001, say("en", "url_failed")) from None

    def _client(self) -> httpx.AsyncClient:
        # No proxy from the environment: it would connect to an address nobody checked.
        return httpx.AsyncClient(transport=self._transport, timeout=30, trust_env=False, follow_redirects=False)

    async def _follow(self, client: httpx.AsyncClient, url: httpx.URL, out: Path, limit: int) -> str:
        for _ in range(HOPS):
            address = await self._public(url)
            request = client.build_request("GET", url.copy_with(host=address), headers={"Host": url.netloc.decode()})
            request.extensions["sni_hostname"] = url.host
            response = await client.send(request, stream=True)
            try:
                if not response.has_redirect_location:
                    response.raise_for_status()
                    await _save(response, out, limit)
                    return unquote(url.path.rsplit("/", 1)[-1]) or url.host
                url = url.join(response.headers["location"])
            finally:
                await response.aclose()
        raise Problem(4001, say("en", "url_failed"))

    async def _public(self, url: httpx.URL) -> str:
        """One address of the host; every one of them must be public."""
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise Problem(4001, say("en", "url_refused"))
        addresses = await self._resolve(url.host, url.port or (443 if url.scheme == "https" else 80))
        if not addresses or not all(_is_public(address) for address in addresses):
            raise Problem(4001, say("en", "url_refused"))
        return addresses[0]


async def _save(response: httpx.Response, out: Path, limit: int) -> None:
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


def _is_public(address: str) -> bool:
    """Not this machine, not this network, not a cloud's metadata address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.sixtofour or ip.teredo or ip in ipaddress.ip_network("64:ff9b::/96"):
            return False
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not ip.is_multicast
