"""Plays a dialogue: the real agent, the backend's protocol with a script for a planner, and hours in no time."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import traceback
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from agent.events import Event, Text
from agent.state import LocalPath
from agent.translator import Phrase, actions
from agent.turn import collect, turn
from evals.books import Ground, exchange, ledger
from evals.clock import run
from evals.expecting import expected, reckoned
from evals.format import Dialogue, Said, Turn
from evals.invariants import invariants
from evals.props import lay
from evals.script import Scripted
from evals.staging import Staged, staged
from evals.trace import Finding, Shown, Trace, TurnTrace
from evals.wire import Bindings
from prompts import Lang, say

__all__ = ["Heard", "play"]

STOP_AFTER, WAIT = 1.0, 600.0
"""Seconds until a key is pressed, and for which a person waits, where a dialogue does not say."""
LOOK = {"en": "status", "zh": "状态"}


def play(dialogue: Dialogue, seed: int, folder: Path) -> Trace:
    """One run, with its findings. `folder` is empty; the stage keeps its files there."""
    trace = Trace(dialogue.dialogue, tuple(dialogue.tags), seed)
    trace.wanted_ledger = {key: float(value) for key, value in dialogue.ledger if value is not None}
    begun = time.perf_counter()
    here = folder / "here"
    here.mkdir(parents=True)
    for name, made in dialogue.world.files.items():
        lay(here, name, made)
    try:
        with contextlib.chdir(here):
            run(_Run(dialogue, seed, folder, trace).play())
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {error} in {last.name}:{last.lineno}"
        trace.findings.append(Finding("crash", len(trace.turns), what))
    trace.took = time.perf_counter() - begun
    return trace


@dataclass
class Heard:
    """What the graph's nodes returned in a turn."""

    routes: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)

    def hear(self, node: str, update: dict[str, Any]) -> None:
        """The decisions of `route`, the phrases of a send."""
        if node == "route":
            self.routes += [decision["route"] for decision in update.get("decisions", [])]
            self.sources += [decision["source"] for decision in update.get("decisions", [])]
        elif node == "sse" and update.get("phrases"):
            heard = [Phrase(kind=one["kind"], words=one["words"]) for one in update["phrases"]]
            self.actions += [action.kind for action in actions(heard)]


class _Run:
    """One dialogue, one seed."""

    stage: Staged

    def __init__(self, dialogue: Dialogue, seed: int, folder: Path, trace: Trace) -> None:
        self.dialogue, self.seed, self.folder, self.trace = dialogue, seed, folder, trace
        self.wording = random.Random(f"{dialogue.dialogue}:{seed}")
        self.cuts = random.Random(f"{dialogue.dialogue}:{seed}:pieces")
        self.heard, self.bindings = Heard(), Bindings()
        self.began = 0.0
        self.died: asyncio.Event | None = None
        self.stopped = False

    async def play(self) -> None:
        """All turns, then what the books say."""
        async with staged(self.dialogue, self.seed, self.folder, lambda *said: self.heard.hear(*said)) as self.stage:
            self.stage.front.die = self._die
            await self._before()
            self.began = self.stage.behind.clock.monotonic()
            ground = Ground.of(self.stage.behind.store, self.stage.book)
            for scripted, following in zip(self.dialogue.turns, [*self.dialogue.turns[1:], None], strict=True):
                await self._turn(scripted, following)
            self.trace.lasted = self._now()
            self.trace.ledger = ledger(self.stage.behind.store, self.stage.book, ground)
            self.trace.logs = self.stage.written()
        self.trace.findings += [*reckoned(self.dialogue, self.trace), *invariants(self.trace, self.dialogue)]

    async def _before(self) -> None:
        """A conversation that there is already: it was begun, its draft was seen, and time went by."""
        world = self.dialogue.world
        if world.draft is None and world.token_age is None and world.idle is None:
            return
        await self._speak(LOOK[self.dialogue.lang])
        if world.draft is not None:
            self.stage.lay(world.draft)
            await self._speak(LOOK[self.dialogue.lang])
        await self.stage.behind.clock.sleep(max(world.token_age or 0.0, world.idle or 0.0))
        if world.idle is not None:
            await self.stage.lives.close()
            self.stage.lives.open()

    async def _turn(self, scripted: Turn, following: Turn | None) -> None:
        """One turn, from the moment before it to its findings."""
        await self.stage.behind.clock.sleep(scripted.after or 0.0)
        trace = self._opened(scripted)
        first, real = len(self.stage.behind.wire.records), time.perf_counter()
        await self._act(trace, scripted.user, following.user if following else None)
        trace.overhead = time.perf_counter() - real
        trace.ended, trace.draft = self._now(), self.stage.draft()
        trace.routes, trace.sources, trace.actions = self.heard.routes, self.heard.sources, self.heard.actions
        trace.exchanges = [exchange(record, self.began) for record in self.stage.behind.wire.records[first:]]
        self.trace.findings += expected(trace, scripted.expect, self.bindings)
        # A script that nobody met tests nothing.
        unmet = [f"the script for {each.when} was never met: no such request came" for each in self.stage.book.pending]
        self.trace.findings += [Finding("wire", trace.number, problem) for problem in unmet]

    def _opened(self, scripted: Turn) -> TurnTrace:
        """The turn's page, the backend and the wire as the turn has them."""
        said = scripted.user
        text = self.wording.choice(said.text) if said.text else f"({said.key or ', '.join(said.files)})"
        lang = scripted.lang or self.dialogue.lang
        number = len(self.trace.turns) + 1
        trace = TurnTrace(number, text, lang, self._now(), wanted=scripted.expect.routes, before=self.stage.draft())
        self.trace.turns.append(trace)
        book = self.stage.book
        book.pending = [Scripted(each.when, tuple(each.do)) for each in scripted.backend]
        book.acts, book.heard = trace.acts, trace.heard
        self.heard = Heard()
        if self.seed:
            self.stage.pace(self.cuts)
        return trace

    async def _act(self, trace: TurnTrace, said: Said, following: Said | None) -> None:
        """What the person does; a key that follows alone is pressed in this turn already."""
        if said.text or said.files:
            key = said if said.key else following if following and not (following.text or following.files) else None
            limit = (key.after or STOP_AFTER) if key and key.key == "ctrl-c" else None
            files = [LocalPath(str(self.folder / "here" / name)) for name in said.files]
            self.stopped = await self._until(self._speak(trace.said if said.text else "", files, trace), limit)
            if self.stopped:
                trace.acts.append("ctrl-c")
            if self.stopped and key is said:
                self._stop_words(trace)
        elif said.key == "wait":
            clock = self.stage.behind.clock
            until = clock.monotonic() + (said.after or WAIT)
            await self._until(self._collect(trace), said.after or WAIT)
            await clock.sleep(until - clock.monotonic())
        elif self.stopped:
            self._stop_words(trace)
        else:
            self.trace.findings.append(Finding("wire", trace.number, "the key came too late: the turn was over"))

    async def _until(self, work: Coroutine[Any, Any, None], limit: float | None) -> bool:
        """Something the agent does, until it ends, the process is killed, or, True, the person has enough."""
        self.died = asyncio.Event()
        task, death = asyncio.create_task(work), asyncio.create_task(self.died.wait())
        await asyncio.wait([task, death], timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        stopped = not task.done() and not self.died.is_set()
        task.cancel()
        death.cancel()
        await asyncio.gather(task, death, return_exceptions=True)
        if self.died.is_set():
            self.stage.lives.reopen()
        self.died = None
        if not task.cancelled():
            task.result()
        return stopped

    async def _speak(self, text: str, files: Any = (), trace: TurnTrace | None = None) -> None:
        """A turn of the agent. Without words it follows the turn's language, as front ends hold it to one."""
        lang = None if text or trace is None else trace.lang
        said = turn(self.stage.lives.agent, self.dialogue.dialogue, text, tuple(files), lang=cast(Lang | None, lang))
        async with aclosing(said) as events:  # type: ignore[type-var]  # a generator
            async for event in events:
                self._show(trace, event)

    async def _collect(self, trace: TurnTrace) -> None:
        """The person leaves the program open: renders are seen through."""
        async for event in collect(self.stage.lives.agent):
            self._show(trace, event)

    def _stop_words(self, trace: TurnTrace) -> None:
        """What the front end says when the person has stopped a turn."""
        self._show(trace, Text(id="stopped", text=say(cast(Lang, trace.lang), "repl.interrupted")))

    def _show(self, trace: TurnTrace | None, event: Event) -> None:
        if trace is not None and not (self.died and self.died.is_set()):
            trace.shown.append(Shown(self._now(), event))

    def _die(self) -> None:
        """The process is killed in this very moment."""
        if self.died and not self.died.is_set():
            self.died.set()
            self.stage.lives.cut()

    def _now(self) -> float:
        return self.stage.behind.clock.monotonic() - self.began
