"""A turn's script: which acts answer which request, and the planner that plays those of the chat."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from evals.acts import EFFECTS, OPENING, Act
from evals.redraft import complete, redraft
from studio.clock import Clock
from studio.options import Dialect
from studio.store import Store
from studio.stream import Act as Done
from studio.stream import Beat, Call, Commit, Encoder, Fail, Hold, Planner, Raw, Refuse, Returned, Say
from studio.stream import Turn as Message

__all__ = ["APOLOGY", "CONTROL", "PAGE", "Actor", "Book", "Scripted", "matches", "opens"]

APOLOGY = "I encountered a temporary issue. Please try again."
PAGE = b"<!DOCTYPE html><html><head><title>502</title></head><body><h1>502 Bad Gateway</h1>nginx</body></html>"
CONTROL = b"\0"
"""What a word to the wire begins with: it stands where the act happens, between the bytes before and after it."""
GARBLED = b'data: {"content":{"parts":[{"te\xff\xfe"]}\n\n'
HALF = b'data: {"content":{"parts":[{"text":"And th'


@dataclass(slots=True)
class Scripted:
    """One `when` with its acts."""

    when: str
    do: Sequence[Act]


@dataclass(slots=True)
class Book:
    """What is still to happen, and what has."""

    clock: Clock
    store: Store
    pending: list[Scripted] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    """Names of those that happened."""
    heard: list[str] = field(default_factory=list)
    """What was said in the chat, whoever said it."""
    sends: int = 0
    """Messages that were begun."""
    charged: float = 0.0

    def peek(self, method: str, path: str) -> Sequence[Act] | None:
        """The acts that a request meets; None where it meets none."""
        found = self._find(method, path)
        return found.do if found else None

    def take(self, method: str, path: str) -> Sequence[Act] | None:
        """The same, and they are used up."""
        if found := self._find(method, path):
            self.pending.remove(found)
        return found.do if found else None

    def change(self, act: Act, session: str) -> None:
        """An edit or a charge beside the chat, of that session, or where there is none so called of the last one."""
        asked = "SELECT id, account FROM sessions ORDER BY id = ? DESC, n DESC LIMIT 1"
        row = self.store.db.execute(asked, (session,)).fetchone()
        found = self.store.session(row["id"], row["account"]) if row else None
        if found is None:
            return
        session = found.id
        with self.store.write() as db:
            if act.name == "edit":
                draft = self.store.previous(session) if act.value.undo else redraft(found.draft, act.value)
                self.store.save(db, session, draft, back=act.value.undo)
            else:
                amount = (act.value, found.account)
                db.execute("UPDATE accounts SET credits = max(0, credits - ?) WHERE id = ?", amount)
                self.charged += act.value

    def _find(self, method: str, path: str) -> Scripted | None:
        return next((each for each in self.pending if matches(each.when, method, path)), None)


def matches(when: str, method: str, path: str) -> bool:
    """Whether a request is meant by `METHOD /glob`."""
    wanted, _, glob = when.partition(" ")
    return wanted in ("*", method) and fnmatchcase(path, glob)


def opens(acts: Sequence[Act]) -> str | None:
    """The act that answers instead of the chat; None where the chat begins."""
    first = next((act.name for act in acts if act.name not in EFFECTS), None)
    return first if first in OPENING else None


class Actor:
    """A planner: the script where there is one for a message, the backend's ordinary behaviour elsewhere."""

    def __init__(self, book: Callable[[], Book], ordinary: Planner, dialect: Dialect) -> None:
        self._book, self._ordinary, self._dialect = book, ordinary, dialect

    async def acts(self, turn: Message) -> AsyncIterator[Done]:
        """See Planner."""
        book = self._book()
        book.sends += 1
        scripted = book.take("POST", "/run_sse")
        played = self._usual(book, turn) if scripted is None else self._script(book, turn, scripted)
        async with aclosing(played) as done:  # type: ignore[type-var]  # generators, both
            async for act in done:
                if isinstance(act, Commit):
                    book.charged += act.charge
                yield act

    async def _usual(self, book: Book, turn: Message) -> AsyncIterator[Done]:
        """Credits run out here as they do in the cloud."""
        session = replace(turn.session, draft=complete(turn.session.draft))
        before = complete(turn.previous) if turn.previous else None
        async for act in self._ordinary.acts(replace(turn, session=session, previous=before)):
            if isinstance(act, Hold) and _available(book, turn) < act.amount:
                yield Refuse(2001, "not enough credits")
                return
            if isinstance(act, Say):
                book.heard.append(act.text)
            yield act

    async def _script(self, book: Book, turn: Message, acts: Sequence[Act]) -> AsyncIterator[Done]:
        made = _Frames(self._dialect, book.clock)
        draft, before = turn.session.draft, turn.previous
        last: list[Raw] = []
        for number, act in enumerate(acts):
            book.acts.append(str(act))
            following = acts[number + 1].name if number + 1 < len(acts) else ""
            if act.name == "wait":
                await book.clock.sleep(act.value)
            elif act.name == "edit":
                back = act.value.undo
                before, draft = draft, (before or draft) if back else redraft(draft, act.value)
                yield Commit(draft, back=back)
            elif act.name == "charge":
                yield Commit(charge=act.value)
            elif act.name == "heartbeat":
                for _ in range(max(1, round(act.value.for_ / act.value.every))):
                    await book.clock.sleep(act.value.every if act.value.for_ else 0)
                    yield Beat()
            elif act.name == "twice":
                for frame in last[-1:]:
                    yield frame
            else:
                book.heard.append(said(act))
                frames = list(made.of(act, short=following == "end"))
                last = [frame for frame in frames if not frame.data.startswith(CONTROL)] or last
                for frame in frames:
                    yield frame


def said(act: Act) -> str:
    """The words of an act that a person was meant to read."""
    if act.name == "partial":
        return "".join(act.value)
    if act.name == "apologise":
        return act.value or APOLOGY
    return str(act.value) if act.name == "say" else ""


class _Frames:
    """Acts of a script as bytes, in the dialect of the stream."""

    def __init__(self, dialect: Dialect, clock: Clock) -> None:
        self._flat = dialect == "flat"
        self._encoder = Encoder(dialect, clock)
        self._calls = 0
        self._confirmed = True

    def of(self, act: Act, *, short: bool = False) -> Iterator[Raw]:
        """`short`: the stream ends before the act has."""
        if act.name in ("say", "apologise"):
            frames = list(self._encoder.frames(Say(said(act))))
            self._confirmed = not short or self._flat
            yield from map(Raw, frames[:-1] if short and not self._flat else frames)
        elif act.name == "partial":
            yield from self._partial(act.value, short)
        elif act.name == "thought":
            yield self._marked(act.value, thought=True)
        elif act.name == "tool":
            self._calls += 1
            pair = (
                Call(act.value, {}, f"fc-{self._calls}"),
                Returned(act.value, {"status": "ok"}, f"fc-{self._calls}"),
            )
            yield from (Raw(frame) for one in pair for frame in self._encoder.frames(one))
        else:
            yield from self._break(act)

    def _partial(self, pieces: Sequence[str], short: bool) -> Iterator[Raw]:
        if self._flat:
            yield from (Raw(f) for piece in pieces for f in self._encoder.frames(Say(piece, pieces=False)))
            return
        yield from (self._marked(piece, partial=True) for piece in pieces)
        self._confirmed = not short
        if not short:
            yield from map(Raw, self._encoder.frames(Say("".join(pieces), pieces=False)))

    def _marked(self, text: str, *, partial: bool = False, thought: bool = False) -> Raw:
        """One event with a mark that the encoder does not make; the flat dialect knows no thoughts."""
        if self._flat:
            return Raw(b"data:\n\n")
        frame = next(self._encoder.frames(Say(text, pieces=False)))
        event = json.loads(frame.removeprefix(b"data: "))
        del event["finishReason"]
        if partial:
            event["partial"] = True
        if thought:
            event["content"]["parts"][0]["thought"] = True
        return Raw(b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n")

    def _break(self, act: Act) -> Iterator[Raw]:
        """What is no ordinary event."""
        if act.name == "code":
            told = {"error": act.value.message or f"code {act.value.code}", "code": act.value.code}
            yield Raw(b"data: " + json.dumps(told).encode() + b"\n\n")
        elif act.name == "fail":
            yield from map(Raw, self._encoder.frames(Fail(act.value)))
        elif act.name == "html":
            yield Raw(PAGE)
        elif act.name == "garble":
            yield Raw(GARBLED)
        elif act.name == "end":
            if self._confirmed:
                yield Raw(HALF)
            yield Raw(CONTROL + b"end")
        else:  # cut, hang, kill
            yield Raw(CONTROL + act.name.encode())


def _available(book: Book, turn: Message) -> int:
    row = book.store.db.execute("SELECT credits FROM accounts WHERE id = ?", (turn.session.account,)).fetchone()
    held = book.store.db.execute(
        "SELECT coalesce(sum(amount), 0) AS held FROM holds WHERE account = ? AND until > ?",
        (turn.session.account, book.store.moment()),
    ).fetchone()
    return max(0, int(row["credits"]) - int(held["held"]))
