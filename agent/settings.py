"""The only reader of the environment: which backend, whose token, where things are kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from pydantic import SecretStr

from agent.errors import SettingsError
from prompts import Lang

__all__ = ["Settings"]

NEMO_URL = "https://mega-api-prod.nemovideo.ai"
NEMO_WEB_URL = "https://nemovideo.com"


@dataclass(frozen=True, slots=True)
class Settings:
    """What one process is set up with."""

    backend: str
    """"studio", "nemo" or the host of a URL: the name things are kept under."""
    base_url: str | None
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
    model_options: str = ""
    """What it is made with, as a JSON object."""

    @classmethod
    def load(
        cls,
        *,
        backend: str | None = None,
        home: Path | None = None,
        exports: Path | None = None,
        lang: Lang | None = None,
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
            token=SecretStr(token) if token else None,
            client_id=environ.get("NEMO_CLIENT_ID") or None,
            client_id_file=_nemo_client_id(environ) if name == "nemo" else data / "client_id",
            platform=environ.get("SKILL_SOURCE") or None,
            data=data,
            exports=exports or Path("exports"),
            lang=lang or _language(environ),
            model=environ.get("REELCHAT_MODEL") or "",
            model_options=environ.get("REELCHAT_MODEL_OPTIONS") or "",
        )


def _backend(flag: str | None, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Name and address: the flag wins over the environment, and without either it is the studio."""
    url = environ.get("NEMO_API_URL") or NEMO_URL
    wanted = flag or ("nemo" if environ.get("NEMO_API_URL") or environ.get("NEMO_TOKEN") else "studio")
    if wanted == "studio":
        return "studio", None
    if wanted == "nemo":
        return "nemo", _checked(url)
    host = urlsplit(_checked(wanted)).netloc.rpartition("@")[2]
    return host, wanted.rstrip("/")


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"not a backend: {url!r}", reason="backend", value=url)
    return url.rstrip("/")


def _nemo_client_id(environ: Mapping[str, str]) -> Path:
    """Where other clients of the cloud keep it too, so that one machine is one client."""
    config = environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "nemovideo" / "client_id"


def _language(environ: Mapping[str, str]) -> Lang:
    spoken = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if spoken.lower().startswith("zh") else "en"
