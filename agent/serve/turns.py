"""Turns that go on whoever listens: a task of its own for each, any number of readers, and an answer for a retry."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.errors import Busy
from agent.events import Delivered, Error, Event, Text
from agent.house import Agent, House
from agent.serve.links import Links
from agent.serve.options import Options
from agent.serve.records import Conversation, Records, Status, Taken, lasting
from agent.serve.vault import Vault
from agent.state import State, UploadedFile
from agent.turn import take
from prompts import Lang, say

__all__ = ["Order", "Running", "Turns"]

log = logging.getLogger("reelchat.turns")
WATCH_S = 1.0
"""Between two looks at the record of a turn that another process takes."""
PRUNE_EVERY = 8
"""Turns of a thread after which its old checkpoints and records are dropped."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a person said, by whichever door."""

    thread: str
    """The conversation as its owner calls it."""
    text: str
    files: tuple[UploadedFile, ...] = ()
    lang: Lang | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Of the turn: the same id is the same turn, however often it comes."""


class Running:
    """One turn and what it has said so far. Readers come and go; it knows nothing of them."""

    def __init__(self, id: str, thread: str) -> None:
        self.id, self.thread = id, thread
        self.replayed = False
        """Whether it was taken before: told again, or looked after because its process died."""
        self.begun = asyncio.get_running_loop().create_future()
        """Done once it is known that the turn is taken; Busy where it is not."""
        self.begun.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, if nobody waits
        self.events: list[Event] = []
        self.status: Status = "running"
        self._news = asyncio.Event()

    def add(self, event: Event) -> None:
        """Hears one more event."""
        self.events.append(event)
        self._wake()

    def end(self, status: Status) -> None:
        """Nothing more will come."""
        self.status = status
        self._wake()

    async def follow(self, after: int = -1, every: float | None = None) -> AsyncIterator[list[tuple[int, Event]]]:
        """Every event behind `after` with its number, as they came; none where nothing came for `every` seconds."""
        at = after + 1
        while True:
            news = self._news
            if fresh := self.events[at:]:
                yield list(enumerate(fresh, at))
                at += len(fresh)
                continue
            if self.status != "running":
                return
            try:
                async with asyncio.timeout(every):
                    await news.wait()
            except TimeoutError:
                yield []

    async def whole(self) -> list[Event]:
        """All events, once the turn has ended."""
        return [event async for fresh in self.follow() for _, event in fresh]

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class Turns:
    """The turns of this process."""

    def __init__(self, house: House, options: Options, links: Links) -> None:
        self._house, self._options, self._links = house, options, links
        self._home = str(house.settings.data.absolute())  # of no interest to anybody elsewhere
        self._live: dict[tuple[str, str], Running] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._watching: set[asyncio.Task[None]] = set()
        self.draining = False
        """Whether no new turn is taken."""
        self.on_begin: list[Callable[[], None]] = []
        self.on_end: list[Callable[[str, Taken, float], Awaitable[None]]] = []
        """Told the user, the turn as it went on record, and the seconds that it took."""
        self._until: float | None = None
        self._hurry = asyncio.Event()

    def agent(self, user: str) -> Agent:
        """An agent for this user."""
        return self._house.agent_for(user, Vault)

    def records(self, user: str) -> Records:
        """What this user's conversations are shown from."""
        return Records(self._house.keep.store, user)

    @property
    def live(self) -> int:
        """Turns that are under way."""
        return len(self._tasks)

    async def take(self, agent: Agent, order: Order) -> Running:
        """The turn of this id: begun, joined while it goes on, or told again. Raises Busy.

        One whose process died is not done a second time: what became of it is looked up.
        """
        key = (agent.user, order.id)
        if (running := self._live.get(key)) is None:
            running = self._live[key] = Running(order.id, order.thread)
            # The task is held here, not by the request: a client that leaves takes nothing along.
            task = self._tasks[key] = asyncio.create_task(self._run(running, agent, order))
            task.add_done_callback(lambda _: self._gone(key, running))
        await asyncio.shield(running.begun)
        return running

    async def find(self, agent: Agent, thread: str, id: str) -> Running | None:
        """A turn of this process, or as it is on record; None where there is none of that id."""
        if running := self._live.get((agent.user, id)):
            return running if running.thread == thread else None
        kept = await self.records(agent.user).turn(agent.thread_id(thread), id)
        if kept is None:
            return None
        kept = await self.checked(kept)
        running = Running(id, thread)
        running.replayed, running.status, running.events = True, kept.status, self._again(kept, agent)
        if running.status == "running":  # in another process
            watch = asyncio.create_task(self._watch(running, agent, kept))
            self._watching.add(watch)
            watch.add_done_callback(self._watching.discard)
        return running

    async def checked(self, taken: Taken) -> Taken:
        """As it is: one that is on record as running, whose thread nobody holds, has lost its process."""
        if taken.status != "running" or any(id == taken.id for _, id in self._live):
            return taken
        try:
            async with self._house.keep.leases.hold(taken.thread_id):
                return replace(taken, status="broken")
        except Busy:
            return taken

    def cancel(self, user: str, thread: str) -> bool:
        """Stops waiting for the turn of a thread. Returns whether there was one here."""
        found = [key for key, running in self._live.items() if key[0] == user and running.thread == thread]
        for key in found:
            if task := self._tasks.get(key):
                task.cancel()
        return bool(found)

    async def forget(self, agent: Agent, thread: str) -> None:
        """Forgets a conversation while nobody writes to it. Raises Busy."""
        thread_id = agent.thread_id(thread)
        async with self._house.keep.leases.hold(thread_id):
            await self.records(agent.user).forget(thread, thread_id)
            await self._house.keep.forget(thread_id)

    async def drain(self) -> None:
        """Lets turns finish for a while, then stops waiting for them: their journals tell what they were at."""
        self.draining = True
        now = asyncio.get_running_loop().time()
        self._until = now + self._options.drain_s if self._until is None else self._until
        if self._tasks:
            ended = asyncio.ensure_future(asyncio.wait(list(self._tasks.values())))
            hurry = asyncio.ensure_future(self._hurry.wait())
            await asyncio.wait((ended, hurry), timeout=max(0.0, self._until - now), return_when="FIRST_COMPLETED")
            for waiting in (ended, hurry):
                waiting.cancel()
        left = [*self._tasks.values(), *self._watching]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def hurry(self) -> None:
        """Ends the wait for turns that go on."""
        self._hurry.set()

    def shown(self, event: Event, agent: Agent) -> Event:
        """An event as it may leave this machine: files by handle and link, no path of ours in any sentence."""
        if isinstance(event, Delivered):
            path = Path(event.path)
            owner = self._house.folder(agent.user).name
            link = self._links.make(owner, path.parent.name, path.name, self._house.clock.now().timestamp())
            return event.model_copy(update={"path": f"{path.parent.name}/{path.name}", "url": link})
        if isinstance(event, Error | Text) and self._home in event.text:
            return event.model_copy(update={"text": event.text.replace(self._home, "…")})
        return event

    async def _run(self, running: Running, agent: Agent, order: Order) -> None:
        status: Status = "broken"
        try:
            try:
                async with self._house.keep.leases.hold(agent.thread_id(order.thread)):
                    status = await self._begun(running, agent, order)
            except Busy:  # with another turn; what is over is told all the same
                kept = await self.records(agent.user).turn(agent.thread_id(order.thread), order.id)
                if running.begun.done() or kept is None or kept.status != "done":
                    raise
                status = self._replay(running, kept, agent)
        except Exception as error:
            if running.begun.done():
                log.exception("turn %s broke", order.id)
            else:
                running.begun.set_exception(error)
        finally:
            running.end(status)  # Once the thread is free: whoever answers at once must not find it busy.

    async def _begun(self, running: Running, agent: Agent, order: Order) -> Status:
        """The turn of a thread that is held: told again where it is done, else on record before anything it does."""
        records, thread_id = self.records(agent.user), agent.thread_id(order.thread)
        kept, known = await asyncio.gather(records.turn(thread_id, order.id), records.conversation(order.thread))
        if kept and kept.status == "done":
            return self._replay(running, kept, agent)
        running.replayed = kept is not None
        at, vault = self._house.clock.now().isoformat(), agent.tools.desk
        assert isinstance(vault, Vault)
        files = [{"id": one.id, "name": one.name} for name in order.files if (one := vault.find(name))]
        taken = kept or Taken(order.id, thread_id, order.text, at, files=files)
        conversation = Conversation(order.thread, known and known.title or order.text, at, agent.skill.name)
        folder = None if known else self._house.folder(agent.user).name
        await records.open(conversation, folder, taken)
        running.begun.set_result(None)
        status = await self._hear(running, agent, order, taken, again=kept is not None)
        if known and int(taken.id[:8], 16) % PRUNE_EVERY == 0:
            await records.trim(thread_id, self._options.keep_turns)
            await self._house.keep.prune(thread_id)
        return status

    async def _hear(self, running: Running, agent: Agent, order: Order, taken: Taken, *, again: bool) -> Status:
        given = State(utterance=order.text, files=list(order.files), out=None, wanted_lang=order.lang)
        if again:  # Its process died: this one only looks what is there.
            given = State(utterance="", files=[], out=None, wanted_lang=order.lang)
        spent, began = agent.tools.purse.spent, asyncio.get_running_loop().time()
        status: Status = "broken"
        for tell in self.on_begin:
            tell()
        try:
            # A second look is a turn of its own: under the old id it would be taken for a run of the engine's.
            async for event in take(agent, order.thread, given, id=uuid.uuid4().hex if again else order.id):
                running.add(self.shown(event, agent))
            status = "done"
            return status
        except asyncio.CancelledError:
            running.add(Text(id=uuid.uuid4().hex, text=say(order.lang or agent.settings.lang, "serve.stopped")))
            raise
        finally:
            cost = round(agent.tools.purse.spent - spent, 6)
            end = replace(taken, status=status, events=lasting(running.events), cost=cost)
            seconds = asyncio.get_running_loop().time() - began
            writing = asyncio.ensure_future(self._end(agent, end, seconds))
            await asyncio.shield(writing)

    async def _end(self, agent: Agent, taken: Taken, seconds: float) -> None:
        records = self.records(agent.user)
        await asyncio.gather(records.put(taken), *(tell(agent.user, taken, seconds) for tell in self.on_end))

    def _replay(self, running: Running, kept: Taken, agent: Agent) -> Status:
        running.replayed, running.events = True, self._again(kept, agent)
        running.begun.set_result(None)
        return kept.status

    def _again(self, kept: Taken, agent: Agent) -> list[Event]:
        """What was said, as it may be said now: links on record may be too old."""
        return [self.shown(event, agent) for event in kept.said]

    async def _watch(self, running: Running, agent: Agent, kept: Taken) -> None:
        """Looks after a turn of another process until it is on record how it ended."""
        while kept.status == "running":
            await self._house.clock.sleep(WATCH_S)
            found = await self.records(agent.user).turn(kept.thread_id, kept.id)
            kept = await self.checked(found) if found else replace(kept, status="broken")
        for event in self._again(kept, agent):
            running.add(event)
        running.end(kept.status)

    def _gone(self, key: tuple[str, str], running: Running) -> None:
        if not running.begun.done():  # It was stopped before its first step.
            running.begun.set_exception(Busy("stopped"))
        self._live.pop(key, None)
        self._tasks.pop(key, None)
