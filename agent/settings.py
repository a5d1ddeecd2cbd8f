"""The only reader of the environment: which backend, whose token, where things are kept."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import SecretStr

from agent.errors import SettingsError
from prompts import Lang

__all__ = [
    "NEMO_URL",
    "Graphics",
    "Settings",
    "graphics_here",
    "hand_down",
    "handed_down",
    "serving_here",
    "spoken_here",
]

NEMO_URL = "https://mega-api-prod.nemovideo.ai"
NEMO_WEB_URL = "https://nemovideo.com"
OURS = "REELCHAT_"
Graphics = Literal["kitty", "iterm", "sixel"]
"""How a terminal takes pictures."""
_KITTY = ("kitty", "ghostty")
_ITERM = ("iterm.app", "wezterm", "mintty")
_SIXEL = ("foot", "mlterm", "contour")


@dataclass(frozen=True, slots=True)
class Settings:
    """What one process is set up with."""

    backend: str
    """"studio", "nemo" or the host of a URL: the name things are kept under."""
    base_url: str | None = field(repr=False)
    """Where the backend answers; None means the embedded studio, which picks a port when it starts."""
    web_url: str
    """Where links for people point to: claiming, registering, topping up."""
    token: SecretStr | None
    """The person's own token. Never replaced and never written down."""
    client_id: str | None
    client_id_file: Path
    platform: str | None
    """What SKILL_SOURCE says; None leaves it to the skill's install path."""
    data: Path
    """Threads, journal, credentials and the studio's files of this backend."""
    exports: Path
    lang: Lang
    """The language of our sentences before the person has spoken."""
    model: str = ""
    """A chat model to ask where the router is unsure, as "module:Class"; "" for none."""
    model_options: str = field(default="", repr=False)
    """What it is made with, as a JSON object; a key may be in it."""
    max_spend: float | None = None
    """Credits one run of the program may use; None for no limit."""
    ask_before_spending: bool = False
    """Whether every send that may cost credits is asked about first."""
    somebody_answers: bool = False
    """Whether a person sits at this run and can be asked; without one asking is refusing."""
    database: SecretStr | None = None
    """PostgreSQL, as postgresql://…, for threads and journal; None keeps them in SQLite under `data`."""
    redis: SecretStr | None = None
    """Redis, as redis://…, for leases and rate limits; None keeps those in the database or on this machine."""
    engine: str = field(default="", repr=False)
    """Where an engine runs the graph for us; "" runs it here."""
    engine_key: SecretStr | None = None

    @property
    def host(self) -> str:
        """Where the backend answers, as a person may see it: without a password that the address may hold."""
        return "studio" if self.base_url is None else _bare(self.base_url)

    @classmethod
    def load(
        cls,
        *,
        backend: str | None = None,
        home: Path | None = None,
        exports: Path | None = None,
        lang: Lang | None = None,
        max_spend: float | None = None,
        ask_before_spending: bool = False,
        database: str | None = None,
        redis: str | None = None,
        engine: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> Settings:
        """Settings from flags, then the environment, then the embedded studio. Raises SettingsError."""
        name, base_url = _backend(backend, environ)
        home = home or Path(environ.get("REELCHAT_HOME") or platformdirs.user_data_dir("reelchat", appauthor=False))
        data = home / name.replace(":", "_")
        token = environ.get("NEMO_TOKEN") if base_url else None
        return cls(
            backend=name,
            base_url=base_url,
            web_url=environ.get("NEMO_WEB_URL") or NEMO_WEB_URL,
            token=_secret(token),
            client_id=environ.get("NEMO_CLIENT_ID") or None,
            client_id_file=_nemo_client_id(environ) if name == "nemo" else data / "client_id",
            platform=environ.get("SKILL_SOURCE") or None,
            data=data,
            exports=exports or Path("exports"),
            lang=lang or spoken_here(environ),
            model=environ.get("REELCHAT_MODEL") or "",
            model_options=environ.get("REELCHAT_MODEL_OPTIONS") or "",
            max_spend=_limit(max_spend, environ.get("REELCHAT_MAX_SPEND")),
            ask_before_spending=ask_before_spending or _yes(environ.get("REELCHAT_ASK_BEFORE_SPENDING")),
            database=_service(database or environ.get("REELCHAT_DATABASE"), "database", ("postgresql", "postgres")),
            redis=_service(redis or environ.get("REELCHAT_REDIS"), "redis", ("redis", "rediss", "unix")),
            engine=_checked(engine or environ.get("REELCHAT_ENGINE") or "", reason="engine"),
            engine_key=_secret(environ.get("REELCHAT_ENGINE_KEY")),
        )


def spoken_here(environ: Mapping[str, str] = os.environ) -> Lang:
    """The language that the system is set to, as far as we speak it."""
    spoken = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if spoken.lower().startswith("zh") else "en"


def serving_here(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the environment says of how to serve: REELCHAT_PORT as "port", and so on."""
    said = {name.removeprefix(OURS).lower(): value for name, value in environ.items() if name.startswith(OURS)}
    return {name: value.strip() for name, value in said.items() if value.strip()}


def hand_down(**values: str) -> None:
    """Tells processes that this one starts, and nobody else."""
    os.environ.update(values)


def handed_down(name: str) -> str:
    """What the process that started this one has told it; "" where it has not."""
    return os.environ.get(name, "")


def graphics_here(environ: Mapping[str, str] = os.environ) -> Graphics | None:
    """How the terminal shows pictures, by what it says of itself; it is never asked, for it may not answer.

    None where it shows none or nobody knows, inside tmux and screen, and where REELCHAT_IMAGES is off.
    """
    wanted = environ.get("REELCHAT_IMAGES", "auto")
    if not _yes(wanted) or environ.get("TMUX") or environ.get("STY"):
        return None
    program, term = (environ.get(name, "").lower() for name in ("TERM_PROGRAM", "TERM"))
    if environ.get("KITTY_WINDOW_ID") or program in _KITTY or any(name in term for name in _KITTY):
        return "kitty"
    if program in _ITERM or environ.get("LC_TERMINAL", "").lower() == "iterm2":
        return "iterm"
    return "sixel" if term.startswith(_SIXEL) or program in _SIXEL else None


def _backend(flag: str | None, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Name and address: the flag wins over the environment, and without either it is the studio."""
    url = environ.get("NEMO_API_URL") or NEMO_URL
    wanted = (
        flag
        or environ.get("REELCHAT_BACKEND")
        or ("nemo" if environ.get("NEMO_API_URL") or environ.get("NEMO_TOKEN") else "studio")
    )
    if wanted == "studio":
        return "studio", None
    if wanted == "nemo":
        return "nemo", _checked(url)
    host = urlsplit(_checked(wanted)).netloc.rpartition("@")[2]
    return host, wanted.rstrip("/")


def _checked(url: str, reason: str = "backend") -> str:
    """An address as it is called; "" where none is given, which only an engine may be. Raises SettingsError."""
    parts = urlsplit(url)
    if (parts.scheme not in ("http", "https") or not parts.hostname) and (url or reason == "backend"):
        raise SettingsError("not an address", reason=reason, value=_bare(url))
    return url.rstrip("/")


def _service(url: str | None, reason: str, schemes: tuple[str, ...]) -> SecretStr | None:
    """The address of a server that we keep things on; a password may be in it. Raises SettingsError."""
    if url and url.partition("://")[0] not in schemes:
        raise SettingsError("not such a server", reason=reason, value=_bare(url))
    return _secret(url)


def _secret(said: str | None) -> SecretStr | None:
    return SecretStr(said) if said else None


def _nemo_client_id(environ: Mapping[str, str]) -> Path:
    """Where other clients of the cloud keep it too, so that one machine is one client."""
    config = environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "nemovideo" / "client_id"


def _bare(url: str) -> str:
    """An address without the name and password before its host."""
    scheme, slashes, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"


def _limit(flag: float | None, said: str | None) -> float | None:
    """Credits; the flag wins over the environment. Raises SettingsError for what is no sum of credits."""
    if flag is None and not (said or "").strip():
        return None
    value = said if flag is None else flag
    try:
        limit = float(value or 0)
    except ValueError:
        limit = math.nan
    if not 0 <= limit < math.inf:
        raise SettingsError("not a limit", reason="max_spend", value=value)
    return limit


def _yes(said: str | None) -> bool:
    return (said or "").strip().lower() not in ("", "0", "no", "false", "off")
