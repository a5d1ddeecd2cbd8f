"""Drafts as text: the timeline in a line, what changed between two, and what material there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agent.draft import Change, ChangeKind, Draft, Segment, Track, changes
from agent.segments import duration, first, mapping, words
from agent.units import file_size, length, percent, ratio, span, times
from prompts import Lang, say

__all__ = ["describe", "file_size", "length", "media", "news", "plays_when", "timeline", "track_label"]

MOST_SEGMENTS = 8
"""A track shows so many segments before it is folded."""
MOST_TRACKS = 12
MOST_LINES = 12
"""So many changes are told one by one."""
LONGEST_NAME = 80
"""Characters. A longer name is cut: it is a prompt, not a name."""


def timeline(draft: Draft, lang: Lang) -> str:
    """`Timeline (2 tracks): 1. Video: city timelapse (0-10s) 2. BGM: Lo-fi (0-10s, 35%)`.

    Tracks without a segment are not there to a person. What the draft does not say is not said.
    """
    tracks = [track for track in draft.tracks if track.segments]
    if not tracks:
        return say(lang, "timeline.empty")
    shown = (
        say(lang, "timeline.number", n=number, entry=_entry(track, track.segments, lang))
        for number, track in enumerate(tracks[:MOST_TRACKS], 1)
    )
    text = " ".join(shown)
    if len(tracks) > MOST_TRACKS:
        text = say(lang, "timeline.fold_tracks", tracks=text, count=len(tracks) - MOST_TRACKS)
    return say(lang, "timeline.head_one" if len(tracks) == 1 else "timeline.head", count=len(tracks), tracks=text)


def describe(found: list[Change], lang: Lang) -> list[str]:
    """A line for each change, numbers from the drafts alone; a long list is folded."""
    lines = [_LINES[change.kind](change, lang) for change in found[:MOST_LINES]]
    if (more := len(found) - MOST_LINES) == 1:
        lines.append(_LINES[found[-1].kind](found[-1], lang))
    elif more > 1:
        lines.append(say(lang, "change.more", count=more))
    return lines


def news(before: Draft, after: Draft, lang: Lang) -> list[str]:
    """What changed and how it stands, as lines of a list; none where nothing changed."""
    lines = [f"- {line}" for line in describe(changes(before, after), lang)]
    return [*lines, timeline(after, lang)] if lines else []


def media(video_infos: Any, generated_media: Any, lang: Lang) -> list[str]:
    """A line for the files that were sent and one for what was made of words, as far as they have names."""
    lines = []
    for key, found in (("files", _items(video_infos)), ("generated", _items(generated_media))):
        named = [text for item in found if (text := _item(item, lang))]
        if found and len(named) == len(found):
            listed = _folded(named, lang)
            lines.append(say(lang, f"timeline.{key}", count=len(found), items=listed))
        elif found:
            lines.append(say(lang, f"timeline.{key}_unnamed", count=len(found)))
    return lines


# Tracks and segments


def _entry(track: Track, segments: Iterable[Segment], lang: Lang) -> str:
    """`BGM: Lo-fi (0-10s, 35%)`: a label and what is on it."""
    pieces, named = _pieces(list(segments), lang)
    key = "timeline.entry" if named else "timeline.entry_unnamed"
    return say(lang, key, label=track_label(track, lang), pieces=pieces).rstrip()


def _pieces(segments: list[Segment], lang: Lang) -> tuple[str, bool]:
    """The segments of a track, and whether they begin with something that can follow a colon."""
    kept = len(segments) if len(segments) <= MOST_SEGMENTS + 1 else MOST_SEGMENTS
    pieces = [_piece(segment, lang) for segment in segments[:kept]]
    several = len(segments) > 1
    if several and not all(pieces):
        return say(lang, "timeline.segments", count=len(segments)), True
    text = say(lang, "timeline.next").join(pieces)
    if kept < len(segments):
        text = say(lang, "timeline.fold", pieces=text, count=len(segments) - kept)
    return text, several or bool(segments[0].name)


def _piece(segment: Segment, lang: Lang) -> str:
    """`Lo-fi (0-10s, 35%)`, or as much of it as is known."""
    facts = say(lang, "timeline.fact").join(_facts(segment, lang))
    name = _name(segment, lang)
    if name and facts:
        return say(lang, "timeline.piece", name=name, facts=facts)
    return name or (say(lang, "timeline.facts", facts=facts) if facts else "")


def _facts(segment: Segment, lang: Lang) -> list[str]:
    """When it plays and, for sound that was turned down or up, how loud."""
    facts = [when] if (when := plays_when(segment, lang)) else []
    if segment.kind == "audio" and segment.volume not in (None, 1.0):
        facts.append(percent(segment.volume or 0.0, lang))
    return facts


def plays_when(segment: Segment, lang: Lang) -> str:
    """ "0-10s", or as much of it as is known, which may be nothing."""
    start, end = segment.start_ms, segment.end_ms
    if start is not None and end is not None:
        return span(start, end, lang)
    if start:
        return say(lang, "timeline.from", time=length(start, lang))
    return length(segment.duration_ms, lang) if start is None and segment.duration_ms is not None else ""


def _name(segment: Segment, lang: Lang) -> str:
    """The words of a title as they are, in quotes; what a piece is called, cut where it is too long."""
    name = segment.name or ""
    if name and segment.kind == "text":
        return say(lang, "timeline.quoted", text=name)
    return _cut(name)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def track_label(track: Track, lang: Lang) -> str:
    """A track of a type we don't know has the name the backend gave it, if any."""
    return (track.label == "track" and _cut(track.name or "")) or say(lang, f"timeline.{track.label}")


# Changes


def _what(change: Change, lang: Lang) -> str:
    """The segment a change is about: `BGM "Lo-fi"`."""
    track, segment = _about(change)
    label = track_label(track, lang)
    if segment.name:
        return say(lang, "change.what", label=label, name=_cut(segment.name))
    when = plays_when(segment, lang)
    return say(lang, "change.what_unnamed", label=label, time=when) if when else label


def _about(change: Change) -> tuple[Track, Segment]:
    segment = change.after or change.before
    assert change.track and segment, "changes of the whole draft have their own lines"
    return change.track, segment


def _came_or_went(change: Change, lang: Lang) -> str:
    track, segment = _about(change)
    return say(lang, f"change.{change.kind}", entry=_entry(track, [segment], lang))


def _moved(change: Change, lang: Lang) -> str:
    before, after = (plays_when(segment, lang) if segment else "" for segment in (change.before, change.after))
    if before and after and before != after:
        return say(lang, "change.moved", what=_what(change, lang), before=before, after=after)
    return say(lang, "change.moved_somewhere", what=_what(change, lang))


def _trimmed(change: Change, lang: Lang) -> str:
    before, after = change.before, change.after
    assert before and after, "a trim has two sides"
    what, was, now = _what(change, lang), before.duration_ms, after.duration_ms
    if was != now and was is not None and now is not None:
        key = "change.shortened" if now < was else "change.lengthened"
        return say(lang, key, what=what, before=length(was, lang), after=length(now, lang))
    if was == now:
        into = [length(side.into_ms or 0, lang) for side in (before, after)]
        return say(lang, "change.cut", what=what, before=into[0], after=into[1])
    return say(lang, "change.length", what=what)


def _renamed(change: Change, lang: Lang) -> str:
    track, _ = _about(change)
    names = [_cut(side.name) if side and side.name else "" for side in (change.before, change.after)]
    if not all(names):
        return say(lang, "change.adjusted", what=_what(change, lang))
    before, after = (say(lang, "timeline.quoted", text=name) for name in names)
    key = "change.renamed_title" if track.kind == "text" else "change.renamed"
    return say(lang, key, label=track_label(track, lang), before=before, after=after)


def _levelled(change: Change, lang: Lang) -> str:
    """Volume and speed: two numbers, or the new one where only that is known."""
    write, what = percent if change.kind == "volume" else times, _what(change, lang)
    before, after = (_level(side, change.kind) for side in (change.before, change.after))
    if after is None:
        return say(lang, "change.adjusted", what=what)
    if before is None:
        return say(lang, f"change.{change.kind}_set", what=what, after=write(after, lang))
    return say(lang, f"change.{change.kind}", what=what, before=write(before, lang), after=write(after, lang))


def _level(segment: Segment | None, kind: ChangeKind) -> float | None:
    if segment is None:
        return None
    return segment.volume if kind == "volume" else segment.speed


def _transition(change: Change, lang: Lang) -> str:
    found = change.after.transition if change.after else None
    what = _what(change, lang)
    if found is None:
        return say(lang, "change.transition_removed", what=what)
    name, lasts = found
    if name in ("crossfade", "fade-black", "slide"):
        name = say(lang, f"change.{name}")
    if lasts is None:
        return say(lang, "change.transition", what=what, name=name)
    return say(lang, "change.transition_timed", what=what, name=name, time=length(lasts, lang))


def _adjusted(change: Change, lang: Lang) -> str:
    return say(lang, "change.adjusted", what=_what(change, lang))


def _order(change: Change, lang: Lang) -> str:
    assert change.track, "an order is a track's"
    label = track_label(change.track, lang)
    names = [_name(segment, lang) for segment in change.order]
    if not all(names):
        return say(lang, "change.order_unnamed", label=label)
    return say(lang, "change.order", label=label, names=_folded(names, lang))


def _aspect(change: Change, lang: Lang) -> str:
    (before, after) = change.sizes
    assert before and after, "only known sizes are compared"
    old, new = (say(lang, "unit.pixels", width=size[0], height=size[1]) for size in (before, after))
    shapes = ratio(*before), ratio(*after)
    if shapes[0] == shapes[1] or not all(shapes):
        return say(lang, "change.size", before=old, after=new)
    return say(lang, "change.aspect", before=shapes[0], after=shapes[1], size=new)


_LINES: Mapping[ChangeKind, Callable[[Change, Lang], str]] = {
    "added": _came_or_went,
    "removed": _came_or_went,
    "moved": _moved,
    "trimmed": _trimmed,
    "renamed": _renamed,
    "volume": _levelled,
    "speed": _levelled,
    "transition": _transition,
    "adjusted": _adjusted,
    "order": _order,
    "aspect": _aspect,
}


# Material


def _items(found: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, or of an object that has one for each id."""
    items = found if isinstance(found, list) else list(mapping(found).values())
    return [item for item in items if isinstance(item, dict)]


def _item(item: Mapping[str, Any], lang: Lang) -> str:
    """`photo.jpg (picture, 3000x2000)`. A `duration` of unknown unit is left out."""
    name = first(item, ("name", "filename", "file_name", "title", "prompt"), words)
    if not name:
        return ""
    kind = (first(item, ("kind", "type", "file_type", "media_type", "mime"), words) or "").lower()
    word = next((key for start, key in _MEDIA if kind.startswith(start)), None)
    facts = [say(lang, f"timeline.{word}")] if word else []
    width, height = first(item, ("width",), duration), first(item, ("height",), duration)
    if width and height:
        facts.append(say(lang, "unit.pixels", width=width, height=height))
    if lasts := first(item, ("duration_ms",), duration):
        facts.append(length(lasts, lang))
    if not facts:
        return _cut(name)
    return say(lang, "timeline.piece", name=_cut(name), facts=say(lang, "timeline.fact").join(facts))


_MEDIA = (("image", "image"), ("photo", "image"), ("clip", "clip"), ("video", "clip"), ("audio", "sound"))


def _folded(texts: list[str], lang: Lang) -> str:
    kept = len(texts) if len(texts) <= MOST_SEGMENTS + 1 else MOST_SEGMENTS
    text = say(lang, "timeline.next").join(texts[:kept])
    return say(lang, "timeline.fold", pieces=text, count=len(texts) - kept) if kept < len(texts) else text
