"""One media job a process: `python -m studio.worker SPEC.json` draws, renders or probes; JSON lines out."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from studio import film
from studio.media import BadMedia, Canceled
from studio.probe import probe, to_jpeg
from studio.render import render
from studio.scenes import draw

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

__all__ = ["main", "run"]

_OK, _BUG, _BAD_MEDIA, _CANCELED, _MEMORY = 0, 1, 3, 4, 5
_REPORT_EVERY = 0.25  # seconds
_GIB = 1 << 30


@dataclass
class Job:
    """Reports progress and notices a request to stop."""

    out: TextIO
    stop: threading.Event = field(default_factory=threading.Event)
    _next: float = 0.0

    def step(self, progress: float, stage: str) -> None:
        """Raises Canceled when somebody asked to stop or nobody listens any more."""
        if self.stop.is_set():
            raise Canceled
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _REPORT_EVERY
            self.say({"progress": round(progress, 4), "stage": stage})

    def say(self, line: Mapping[str, Any]) -> None:
        try:
            self.out.write(json.dumps(line, ensure_ascii=False) + "\n")
            self.out.flush()
        except (BrokenPipeError, OSError) as error:
            raise Canceled from error


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 ok, 1 bug, 3 bad media, 4 canceled, 5 out of memory."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m studio.worker SPEC.json\n")
        return _BUG
    job = Job(sys.stdout)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: job.stop.set())
    _confine()
    try:
        return _reported(job, Path(arguments[0]))
    except Canceled:
        # Whoever asked is gone. The exit code still says how it ended, so the interpreter must not fail on the
        # words it could not get rid of.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CANCELED


def _reported(job: Job, spec: Path) -> int:
    """Runs the job and says how it ended."""
    try:
        result = run(json.loads(spec.read_text(encoding="utf-8")), job.step)
    except BadMedia as error:
        job.say({"error": str(error), "asset": error.asset, "code": error.code})
        return _BAD_MEDIA
    except Canceled:
        job.say({"error": "canceled", "asset": None, "code": "canceled"})
        return _CANCELED
    except MemoryError:
        job.say({"error": "the job needs more memory than it may use", "asset": None, "code": "memory"})
        return _MEMORY
    except Exception as error:
        job.say({"error": f"{type(error).__name__}: {error}", "asset": None, "code": "bug"})
        raise
    job.say({"result": result})
    return _OK


def run(spec: Mapping[str, Any], step: Callable[[float, str], None]) -> dict[str, Any]:
    """The result of one job; raises BadMedia, Canceled, MemoryError, or ValueError for a spec that is none."""
    name = spec.get("job")
    if name == "draw":
        return _draw(spec, step)
    if name == "render":
        return _render(spec, step)
    if name == "probe":
        return _probe(spec)
    raise ValueError(f"unknown job {name}")


def _draw(spec: Mapping[str, Any], step: Callable[[float, str], None]) -> dict[str, Any]:
    width, height = int(spec.get("width") or 1920), int(spec.get("height") or 1080)
    seed = spec.get("seed")
    with _whole_file(Path(spec["out"])) as part:
        drawn = draw(str(spec["prompt"]), None if seed is None else int(seed), width, height, step)
        step(0.9, "finish")
        drawn.save(part)
        step(1.0, "finish")
    return {"width": width, "height": height, "kind": drawn.kind, "label": drawn.label}


def _render(spec: Mapping[str, Any], step: Callable[[float, str], None]) -> dict[str, Any]:
    plan = film.read(spec["draft"], spec.get("assets") or {})
    with _whole_file(Path(spec["out"])) as part:
        done = render(plan, spec.get("output") or {}, part, step)
    return done._asdict()


def _probe(spec: Mapping[str, Any]) -> dict[str, Any]:
    path = Path(spec["path"])
    found = probe(path)._asdict()
    if found["ext"] == "heic" and spec.get("out"):
        with _whole_file(Path(spec["out"])) as part:
            to_jpeg(path, part)
        found |= {"ext": "jpg", "mime": "image/jpeg", "path": str(spec["out"])}
    return found


@contextmanager
def _whole_file(out: Path) -> Iterator[Path]:
    """A path to write to that becomes `out` in one move when all went well, and vanishes otherwise."""
    part = out.with_name(out.name + ".part")
    try:
        yield part
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


def _confine() -> None:
    """Limits for a process that reads strangers' files, as far as the system has them."""
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(5)
    if sys.platform == "linux":  # if the studio is killed, its worker does not go on alone
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if resource is None:
        return
    for name, most in (("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 4 * _GIB), ("RLIMIT_CPU", 3600), ("RLIMIT_AS", 3 * _GIB)):
        if sys.platform == "darwin" and name == "RLIMIT_AS":
            continue  # macOS counts shared caches and refuses
        with suppress(OSError, ValueError, AttributeError):
            limit = getattr(resource, name)
            hard = resource.getrlimit(limit)[1]
            resource.setrlimit(limit, (most if hard < 0 else min(most, hard), hard))


if __name__ == "__main__":
    sys.exit(main())
