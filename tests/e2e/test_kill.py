"""Real processes, really killed: nothing is sent or submitted twice, nothing is lost, the person is told."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REELCHAT = [sys.executable, "-c", "import sys; from agent.cli import main; sys.exit(main())"]


@dataclass
class Machine:
    """A home of its own with a studio that outlives the chat."""

    folder: Path
    url: str

    @property
    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("NEMO_", "LC_"))}
        return {**kept, "REELCHAT_HOME": str(self.folder), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*REELCHAT, "--backend", self.url, *arguments],
            env=self._environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, (out, err)
        return out

    def kill_when(self, sign: str, *arguments: str) -> None:
        """Kills the chat the moment its progress says `sign`."""
        process = self.start(*arguments)
        assert process.stderr
        with process:
            for line in process.stderr:
                if sign in line:
                    break
            else:
                raise AssertionError(f"never said {sign!r}")
            process.kill()

    def ask_studio(self, query: str) -> list[tuple[object, ...]]:
        db = sqlite3.connect(self.folder / "studio" / "studio.db")
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    arguments = ["--data", str(tmp_path / "studio"), "--size", "320x180", "--silent-rate", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "studio", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    with process:
        yield Machine(tmp_path, process.stdout.readline().split('"')[3])
        process.stdin.close()


def test_a_chat_killed_in_its_send_comes_back_knowing_what_became_of_it(machine: Machine) -> None:
    machine.kill_when("Working on it", "-p", "generate a futuristic city at night and then export it")
    told = machine.run("--continue", "-p", "status")
    assert "had been cut off" in told or "may charge twice" in told
    assert "Left undone because of this: the export." in told
    assert machine.ask_studio("SELECT turns FROM sessions") in ([(1,)], [(0,)])
    assert machine.ask_studio("SELECT count(*) FROM jobs") == [(0,)]


def test_a_render_that_was_running_is_delivered_and_was_submitted_once(machine: Machine) -> None:
    machine.run("-p", "generate a futuristic city at night", "-p", "add lo-fi background music")
    machine.kill_when("Rendering", "--continue", "-p", "export as mp4")
    told = machine.run("--continue", "-p", "status")
    if not list(machine.folder.glob("exports/*.mp4")):
        # Killed between the record and the submit: nothing started, and the person is told how to start it.
        assert "Say “export” to start it again" in told
        assert machine.ask_studio("SELECT count(*) FROM jobs") == [(0,)]
        return
    assert "✅ Ready:" in told
    assert machine.ask_studio("SELECT count(*) FROM jobs") == [(1,)]
    assert [path.suffix for path in machine.folder.glob("exports/*")] == [".mp4"]


def test_the_same_thread_goes_on_after_a_quiet_exit(machine: Machine) -> None:
    machine.run("-p", "generate a futuristic city at night")
    told = machine.run("--continue", "-p", "add lo-fi background music at 35%")
    assert "Timeline (2 tracks): 1. Video: futuristic city at night (0-10s) 2. BGM: Lo-fi (0-10s, 35%)" in told
    assert machine.ask_studio("SELECT count(*) FROM sessions") == [(1,)]
