"""Who may ask, and what it costs: tokens kept as hashes, credits frozen while work runs."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from typing import NamedTuple

from studio.store import LEASE_S, Store

__all__ = ["STARTER", "WEEK_S", "Accounts", "Balance", "Grant"]

STARTER = 100
WEEK_S = 7 * 24 * 3600


class Balance(NamedTuple):
    """Credits: free to spend, reserved for work under way, both together."""

    available: int
    frozen: int
    total: int


class Grant(NamedTuple):
    """A fresh token; nobody can read it again. `expires` in seconds since 1970."""

    token: str
    account: str
    expires: float
    credits: int


class Accounts:
    """One account a client id. Holds have a lease, so a process that dies frees what it had frozen."""

    def __init__(self, store: Store, *, strict: bool = False) -> None:
        self.store = store
        self.strict = strict

    def grant(self, client: str) -> Grant | None:
        """A token for the client; None when strict and it had one within a week."""
        now, token = self.store.moment(), f"nmv_usr_{secrets.token_urlsafe(32)}"
        with self.store.write() as db:
            row = db.execute("SELECT * FROM accounts WHERE client = ?", (client,)).fetchone()
            if row and self.strict and now < row["issued"] + WEEK_S:
                return None
            account = row["id"] if row else f"user_{secrets.token_hex(8)}"
            db.execute(
                "INSERT INTO accounts VALUES (?, ?, ?, ?) ON CONFLICT (client) DO UPDATE SET issued = excluded.issued",
                (account, client, STARTER, now),
            )
            db.execute("DELETE FROM tokens WHERE expires <= ?", (now,))
            db.execute("INSERT INTO tokens VALUES (?, ?, ?)", (_hash(token), account, now + WEEK_S))
        return Grant(token, account, now + WEEK_S, self.balance(account).available)

    def who(self, token: str) -> str | None:
        """The account behind a token that is still good."""
        row = self.store.db.execute(
            "SELECT account FROM tokens WHERE hash = ? AND expires > ?", (_hash(token), self.store.moment())
        ).fetchone()
        return row["account"] if row else None

    def balance(self, account: str) -> Balance:
        """Holds whose lease ran out no longer count."""
        purse = self.store.db.execute("SELECT credits FROM accounts WHERE id = ?", (account,)).fetchone()
        held = self.store.db.execute(
            "SELECT coalesce(sum(amount), 0) AS held FROM holds WHERE account = ? AND until > ?",
            (account, self.store.moment()),
        ).fetchone()
        total, frozen = int(purse["credits"]) if purse else 0, int(held["held"])
        return Balance(max(0, total - frozen), frozen, total)

    def hold(self, account: str, amount: int) -> str | None:
        """Freezes credits for work about to start; None when there are too few. The purse refills unless strict."""
        now, hold = self.store.moment(), secrets.token_hex(8)
        with self.store.write() as db:
            db.execute("DELETE FROM holds WHERE until <= ?", (now,))
            balance = self.balance(account)
            if balance.available < amount:
                if self.strict:
                    return None
                db.execute("UPDATE accounts SET credits = ? WHERE id = ?", (STARTER + balance.frozen, account))
            db.execute("INSERT INTO holds VALUES (?, ?, ?, ?)", (hold, account, amount, now + LEASE_S))
        return hold

    def renew(self, hold: str) -> None:
        """The work is still running."""
        with self.store.write() as db:
            db.execute("UPDATE holds SET until = ? WHERE id = ?", (self.store.moment() + LEASE_S, hold))

    def release(self, hold: str) -> None:
        """Nothing more will be charged."""
        with self.store.write() as db:
            db.execute("DELETE FROM holds WHERE id = ?", (hold,))

    def charge(self, db: sqlite3.Connection, account: str, amount: int, hold: str | None) -> None:
        """Inside the transaction that writes what was paid for."""
        if not amount:
            return
        db.execute("UPDATE accounts SET credits = max(0, credits - ?) WHERE id = ?", (amount, account))
        if hold:
            db.execute("UPDATE holds SET amount = max(0, amount - ?) WHERE id = ?", (amount, hold))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
