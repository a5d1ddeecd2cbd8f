"""What stands behind the front ends in tests: the fake cloud, or a core without a graph."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_core import FakeCore
from world import World

from agent.settings import Settings


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def fake() -> FakeCore:
    return FakeCore()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings.load(home=tmp_path / "home", exports=tmp_path / "exports", lang="en", environ={})
    made.data.mkdir(parents=True)
    return made
