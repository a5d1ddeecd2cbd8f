"""The MCP server: turns for an assistant on the person's machine, with their files by path."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from door_stage import GENERATE, PIXEL, gated, makes
from world import World

from agent.cli import main
from agent.serve.mcp_server import Helper
from agent.turn import Agent
from evals.stage import FAST, studio


async def quiet(number: float, text: str) -> None:
    pass


def helped(world: World, scenario: Any) -> Any:
    async def run(agent: Agent) -> Any:
        helper = Helper(agent)
        try:
            return await scenario(helper)
        finally:
            await helper.drain()

    return world.run(run)


def test_the_answer_is_all_the_words_and_progress_is_told_beside_it(world: World) -> None:
    makes(world)
    told: list[tuple[float, str]] = []

    async def report(number: float, text: str) -> None:
        told.append((number, text))

    async def scenario(helper: Helper) -> tuple[str, str]:
        made = await helper.take(GENERATE, "t", report)
        return made, await helper.take("export", "t", quiet, out=str(world.folder / "film"))

    made, exported = helped(world, scenario)
    assert "Here is [your] city." in made and "Timeline (1 track): 1. Video: city (0-10s)" in made
    assert [text for _, text in told] == ["Connecting…", "Working on it…"]
    assert [number for number, _ in told] == sorted({number for number, _ in told})
    assert exported.endswith(f"\n\n{world.folder / 'film.mp4'}")
    assert (world.folder / "film.mp4").read_bytes() == b"movie"


def test_an_assistant_that_stops_waiting_takes_no_turn_along(world: World) -> None:
    async def scenario(helper: Helper) -> tuple[str, str]:
        begun, may = gated(world)
        asking = asyncio.create_task(helper.take(GENERATE, "t", quiet))
        await begun.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        busy = await helper.take(GENERATE, "t", quiet)
        may.set()
        await helper.drain()
        return busy, await helper.take("", "t", quiet)

    busy, looked = helped(world, scenario)
    assert "city" not in busy and busy
    assert "Video: city (0-10s)" in looked
    assert world.nemo.sends == [GENERATE]


def test_a_path_of_the_persons_own_is_uploaded(world: World) -> None:
    picture = world.folder / "holiday.png"
    picture.write_bytes(PIXEL)

    async def scenario(helper: Helper) -> str:
        return await helper.take("upload this", "t", quiet, files=[str(picture)])

    helped(world, scenario)
    assert len([path for path, _ in world.nemo.writes if path.startswith("/api/upload")]) == 1


def test_without_the_package_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    assert main(["mcp", "--lang", "en"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "pip install “reelchat[mcp]”" in err


@pytest.mark.skipif(importlib.util.find_spec("mcp") is None, reason="the package mcp is not installed")
def test_mcps_own_client_talks_to_it_over_stdio(tmp_path: Path) -> None:
    from mcp import ClientSession, StdioServerParameters, stdio_client

    told: list[str] = []

    async def note(number: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async def scenario(url: str) -> tuple[set[str], list[str]]:
        home = str(tmp_path / "home")
        options = ["--backend", url, "--exports", str(tmp_path / "films"), "--lang", "en"]
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "agent.cli", "mcp", *options],
            env={"REELCHAT_HOME": home},
            cwd=str(Path(__file__).parents[2]),
        )
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            await session.initialize()
            names = {tool.name for tool in (await session.list_tools()).tools}
            calls: list[tuple[str, dict[str, Any]]] = [
                ("say", {"text": GENERATE}),
                ("timeline", {}),
                ("credits", {}),
                ("export", {"format": "png"}),
            ]
            answers = [await session.call_tool(name, given, progress_callback=note) for name, given in calls]
            return names, [answer.content[0].text for answer in answers]

    async def run() -> tuple[set[str], list[str]]:
        async with studio(tmp_path / "studio", *FAST) as url:
            return await asyncio.wait_for(scenario(url), 60)

    names, (said, timeline, credits, export) = asyncio.run(run())
    assert names == {"say", "timeline", "credits", "export"}
    line = "Timeline (1 track): 1. Video: futuristic city at night (0-10s)"
    assert line in said and line in timeline and "credits" in credits
    assert "Working on it…" in told
    made = Path(export.splitlines()[-1])
    assert made.parent == tmp_path / "films" and made.read_bytes().startswith(b"\x89PNG")
