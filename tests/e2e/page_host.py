"""A small host that speaks the native door from scripts, and the page as a person uses it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agent.draft import Draft
from agent.lanes import lanes
from agent.picture import svg
from agent.serve.page import page, policy
from agent.skills import load_skill, skill_names

DROP = "drop"
"""A step of a script: every stream of the turn breaks off here, and the turn goes on."""
Step = dict[str, Any] | str | threading.Event
"""An event; DROP; or something to wait for."""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763606050fa0f000105"
    "00c1b0d6a1c90000000049454e44ae426082"
)


class Turn:
    """What a turn has said, kept so that streams can begin anywhere."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.said, self.events, self.status = said, list[dict[str, Any]](), "running"
        self.outcome = "done"
        self.drops: list[int] = []
        """How many events had been said at each break."""
        self.moved = asyncio.Condition()

    async def play(self, steps: list[Step]) -> None:
        for step in steps:
            if isinstance(step, threading.Event):
                await asyncio.to_thread(step.wait, 20)
                continue
            async with self.moved:
                self.drops += [len(self.events)] if step == DROP else []
                self.events += [step] if isinstance(step, dict) else []
                self.moved.notify_all()
        async with self.moved:
            self.status = self.outcome
            self.moved.notify_all()

    async def stream(self, after: int, replayed: bool) -> AsyncIterator[str]:
        drops, at = len(self.drops), after + 1
        first = {"turn": self.said["turn"], "thread": self.said["thread"], "replayed": replayed}
        yield f"event: turn\ndata: {json.dumps(first)}\n\n: still here\n\n"
        while True:
            async with self.moved:
                await self.moved.wait_for(
                    lambda at=at: len(self.events) > at or self.status != "running" or len(self.drops) > drops
                )
            end = self.drops[drops] if len(self.drops) > drops else len(self.events)
            for number in range(at, end):
                yield f"id: {number}\ndata: {json.dumps(self.events[number], ensure_ascii=False)}\n\n"
                at = number + 1
            if len(self.drops) > drops:
                raise ConnectionResetError
            if self.status != "running":
                yield f'event: end\ndata: {{"status": "{self.status}"}}\n\n'
                return


class Host:
    """Plays `scripts[text]` for a turn with that text. `posts` is what arrived; `refusal` is the answer to posts."""

    def __init__(self, key: str | None = None) -> None:
        self.key, self.accepted, self.max_mb = key, ["mp4", "jpg", "png", "mp3"], 1
        self.scripts: dict[str, list[Step]] = {}
        self.posts: list[dict[str, Any]] = []
        self.looks: list[str | None] = []
        self.cancels: list[str] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.threads: dict[str, dict[str, Turn]] = {}
        self.refusal: JSONResponse | None = None
        self.draft: dict[str, Any] = {}
        self.available = 95.0
        self.tasks: set[asyncio.Task[None]] = set()

    def app(self) -> Starlette:
        thread = "/v1/threads/{thread}"
        routes: list[tuple[str, str, Callable[[Request], Any]]] = [
            ("GET", "/", self.document), ("GET", "/v1/about", self.about), ("GET", "/v1/skills", self.skills),
            ("GET", "/v1/threads", self.list), ("GET", thread, self.past), ("DELETE", thread, self.forget),
            ("GET", thread + "/timeline.svg", self.lanes), ("POST", thread + "/cancel", self.cancel),
            ("GET", thread + "/turns/{turn}", self.look), ("POST", "/v1/turns", self.take),
            ("POST", "/v1/files", self.upload), ("DELETE", "/v1/files/{id}", self.drop_file),
            ("GET", "/files/{id}/{name}", self.bytes), ("GET", "/v1/credits", self.credits),
        ]  # fmt: skip
        return Starlette(routes=[Route(path, self.guarded(path, call), methods=[verb]) for verb, path, call in routes])

    def guarded(self, path: str, call: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            closed = self.key is not None and path.startswith("/v1/") and path != "/v1/about"
            if closed and request.headers.get("authorization") != f"Bearer {self.key}":
                return refused(401, "unauthorized", "Who are you?")
            response: Response = await call(request)
            return response

        return answer

    async def document(self, request: Request) -> Response:
        nonce = uuid4().hex
        return HTMLResponse(page(nonce), headers={"Content-Security-Policy": policy(nonce)})

    async def about(self, request: Request) -> Response:
        about = {
            "name": "reelchat",
            "version": "0.1.0",
            "backend": "studio",
            "keys": self.key is not None,
            "lang": "en",
        }
        more = {"default_skill": "generator-image", "accepted": self.accepted, "max_mb": self.max_mb}
        return JSONResponse({**about, **more})

    async def skills(self, request: Request) -> Response:
        found = [load_skill(name) for name in skill_names()]
        rows = [
            {"name": one.name, "description": one.summary, "greeting": one.greeting, "tries": one.tries}
            for one in found
        ]
        return JSONResponse({"skills": rows})

    async def list(self, request: Request) -> Response:
        rows = [
            {"thread": name, "title": next(iter(turns.values())).said["text"][:60], "at": "2026-11-21T12:00:00Z",
             "skill": "generator-image"}
            for name, turns in reversed(self.threads.items())
        ]  # fmt: skip
        return JSONResponse({"threads": rows})

    async def past(self, request: Request) -> Response:
        turns = self.threads.get(request.path_params["thread"])
        if turns is None:
            return refused(404, "not_found", "There is no such conversation.")
        rows = [
            {**turn.said, "files": [self.files[one] for one in turn.said["files"]], "status": turn.status,
             "events": [event for event in turn.events if event["kind"] != "progress"]}
            for turn in turns.values()
        ]  # fmt: skip
        return JSONResponse({"thread": request.path_params["thread"], "skill": "photo-generator", "turns": rows})

    async def forget(self, request: Request) -> Response:
        self.threads.pop(request.path_params["thread"], None)
        return Response(status_code=204)

    async def lanes(self, request: Request) -> Response:
        if not self.draft:
            return refused(404, "not_found", "Nothing yet.")
        lang = "zh" if request.query_params.get("lang") == "zh" else "en"
        drawn = svg(lanes(Draft.read(self.draft), lang), "Urban Dreams")
        return Response(drawn, media_type="image/svg+xml")

    async def cancel(self, request: Request) -> Response:
        self.cancels.append(request.path_params["thread"])
        for turn in self.threads.get(request.path_params["thread"], {}).values():
            async with turn.moved:
                turn.status = "done"
                turn.moved.notify_all()
        return Response(status_code=202)

    async def look(self, request: Request) -> Response:
        self.looks.append(request.headers.get("last-event-id"))
        turn = self.threads.get(request.path_params["thread"], {}).get(request.path_params["turn"])
        if turn is None:
            return refused(404, "not_found", "There is no such turn.")
        after = int(request.headers.get("last-event-id") or -1)
        return StreamingResponse(turn.stream(after, True), media_type="text/event-stream")

    async def take(self, request: Request) -> Response:
        said = {"files": [], "text": "", **await request.json()}
        self.posts.append(said)
        if self.refusal is not None:
            return self.refusal
        turns = self.threads.setdefault(said["thread"], {})
        replayed = said["turn"] in turns
        if not replayed:
            turns[said["turn"]] = Turn(said)
            task = asyncio.create_task(
                turns[said["turn"]].play(self.scripts.get(said["text"], [words("a", "All right.")]))
            )
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return StreamingResponse(turns[said["turn"]].stream(-1, replayed), media_type="text/event-stream")

    async def upload(self, request: Request) -> Response:
        async with request.form() as form:
            file: Any = form["file"]
            size = len(await file.read())
            name = file.filename
        if "refuse" in name:
            return refused(415, "unsupported_type", "By its content this is no picture.")
        made = {"id": f"file_{uuid4().hex}", "object": "file", "bytes": size, "filename": name}
        self.files[made["id"]] = made
        return JSONResponse(made)

    async def drop_file(self, request: Request) -> Response:
        self.files.pop(request.path_params["id"], None)
        return JSONResponse({"deleted": True})

    async def bytes(self, request: Request) -> Response:
        return Response(PNG, media_type="image/png")

    async def credits(self, request: Request) -> Response:
        return JSONResponse({"available": self.available, "frozen": 0.0, "total": 100.0})


def refused(status: int, code: str, message: str) -> JSONResponse:
    error = {"message": message, "type": "invalid_request_error", "code": code, "param": None, "request_id": "r"}
    return JSONResponse({"error": error}, status_code=status)


def words(name: str, text: str, mode: str = "append") -> dict[str, Any]:
    return {"kind": "text", "id": name, "mode": mode, "text": text}


def progress(text: str, fraction: float | None = None, about: str = "send") -> dict[str, Any]:
    return {"kind": "progress", "about": about, "text": text, "fraction": fraction}


class Switch:
    """An application that is whichever host was put in last, so that many tests share a server."""

    def __init__(self) -> None:
        self.app: Starlette | None = None

    def put(self, host: Host) -> None:
        self.app = host.app()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@contextmanager
def serving(app: Any, lifespan: Literal["on", "off"] = "off") -> Iterator[str]:
    """The application on a free port, in a thread of its own; its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, ws="none", lifespan=lifespan)
        server, up = uvicorn.Server(config), threading.Event()
        begin = server.startup

        async def startup(sockets: list[socket.socket] | None = None) -> None:
            await begin(sockets)
            up.set()

        server.startup = startup  # type: ignore[method-assign]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        assert up.wait(20)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


class Chat:
    """What a person does on the page and sees there, by the names that a screen reader tells."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._console)

    def _console(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.problems.append(message.text)

    def open(self, path: str = "/") -> Chat:
        self.page.goto(self.url + path)
        self.field.wait_for()
        return self

    @property
    def field(self) -> Any:
        return self.page.get_by_role("textbox", name="Your message")

    @property
    def log(self) -> Any:
        return self.page.locator("#turns")

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def ready(self) -> Chat:
        """Waits until the personas are there: then everything is."""
        self.page.locator("#skill option").first.wait_for(state="attached")
        return self

    def say(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    def sees(self, text: str) -> None:
        self.page.get_by_text(text, exact=False).first.wait_for()

    def idle(self) -> None:
        self.button("Send").wait_for()

    def attach(self, *files: tuple[str, str, bytes]) -> None:
        rows = [{"name": name, "mimeType": kind, "buffer": content} for name, kind, content in files]
        self.page.locator("#choose").set_input_files(rows)
