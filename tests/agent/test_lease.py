"""One writer a thread."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import Busy
from agent.lease import lease


def test_a_held_thread_is_busy_and_a_freed_one_is_not(tmp_path: Path) -> None:
    with lease(tmp_path, "t"), pytest.raises(Busy), lease(tmp_path, "t"):
        pass
    with lease(tmp_path, "t"):
        pass


def test_two_threads_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with lease(tmp_path, "a"), lease(tmp_path, "b"):
        pass


def test_a_process_that_dies_frees_its_thread(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from agent.lease import lease\n"
        "with lease(pathlib.Path(sys.argv[1]), 't'): print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout and process.stdin
    with process:
        assert process.stdout.readline().strip() == b"held"
        with pytest.raises(Busy), lease(tmp_path, "t"):
            pass
        process.kill()
        process.wait()
    with lease(tmp_path, "t"):
        pass
