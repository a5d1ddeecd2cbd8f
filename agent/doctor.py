"""What is stored where and whether everything works: paths, sizes, counts and ages, never a value that is secret."""

from __future__ import annotations

import io
import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, TextIO

from agent.embedded import EmbeddedStudio
from agent.errors import AgentError
from agent.settings import Settings
from agent.summarizer import file_size
from prompts import Lang, say

__all__ = ["Line", "checks", "examine", "report", "write"]

LIBRARIES = ("langgraph", "httpx", "pydantic", "av", "pillow")
OPEN_JOBS = ("intended", "submitted", "completed")
Mark = Literal["good", "bad", "note"]


@dataclass(frozen=True, slots=True)
class Line:
    """One finding: a sentence and whether it is in order; "note" where there is nothing to be in order."""

    mark: Mark
    text: str


async def examine(settings: Settings, out: TextIO | None = None) -> int:
    """Prints every finding about this computer. Returns 0, or 1 where something does not work."""
    return await report(checks(settings), settings.lang, "doctor", out)


async def checks(settings: Settings) -> AsyncIterator[Line]:
    """Everything `examine` looks at, one by one."""
    for line in (*_versions(settings), *_stored(settings), *_secrets(settings), *_spending(settings)):
        yield line
    yield await _studio(settings.lang)
    yield _rendering(settings.lang)
    for line in _terminal(settings.lang, sys.stdout):
        yield line


async def report(lines: AsyncIterator[Line], lang: Lang, section: str, out: TextIO | None) -> int:
    """Prints findings as they come and what they come to. Returns 0, or 1 where one is bad."""
    well = True
    async for line in lines:
        well = well and line.mark != "bad"
        write(say(lang, "doctor.line", mark=say(lang, f"doctor.{line.mark}"), text=line.text), out)
    write(say(lang, f"{section}.{'well' if well else 'ill'}", mark=f"[{say(lang, 'doctor.bad')}]"), out)
    return 0 if well else 1


def write(text: str, out: TextIO | None) -> None:
    """One line, at once: the next finding may take a while."""
    (out or sys.stdout).write(text + "\n")
    (out or sys.stdout).flush()


# What is installed and stored


def _versions(settings: Settings) -> Iterator[Line]:
    lang, found = settings.lang, []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Line("bad", say(lang, "doctor.library_missing", name=name))
    try:
        own = version("reelchat")
    except PackageNotFoundError:
        own = "?"
    yield Line(
        "note",
        say(
            lang,
            "doctor.versions",
            reelchat=own,
            python=platform.python_version(),
            system=f"{platform.system()} {platform.machine()}",
            libraries=", ".join(found),
        ),
    )
    if settings.base_url is None:
        yield Line("note", say(lang, "doctor.backend_studio"))
    else:
        yield Line("note", say(lang, "doctor.backend", name=settings.backend, address=settings.host))


def _stored(settings: Settings) -> Iterator[Line]:
    lang, data = settings.lang, settings.data
    try:
        with tempfile.TemporaryFile(dir=data):
            pass
    except OSError as error:
        yield Line("bad", say(lang, "doctor.folder_locked", path=data, why=error.strerror))
    count, size = _weight(data)
    yield Line("good", say(lang, "doctor.folder", path=data, size=file_size(size), count=count))
    yield _database(settings, "threads.db", _threads)
    yield _database(settings, "journal.db", _journal)
    count, size = _weight(settings.exports)
    files = {"path": settings.exports.absolute(), "count": count, "size": file_size(size)}
    yield Line("note", say(lang, "doctor.files", **files))
    log = data / "reelchat.log"
    size = log.stat().st_size if log.exists() else 0
    yield Line("note", say(lang, "doctor.log", path=log, size=file_size(size)))


def _database(settings: Settings, name: str, read: object) -> Line:
    path, lang = settings.data / name, settings.lang
    if not path.exists():
        return Line("note", say(lang, "doctor.nothing_yet", path=path))
    try:
        # Only to read, and as it is: what is broken must not be made worse.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)) as db:
            key, values = read(db)  # type: ignore[operator]
    except (sqlite3.Error, OSError, ValueError) as error:
        return Line("bad", say(lang, "doctor.unreadable", path=path, why=error))
    return Line("good", say(lang, key, path=path, size=file_size(path.stat().st_size), **values))


def _threads(db: sqlite3.Connection) -> tuple[str, dict[str, int]]:
    return "doctor.threads", {"count": _one(db, "SELECT count(DISTINCT thread_id) FROM checkpoints", "checkpoints")}


def _journal(db: sqlite3.Connection) -> tuple[str, dict[str, int]]:
    jobs, sends = [], 0
    if _has(db, "store"):
        for prefix, value in db.execute("SELECT prefix, value FROM store WHERE prefix LIKE 'reelchat.%'"):
            record = json.loads(value)
            kind = prefix.split(".")[2:3]
            if kind == ["jobs"]:
                jobs.append(record.get("status"))
            elif kind == ["sends"]:
                sends += record.get("outcome") in ("pending", "unknown")
    still = sum(status in OPEN_JOBS for status in jobs)
    return "doctor.exports_seen", {"count": len(jobs), "open": still, "sends": sends}


def _has(db: sqlite3.Connection, table: str) -> bool:
    found = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    return found is not None


def _one(db: sqlite3.Connection, query: str, table: str) -> int:
    return int(db.execute(query).fetchone()[0]) if _has(db, table) else 0


def _weight(folder: Path) -> tuple[int, int]:
    """Files under `folder` and their bytes; what can't be looked at counts for nothing."""
    count = size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(place, name)).st_size
                count += 1
            except OSError:
                continue
    return count, size


# What is secret, without saying it


def _secrets(settings: Settings) -> Iterator[Line]:
    lang, kept = settings.lang, sorted(settings.data.glob("token-*.json"))
    if settings.token is not None:
        yield Line("good", say(lang, "doctor.own_token"))
    for path in kept:
        yield _token(path, lang)
    if settings.token is None and not kept:
        yield Line("note", say(lang, "doctor.no_token"))
    known = "client_id" if settings.client_id or settings.client_id_file.exists() else "no_client_id"
    where = "NEMO_CLIENT_ID" if settings.client_id else settings.client_id_file
    yield Line("note", say(lang, f"doctor.{known}", path=where))


def _token(path: Path, lang: Lang) -> Line:
    now = datetime.now(UTC)
    try:
        ends = datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["expires_at"])
        age = now - datetime.fromtimestamp(path.stat().st_mtime, UTC)
        ended = ends <= now
    except (OSError, ValueError, KeyError, TypeError):
        return Line("note", say(lang, "doctor.token_broken", path=path))
    return Line("good", say(lang, "doctor.token_ended" if ended else "doctor.token", path=path, age=_age(age, lang)))


def _age(age: timedelta, lang: Lang) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes >= 2880:
        return say(lang, "doctor.days", n=minutes // 1440)
    return say(lang, "doctor.hours", n=minutes // 60) if minutes >= 120 else say(lang, "doctor.minutes", n=minutes)


def _spending(settings: Settings) -> Iterator[Line]:
    limit = settings.max_spend
    if limit is None:
        yield Line("note", say(settings.lang, "doctor.no_limit"))
    else:
        yield Line("note", say(settings.lang, "doctor.limit", limit=f"{limit:g}"))
    if settings.ask_before_spending:
        yield Line("note", say(settings.lang, "doctor.asks"))


# What has to work


async def _studio(lang: Lang) -> Line:
    """Starts a studio in an empty folder: the person's own would go on with its renders."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="reelchat-doctor-", ignore_cleanup_errors=True) as folder:
        studio = EmbeddedStudio(Path(folder))
        try:
            await studio.address()
        except (AgentError, OSError) as error:
            why = _last_line(Path(folder) / "studio.err") or str(error)
            return Line("bad", say(lang, "doctor.studio_dead", why=why))
        finally:
            await studio.close()
    return Line("good", say(lang, "doctor.studio_starts", seconds=f"{time.monotonic() - started:.1f}"))


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _rendering(lang: Lang) -> Line:
    """Encodes one black picture in memory: the codecs come with a wheel, no ffmpeg is called."""
    try:
        av = import_module("av")  # half a second that only this needs
        with av.open(io.BytesIO(), "w", format="mp4") as film:
            stream = film.add_stream("libx264", rate=25)
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
            film.mux([*stream.encode(av.VideoFrame(64, 64, "yuv420p")), *stream.encode(None)])
        av.Codec("aac", "w")
    except Exception as error:
        return Line("bad", say(lang, "doctor.renders_not", why=f"{type(error).__name__}: {error}"))
    return Line("good", say(lang, "doctor.renders", version=av.__version__))


def _terminal(lang: Lang, stream: TextIO) -> Iterator[Line]:
    console = import_module("rich.console").Console(file=stream)
    encoding = getattr(stream, "encoding", None) or "ascii"
    kind = "is_terminal" if console.is_terminal else "is_pipe"
    colours = "colours" if console.color_system and not console.no_color else "no_colours"
    words = {"kind": say(lang, f"doctor.{kind}"), "colours": say(lang, f"doctor.{colours}")}
    yield Line("note", say(lang, "doctor.terminal", encoding=encoding, **words))
    try:
        "✅ 视频".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        yield Line("note", say(lang, "doctor.narrow", encoding=encoding))
