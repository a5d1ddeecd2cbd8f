"""The dialogue of the README holds as it stands, and fails where it asks for what does not happen."""

from __future__ import annotations

import re
from pathlib import Path

from evals.format import load
from evals.mutants import MUTANTS
from evals.play import play
from evals.playing import find

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
WORDS = " ".join(README.split())


def played(text: str, folder: Path) -> list[str]:
    path = folder / "mine.yaml"
    path.write_text(text, "utf-8")
    (folder / "run").mkdir(exist_ok=True)
    return [finding.check for finding in play(load(path), 0, folder / "run").findings]


def test_the_readmes_dialogue_holds_and_can_fail(tmp_path: Path) -> None:
    shown = re.search(r"```yaml\n(dialogue: mine\n.*?)```", README, re.S)
    assert shown
    for name, text, found in (
        ("holds", shown[1], []),
        ("twice", shown[1].replace("wire: [POST /run_sse]", "wire: [POST /run_sse, POST /run_sse]"), ["wire"]),
        ("free", shown[1].replace("charged: 10}", "charged: 0}"), ["ledger"]),
    ):
        (tmp_path / name).mkdir()
        assert played(text, tmp_path / name) == found


def test_the_readme_counts_dialogues_and_mutants_as_there_are() -> None:
    assert f"plays {len(find([]))} scripted dialogues" in WORDS
    assert f"breaks the agent in {len(MUTANTS)} ways" in WORDS
