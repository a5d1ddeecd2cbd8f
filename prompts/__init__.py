"""Words: every sentence we say, every phrase we listen for, and the personas. No decisions live here."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

__all__ = ["FOLDER", "Lang", "say", "table"]

Lang = Literal["en", "zh"]
"""A language we speak. A person may write in any; we answer in one of these."""

FOLDER = Path(__file__).parent


def say(lang: Lang, key: str, /, **values: object) -> str:
    """The sentence for a dotted `key` ("export.done") in `lang`, its placeholders filled from `values`."""
    node: Any = table(f"replies.{lang}")
    for part in key.split("."):
        node = node[part]
    return str(node).format(**values) if values else str(node)


@cache
def table(name: str) -> dict[str, Any]:
    """One TOML file of this folder, parsed: "replies.en", "gui" or "routes"."""
    with (FOLDER / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)
