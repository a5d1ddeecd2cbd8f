"""What a message of a client's holds beside words: handles, files inside the request, addresses."""

from __future__ import annotations

import base64
import binascii
import io
import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from agent.serve.door import Host, Refused
from agent.serve.files import keep_upload
from agent.state import UploadedFile

__all__ = ["Given", "digest", "given", "keep"]

MOST = 20
"""Files of one message."""
TEXTS = ("text", "input_text", "output_text")
MEDIA = ("image", "audio", "video", "document")
_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.+=-]+)*;base64,", re.ASCII)


@dataclass(slots=True)
class Given:
    """One message of a person's."""

    words: list[str] = field(default_factory=list)
    handles: list[str] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    """Names and bytes of files that came inside the request."""

    @property
    def text(self) -> str:
        """What the turn is about; an address is passed on in it, for the backend to fetch."""
        return "\n".join(self.words)

    @property
    def count(self) -> int:
        """Files in all."""
        return len(self.handles) + len(self.files)

    @property
    def mark(self) -> str:
        """The same for the same message, whatever its handles become here."""
        return digest(self.text, *self.handles, *(sha256(data).hexdigest() for _, data in self.files))


def digest(*parts: str) -> str:
    """32 hex digits that stand for these parts in this order."""
    return sha256("\0".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "replace")).hexdigest()[:32]


def given(content: str | Sequence[Mapping[str, Any]] | None) -> Given:
    """Reads the content of a message as OpenAI's and AG-UI's clients write it. Raises Refused."""
    found = Given()
    if isinstance(content, str):
        found.words.append(content)
        return found
    for part in content or ():
        _read(part, found)
    if found.count > MOST:
        raise Refused("bad_request", reason="serve.many_files", most=MOST)
    return found


async def keep(message: Given, host: Host, request: Request) -> tuple[UploadedFile, ...]:
    """The files of a message as handles of whoever is asking. Raises Refused, and Unfit where one is no medium."""
    vault = host.vault(request)
    if lost := next((name for name in message.handles if not vault.holds(name)), None):
        raise Refused("not_found", param=f"file_id: {lost[:40]}")
    kept = list(message.handles)
    for name, data in message.files:
        kept.append((await keep_upload(host, request, UploadFile(io.BytesIO(data), size=len(data), filename=name))).id)
    return tuple(UploadedFile(one) for one in kept)


def _read(part: Mapping[str, Any], found: Given) -> None:
    kind = part.get("type")
    if kind in TEXTS:
        found.words.append(str(part.get("text") or ""))
    elif kind == "input_audio" and isinstance(sound := part.get("input_audio"), Mapping):
        _data(str(sound.get("data") or ""), f"audio.{sound.get('format') or 'mp3'}", found)
    elif kind in MEDIA and isinstance(source := part.get("source"), Mapping):
        _source(str(kind), source, found)
    elif kind in ("input_image", "image_url", "input_file", "file", "binary"):
        _file(part, found)
    else:
        raise Refused("bad_request", param="content", reason="serve.unknown_part", kind=str(kind)[:40])


def _file(part: Mapping[str, Any], found: Given) -> None:
    """A file in OpenAI's ways to give one, and in the old one of AG-UI."""
    inner = part.get("file") if isinstance(part.get("file"), Mapping) else {}
    about = {**part, **(inner or {})}
    url = about.get("image_url") or about.get("file_url") or about.get("url")
    url = url.get("url") if isinstance(url, Mapping) else url
    name = str(about.get("filename") or "")
    if handle := about.get("file_id") or (part.get("type") == "binary" and part.get("id")):
        found.handles.append(str(handle))
    elif data := about.get("file_data") or about.get("data"):
        _data(str(data), name or _name("file", str(about.get("mimeType") or "")), found)
    else:
        _address(str(url or ""), name, found)


def _source(kind: str, source: Mapping[str, Any], found: Given) -> None:
    """A medium in AG-UI's ways to give one."""
    value = str(source.get("value") or "")
    if source.get("type") == "file":
        found.handles.append(value)
    elif source.get("type") == "data":
        _data(value, _name(kind, str(source.get("mimeType") or "")), found)
    else:
        _address(value, "", found)


def _address(url: str, name: str, found: Given) -> None:
    """Only the backend fetches: it knows which addresses are not for strangers. Ours are read by handle alone."""
    if url.startswith("data:"):
        _data(url, name, found)
    elif url.startswith(("https://", "http://")) and not re.search(r"\s", url):
        found.words.append(url)
    else:
        raise Refused("bad_request", param="content", reason="serve.no_address", url=url[:60])


def _data(data: str, name: str, found: Given) -> None:
    head = _DATA.match(data)
    if head:
        data, name = data[head.end() :], name or _name("file", head[1] or "")
    try:
        found.files.append((name or "file", base64.b64decode(data, validate=True)))
    except (binascii.Error, ValueError) as error:
        raise Refused("bad_request", param="content", reason="serve.no_base64") from error


def _name(kind: str, mime: str) -> str:
    return f"{kind}{mimetypes.guess_extension(mime) or ''}"
