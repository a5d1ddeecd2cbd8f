"""The web page: one document out of its sources, with nothing to load from anywhere else."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

__all__ = ["page", "policy"]

HERE = Path(__file__).parent
SCRIPTS = ("words.js", "wire.js", "view.js", "tray.js", "page.js", "start.js")
"""In the order in which they stand in the document; the earlier ones know nothing of the later ones."""
NONCE = "__NONCE__"


def page(nonce: str) -> str:
    """The whole document; `nonce` (base64, new for every response) is the one in its policy. Raises ValueError."""
    return _document().replace(NONCE, _checked(nonce))


def policy(nonce: str) -> str:
    """The Content-Security-Policy that the page works under: its own two blocks, and this host for the rest."""
    return (
        f"default-src 'none'; script-src 'nonce-{_checked(nonce)}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src 'self' blob: data:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _checked(nonce: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", nonce):
        raise ValueError("a nonce is base64")
    return nonce


@cache
def _document() -> str:
    html, style = _source("index.html"), _source("page.css")
    script = "\n".join(map(_source, SCRIPTS))
    return html.replace("/* page.css */", style).replace("/* page.js */", script)


def _source(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8").strip()
