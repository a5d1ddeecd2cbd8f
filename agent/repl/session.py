"""The prompt: history, completion and paste."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from agent.repl.commands import COMMANDS
from agent.skills import skill_names
from agent.state import FORMATS
from prompts import Lang, say

__all__ = ["Words", "prompt_session"]

_PATH_BEGINS = re.compile(r"""(?:^|\s)((?:"[^"]*|'[^']*|(?:~|\.{1,2})?[/\\](?:\\ |\S)*|[A-Za-z]:[/\\]\S*))$""")
_ARGUMENT = re.compile(r"^/(\w+)\s+(.*)$", re.S)


def prompt_session(data: Path, lang: Callable[[], Lang], **more: Any) -> PromptSession[str]:
    """A prompt whose history is kept in `data`. Pasted lines stay one utterance."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _newline(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return PromptSession(
        message="› " if _shows("›") else "> ",
        history=FileHistory(str(data / "history")),
        completer=Words(lang),
        complete_while_typing=False,
        key_bindings=keys,
        **more,
    )


def _shows(text: str) -> bool:
    """Whether the terminal's encoding has these characters."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class Words(Completer):
    """Completes commands, their arguments, and paths anywhere in the line."""

    def __init__(self, lang: Callable[[], Lang]) -> None:
        self.lang = lang
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        commands = list(self._commands(text)) if re.fullmatch(r"/\w*", text) else []
        yield from commands
        if argument := _ARGUMENT.match(text):
            yield from self._arguments(argument[1], argument[2])
        begun = _PATH_BEGINS.search(text)
        path = begun[1] if begun else argument[2] if argument and argument[1] == "upload" else None
        if path is not None and not commands:
            yield from self._files(path, complete_event)

    def _files(self, begun: str, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Paths that go on from `begun`, written so that a name with spaces stays one path."""
        bare = begun.lstrip("\"'")
        for found in self._paths.get_completions(Document(bare.replace("\\ ", " ")), complete_event):
            if bare == begun and sys.platform != "win32":
                yield Completion(found.text.replace(" ", "\\ "), 0, display=found.display)
            else:
                yield found

    def _commands(self, text: str) -> Iterable[Completion]:
        for command in COMMANDS:
            if f"/{command.name}".startswith(text):
                meta = say(self.lang(), f"help.{command.name}")
                yield Completion(f"/{command.name}", start_position=-len(text), display_meta=meta)

    def _arguments(self, command: str, begun: str) -> Iterable[Completion]:
        known = {"skill": skill_names(), "lang": ["en", "zh"], "export": [*FORMATS]}
        for word in known.get(command, []):
            if word.startswith(begun):
                yield Completion(word, start_position=-len(begun))
