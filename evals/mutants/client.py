"""Mutants of the room that talks HTTP: what is sent, what is sent again, and what is believed of an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
from pydantic import SecretStr

from agent.backend import Backend, Credentials, transfer, wire
from agent.backend.attribution import Attribution
from agent.backend.calls import RULES, Rule, persist
from agent.backend.lines import Lines, Payload
from agent.backend.screen import Screen
from agent.backend.stream import Ended, Reconstruction, Said, StreamEvent
from agent.clock import Clock
from agent.errors import BadAnswer, RateLimited, StreamLost, Unreachable
from evals.mutants.mutant import Break, mutant, put, together

__all__: list[str] = []

ROOM = "agent/backend"


@mutant(ROOM, "cut")
def send_again_after_a_cut() -> Break:
    """A lost stream is sent a second time."""
    real = Backend.send

    async def send(self: Backend, session_id: str, text: str) -> AsyncGenerator[StreamEvent, None]:
        try:
            async for event in real(self, session_id, text):
                yield event
        except StreamLost:
            async for event in real(self, session_id, text):
                yield event

    return put(Backend, "send", send)


@mutant(ROOM, "refuse", "status", "html")
def send_again_after_a_5xx() -> Break:
    """A send that was answered by a broken server is made again, as a read would be."""
    real = Backend.send

    async def send(self: Backend, session_id: str, text: str) -> AsyncGenerator[StreamEvent, None]:
        try:
            async for event in real(self, session_id, text):
                yield event
        except BadAnswer:
            async for event in real(self, session_id, text):
                yield event

    return put(Backend, "send", send)


@mutant(ROOM, "sse")
def attribution_dropped() -> Break:
    """Requests go out without X-Skill-Version."""
    real = Attribution.headers
    return put(Attribution, "headers", lambda self: {k: v for k, v in real(self).items() if k != "X-Skill-Version"})


@mutant(ROOM, "1001", "token")
def rejected_token_not_renewed() -> Break:
    """A 1001 is taken for the last word."""

    async def once(self: Backend, attempt: Callable[[SecretStr], Awaitable[Any]]) -> Any:
        return await attempt(await self._token())

    return put(Backend, "_with_token", once)


@mutant(ROOM, "nemo_token", "1001", "supplied")
def supplied_token_swapped() -> Break:
    """A person's own token that is rejected gives way to an anonymous one."""
    real = Credentials.token

    async def token(self: Credentials, issue: Any, clock: Clock, *, rejected: SecretStr | None = None) -> SecretStr:
        if rejected is not None:
            self._supplied = None
        return await real(self, issue, clock, rejected=rejected)

    return put(Credentials, "token", token)


@mutant(ROOM, "400", "client")
def client_id_never_made_anew() -> Break:
    """A client id that the backend does not take is the end."""

    async def issue(self: Backend, client_id: str) -> wire.Issued:
        return await self._anonymous(client_id)

    return put(Backend, "_issue", issue)


@mutant(ROOM, "429")
def limit_hammered() -> Break:
    """A 429 is asked again at once, up to twenty times."""

    async def hammer(rule: Rule, call: Callable[[], Awaitable[Any]], clock: Clock) -> Any:
        async def again() -> Any:
            for _ in range(20):
                with suppress(RateLimited):
                    return await call()
            return await call()

        return await persist(rule, again, clock)

    return put("agent.backend.client", "persist", hammer)


@mutant(ROOM, "injection", "token", "money")
def tokens_not_hidden() -> Break:
    """What the backend repeats of our token is shown as it came."""
    return together(put(Credentials, "hide", lambda self, text: text), put(Credentials, "tail", lambda self, text: 0))


@mutant(ROOM, "apologise")
def apology_forwarded() -> Break:
    """The apology after a good answer is shown."""
    return put(Screen, "_follows", lambda self, before: False)


@mutant(ROOM, "partial", "say")
def aggregate_doubled() -> Break:
    """The event that confirms the pieces is shown beside them."""
    return put("agent.backend.stream", "_final", lambda shown, text: Said(shown.segment, text, final=True))


@mutant(ROOM, "end")
def end_taken_for_success() -> Break:
    """A stream that just ends counts as one that was finished."""
    real = Reconstruction.close

    def close(self: Reconstruction) -> list[StreamEvent]:
        return [Ended(complete=True) if isinstance(event, Ended) else event for event in real(self)]

    return put(Reconstruction, "close", close)


@mutant(ROOM, "chinese", "zh", seeds=5)
def pieces_decoded_alone() -> Break:
    """Each piece of a stream is decoded by itself, whatever character it was cut in."""
    real = Lines.feed

    def feed(self: Lines, piece: bytes) -> list[Payload]:
        return real(self, piece.decode("utf-8", "replace").encode())

    return put(Lines, "feed", feed)


@mutant(ROOM, "export", "draft")
def unknown_draft_keys_lost() -> Break:
    """An export sends only what we understand of the draft."""
    real = Backend.submit_render
    known = {"t", "tt", "sg", "s", "d", "m", "name", "text"}

    def stripped(value: Any) -> Any:
        if isinstance(value, list):
            return [stripped(one) for one in value]
        return {k: stripped(v) for k, v in value.items() if k in known} if isinstance(value, dict) else value

    async def submit(self: Backend, id: str, session_id: str, draft: Any, output: dict[str, Any]) -> Any:
        known_of_it = stripped(json.loads(draft) if isinstance(draft, str) else draft)
        return await real(self, id, session_id, known_of_it, output)

    return put(Backend, "submit_render", submit)


@mutant(ROOM, "download", "truncated", "cut")
def half_a_file_accepted() -> Break:
    """A download that broke off is delivered as far as it came."""
    real = transfer._fetch

    async def fetch(job: transfer._Fetching) -> None:
        try:
            await real(job)
        except (transfer._Broken, httpx.HTTPError, httpx.StreamError):
            if not job.part.path.exists():
                job.part.begin(0, None)

    return put(transfer, "_fetch", fetch)


@mutant(ROOM, "poll", "502", "html")
def one_502_kills_an_export() -> Break:
    """A look at a render job that meets a proxy's page ends the export."""
    return together(
        put("agent.rendering", "NO_LOOK", ()), put("agent.backend.client", "RULES", RULES | {"poll": Rule()})
    )


@mutant(ROOM, "disconnect", "others", "cut")
def second_loss_hangs() -> Break:
    """A look that gets no answer is waited for without end."""
    real = Backend.snapshot

    async def snapshot(self: Backend, session_id: str) -> wire.Snapshot:
        try:
            return await real(self, session_id)
        except (Unreachable, BadAnswer):
            await asyncio.Event().wait()
            raise

    return put(Backend, "snapshot", snapshot)


@mutant(ROOM, "hang", "heartbeat")
def silence_never_given_up() -> Break:
    """A stream without a word is listened to for a day."""
    return together(
        put("agent.backend.sending", "SILENT_LIMIT", 86_400.0), put("agent.backend.sending", "TOTAL_LIMIT", 86_400.0)
    )


@mutant(ROOM, "thought")
def thoughts_shown() -> Break:
    """What the backend marks as a thought is shown."""

    def all_of_it(event: dict[str, Any]) -> str:
        content = event.get("content")
        parts = content.get("parts") if isinstance(content, dict) else [{"text": content}]
        return "".join(str(part["text"]) for part in parts or [] if isinstance(part, dict) and part.get("text"))

    return put("agent.backend.stream", "visible", all_of_it)
