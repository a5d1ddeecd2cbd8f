"""`python -m studio`: one process on a port, loopback's unless told, said in one line of JSON; it ends when its
parent does."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import re
import socket
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware

from studio.app import build
from studio.clock import SystemClock
from studio.director import Director
from studio.options import LOOPBACK, Door, Options
from studio.queue import Queue
from studio.store import Size, Store
from studio.turns import Turns
from studio.workers import FarmMissing, Processes, Runner, Workbench

SCRAP_S = 3600
LAST_WORDS_S = 5  # for readers still connected when all work is done
WAITING = 32  # renders handed to a farm and waited for at a time
OPEN_DOOR = (
    "The studio listens on {host}: anybody who reaches the port may use it, for it hands out anonymous tokens. "
    "Keep it inside a private network.\n"
)

_log = logging.getLogger("studio")


class CannotListen(Exception):
    """The address is not this machine's, or the port is taken."""


def main() -> int:
    """0 when it ended as asked, 2 when it could not begin."""
    arguments = _parser().parse_args()
    arguments.data.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=arguments.data / "studio.log",
        level=logging.INFO,
        format="%(asctime)s %(process)d %(levelname)s %(name)s %(message)s",
        encoding="utf-8",
    )
    options = Options(
        strict=arguments.strict,
        dialect=arguments.dialect,
        cancel_on_disconnect=arguments.cancel_on_disconnect,
        seed=arguments.seed,
        silent_rate=arguments.silent_rate,
        pace=arguments.pace,
    )
    door = Door(arguments.host, arguments.port, tuple(arguments.allow_host))
    if not door.private:
        sys.stderr.write(OPEN_DOOR.format(host=door.host))
    try:
        with _listener(door) as listener, contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(arguments.data.resolve(), options, door, listener, arguments))
    except (CannotListen, FarmMissing) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _listener(door: Door) -> socket.socket:
    try:
        return socket.create_server((door.host, door.port))
    except OSError as error:
        raise CannotListen(f"cannot listen on {door.host}, port {door.port}: {error.strerror}") from None


async def _serve(
    folder: Path, options: Options, door: Door, listener: socket.socket, arguments: argparse.Namespace
) -> None:
    clock, database = SystemClock(), arguments.farm
    async with contextlib.AsyncExitStack() as stack:
        store = Store(folder, clock=clock, size=arguments.size)
        stack.callback(store.close)
        _sweep(folder)
        runner = Processes(folder / "renders")
        if database is None:
            queue = Queue(store, runner, clock)
        else:
            queue = Queue(store, await _farm(stack, database, folder), clock, places=WAITING, tries=None)
        drawer = Workbench(runner)
        app = build(store, Director(drawer, store.media, options), queue, options, drawer=drawer, clock=clock)
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=door.allowed, www_redirect=False)
        server = uvicorn.Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=LAST_WORDS_S
            )
        )
        work = asyncio.create_task(queue.work())
        watch = (
            None
            if arguments.stay
            else asyncio.create_task(_until_alone(server, app.state.turns, queue, work, database))
        )
        _announce(door.url(listener.getsockname()[1]))
        try:
            await server.serve(sockets=[listener])
        finally:
            await _end(app.state.turns, work, watch)


async def _farm(stack: contextlib.AsyncExitStack, database: str, folder: Path) -> Runner:
    """Imported only here: most studios have no farm, and many machines not its packages. Raises FarmMissing."""
    farm: Runner = await stack.enter_async_context(import_module("studio.farm_client").connect(database, folder))
    return farm


async def _until_alone(
    server: uvicorn.Server, turns: Turns, queue: Queue, work: asyncio.Task[None], database: str | None
) -> None:
    """When the parent is gone: what is under way is finished, then the door closes. A farm's renders go on alone."""
    await _parent_gone()
    _log.info("stdin closed: finishing what is under way")
    queue.stop()
    await turns.drain()
    if database is not None:
        work.cancel()
    await asyncio.wait([work])
    server.should_exit = True


async def _end(turns: Turns, work: asyncio.Task[None], watch: asyncio.Task[None] | None) -> None:
    """Whatever still runs now was told to stop: nothing half done is charged, a render's lease runs out."""
    for task in filter(None, (watch, work)):
        task.cancel()
    await turns.cancel()
    await asyncio.gather(work, *filter(None, [watch]), return_exceptions=True)


async def _parent_gone() -> None:
    loop, gone = asyncio.get_running_loop(), asyncio.Event()

    def listen() -> None:
        # os.read and not sys.stdin: a buffered reader would hold a lock while the interpreter ends.
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(gone.set)

    threading.Thread(target=listen, daemon=True).start()
    await gone.wait()


def _sweep(folder: Path) -> None:
    """Scraps of a process that was killed; young ones may be another process's work."""
    for scrap in (*folder.glob("renders/spec-*.json"), *folder.glob("*/*.part")):
        with contextlib.suppress(OSError):
            if time.time() - scrap.stat().st_mtime > SCRAP_S:
                scrap.unlink()


def _announce(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


def _size(text: str) -> Size:
    width, height = (int(side) for side in text.split("x"))
    if not (width > 0 and height > 0 and width % 2 == height % 2 == 0):
        raise ValueError("sides are even: chroma has half of them")
    return width, height


def _name(text: str) -> str:
    """A host name without a port; one `*.` in front stands for any name below it."""
    if not re.fullmatch(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", text):
        raise ValueError("a name and nothing else")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studio", description="The embedded video backend.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one (default)")
    parser.add_argument("--host", default=LOOPBACK[0], help="address to listen on (default: this machine only)")
    parser.add_argument(
        "--allow-host", type=_name, action="append", default=[], help="name that workers call it by; may be repeated"
    )
    parser.add_argument(
        "--farm", metavar="URL", help="postgresql://…: renders go to `python -m studio.farm` on any machine"
    )
    parser.add_argument("--data", type=Path, default=Path("studio-data"), help="folder that keeps everything")
    parser.add_argument(
        "--strict", action="store_true", help="as strict as the cloud: credits run out, one token a week"
    )
    parser.add_argument("--dialect", choices=("adk", "flat"), default="adk", help="how the chat stream looks")
    parser.add_argument("--cancel-on-disconnect", action="store_true", help="drop an edit when its reader leaves")
    parser.add_argument("--seed", type=int, default=0, help="decides which edits end without a word")
    parser.add_argument("--silent-rate", type=float, default=0.3, help="share of edits that end without a word")
    parser.add_argument("--pace", type=float, default=1.0, help="how slowly text is let out; 0 is at once")
    parser.add_argument("--size", type=_size, default=(1920, 1080), help="canvas of new sessions, as 1920x1080")
    parser.add_argument("--stay", action="store_true", help="go on when stdin closes (containers)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
