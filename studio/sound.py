"""A film's sound in blocks: beds and files at their gains, mixed, faded, limited only where the sum would clip."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np

from studio.film import Film, Sound
from studio.instruments import RATE
from studio.media import BadMedia
from studio.music import Stereo, bed
from studio.probe import open_media

__all__ = ["Mixer", "limit"]

_EDGE_MS = 5  # every sound starts and ends within this, so that no cut clicks
_LOUD = 0.95


class Mixer:
    """The film's sound from its first sample to its last."""

    def __init__(self, film: Film) -> None:
        self._sounds = film.sounds
        self._players: dict[int, _Player] = {}
        self._at = 0

    def block(self, count: int) -> Stereo:
        """The next `count` samples, each within -1..1."""
        mix: Stereo = np.zeros((count, 2), np.float32)
        for index, sound in enumerate(self._sounds):
            first, last = _sample(sound.start_ms), _sample(sound.start_ms + sound.duration_ms)
            begin, end = max(first, self._at), min(last, self._at + count)
            if begin < end:
                player = self._players.get(index) or self._players.setdefault(index, _Player(sound))
                wave = player.read(end - begin)
                mix[begin - self._at : end - self._at] += wave * _envelope(sound, begin - first, end - first)
            if last <= self._at + count and index in self._players:
                self._players.pop(index).close()
        self._at += count
        return limit(mix)

    def close(self) -> None:
        for player in self._players.values():
            player.close()
        self._players.clear()


def limit(mix: Stereo) -> Stereo:
    """Bends only what is louder than 0.95, so that a sum never clips and everything else keeps its exact level."""
    size = np.abs(mix)
    if size.max(initial=0) <= _LOUD:
        return mix
    bent = _LOUD + (1 - _LOUD) * np.tanh((size - _LOUD) / (1 - _LOUD))
    return np.where(size > _LOUD, np.sign(mix) * bent, mix).astype(np.float32)


def _sample(ms: float) -> int:
    return round(ms * RATE / 1000)


def _envelope(sound: Sound, begin: int, end: int) -> Stereo:
    """Gain of the samples begin..end of a sound."""
    length = _sample(sound.duration_ms)
    place = np.arange(begin, end, dtype=np.float32)
    rise = place / _sample(_EDGE_MS)
    fall = (length - place) / max(_sample(_EDGE_MS), _sample(sound.fade_ms))
    shape = np.minimum(1, np.minimum(rise, fall))
    return np.asarray(shape * sound.volume, dtype=np.float32)[:, None]


class _Player:
    """One sound from its in point on; silence after its end."""

    def __init__(self, sound: Sound) -> None:
        self._container: av.container.InputContainer | None = None
        self._blocks = bed(sound.mood, sound.seed) if sound.asset is None else self._file(sound)
        self._rest: Stereo = np.zeros((0, 2), np.float32)

    def _file(self, sound: Sound) -> Iterator[Stereo]:
        assert sound.asset is not None
        try:
            self._container = open_media(sound.asset.path)
            if not self._container.streams.audio:
                if sound.asset.kind != "clip":
                    raise BadMedia("unreadable", "the file has no sound")
                return iter(())
        except BadMedia as error:
            if sound.asset.kind == "clip" and error.code == "type":
                return iter(())  # an animated picture is a clip too, and silent
            error.asset = sound.asset.id
            raise
        blocks = _from(self._container, sound.in_ms / 1000)
        return blocks if sound.speed == 1 else _stretched(blocks, sound.speed)

    def read(self, count: int) -> Stereo:
        parts, have = [self._rest], len(self._rest)
        while have < count:
            block = next(self._blocks, None)
            if block is None:
                block = np.zeros((count - have, 2), np.float32)
            parts.append(block)
            have += len(block)
        joined = np.concatenate(parts)
        self._rest = joined[count:]
        return joined[:count]

    def close(self) -> None:
        if self._container is not None:
            self._container.close()


def _from(container: av.container.InputContainer, seconds: float) -> Iterator[Stereo]:
    """48 kHz stereo of the first sound stream, starting exactly at `seconds`."""
    stream = container.streams.audio[0]
    zero = float((container.start_time or 0) / 1_000_000)
    wanted = zero + seconds
    if seconds:
        container.seek(int(wanted / float(stream.time_base or 1)), stream=stream, backward=True)
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
    skip: int | None = None
    for frame in itertools.chain(_decoded(container, stream), (None,)):
        if frame is not None:
            if skip is None:
                skip = round((wanted - (frame.time or 0.0)) * RATE)
                yield np.zeros((max(0, -skip), 2), np.float32)
                skip = max(0, skip)
            frame.pts = None
        for heard in resampler.resample(frame):
            wave = heard.to_ndarray().T
            drop = min(skip or 0, len(wave))
            skip = (skip or 0) - drop
            yield np.ascontiguousarray(wave[drop:], dtype=np.float32)


def _decoded(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    try:
        yield from container.decode(stream)
    except av.FFmpegError:
        return  # a cut-off file: what was read so far is heard


def _stretched(blocks: Iterator[Stereo], speed: float) -> Iterator[Stereo]:
    """The sound at another speed, at its own pitch."""
    graph = av.filter.Graph()
    last = graph.add_abuffer(format="fltp", sample_rate=RATE, layout="stereo", time_base=Fraction(1, RATE))
    source = last
    while speed < 0.5:  # the filter's own limit
        speed, last = speed * 2, _linked(graph, last, "atempo", "0.5")
    last = _linked(graph, last, "atempo", f"{speed:.6f}")
    last = _linked(graph, last, "aformat", f"sample_fmts=fltp:sample_rates={RATE}:channel_layouts=stereo")
    sink = _linked(graph, last, "abuffersink", "")
    graph.configure()
    at = 0
    for block in itertools.chain(blocks, (None,)):
        if block is not None:
            if not len(block):
                continue
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
            at += len(block)
            source.push(frame)
        else:
            source.push(None)
        while (heard := _pulled(sink)) is not None:
            yield np.ascontiguousarray(heard.to_ndarray().T, dtype=np.float32)


def _linked(
    graph: av.filter.Graph, last: av.filter.context.FilterContext, name: str, args: str
) -> av.filter.context.FilterContext:
    node = graph.add(name, args or None)
    last.link_to(node)
    return node


def _pulled(sink: av.filter.context.FilterContext) -> av.AudioFrame | None:
    try:
        frame = sink.pull()
    except (av.BlockingIOError, av.EOFError):
        return None
    return frame if isinstance(frame, av.AudioFrame) else None
