"""The timelines the README shows are the ones that are drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from readme_timelines import FOLDER, TIMELINES, capture, picture

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", TIMELINES)
def test_the_readme_shows_what_is_drawn(name: str) -> None:
    """To renew them: `PYTHONPATH=. python tests/agent/readme_timelines.py`, and paste what it prints."""
    assert capture(name) in README
    assert f"tests/agent/timelines/{name}.svg" in README
    assert (FOLDER / f"{name}.svg").read_text("utf-8") == picture(name)
