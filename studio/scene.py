"""What the planner may know of a session while it reads a message."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from studio import tracks
from studio.edits import Asset, Brief, Edit, Generate, Place

__all__ = ["Refused", "Scene"]


@dataclass(frozen=True)
class Refused:
    """A wish that cannot be done: `key` names its sentence in words.py."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """The draft and the uploads, oldest first."""

    draft: tracks.Draft = field(default_factory=tracks.empty)
    uploads: tuple[Asset, ...] = ()
    zh: bool = False
    coming: bool = False
    """Earlier words of this message bring pictures."""
    subject: str | None = None
    """What earlier words of this message have drawn."""

    @property
    def pictures(self) -> tuple[Asset, ...]:
        """Uploaded photos and clips."""
        return tuple(asset for asset in self.uploads if asset.kind != "audio")

    @property
    def sounds(self) -> tuple[Asset, ...]:
        """Uploaded sound files."""
        return tuple(asset for asset in self.uploads if asset.kind == "audio")

    @property
    def filled(self) -> bool:
        """There is something on the picture track, or will be."""
        return self.coming or bool(tracks.lane(self.draft, tracks.VIDEO))

    @property
    def drawn_last(self) -> str | None:
        """What the last picture on the timeline that was not uploaded shows."""
        own = {asset.id for asset in self.uploads}
        names = [
            str(piece["m"].get("name", ""))
            for piece in tracks.lane(self.draft, tracks.VIDEO)
            if piece["m"].get("kind") == "image" and piece["m"].get("src") not in own
        ]
        return re.sub(r" \(\d+/\d+\)$", "", names[-1]) or None if names else None

    def after(self, edits: Sequence[Edit]) -> Scene:
        """The scene as later clauses see it."""
        drawn = [edit.subject for edit in edits if isinstance(edit, Generate | Brief)]
        coming = any(isinstance(edit, Generate | Brief | Place) for edit in edits)
        return replace(self, coming=coming, subject=drawn[-1] if drawn else None)
