"""Turns on the stage: one at a time a session, each in a task of its own that outlives whoever listens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from studio.accounts import Accounts
from studio.clock import Clock
from studio.options import Options
from studio.store import Session, Store
from studio.stream import Act, Beat, Commit, Cut, Encoder, Fail, Hold, Planner, Refuse, Say, Turn
from studio.words import lang_of, say

__all__ = ["Running", "Turns"]

RENEW_S = 2.0  # leases last 10
RETRY_S = 0.2  # between looks at a session another process is working on
PIECE_S = 0.04  # between two pieces of text at pace 1

_log = logging.getLogger("studio")
_Item = bytes | Refuse | Cut | None


@dataclass
class Running:
    """One turn under way. `task` goes on when nobody reads `items`; None ends them."""

    session: Session
    items: asyncio.Queue[_Item] = field(default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    hold: str | None = None
    quiet_s: float = 0.0

    def put(self, item: _Item) -> None:
        """For whoever listens."""
        self.quiet_s = 0.0
        self.items.put_nowait(item)


class Turns:
    """Starts turns, gives their acts effect, and keeps their leases alive."""

    def __init__(self, store: Store, accounts: Accounts, planner: Planner, options: Options, clock: Clock) -> None:
        self._store, self._accounts, self._planner = store, accounts, planner
        self._options, self._clock = options, clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, session: Session, text: str) -> Running:
        """The turn begins at once, behind any other on the same session."""
        running = Running(session)
        running.task = asyncio.create_task(self._run(running, text))
        self._tasks.add(running.task)
        running.task.add_done_callback(self._tasks.discard)
        return running

    def left(self, running: Running) -> None:
        """Its reader is gone."""
        if self._options.cancel_on_disconnect and running.task is not None:
            running.task.cancel()

    async def drain(self) -> None:
        """Until every turn under way has ended."""
        while tasks := tuple(self._tasks):
            await asyncio.gather(*tasks, return_exceptions=True)
            # Not left to their callbacks: waiting for what has ended lets no callback run from Python 3.12 on.
            self._tasks.difference_update(tasks)

    async def cancel(self) -> None:
        """Ends every turn under way, nothing more written or charged."""
        for task in self._tasks:
            task.cancel()
        await self.drain()

    async def _run(self, running: Running, text: str) -> None:
        lock = self._locks.setdefault(running.session.id, asyncio.Lock())
        alive = asyncio.create_task(self._keep_alive(running))
        encoder = Encoder(self._options.dialect, self._clock)
        try:
            async with lock:
                while not self._store.lease(running.session.id, running.holder):
                    await self._clock.sleep(RETRY_S)
                await self._play(running, text, encoder)
        except Exception:
            _log.exception("a turn broke")
            sentence = say(lang_of(running.session.language), "broke")
            for frame in encoder.frames(Fail(sentence)):
                running.put(frame)
        finally:
            alive.cancel()
            if running.hold:
                self._accounts.release(running.hold)
            self._store.release(running.session.id, running.holder)
            running.put(None)

    async def _play(self, running: Running, text: str, encoder: Encoder) -> None:
        turn = self._turn(running.session, text)
        async with contextlib.aclosing(_acts(self._planner, turn)) as acts:
            async for act in acts:
                refused = self._effect(running, act)
                if isinstance(refused or act, Refuse):
                    running.put(refused or act)  # type: ignore[arg-type]  # narrowed above
                    return
                if isinstance(act, Cut):
                    running.put(act)
                await self._let_out(running, act, encoder)
                if isinstance(act, Fail):
                    return

    def _turn(self, session: Session, text: str) -> Turn:
        """The session as it is once this turn's moment has come."""
        number = self._store.begin_turn(session.id)
        fresh = self._store.session(session.id, session.account)
        assert fresh is not None
        assets = tuple(self._store.assets(session.id))
        return Turn(fresh, number, text, assets, self._store.previous(session.id))

    def _effect(self, running: Running, act: Act) -> Refuse | None:
        account, language = running.session.account, lang_of(running.session.language)
        if isinstance(act, Hold):
            running.hold = self._accounts.hold(account, act.amount)
            if running.hold is None:
                return Refuse(2001, say(language, "code_2001"))
        elif isinstance(act, Commit):
            if not self._store.lease(running.session.id, running.holder):
                raise RuntimeError("another process took the session over")
            with self._store.write() as db:
                self._store.save(db, running.session.id, act.draft, assets=act.assets, back=act.back, told=act.told)
                self._accounts.charge(db, account, act.charge, running.hold)
        return None

    async def _let_out(self, running: Running, act: Act, encoder: Encoder) -> None:
        for number, frame in enumerate(encoder.frames(act)):
            if number and isinstance(act, Say) and self._options.pace:
                await self._clock.sleep(PIECE_S * self._options.pace)
            running.put(frame)

    async def _keep_alive(self, running: Running) -> None:
        """Renews what the turn holds; a heartbeat when it has been quiet for long."""
        encoder, step = Encoder(self._options.dialect, self._clock), min(RENEW_S, self._options.heartbeat or RENEW_S)
        while True:
            await self._clock.sleep(step)
            running.quiet_s += step
            if running.hold:
                self._accounts.renew(running.hold)
            self._store.renew(running.session.id, running.holder)
            if self._options.heartbeat is not None and running.quiet_s >= self._options.heartbeat:
                for frame in encoder.frames(Beat()):
                    running.put(frame)


async def _acts(planner: Planner, turn: Turn) -> AsyncGenerator[Act]:
    """A generator in any case, so that it can be closed."""
    async for act in planner.acts(turn):
        yield act
