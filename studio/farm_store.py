"""What a studio and its farm workers share: tables on PostgreSQL, and one folder that all of them see."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.workers import FarmMissing, WorkerFailed

try:
    import procrastinate
    import psycopg
    from psycopg_pool import AsyncConnectionPool
except ImportError:  # only who asks for a farm needs them
    procrastinate = None  # type: ignore[assignment]

__all__ = [
    "AWAY",
    "END",
    "LOCK",
    "LOOK",
    "LOOK_S",
    "NEW",
    "NOTE",
    "TAKE",
    "TASK",
    "application",
    "at_home",
    "error_words",
    "film_path",
    "first",
    "maybe",
    "pool",
    "portable",
    "prepare",
    "queue_name",
]

SCHEMA, TASK = "studio_farm", "render"
LOCK = 0x57D10FA2  # of everybody who changes the schema; the next number is of who looks for orphans
LOOK_S = 0.5  # how often progress is written and read
AWAY: tuple[type[Exception], ...] = ()
"""What a database that does not answer raises."""
if procrastinate is not None:
    AWAY = (psycopg.OperationalError, procrastinate.exceptions.ConnectorException)

_TABLE = """
CREATE TABLE IF NOT EXISTS renders (
  key text PRIMARY KEY, job bigint, spec text NOT NULL, holder text NOT NULL DEFAULT '',
  progress real NOT NULL DEFAULT 0, stage text NOT NULL DEFAULT '', ended text,
  changed timestamptz NOT NULL DEFAULT now())"""
NEW = "INSERT INTO renders (key, spec) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING key"
LOOK = """
SELECT progress, stage, ended, holder, status::text NOT IN ('todo', 'doing') AS dropped
FROM renders LEFT JOIN procrastinate_jobs ON id = job WHERE key = %s"""
TAKE = """
UPDATE renders SET holder = %s, progress = 0, stage = '', changed = now() WHERE key = %s AND ended IS NULL
RETURNING spec"""
NOTE = """
UPDATE renders SET progress = greatest(progress, %s), stage = %s, changed = now()
WHERE key = %s AND holder = %s AND ended IS NULL RETURNING key"""
END = """
UPDATE renders SET ended = %s, changed = now()
WHERE key = %s AND (holder = %s OR %s::text IS NULL) AND ended IS NULL RETURNING job"""


async def prepare(url: str) -> None:
    """Makes the tables if they are not there; any number may do so at once. Raises FarmMissing."""
    if procrastinate is None:
        raise FarmMissing("a farm needs packages that are not installed: pip install 'reelchat[farm]'")
    if sys.platform == "win32":
        raise FarmMissing("a farm does not run on Windows: its database driver and its workers need different loops")
    try:
        async with await psycopg.AsyncConnection.connect(url, connect_timeout=10) as db:
            await db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            if (await first(db, "SELECT to_regnamespace(%s) AS it", SCHEMA))["it"] is None:
                await db.execute(f"CREATE SCHEMA {SCHEMA}")
            await db.execute(f"SET LOCAL search_path TO {SCHEMA}")
            if (await first(db, "SELECT to_regclass(%s) AS it", f"{SCHEMA}.procrastinate_jobs"))["it"] is None:
                await db.execute(procrastinate.schema.SchemaManager.get_schema())
            await db.execute(_TABLE)
    except psycopg.ProgrammingError:
        raise FarmMissing(
            "the farm's database cannot be used: is the address postgresql://…, and may we make tables there?"
        ) from None
    except psycopg.Error as error:  # its first line names the host and never the password
        reason = str(error).strip().splitlines()[:1]
        raise FarmMissing(f"the farm's database cannot be used: {' '.join(reason)}") from None


def application(url: str) -> procrastinate.App:
    """The queue, not yet open. Its tables have a schema of their own, so the database may hold other things."""
    options = {"options": f"-c search_path={SCHEMA}"}
    return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, kwargs=options, max_size=8))


def pool(app: procrastinate.App) -> AsyncConnectionPool:
    """Of an open queue."""
    connector = app.connector
    assert isinstance(connector, procrastinate.PsycopgConnector)
    return connector.pool


async def maybe(db: psycopg.AsyncConnection[Any], query: str, *values: object) -> dict[str, Any] | None:
    """One row by name, or None."""
    cursor = db.cursor(row_factory=psycopg.rows.dict_row)
    return await (await cursor.execute(query, values)).fetchone()


async def first(db: psycopg.AsyncConnection[Any], query: str, *values: object) -> dict[str, Any]:
    """One row by name. Raises LookupError."""
    row = await maybe(db, query, *values)
    if row is None:
        raise LookupError(query)
    return row


def queue_name(folder: Path, *, new: bool = False) -> str:
    """Of the folder: a worker that sees another folder never gets its jobs. Raises FileNotFoundError."""
    path = folder / "farm.id"
    if new and not path.exists():
        mine = folder / f"farm-{secrets.token_hex(4)}.part"
        mine.write_text(secrets.token_hex(8), encoding="ascii")
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)
        mine.unlink()
    return f"render-{path.read_text(encoding='ascii').strip()}"


def film_path(folder: Path, spec: Mapping[str, Any]) -> Path:
    return folder / "renders" / f"{spec['key']}.{spec['output']['format']}"


def portable(spec: Mapping[str, Any], folder: Path) -> str:
    """A job as JSON whose files are named from the folder, which other machines may have elsewhere."""
    assets = {key: asset | {"path": _from(folder, asset["path"])} for key, asset in spec["assets"].items()}
    return json.dumps({key: value for key, value in spec.items() if key != "out"} | {"assets": assets})


def at_home(spec: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The job with its files where this machine has them. Raises WorkerFailed for one outside of the folder."""
    assets = {}
    for key, asset in spec["assets"].items():
        path = (folder / asset["path"]).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise WorkerFailed("a file of this job is not in the shared folder", blame="media", asset=key)
        assets[key] = asset | {"path": str(path)}
    return {**spec, "assets": assets}


def error_words(message: str, blame: str = "bug", asset: str | None = None) -> str:
    """How a job ended, as the table keeps it."""
    return json.dumps({"error": message, "blame": blame, "asset": asset})


def _from(folder: Path, path: str) -> str:
    return Path(path).relative_to(folder).as_posix() if Path(path).is_relative_to(folder) else path
