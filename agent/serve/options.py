"""What an operator chooses for a host."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from agent.errors import SettingsError

__all__ = ["LogFormat", "Options"]

MB = 1_000_000
LogFormat = Literal["text", "json"]
_LISTS = {"names": "name", "origins": "origin", "thread_headers": "thread_header"}
"""Options that may be given several times, and what one of them is called."""
_WHOLE = {"port": (0, 65535), "workers": (1, 64), "requests_a_minute": (1, 1_000_000), "streams": (1, 100_000)}
_NUMBERS = {"upload_mb": "upload_mb", "quota_mb": "quota_mb", "drain_s": "drain_seconds", "keep_days": "keep_days"}
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_ORIGIN = re.compile(r"https?://[^/\s?#@]+")


@dataclass(frozen=True, slots=True)
class Options:
    """Limits are there by default; an operator moves them, nobody turns them off."""

    host: str = "127.0.0.1"
    port: int = 8765
    public_url: str = ""
    """What links in answers begin with, where people reach us by another address; "" takes it from the request."""
    names: tuple[str, ...] = ()
    """Names in a Host header that are ours, besides `host` and the public address."""
    origins: tuple[str, ...] = ()
    """Pages of other sites that may call us."""
    thread_headers: tuple[str, ...] = ("x-openwebui-chat-id", "x-conversation-id")
    """Headers that say which conversation a request belongs to, the first that is there wins."""
    workers: int = 1
    body_mb: float = 2.0
    """The largest body that is no file, in megabytes."""
    upload_mb: float = 200.0
    """The largest file."""
    quota_mb: float = 2000.0
    """All files of one user together."""
    requests_a_minute: int = 120
    """Of one key."""
    strangers_a_minute: int = 20
    """Requests of one address that come without a good key."""
    streams: int = 20
    """Open streams of one key in one process."""
    drain_s: float = 30.0
    """How long turns may go on after the host was told to stop."""
    keep_days: float = 30.0
    """Idle conversations and files older than this are deleted; 0 keeps them."""
    keep_turns: int = 50
    """Turns of a conversation that are shown again."""

    log_format: LogFormat = "text"

    @classmethod
    def load(cls, flags: Mapping[str, Any], said: Mapping[str, str]) -> Options:
        """From what was said on the command line, then in the environment. Raises SettingsError."""
        given: dict[str, Any] = {}
        for name, short in _LISTS.items():
            if several := tuple(flags.get(short) or re.split(r"[,\s]+", said.get(name, ""))):
                given[name] = tuple(_item(short, one) for one in several if one)
        for name, (least, most) in _WHOLE.items():
            given[name] = _whole(name, _said(name, flags, said), least, most)
        for name, short in _NUMBERS.items():
            given[name] = _number(short, _said(short, flags, said))
        given["host"] = _said("host", flags, said)
        if url := _said("public_url", flags, said):
            given["public_url"] = _address("public_url", str(url).rstrip("/"), rf"{_ORIGIN.pattern}(/[^\s?#]*)?")
        if kind := _said("log_format", flags, said):
            given["log_format"] = cast(LogFormat, _address("log_format", str(kind), "text|json"))
        return cls(**{name: value for name, value in given.items() if value not in (None, ())})

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach us."""
        return self.host in ("127.0.0.1", "localhost", "::1")


def _said(name: str, flags: Mapping[str, Any], said: Mapping[str, str]) -> Any:
    flag = flags.get(name)
    value = said.get(name) if flag is None else flag
    # Kubernetes tells every container where a service called reelchat is: REELCHAT_PORT=tcp://10.0.0.1:80.
    return None if isinstance(value, str) and value.startswith("tcp://") else value


def _whole(name: str, value: Any, least: int, most: int) -> int | None:
    if value is None:
        return None
    if not str(value).isascii() or not str(value).isdigit() or not least <= int(value) <= most:
        raise _wrong(name, value, f"{least}-{most}")
    return int(value)


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf or (number == 0 and name.endswith("mb")):
        raise _wrong(name, value, "0, 0.5, 1, …")
    return number


def _item(name: str, value: str) -> str:
    if name == "origin":
        return _address(name, value, _ORIGIN.pattern)
    return _address(name, value.lower(), _HEADER.pattern) if name == "thread_header" else value


def _address(name: str, value: str, shape: str) -> str:
    known = {"log_format": "text, json", "thread_header": "x-chat-id"}
    if not re.fullmatch(shape, value):
        raise _wrong(name, value, known.get(name, "https://reel.example.org"))
    return value


def _wrong(name: str, value: object, known: str) -> SettingsError:
    flag = "--" + name.replace("_", "-")
    return SettingsError("not such a value", reason="option", name=flag, value=str(value)[:100], known=known)
