"""What survives: one SQLite file in a folder, short statements, every change in one transaction."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from studio.clock import Clock, SystemClock
from studio.edits import Asset
from studio.tracks import Draft, empty

__all__ = ["Session", "Size", "Store"]

Size = tuple[int, int]
"""Width and height in pixels."""

LEASE_S = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
  id TEXT PRIMARY KEY, client TEXT UNIQUE NOT NULL, credits INTEGER NOT NULL, issued REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (hash TEXT PRIMARY KEY, account TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS holds (
  id TEXT PRIMARY KEY, account TEXT NOT NULL, amount INTEGER NOT NULL, until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, task TEXT NOT NULL, account TEXT NOT NULL,
  language TEXT NOT NULL, turns INTEGER NOT NULL DEFAULT 0, told INTEGER NOT NULL DEFAULT 0, draft TEXT NOT NULL,
  changed REAL NOT NULL, busy_by TEXT, busy_until REAL NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS drafts (n INTEGER PRIMARY KEY AUTOINCREMENT, session TEXT NOT NULL, draft TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS assets (
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, session TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
  n INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL, id TEXT NOT NULL,
  account TEXT NOT NULL, spec TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending',
  progress REAL NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
  lease_by TEXT, lease_until REAL NOT NULL DEFAULT 0,
  message TEXT NOT NULL DEFAULT '', result TEXT, UNIQUE (account, id));
CREATE INDEX IF NOT EXISTS drafts_session ON drafts (session);
CREATE INDEX IF NOT EXISTS assets_session ON assets (session);
CREATE INDEX IF NOT EXISTS holds_account ON holds (account);
"""


@dataclass(frozen=True)
class Session:
    """One conversation. `number` counts sessions from 1 in this folder."""

    id: str
    number: int
    task: str
    account: str
    language: str
    turns: int
    told: bool
    """It has been said that pictures are sketches."""
    draft: Draft


class Store:
    """The folder: `studio.db`, `media/`, `renders/`. Several processes may share it; one thread each."""

    def __init__(
        self, folder: Path, *, memory: bool = False, clock: Clock | None = None, size: Size = (1920, 1080)
    ) -> None:
        self.folder = folder
        self.size = size
        self.clock = clock or SystemClock()
        for name in () if memory else ("media", "renders"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(
            ":memory:" if memory else folder / "studio.db", isolation_level=None, timeout=10, check_same_thread=False
        )
        self.db.row_factory = sqlite3.Row
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL"):
            self.db.execute(statement)
        self.db.executescript(_SCHEMA)
        with self.write() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('secret', ?)", (secrets.token_hex(32),))

    @property
    def media(self) -> Path:
        """Where uploads and drawn pictures lie."""
        return self.folder / "media"

    @property
    def renders(self) -> Path:
        """Where finished files lie."""
        return self.folder / "renders"

    @property
    def secret(self) -> bytes:
        """What links are signed with: the same for every process of this folder."""
        row = self.db.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone()
        return bytes.fromhex(row["value"])

    def moment(self) -> float:
        """Seconds since 1970, by the clock."""
        return self.clock.now().timestamp()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing. Never held across an await."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Nothing may be asked of it afterwards."""
        self.db.close()

    def create_session(self, account: str, language: str) -> Session:
        """A new conversation with an empty draft."""
        session, task = f"ses_{secrets.token_hex(12)}", f"task_{secrets.token_hex(8)}"
        with self.write() as db:
            db.execute(
                "INSERT INTO sessions (id, task, account, language, draft, changed) VALUES (?, ?, ?, ?, ?, ?)",
                (session, task, account, language, _dump(empty(*self.size)), self.moment()),
            )
        found = self.session(session, account)
        assert found is not None
        return found

    def session(self, session: str, account: str) -> Session | None:
        """The account's own session; another account's is None."""
        row = self.db.execute("SELECT * FROM sessions WHERE id = ? AND account = ?", (session, account)).fetchone()
        if row is None:
            return None
        told = bool(row["told"])
        return Session(
            row["id"],
            row["n"],
            row["task"],
            row["account"],
            row["language"],
            row["turns"],
            told,
            json.loads(row["draft"]),
        )

    def begin_turn(self, session: str) -> int:
        """Number of the message, from 1."""
        with self.write() as db:
            row = db.execute(
                "UPDATE sessions SET turns = turns + 1 WHERE id = ? RETURNING turns", (session,)
            ).fetchone()
        return int(row["turns"])

    def lease(self, session: str, holder: str) -> bool:
        """Takes or renews the right to change a session; False while another holds it."""
        until = self.moment()
        with self.write() as db:
            row = db.execute(
                (
                    "UPDATE sessions SET busy_by = ?, busy_until = ? WHERE id = ? AND (busy_by "
                    "IS ? OR busy_until <= ?) RETURNING n"
                ),
                (holder, until + LEASE_S, session, holder, until),
            ).fetchone()
        return row is not None

    def renew(self, session: str, holder: str) -> None:
        """Keeps a right that is held; does nothing where it is not."""
        with self.write() as db:
            db.execute(
                "UPDATE sessions SET busy_until = ? WHERE id = ? AND busy_by = ?",
                (self.moment() + LEASE_S, session, holder),
            )

    def release(self, session: str, holder: str) -> None:
        """Gives the right back."""
        with self.write() as db:
            db.execute(
                "UPDATE sessions SET busy_by = NULL, busy_until = 0 WHERE id = ? AND busy_by = ?", (session, holder)
            )

    def save(
        self,
        db: sqlite3.Connection,
        session: str,
        draft: Draft | None,
        *,
        assets: Sequence[Asset] = (),
        back: bool = False,
        told: bool = False,
    ) -> None:
        """Inside a transaction: the draft, what was drawn for it, and a step of history (`back` takes one away)."""
        for asset in assets:
            self.add_asset(db, session, asset)
        if told:
            db.execute("UPDATE sessions SET told = 1 WHERE id = ?", (session,))
        if draft is None:
            return
        if back:
            db.execute("DELETE FROM drafts WHERE n = (SELECT max(n) FROM drafts WHERE session = ?)", (session,))
        else:
            db.execute("INSERT INTO drafts (session, draft) SELECT id, draft FROM sessions WHERE id = ?", (session,))
        db.execute("UPDATE sessions SET draft = ?, changed = ? WHERE id = ?", (_dump(draft), self.moment(), session))

    def previous(self, session: str) -> Draft | None:
        """The draft before the last edit."""
        row = self.db.execute(
            "SELECT draft FROM drafts WHERE session = ? ORDER BY n DESC LIMIT 1", (session,)
        ).fetchone()
        return json.loads(row["draft"]) if row else None

    def add_asset(self, db: sqlite3.Connection, session: str, asset: Asset) -> None:
        """Inside a transaction."""
        db.execute(
            "INSERT OR IGNORE INTO assets (id, session, data) VALUES (?, ?, ?)",
            (asset.id, session, _dump(asdict(asset))),
        )

    def assets(self, session: str) -> list[Asset]:
        """Oldest first."""
        rows = self.db.execute("SELECT data FROM assets WHERE session = ? ORDER BY n", (session,)).fetchall()
        return [Asset(**json.loads(row["data"])) for row in rows]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
