"""`python -m studio`: one process on a loopback port, said in one line of JSON; it ends when its parent does."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware

from studio.app import build
from studio.clock import SystemClock
from studio.director import Director
from studio.options import Options
from studio.queue import Queue
from studio.store import Size, Store
from studio.turns import Turns
from studio.workers import Processes, Workbench

HOST = "127.0.0.1"
SCRAP_S = 3600
LAST_WORDS_S = 5  # for readers still connected when all work is done

_log = logging.getLogger("studio")


def main() -> int:
    """0 when it ended as asked."""
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
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments.data.resolve(), options, arguments.port, arguments.size, stay=arguments.stay))
    return 0


async def _serve(folder: Path, options: Options, port: int, size: Size, *, stay: bool) -> None:
    clock = SystemClock()
    store = Store(folder, clock=clock, size=size)
    _sweep(folder)
    runner = Processes(folder / "renders")
    queue = Queue(store, runner, clock)
    drawer = Workbench(runner)
    app = build(store, Director(drawer, store.media, options), queue, options, drawer=drawer, clock=clock)
    # A page in a browser may send a foreign name to this port; only our own is answered.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=LAST_WORDS_S)
    )
    listener = socket.create_server((HOST, port))
    work = asyncio.create_task(queue.work())
    watch = None if stay else asyncio.create_task(_until_alone(server, app.state.turns, queue, work))
    _announce(listener.getsockname()[1])
    try:
        await server.serve(sockets=[listener])
    finally:
        await _end(app.state.turns, work, watch)
        store.close()


async def _until_alone(server: uvicorn.Server, turns: Turns, queue: Queue, work: asyncio.Task[None]) -> None:
    """When the parent is gone: what is under way is finished, then the door closes."""
    await _parent_gone()
    _log.info("stdin closed: finishing what is under way")
    queue.stop()
    await turns.drain()
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


def _announce(port: int) -> None:
    sys.stdout.write(json.dumps({"url": f"http://{HOST}:{port}"}) + "\n")
    sys.stdout.flush()


def _size(text: str) -> Size:
    width, height = (int(side) for side in text.split("x"))
    if not (width > 0 and height > 0 and width % 2 == height % 2 == 0):
        raise ValueError("sides are even: chroma has half of them")
    return width, height


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studio", description="The embedded video backend, on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one (default)")
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
