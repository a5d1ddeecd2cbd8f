"""The backend's own books after a dialogue, and a wire's records as exchanges."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from evals.faults import Record
from evals.script import Book
from evals.trace import Exchange, Ledger
from studio.store import Store

__all__ = ["Ground", "draft_of", "exchange", "ledger"]

LONGEST = 20_000
"""Characters of an answer that are kept."""
_FILE = re.compile(rb'filename\*?="?([^";\r\n]+)"?')


@dataclass(frozen=True, slots=True)
class Ground:
    """What the books held before the first turn."""

    renders: int
    uploads: int
    charged: float
    sends: int

    @classmethod
    def of(cls, store: Store, book: Book) -> Ground:
        """The present count."""
        jobs = store.db.execute("SELECT count(*) FROM jobs").fetchone()[0]
        return cls(int(jobs), _uploads(store), book.charged, book.sends)


def draft_of(store: Store) -> Any:
    """The draft of the session that was begun last; None where there is none."""
    row = store.db.execute("SELECT draft FROM sessions ORDER BY n DESC LIMIT 1").fetchone()
    return json.loads(row["draft"]) if row else None


def ledger(store: Store, book: Book, ground: Ground) -> Ledger:
    """What was counted since."""
    now = Ground.of(store, book)
    return Ledger(
        sends=now.sends - ground.sends,
        renders=now.renders - ground.renders,
        uploads=now.uploads - ground.uploads,
        charged=now.charged - ground.charged,
    )


def exchange(record: Record, began: float) -> Exchange:
    """One request as the trace has it."""
    return Exchange(
        at=record.at - began,
        method=record.method,
        path=record.path,
        headers=record.headers,
        body=_body(record),
        status=record.status,
        fault=", ".join(record.struck),
        ended=record.ended - began,
        query=record.query,
        answer=record.answer.decode("utf-8", "replace")[:LONGEST],
    )


def _body(record: Record) -> Any:
    """The JSON that was sent, the names of a form's files, or None."""
    if record.headers.get("content-type", "").startswith("multipart/"):
        return [f"<{name.decode('utf-8', 'replace')}>" for name in _FILE.findall(record.body)]
    try:
        return json.loads(record.body) if record.body else None
    except ValueError:
        return None


def _uploads(store: Store) -> int:
    rows = store.db.execute("SELECT data FROM assets").fetchall()
    return sum(json.loads(row["data"])["origin"] == "upload" for row in rows)
