"""`python -m evals [FILE…]`: plays dialogues against a real studio and says which held."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import cast

from agent.logs import install
from evals.dialogue import load, play
from evals.stage import FAST, agent_on, studio
from prompts import Lang

DIALOGUES = Path(__file__).parent / "dialogues"


def main(arguments: list[str]) -> int:
    """Exit code 0 when every dialogue held, 1 otherwise."""
    install()
    paths = [Path(argument) for argument in arguments] or sorted(DIALOGUES.glob("*.yaml"))
    return 0 if all(asyncio.run(_all(paths))) else 1


async def _all(paths: list[Path]) -> list[bool]:
    return [await _one(path) for path in paths]


async def _one(path: Path) -> bool:
    dialogue = load(path)
    with tempfile.TemporaryDirectory(prefix="reelchat-eval-") as folder:
        home = Path(folder)
        async with (
            studio(home / "studio", *FAST) as url,
            agent_on(url, home, skill=dialogue.skill, lang=cast(Lang, dialogue.lang)) as agent,
        ):
            trace = await play(dialogue, agent, path.parent)
    print(f"{'failed' if trace.findings else 'held  '}  {dialogue.dialogue}")  # noqa: T201
    for finding in trace.findings:
        print(f"        turn {finding.turn}: {finding.problem}")  # noqa: T201
    return not trace.findings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
