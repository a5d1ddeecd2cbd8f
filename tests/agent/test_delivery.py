"""A finished render comes home, whatever became of its first download."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_nemo import CITY
from world import World

from agent.backend.parts import Part
from agent.events import Event
from agent.turn import Agent, collect


def later(world: World) -> list[Event]:
    async def start(agent: Agent) -> list[Event]:
        return [event async for event in collect(agent)]

    found: list[Event] = world.run(start)
    return found


def delivered(events: list[Event]) -> list[bytes]:
    return [Path(event.path).read_bytes() for event in events if event.kind == "delivered"]


def errors(events: list[Event]) -> list[str]:
    return [event.text for event in events if event.kind == "error"]


@pytest.fixture
def film(world: World) -> World:
    world.nemo.draft = {"t": [CITY]}
    return world


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "Make room"), (errno.EACCES, "--exports")])
def test_a_disk_that_takes_nothing_leaves_the_job_to_be_collected(
    film: World, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def refuse(part: Part) -> Any:
        raise OSError(number, "no")

    with monkeypatch.context() as patched:
        patched.setattr(Part, "open", refuse)
        events = film.say("export")
    assert (words in errors(events)[0], delivered(events)) == (True, [])
    assert "on record" in errors(events)[0]
    assert delivered(later(film)) == [b"movie"]
    assert len(film.nemo.submits) == 1


def test_a_download_that_never_comes_whole_leaves_the_job_to_be_collected(film: World) -> None:
    film.nemo.answer("GET /file", *[httpx.ReadError("cut")] * 3)
    assert "could not be fetched whole" in errors(film.say("export"))[0]
    assert not list(film.folder.glob("exports/*"))
    assert delivered(later(film)) == [b"movie"]
    assert len(film.nemo.submits) == 1


def test_a_folder_out_of_reach_is_left_for_the_one_that_the_next_start_names(
    film: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(film.folder)
    (film.folder / "out").write_bytes(b"a file where a folder should be")
    events = film.say("export to ./out/night.gif")
    assert "can't be written" in errors(events)[0]
    assert delivered(later(film)) == [b"movie"]
    assert (film.folder / "exports" / "night.gif").read_bytes() == b"movie"
    assert len(film.nemo.submits) == 1
