"""Dialogues in real time: on a real studio process, or against a server somebody runs.

Scripts are ignored, for no real server follows one. What a dialogue tagged `studio` expects must hold in full; of any
other, only what does not depend on its script and its world: the route, the headers, the language and every invariant.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, chdir
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import httpx

from agent.errors import BackendError
from agent.state import LocalPath
from agent.turn import Agent, drawn, turn
from evals.expecting import expected, reckoned
from evals.format import Dialogue, Expect, Reply, Turn
from evals.invariants import invariants
from evals.lives import Tap
from evals.play import Heard
from evals.props import lay
from evals.reading import SEND, SUBMIT
from evals.stage import FAST, agent_on, studio
from evals.trace import Exchange, Finding, Ledger, Shown, Trace, TurnTrace
from evals.wire import Bindings
from router import decide

__all__ = ["costs", "on_server", "on_studio", "perform"]

UPLOAD = "/api/upload-video/"
HANDED_ON = ("NEMO_TOKEN", "NEMO_CLIENT_ID", "SKILL_SOURCE")
"""What of our own environment a run against a server may use."""


def on_studio(dialogue: Dialogue, folder: Path) -> Trace:
    """On a studio process of its own, with small pictures."""

    async def run() -> Trace:
        async with studio(folder / "studio", *FAST) as url:
            return await _through(dialogue, url, folder, {}, spend=True)

    return asyncio.run(run())


def on_server(dialogue: Dialogue, url: str, folder: Path, *, spend: bool) -> Trace:
    """Against the server at `url`; without `spend`, turns that may cost something are skipped.

    Dialogues that share a `folder` share a token: a server gives a client one a week.
    """
    environ = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    return asyncio.run(_through(dialogue, url, folder, environ, spend=spend))


async def perform(dialogue: Dialogue, agent: Agent, folder: Path, *, spend: bool = True) -> Trace:
    """Every turn in one thread. `folder` has the dialogue's files."""
    run = _Live(dialogue, agent, folder, spend)
    return await run.play()


def costs(scripted: Turn) -> bool:
    """Whether a turn may be charged: by what it is expected to do, else by what the router makes of it."""
    routes = scripted.expect.routes or [[one.route for one in decide(text)] for text in scripted.user.text]
    return any("sse" in steps for steps in routes)


async def _through(dialogue: Dialogue, url: str, folder: Path, environ: Mapping[str, str], *, spend: bool) -> Trace:
    here = folder / "here" / dialogue.dialogue
    here.mkdir(parents=True)
    for name, made in dialogue.world.files.items():
        lay(here, name, made)
    lang = dialogue.lang
    async with agent_on(url, folder / "home", skill=dialogue.skill, lang=lang, environ=environ) as agent:
        with chdir(here):
            return await perform(dialogue, agent, here, spend=spend)


@dataclass
class _Live:
    """One dialogue in real time."""

    dialogue: Dialogue
    agent: Agent
    folder: Path
    spend: bool
    heard: Heard = field(default_factory=Heard)
    asked: list[Exchange] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    async def play(self) -> Trace:
        trace = Trace(self.dialogue.dialogue, self._tags(), 0)
        agent = replace(self.agent, graph=cast(Any, Tap(self.agent.graph, lambda *told: self.heard.hear(*told))))
        before, bound, skipped = await self._credits(), Bindings(), False
        _listen(self.agent.tools.http, self.asked, self._now)
        for number, scripted in enumerate(self.dialogue.turns, 1):
            if not (scripted.user.text or scripted.user.files) or (costs(scripted) and not self.spend):
                skipped = True
                continue
            trace.turns.append(await self._turn(agent, number, scripted))
            expect = scripted.expect if self._whole and not skipped else _unscripted(scripted.expect)
            trace.findings += expected(trace.turns[-1], expect, bound)
        trace.ledger = self._ledger(before, await self._credits())
        whole = self._whole and not skipped
        if whole:
            trace.findings += reckoned(self.dialogue, trace)
        trace.findings += [one for one in invariants(trace, self.dialogue) if whole or not _of_the_world(one)]
        trace.lasted = trace.took = self._now()
        return trace

    @property
    def _whole(self) -> bool:
        return "studio" in self.dialogue.tags

    def _tags(self) -> tuple[str, ...]:
        return (*self.dialogue.tags, "live")

    async def _turn(self, agent: Agent, number: int, scripted: Turn) -> TurnTrace:
        said, lang = scripted.user, scripted.lang or self.dialogue.lang
        text = said.text[0] if said.text else ""
        trace = TurnTrace(number, text or "(a file)", lang, self._now(), wanted=scripted.expect.routes)
        self.heard, first, trace.before = Heard(), len(self.asked), await self._draft()
        files = [LocalPath(str(self.folder / name)) for name in said.files]
        told: Any = turn(agent, self.dialogue.dialogue, text, files, lang=None if text else lang)
        async with aclosing(told) as events:
            async for event in events:
                trace.shown.append(Shown(self._now(), event))
        trace.ended, trace.draft = self._now(), await self._draft()
        trace.routes, trace.sources, trace.actions = self.heard.routes, self.heard.sources, self.heard.actions
        trace.exchanges, trace.overhead = self.asked[first:], trace.ended - trace.begun
        return trace

    def _now(self) -> float:
        return time.monotonic() - self.began

    async def _draft(self) -> Any:
        """As the agent last saw it."""
        draft = await drawn(self.agent, self.dialogue.dialogue)
        return draft.raw if draft else None

    async def _credits(self) -> float:
        try:
            backend = await self.agent.tools.backend(str(self.agent.skill.path))
            return (await backend.credits()).available or 0.0
        except BackendError:
            return 0.0

    def _ledger(self, before: float, after: float) -> Ledger:
        """What went out, and what the balance lost: a server shows us no other books."""
        done = [one for one in self.asked if one.method == "POST" and one.status == 200]
        return Ledger(
            sends=sum(one.path == SEND for one in done),
            renders=sum(one.path == SUBMIT for one in done),
            uploads=sum(_files(one.body) for one in done if one.path.startswith(UPLOAD)),
            charged=before - after,
        )


def _of_the_world(finding: Finding) -> bool:
    """An error that the server or a turn left out is the reason for: all but a fault of our own."""
    told = finding.problem
    return finding.check == "unhandled_error" and told.startswith("error ") and not told.startswith("error internal")


def _unscripted(expect: Expect) -> Expect:
    """What does not depend on how the backend behaves."""
    reply = Reply(lang=expect.reply.lang) if expect.reply else None
    return Expect(route=expect.route, any_route=expect.any_route, headers=expect.headers, reply=reply)


def _files(body: Any) -> int:
    return len(body if isinstance(body, Sequence) else body.get("urls", ())) if body else 0


def _listen(http: httpx.AsyncClient, asked: list[Exchange], now: Callable[[], float]) -> None:
    """Has every request of `http` written down in `asked`; its answer's status too, once that is known."""
    places: dict[int, int] = {}

    async def request(sent: httpx.Request) -> None:
        places[id(sent)] = len(asked)
        headers = {name.lower(): value for name, value in sent.headers.items()}
        asked.append(Exchange(now(), sent.method, sent.url.path, headers, _body(sent), None, ended=now()))

    async def response(got: httpx.Response) -> None:
        if (place := places.get(id(got.request))) is not None:
            wait = got.headers.get("retry-after", "")
            told = float(wait) if wait.isdecimal() else None
            asked[place] = replace(asked[place], status=got.status_code, ended=now(), retry_after=told)

    http.event_hooks = {"request": [request], "response": [response]}


def _body(sent: httpx.Request) -> Any:
    """The JSON, the names of a form's files, or None."""
    if (fields := getattr(sent.stream, "fields", None)) is not None:
        return [f"<{field.filename}>" for field in fields]
    try:
        return json.loads(sent.content)
    except (ValueError, httpx.RequestNotRead):
        return None
