"""What the router's tests share: sentences and the routes they take."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

SAID: list[tuple[str, list[str]]] = [
    (text, routes.split())
    for routes, texts in tomllib.loads(Path(__file__).with_name("said.toml").read_text(encoding="utf-8")).items()
    for text in texts
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `said` and `routes` runs once for each sentence of said.toml."""
    if {"said", "routes"} <= set(metafunc.fixturenames):
        metafunc.parametrize(("said", "routes"), SAID, ids=[text[:40] for text, _ in SAID])
