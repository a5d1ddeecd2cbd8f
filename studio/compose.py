"""A film's frames in order: shots, transitions, gaps in black, titles on top; memory flat in the length."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from studio.film import Film, Shot, Title
from studio.planes import Overlay, Planes, black, blend, overlay, slide
from studio.sources import Source, open_source
from studio.text import raster

__all__ = ["LONGEST_TITLE", "Composer", "frames"]

_TITLE_FADE_MS = 250
LONGEST_TITLE = 300  # characters
_AHEAD = 5


class Composer:
    """Pictures of a film at rising moments, on a canvas of its own size or of `width` x `height`."""

    def __init__(self, film: Film, width: int | None = None, height: int | None = None) -> None:
        self._film = film
        self.width, self.height = width or film.width, height or film.height
        self._open: dict[int, Source] = {}
        self._titles: dict[int, Overlay | None] = {}
        self._black = black(self.width, self.height)

    def at(self, ms: float) -> Callable[[], Planes]:
        """The work that makes the picture at `ms`; moments must rise, the work itself may run on any thread."""
        self._close_before(ms)
        base = self._base(ms)
        titles = [(drawn, level) for drawn, level in self._words(ms) if drawn is not None and level > 0]
        if not titles:
            return base

        def work() -> Planes:
            picture = base().copy()
            for drawn, level in titles:
                drawn.over(picture, level)
            return picture

        return work

    def close(self) -> None:
        for source in self._open.values():
            source.close()
        self._open.clear()

    def _base(self, ms: float) -> Callable[[], Planes]:
        shots = self._film.shots
        index = next((i for i in reversed(range(len(shots))) if shots[i].start_ms <= ms < shots[i].end_ms), None)
        if index is None:
            return lambda: self._black
        shot = shots[index]
        after = self._take(index, ms)
        into = ms - shot.start_ms
        if shot.transition is None or into >= shot.transition_ms:
            return after
        previous = self._take(index - 1, ms) if self._goes_on(index) else lambda: self._black
        share = into / shot.transition_ms
        return _mixed(shot.transition, previous, after, share, self._black)

    def _goes_on(self, index: int) -> bool:
        """Whether the shot before ends where this one starts, so that it is still seen during the transition."""
        shots = self._film.shots
        return index > 0 and shots[index - 1].tail_ms > 0 and shots[index - 1].end_ms >= shots[index].start_ms - 40

    def _take(self, index: int, ms: float) -> Callable[[], Planes]:
        shot = self._film.shots[index]
        if index not in self._open:
            self._open[index] = open_source(shot, self.width, self.height)
        return self._open[index].take(ms - shot.start_ms)

    def _close_before(self, ms: float) -> None:
        for index in [i for i in self._open if _last_ms(self._film.shots[i]) < ms]:
            self._open.pop(index).close()

    def _words(self, ms: float) -> Iterator[tuple[Overlay | None, float]]:
        for index, title in enumerate(self._film.titles):
            if title.start_ms <= ms < title.start_ms + title.duration_ms:
                if index not in self._titles:
                    drawn = raster(title.text[:LONGEST_TITLE], title.place, self.width, self.height)
                    self._titles[index] = overlay(drawn) if drawn else None
                yield self._titles[index], _level(title, ms)
            elif index in self._titles:
                del self._titles[index]


def _last_ms(shot: Shot) -> float:
    return shot.end_ms + shot.tail_ms


def _level(title: Title, ms: float) -> float:
    """A title's strength 0-1: it fades in and out inside its own time."""
    fade = min(_TITLE_FADE_MS, title.duration_ms / 4)
    into = ms - title.start_ms
    return max(0.0, min(1.0, into / fade, (title.duration_ms - into) / fade))


def _mixed(
    name: str, before: Callable[[], Planes], after: Callable[[], Planes], share: float, night: Planes
) -> Callable[[], Planes]:
    if name == "slide":
        return lambda: slide(before(), after(), share)
    if name == "crossfade":
        return lambda: blend(before(), after(), share)
    if share < 0.5:
        return lambda: blend(before(), night, share * 2)
    return lambda: blend(night, after(), share * 2 - 1)


def frames(composer: Composer, count: int, frame_ms: float) -> Iterator[Planes]:
    """`count` pictures in order, worked out a few ahead on two threads: Pillow lets go of the interpreter's lock."""
    with ThreadPoolExecutor(2, thread_name_prefix="compose") as pool:
        waiting: deque[Future[Planes]] = deque()
        try:
            for number in range(count):
                waiting.append(pool.submit(composer.at(number * frame_ms)))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            for future in waiting:
                future.exception() if not future.cancelled() else None
            composer.close()
