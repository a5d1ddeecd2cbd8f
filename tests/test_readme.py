"""The README shows the graph there is, and promises commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

from agent.graph import builder

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_diagram_is_the_graph() -> None:
    """To renew it: paste what `builder().compile().get_graph().draw_mermaid()` prints."""
    drawn = builder().compile().get_graph().draw_mermaid().strip()
    shown = re.search(r"```mermaid\n(.*?)```", README, re.DOTALL)
    assert shown
    assert shown[1].strip() == drawn


def test_every_make_target_the_readme_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make (chat|test|check|eval|serve|bench|soak|fuzz)\b", README))
    assert named == {"chat", "test", "check", "eval", "serve", "bench", "soak", "fuzz"}
    for target in named:
        assert re.search(rf"^[\w ]*\b{target}\b[\w ]*:", makefile, re.MULTILINE), target


def test_every_folder_of_the_house_is_named() -> None:
    for room in ("prompts", "router", "agent", "studio", "evals", "tests"):
        assert f"`{room}/`" in README
