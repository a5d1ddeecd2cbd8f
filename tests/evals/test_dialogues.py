"""The shipped dialogues hold, and the stage notices when one does not."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import cast

import pytest

from agent.events import Delivered, Error, Text, Timeline
from evals.__main__ import DIALOGUES
from evals.dialogue import Dialogue, Trace, load, play, shown
from evals.stage import FAST, agent_on, studio
from prompts import Lang


def played(dialogue: Dialogue, folder: Path) -> Trace:
    async def run() -> Trace:
        with tempfile.TemporaryDirectory() as name:
            home, lang = Path(name), cast(Lang, dialogue.lang)
            async with studio(home / "s", *FAST) as url, agent_on(url, home, skill=dialogue.skill, lang=lang) as agent:
                return await play(dialogue, agent, folder)

    return asyncio.run(run())


@pytest.mark.parametrize("path", sorted(DIALOGUES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_dialogue_holds(path: Path) -> None:
    assert played(load(path), path.parent).findings == []


def test_a_dialogue_that_expects_what_does_not_happen_is_noticed(tmp_path: Path) -> None:
    wrong = Dialogue.model_validate(
        {
            "dialogue": "wrong",
            "about": "x",
            "turns": [
                {"user": "credits", "expect": {"contains": ["a million credits"], "timeline": "Timeline"}},
                {"user": "export", "expect": {"contains": ["nothing to export"]}},
            ],
        }
    )
    problems = [
        (finding.turn, finding.problem.split(":")[0].split(" ")[0]) for finding in played(wrong, tmp_path).findings
    ]
    assert problems == [(1, "the"), (1, "timeline"), (2, "error")]


@pytest.mark.parametrize(
    "text",
    [
        "dialogue: x\nabout: y\nturns: []",
        "dialogue: x\nabout: y\nturns: [{user: hi, expect: {}}]",
        "dialogue: x\nabout: y\nturns: [{user: hi, expect: {contains: [a]}, typo: 1}]",
    ],
)
def test_a_dialogue_that_could_not_fail_does_not_load(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError):
        load(path)


def test_shown_is_what_stands_on_the_screen_in_the_end() -> None:
    draft: dict[str, object] = {}
    events = [
        Text(id="a", text="Hel"),
        Text(id="a", text="lo."),
        Text(id="b", text="wrong"),
        Text(id="b", mode="replace", text="right"),
        Timeline(text="Timeline", draft=draft),
        Error(code="x", text="No."),
        Delivered(text="Ready", path="/x", format="mp4", size=1),
    ]
    assert shown(list(events)) == "Hello.\nright\nTimeline\nNo.\nReady"
