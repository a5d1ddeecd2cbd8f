"""Where the names of files lead that a person gives: on their own machine, or nowhere but to what they uploaded."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from agent.material import check, is_here

__all__ = ["Desk", "OwnFiles"]


class Desk(Protocol):
    """The door chooses one; a node never asks which it is."""

    def holds(self, name: str) -> bool:
        """Whether a name somebody wrote is a file that can be had."""
        ...

    def distinct(self, names: Sequence[str]) -> list[str]:
        """Names in order, those that mean the same file once."""
        ...

    def take(self, name: str, max_mb: int) -> Path:
        """The file of that name, to be uploaded. Raises UploadRefused with the reason."""
        ...

    def place(self, named: str | None, name: str, suffix: str, folder: str, now: datetime) -> Path:
        """Where an export goes: as `named`, or as a new `name` in `folder`."""
        ...

    def shown(self, path: Path) -> str:
        """A path as the person may read it."""
        ...


class OwnFiles:
    """A person at this machine: every path of theirs is theirs to use."""

    def holds(self, name: str) -> bool:
        """Whether there is such a file."""
        return is_here(name)

    def distinct(self, names: Sequence[str]) -> list[str]:
        """Each path once."""
        return list(dict.fromkeys(names))

    def take(self, name: str, max_mb: int) -> Path:
        """The path, when it may be uploaded. Raises UploadRefused with the reason."""
        return check(name, max_mb)

    def place(self, named: str | None, name: str, suffix: str, folder: str, now: datetime) -> Path:
        """Where they want it, or a path in `folder` that no file has yet."""
        if named:
            path = Path(named).expanduser()
            return (path if path.suffix else path.with_suffix(f".{suffix}")).absolute()
        stamp, inside = now.astimezone().strftime("%Y%m%d-%H%M%S"), Path(folder).absolute()
        path = inside / f"{name}-{stamp}.{suffix}"
        for number in range(2, 1000):
            if not path.exists():
                break
            path = inside / f"{name}-{stamp}-{number}.{suffix}"
        return path

    def shown(self, path: Path) -> str:
        """From the working folder where it is in there."""
        with suppress(ValueError):
            path = path.relative_to(Path.cwd())
        return str(path) if path.is_absolute() else f"./{path}"
