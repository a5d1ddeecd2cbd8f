"""Sets the stage for a dialogue: the studio behind a scripted front, an agent before it, the world as it is told."""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from agent.context import unregister
from agent.logs import install, log_to
from agent.settings import Settings
from evals.books import draft_of
from evals.faulty import Pace
from evals.format import Dialogue, World
from evals.front import Front, ScriptedWire
from evals.lives import Lives
from evals.redraft import whole
from evals.script import Actor, Book
from evals.virtual import URL, Backstage, Pretenders, backstage
from studio.accounts import Accounts
from studio.director import Director
from studio.options import Options

__all__ = ["Staged", "staged"]

LATENCY, JITTER = 0.15, 0.1
"""Seconds until the backend answers, and the part of it that a seed varies."""
PIECES = (1, 2, 3, 5, 8, 13, 40, 200, 4000)
"""Bytes that a seed cuts answers into."""
LOG = "reelchat.log"

Hear = Callable[[str, dict[str, Any]], None]


@dataclass(slots=True)
class Staged:
    """All that a run works with."""

    behind: Backstage
    book: Book
    front: Front
    lives: Lives
    folder: Path

    def lay(self, draft: dict[str, Any]) -> None:
        """Puts a draft into the session that was begun last."""
        store = self.behind.store
        row = store.db.execute("SELECT id, account FROM sessions ORDER BY n DESC LIMIT 1").fetchone()
        session = store.session(row["id"], row["account"])
        assert session
        with store.write() as db:
            store.save(db, session.id, whole(draft, session.draft))

    def draft(self) -> Any:
        """The backend's, as it is."""
        return draft_of(self.behind.store)

    def pace(self, chance: random.Random) -> None:
        """Cuts and groups what comes as the seed has it."""
        self.behind.wire.pace = Pace(tuple(chance.choice(PIECES) for _ in range(7)), join=chance.random() < 0.5)

    def written(self) -> str:
        """The log, and all that the agent keeps in its stores."""
        path = self.folder / LOG
        return "\n".join([path.read_text("utf-8") if path.exists() else "", *self.lives.kept()])


@asynccontextmanager
async def staged(dialogue: Dialogue, seed: int, folder: Path, hear: Hear) -> AsyncIterator[Staged]:
    """To be entered on a jumping loop. `hear` is told what each node of the graph returned."""
    world, kept = dialogue.world, list[Staged]()
    crew, chance = Pretenders(), random.Random(f"{dialogue.dialogue}:{seed}:wire")
    options = Options(dialect=world.dialect, pace=0, silent_rate=0, heartbeat=None)

    def book() -> Book:
        return kept[0].book

    def latency() -> float:
        return LATENCY * (1 + JITTER * (2 * chance.random() - 1)) if seed else LATENCY

    def planner(media: Path) -> Actor:
        return Actor(book, Director(crew, media, options), world.dialect)

    def wired(app: Any, _: Any) -> ScriptedWire:
        return ScriptedWire(Front(app, book, latency, exports=world.plan == "free"), book)

    async with _fated(dialogue, seed), backstage(folder / "studio", planner, crew, world.dialect, wired) as behind:
        wire = cast(ScriptedWire, behind.wire)
        settings = _settings(dialogue, folder / "home", _found(world, Accounts(behind.store)))
        lives = Lives(settings, dialogue.skill, behind.clock, wire, hear)
        kept.append(Staged(behind, Book(behind.clock, behind.store), wire.front, lives, folder))
        lives.open()
        with _Logged(folder / LOG):
            try:
                yield kept[0]
            finally:
                await lives.close()
                unregister("local")


@asynccontextmanager
async def _fated(dialogue: Dialogue, seed: int) -> AsyncIterator[None]:
    """The backend's ids, tokens and signatures are the seed's, so that a run can be seen again to the letter."""
    chance = random.Random(f"{dialogue.dialogue}:{seed}:ids")

    def letters(size: int = 32) -> str:
        return "".join(chance.choices("abcdef", k=2 * size))

    with patch.multiple(secrets, token_hex=letters, token_urlsafe=letters):
        yield


class _Logged:
    """The agent's log goes to a file, as in a real run; afterwards the process logs as before."""

    def __init__(self, path: Path) -> None:
        self._path, self._log = path, logging.getLogger("reelchat")

    def __enter__(self) -> None:
        self._before = logging.getLogRecordFactory(), self._log.handlers, self._log.propagate
        self._log.handlers = []
        install()
        log_to(self._path)

    def __exit__(self, *_: object) -> None:
        for handler in self._log.handlers:
            handler.close()
        factory, self._log.handlers, self._log.propagate = self._before
        logging.setLogRecordFactory(factory)


def _found(world: World, accounts: Accounts) -> str | None:
    """Every account begins as the world says; the person's own token where there is one."""
    db = accounts.store.db
    if world.credits is not None:
        purse = f"UPDATE accounts SET credits = {world.credits + world.frozen} WHERE id = new.id"
        db.execute(f"CREATE TRIGGER purse AFTER INSERT ON accounts BEGIN {purse}; END")
    if world.frozen:
        hold = f"INSERT OR REPLACE INTO holds VALUES ('stage', new.id, {world.frozen}, 1e12)"
        db.execute(f"CREATE TRIGGER frozen AFTER INSERT ON accounts BEGIN {hold}; END")
    grant = accounts.grant("stage") if world.nemo_token else None
    return grant.token if grant else None


def _settings(dialogue: Dialogue, home: Path, token: str | None) -> Settings:
    world = dialogue.world
    made = Settings.load(
        backend=URL,
        home=home,
        exports=home / "exports",
        lang=dialogue.lang,
        max_spend=world.max_spend,
        ask_before_spending=world.ask_before_spending,
        environ={"NEMO_TOKEN": token} if token else {},
    )
    return replace(made, somebody_answers=world.person)
