"""`python adk_server.py PORT`: a real google-adk server on loopback whose agent plays the script that it is told.

Under /bytes the same server sends its streams one byte a chunk.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import uvicorn
from google.adk.cli.fast_api import get_fast_api_app

AGENT = """
from google.adk.agents import BaseAgent
from google.adk.events import Event
from google.genai import types


def event(*parts, author="nemo_agent", **fields):
    return Event(author=author, content=types.Content(role="model", parts=list(parts)), **fields)


def text(words, **fields):
    return types.Part(text=words, **fields)


CALL = types.Part(function_call=types.FunctionCall(id="1", name="edit_multitrack", args={}))
RESULT = types.Part(function_response=types.FunctionResponse(id="1", name="edit_multitrack", response={"ok": True}))

SCRIPTS = {
    "plain": lambda: [event(text("Hello, \\u672a\\u6765\\u2028\\U0001f600."))],
    "streamed": lambda: [
        event(text("I will "), partial=True),
        event(text("add music."), partial=True),
        event(text("I will add music."), partial=False),
    ],
    "tools": lambda: [event(CALL), event(RESULT)],
    "both": lambda: [event(text("Let me look."), CALL), event(RESULT), event(text("Done."))],
    "silent": lambda: [],
    "error": lambda: [
        event(text("Half"), partial=True, error_code="MAX_TOKENS", error_message="too long"),
        event(text("Half an answer"), error_code="MAX_TOKENS", error_message="too long"),
    ],
    "thought": lambda: [
        event(text("secret ", thought=True), partial=True),
        event(text("Done"), partial=True),
        event(text("secret ", thought=True), text("Done.")),
    ],
    "authors": lambda: [
        event(text("A1 "), author="a", partial=True),
        event(text("B1 "), author="b", partial=True),
        event(text("A1 A2"), author="a"),
        event(text("B1 B2"), author="b"),
        event(text("B1 B2"), author="b"),
    ],
    "unconfirmed": lambda: [event(text("Let me"), partial=True)],
    "apology": lambda: [event(text("Music added.")), event(text("I encountered a temporary issue."))],
}


class Nemo(BaseAgent):
    async def _run_async_impl(self, ctx):
        script = ctx.user_content.parts[0].text
        if script == "crash":
            yield event(text("Working."))
            raise RuntimeError('he said "no"\\nand left')
        for made in SCRIPTS[script]():
            yield made


root_agent = Nemo(name="nemo_agent")
"""


def one_byte_a_chunk(app: Any) -> Any:
    """The app, and under /bytes the app in the smallest pieces."""

    async def split(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/bytes/"):
            await app(scope, receive, send)
            return

        async def small(message: Any) -> None:
            body = message.get("body", b"")
            for at in range(len(body) - 1):
                await send({**message, "body": body[at : at + 1], "more_body": True})
            await send({**message, "body": body[-1:]} if body else message)

        path = scope["path"].removeprefix("/bytes")
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, small)

    return split


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "nemo_agent"
        folder.mkdir()
        (folder / "__init__.py").write_text("from . import agent\n", encoding="utf-8")
        (folder / "agent.py").write_text(AGENT, encoding="utf-8")
        made = get_fast_api_app(agents_dir=name, web=False, session_service_uri="memory://", use_local_storage=False)
        uvicorn.run(one_byte_a_chunk(made), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
