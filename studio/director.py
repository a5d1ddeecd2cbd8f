"""A message from words to acts: the planner's edits done one by one, and said as a backend with a screen would."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from studio import timeline, tracks
from studio.edits import Asset, Brief, Edit, Generate, Music, Place, Title, Undo
from studio.options import Options
from studio.planner import MOST, Plan, cost, plan
from studio.reports import report
from studio.scene import Scene
from studio.sounds import name_of
from studio.stream import Act, Call, Commit, Hold, Returned, Say, Turn
from studio.tracks import Cannot, Draft
from studio.words import Lang, lang_of, listing, say
from studio.workers import WorkerFailed

__all__ = ["Director", "Drawer"]

PICTURE_MS, SERIES_MS = 10_000, 5_000
TITLE_MS = 3_000
RAW = 2  # of a brief's price, for the first of its two stages


class Drawer(Protocol):
    """Makes pictures and looks into files, outside this process."""

    async def draw(self, prompt: str, seed: int, width: int, height: int, out: Path) -> dict[str, Any]:
        """Writes a PNG to `out`. Raises WorkerFailed."""

    async def probe(self, path: Path, name: str) -> dict[str, Any]:
        """What a file holds: kind, mime, width, height, duration_ms, fps, ext. Raises WorkerFailed."""


@dataclass
class _Work:
    """What one turn has come to so far."""

    turn: Turn
    lang: Lang
    draft: Draft
    told: bool
    said: list[str] = field(default_factory=list)
    done: list[Edit] = field(default_factory=list)
    drawn: list[Asset] = field(default_factory=list)
    owed: int = 0
    paid: int = 0
    pending: bool = False
    same: bool = False
    """Something asked for was so before."""

    def edited(self, edit: Edit, draft: Draft, price: int) -> None:
        """Not written yet: a message is one transaction, two where a film comes in two stages."""
        self.draft, self.pending = draft, True
        self.done.append(edit)
        self.owed += max(0, min(price, MOST - self.paid - self.owed))

    def written(self, *, back: bool = False) -> Commit:
        """All that is pending."""
        commit = Commit(self.draft, self.owed, tuple(self.drawn), back=back, told=self.told)
        self.paid += self.owed
        self.owed, self.pending, self.drawn = 0, False, []
        return commit


class Director:
    """The studio's own planner: no language model, nothing beyond the words and the draft."""

    def __init__(self, drawer: Drawer, media: Path, options: Options) -> None:
        self._drawer = drawer
        self._media = media
        self._options = options

    async def acts(self, turn: Turn) -> AsyncIterator[Act]:
        """See Planner. Ends without a word for a share of edits, as the seed says."""
        lang = lang_of(turn.session.language)
        work = _Work(turn, lang, turn.session.draft, turn.session.told)
        uploads = tuple(asset for asset in turn.assets if asset.origin == "upload")
        wanted = plan(turn.text, Scene(work.draft, uploads, zh=lang == "zh"))
        if wanted.edits:
            yield Hold(cost(wanted.edits))
        drawn = any(isinstance(edit, Generate | Brief) for edit in wanted.edits)
        for edit in wanted.edits:
            async for act in self._generate(work, edit) if isinstance(edit, Generate | Brief) else _edit(work, edit):
                yield act
        if work.pending:
            yield work.written()
        if work.same and not work.done:
            work.said.append(say(lang, "already"))
        work.said += [say(lang, refused.key, **refused.values) for refused in wanted.refused]
        if work.said and (drawn or wanted.refused or len(work.done) < len(wanted.edits) or not self._silent(turn)):
            yield Say(_closing(work, wanted))
        elif not wanted.edits:
            yield Say(_closing(work, wanted))

    def _silent(self, turn: Turn) -> bool:
        """The same for the same seed, session and message, on any machine."""
        mark = hashlib.sha256(f"{self._options.seed}/{turn.session.number}/{turn.number}".encode()).digest()
        return int.from_bytes(mark[:4], "big") / 2**32 < self._options.silent_rate

    async def _generate(self, work: _Work, edit: Generate | Brief) -> AsyncIterator[Act]:
        scenes = edit.scenes if isinstance(edit, Generate) else max(2, min(4, round(edit.total_ms / 8_000)))
        if isinstance(edit, Brief) and work.pending:
            yield work.written()
        assets: list[Asset] = []
        for number in range(scenes):
            call = f"fc-{secrets.token_hex(4)}"
            yield Call("generate_image", {"prompt": edit.subject}, call)
            try:
                assets.append(await self._draw(work.draft, edit.subject, number, scenes))
            except WorkerFailed:
                yield Returned("generate_image", {"status": "error"}, call)
                work.said.append(say(work.lang, "not_drawn"))
                return
            yield Returned("generate_image", {"status": "success"}, call)
        try:
            draft = timeline.apply(work.draft, _placing(edit, assets))
        except Cannot as cannot:
            work.said.append(say(work.lang, cannot.key, **cannot.values))
            return
        work.edited(edit, draft, RAW if isinstance(edit, Brief) else cost([edit]))
        work.drawn += assets
        work.said += _drawn(work, edit, scenes)
        if isinstance(edit, Brief):
            yield work.written()
            async for act in _finish_brief(work, edit):
                yield act

    async def _draw(self, draft: Draft, subject: str, number: int, scenes: int) -> Asset:
        name = subject if scenes == 1 else f"{subject} ({number + 1}/{scenes})"
        # One more of the same is another picture, not the same one again.
        number += sum(_shows(piece["m"].get("name"), subject) for piece in tracks.lane(draft, tracks.VIDEO))
        media = f"md_{secrets.token_hex(8)}"
        path = self._media / f"{media}.png"
        seed = int.from_bytes(hashlib.sha256(f"{subject}/{number}".encode()).digest()[:4], "big")
        made = await self._drawer.draw(subject, seed, draft["m"]["width"], draft["m"]["height"], path)
        size = made.get("width"), made.get("height")
        return Asset(media, "image", name, str(path), "image/png", *size, origin="generated")


async def _finish_brief(work: _Work, edit: Brief) -> AsyncIterator[Act]:
    """Stage two, in the same stream: music and a title nobody asked for by name."""
    yield Say(listing(work.lang, work.said))
    work.said.clear()
    call = f"fc-{secrets.token_hex(4)}"
    yield Call("edit_multitrack", {"operations": ["add_music", "add_title"]}, call)
    title = edit.subject if work.lang == "zh" else _capitals(edit.subject)
    mood = name_of(edit.mood, zh=work.lang == "zh")
    for extra in (Music(edit.mood, mood, timeline.MUSIC_VOLUME), Title(title, 0, TITLE_MS)):
        work.draft = timeline.apply(work.draft, extra)
    work.owed = cost([edit]) - RAW
    yield work.written()
    yield Returned("edit_multitrack", {"status": "success"}, call)
    work.said.append(say(work.lang, "extras", mood=mood.lower(), title=title))


async def _edit(work: _Work, edit: Edit) -> AsyncIterator[Act]:
    back = isinstance(edit, Undo)
    try:
        if back and (work.turn.previous is None or work.done):
            raise Cannot("no_undo")
        draft = work.turn.previous if back else timeline.apply(work.draft, edit)
    except Cannot as cannot:
        work.said.append(say(work.lang, cannot.key, **cannot.values))
        return
    assert draft is not None
    if not back and _same(draft, work.draft):
        work.same = True
        return
    call = f"fc-{secrets.token_hex(4)}"
    yield Call("edit_multitrack", {"operations": [type(edit).__name__.lower()]}, call)
    work.edited(edit, draft, cost([edit]))
    if back:
        yield work.written(back=True)
    yield Returned("edit_multitrack", {"status": "success"}, call)
    work.said.append(report(work.lang, edit, work.draft))


def _same(one: Draft, other: Draft) -> bool:
    """Nobody could see or hear a difference: segments laid anew have new ids and nothing else."""
    return _without_ids(one) == _without_ids(other)


def _without_ids(draft: Draft) -> Draft:
    lanes = [{**track, "sg": [{**piece, "id": ""} for piece in track["sg"]]} for track in draft["t"]]
    return {**draft, "t": lanes}


def _shows(name: object, subject: str) -> bool:
    return name == subject or str(name).startswith(f"{subject} (")


def _placing(edit: Generate | Brief, assets: list[Asset]) -> Place:
    several = len(assets) > 1
    if isinstance(edit, Brief):
        return Place(tuple(assets), edit.total_ms, fresh=True, alone=True)
    if edit.instead is not None:
        return Place(tuple(assets), edit.total_ms, instead=edit.instead)
    return Place(tuple(assets), edit.total_ms or (SERIES_MS * len(assets) if several else PICTURE_MS))


def _drawn(work: _Work, edit: Generate | Brief, scenes: int) -> list[str]:
    key = "raw" if isinstance(edit, Brief) else "made" if scenes == 1 else "made_many"
    said = [say(work.lang, key, count=scenes)]
    if not work.told:
        said.append(say(work.lang, "sketch"))
        work.told = True
    return said


def _closing(work: _Work, wanted: Plan) -> str:
    """All that was done and could not be done, then what a screen would be for."""
    said = list(work.said)
    if any(refused.key in ("unknown", "hello", "able") for refused in wanted.refused):
        said.append(say(work.lang, "can") if not work.done else "")
    filled = any(track["sg"] for track in work.draft["t"])
    if wanted.finish:
        said.append(say(work.lang, "finish" if filled else "finish_empty"))
    elif work.done:
        said += [say(work.lang, "preview" if work.turn.number % 2 else "panel"), say(work.lang, "happy")]
    elif not said:
        said.append(say(work.lang, "can"))
    elif work.same:
        said.append(say(work.lang, "free"))
    return listing(work.lang, [sentence for sentence in said if sentence])


def _capitals(words: str) -> str:
    small = {"a", "an", "the", "of", "and", "in", "on", "at", "for", "to"}
    return " ".join(w if i and w in small else w[:1].upper() + w[1:] for i, w in enumerate(words.split()))
