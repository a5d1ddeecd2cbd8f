"""Slash commands: what a line that begins with "/" means."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["COMMANDS", "Command", "Name", "nearest", "parse"]

Name = Literal[
    "help",
    "status",
    "credits",
    "export",
    "upload",
    "versions",
    "diff",
    "undo",
    "timeline",
    "jobs",
    "skill",
    "new",
    "lang",
    "why",
    "quit",
]


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it is typed; its line of help is `help.<name>`."""

    name: Name
    argument: str = ""
    """What may follow, as the help page shows it."""

    @property
    def usage(self) -> str:
        """The command with its argument: "/export [FORMAT]"."""
        return f"/{self.name} {self.argument}".rstrip()


COMMANDS = (
    Command("help"),
    Command("status"),
    Command("credits"),
    Command("versions"),
    Command("diff", "[N] [N]"),
    Command("undo"),
    Command("export", "[N] [FORMAT]"),
    Command("upload", "PATH"),
    Command("timeline", "[FILE.svg|FILE.html]"),
    Command("jobs", "[collect|cancel|forget ID]"),
    Command("skill", "[NAME]"),
    Command("new"),
    Command("lang", "en|zh"),
    Command("why"),
    Command("quit"),
)
_LINE = re.compile(r"/([^\W\d_][\w-]*|\?)?(?:\s+(.*?))?\s*", re.S)


def parse(line: str) -> tuple[str, str] | None:
    """The word after the slash and its argument; None for words and for a real path."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    name = (found[1] or "").lower()
    if name and name not in _KNOWN and os.path.exists(line.split()[0]):
        return None
    return name, found[2] or ""


def nearest(name: str) -> str:
    """The command that was probably meant; help when none is near."""
    return next(iter(difflib.get_close_matches(name, _KNOWN, 1, 0.6)), "help")


_KNOWN = [command.name for command in COMMANDS]
