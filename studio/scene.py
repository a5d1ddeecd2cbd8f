"""What the planner may know of a session while it reads a message."""

from __future__ import annotations

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

    def after(self, edits: Sequence[Edit]) -> Scene:
        """The scene as later clauses see it."""
        return replace(self, coming=any(isinstance(edit, Generate | Brief | Place) for edit in edits))
