"""Which dialogues there are, and all of them played, a process for each core."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from agent.logs import install
from evals.format import Dialogue, load
from evals.play import play
from evals.trace import Finding, Trace

__all__ = ["DIALOGUES", "NotThere", "begin", "cores", "find", "play_all", "play_one", "quiet"]

DIALOGUES = Path(__file__).parent / "dialogues"
FEW = 3
"""Runs up to which another process costs more than it saves: each has to import the agent first."""

_SWEEPER = ThreadPoolExecutor(1)
"""Takes away what runs leave: a disk lets one wait for every folder, a fifth of a run's time."""


class NotThere(ValueError):
    """No dialogue of that name."""


def find(names: Iterable[str], folder: Path = DIALOGUES) -> list[Path]:
    """Files, folders of files, or the names of dialogues in `folder`; all of those without names. Raises NotThere."""
    found: list[Path] = []
    for name in names:
        path = Path(name)
        held = sorted(path.rglob("*.yaml")) if path.is_dir() else [path] if path.is_file() else []
        held = held or [one for one in sorted(folder.rglob("*.yaml")) if name in (one.stem, one.parent.name)]
        if not held:
            raise NotThere(f"{name}: no file, no folder with dialogues, and none in {folder} is called so")
        found += held
    return list(dict.fromkeys(found)) if found else sorted(folder.rglob("*.yaml"))


def play_all(
    paths: Sequence[Path],
    seeds: int | None,
    jobs: int,
    show: Callable[[Sequence[Trace]], object] = lambda traces: None,
) -> list[Trace]:
    """Every dialogue with its seeds, or the first `seeds`; `show` hears of each dialogue as it ends."""
    wanted = [(path, load(path)) for path in paths]
    runs = sum(len(_seeds(dialogue, seeds)) for _, dialogue in wanted)
    traces: dict[Path, list[Trace]] = {}
    if jobs < 2 or runs <= FEW:
        quiet()
        for path, dialogue in wanted:
            traces[path] = _one(dialogue, _seeds(dialogue, seeds))
            show(traces[path])
    else:
        # The long ones first, so that none is left over for one core in the end.
        wanted.sort(key=lambda one: -len(one[1].turns))
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=begin) as pool:
            tasks = {pool.submit(_one, dialogue, _seeds(dialogue, seeds)): path for path, dialogue in wanted}
            for task in as_completed(tasks):
                traces[tasks[task]] = task.result()
                show(task.result())
    return [trace for path in paths for trace in traces[path]]


def play_one(dialogue: Dialogue, seed: int) -> Trace:
    """One run in a folder of its own. What escapes it is a finding: a crash is nobody's bad luck."""
    folder = tempfile.mkdtemp(prefix="reelchat-eval-")
    try:
        return play(dialogue, seed, Path(folder))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        problem = f"{type(error).__name__}: {error} in {last.name}, {Path(last.filename).name}:{last.lineno}"
        return Trace(dialogue.dialogue, tuple(dialogue.tags), seed, findings=[Finding("crash", 0, problem)])
    finally:
        _SWEEPER.submit(shutil.rmtree, folder, ignore_errors=True)


def cores() -> int:
    """Processes that make sense here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def quiet() -> None:
    """Keeps what goes wrong on purpose off the terminal; what the agent logs still reaches its own file."""
    if not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())


def begin() -> None:
    """A process that plays."""
    install()
    quiet()


def _one(dialogue: Dialogue, seeds: Sequence[int]) -> list[Trace]:
    return [play_one(dialogue, seed) for seed in seeds]


def _seeds(dialogue: Dialogue, most: int | None) -> list[int]:
    if most is None or dialogue.seeds is not None:
        return dialogue.played()
    return list(range(most))
