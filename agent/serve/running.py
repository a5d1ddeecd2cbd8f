"""The host as a process, or as several that share a port: checked first, announced when ready, stopped in peace."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from agent.calling import SETTINGS
from agent.errors import AgentError, SettingsError
from agent.keeping import open_keeping
from agent.logs import conceal, install, redacted
from agent.serve.app import application
from agent.serve.guard import may_bind
from agent.serve.keys import Keys
from agent.serve.logs_json import log_here
from agent.serve.metrics import SHARED
from agent.serve.options import Options
from agent.serve.stopping import SIGNALS, heeding
from agent.settings import Settings, hand_down, handed_down
from agent.skills import DEFAULT, Skill, load_skill
from agent.translator import translate
from prompts import say
from router import Turn, decide

__all__ = ["child", "run"]

WORKER = "REELCHAT_WORKER"
"""What a worker is set up with, as JSON from the process that started it."""
SPARE_S = 5.0
"""Beyond the time for turns, for what else is still being answered."""
SWITCH_S = 0.0005
"""How long a thread waits for its turn: SQLite is asked in one, and a busy event loop would hold every answer up for
the ten times longer that Python has it wait."""
COLLECT = (50_000, 20, 20)
"""A turn makes thousands of objects and leaves few: to look for cycles as often as Python does costs a tenth of it."""


def run(settings: Settings, skill: Skill, options: Options, said: Mapping[str, Any]) -> int:
    """Serves until it is stopped. `said` are the choices on the command line, for workers to be set up with.

    Returns the exit code. Raises SettingsError where it may not listen there.
    """
    _prepare(settings, options)
    if options.workers > 1 and settings.database is None:
        raise SettingsError("workers need a database", reason="workers")
    asyncio.run(_check(settings, options))
    try:
        listener = _listen(options)
    except OSError as error:
        why = error.strerror or str(error)
        sys.stderr.write(say(settings.lang, "serve.port_taken", host=options.host, port=options.port, why=why) + "\n")
        return 1
    # uvicorn raises the signal that stopped it once more, when everything is over.
    before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    try:
        if options.workers > 1:
            return _serve_all(settings, options, said, listener)
        return _serve(settings, skill, options, listener)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def child() -> Starlette:
    """The application of one worker."""
    said = json.loads(handed_down(WORKER))
    settings = Settings.load(**{**said["settings"], "exports": Path(said["settings"]["exports"])})
    lists = {name: tuple(value) for name, value in said["options"].items() if isinstance(value, list)}
    options = Options(**{**said["options"], **lists})
    _prepare(settings, options)
    _make_ready()
    return heeding(application(settings, load_skill(said["skill"]), options), worker=True)


def _prepare(settings: Settings, options: Options) -> None:
    """Logs as they are asked for, without any secret."""
    install(settings.token, settings.database, settings.redis)
    conceal(settings.engine_key)
    log_here(options.log_format)


def _make_ready() -> None:
    """Everything in memory before the first person comes, and the interpreter set up for one that serves many."""
    import_module("aiohttp")  # which the first call would wait for
    for words in ("Click Export.", "点击导出。"):
        decide(Turn(text=words))
        translate(words)
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()  # What is loaded stays: no collection has to walk through it again.
    gc.set_threshold(*COLLECT)


async def _check(settings: Settings, options: Options) -> None:
    """Whether everything is there, and whether strangers would find it open. Raises SettingsError."""
    if may_bind(options, False) and settings.database is None:
        return
    try:
        async with open_keeping(settings) as keep:
            there = await Keys(keep.store).any()
    except AgentError:
        raise
    except Exception as error:  # of whichever client; each has its own
        raise SettingsError(redacted(str(error)).strip().splitlines()[0][:300], reason="unreachable") from error
    if not may_bind(options, there):
        raise SettingsError("no keys", reason="no_keys", host=options.public_url or options.host)


def _listen(options: Options) -> socket.socket:
    """The port, ours from here on. Raises OSError."""
    where = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(where[0], where[1], where[2])
    try:
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where[4])
    except BaseException:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def _serve(settings: Settings, skill: Skill, options: Options, listener: socket.socket) -> int:
    _make_ready()
    app = heeding(application(settings, skill, options))
    server = _Server(uvicorn.Config(app, **_config(options)), settings, options)
    with suppress(KeyboardInterrupt):
        server.run([listener])
    return 0 if server.started else 1


def _serve_all(settings: Settings, options: Options, said: Mapping[str, Any], listener: socket.socket) -> int:
    """Several processes behind one port; one that dies is replaced."""
    port = listener.getsockname()[1]
    listener.close()  # uvicorn opens it again, to hand it to its workers.
    given = {name: said[name] for name in SETTINGS if said.get(name) is not None} | {"exports": str(settings.exports)}
    everything = {"settings": given, "skill": str(said.get("skill") or DEFAULT), "options": asdict(options)}
    numbers = tempfile.mkdtemp(prefix="reelchat-metrics-")
    hand_down(**{WORKER: json.dumps(everything), SHARED: numbers})
    _announce(settings, options, port)
    try:
        config = _config(options) | {"host": options.host, "port": port}
        uvicorn.run("agent.serve.running:child", factory=True, workers=options.workers, **config)
    except SystemExit as left:
        return int(left.code or 0) if isinstance(left.code, int | None) else 1
    finally:
        shutil.rmtree(numbers, ignore_errors=True)
    return 0


def _config(options: Options) -> dict[str, Any]:
    return {
        "log_config": None,  # Ours are set up; uvicorn's own would print whole addresses.
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": int(options.drain_s + SPARE_S),
    }


class _Server(uvicorn.Server):
    """Says where it listens as soon as it does."""

    def __init__(self, config: uvicorn.Config, settings: Settings, options: Options) -> None:
        super().__init__(config)
        self._settings, self._options = settings, options

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            _announce(self._settings, self._options, sockets[0].getsockname()[1])


def _announce(settings: Settings, options: Options, port: int) -> None:
    """On standard error: where it listens, where the page is, and how to make a key."""
    name = f"[{options.host}]" if ":" in options.host else options.host
    address = f"http://{name}:{port}"
    page = options.public_url or address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    for key in ("listens", "page", "make_key"):
        sys.stderr.write(say(settings.lang, f"serve.{key}", address=address, page=f"{page}/") + "\n")
    sys.stderr.flush()
