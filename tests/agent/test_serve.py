"""The same turns over HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from agent.serve import application
from agent.settings import Settings
from agent.skills import load_skill
from evals.stage import FAST, studio


def ask(folder: Path, *requests: tuple[str, str, Any]) -> list[httpx.Response]:
    """Requests to a host in this process, in front of a real studio."""

    async def run() -> list[httpx.Response]:
        async with studio(folder / "studio", *FAST) as url:
            settings = Settings.load(backend=url, home=folder, exports=folder / "exports", environ={})
            app = application(settings, load_skill("generator-image"))
            async with app.router.lifespan_context(app):
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
                    return [await client.request(method, path, json=body) for method, path, body in requests]

    return asyncio.run(run())


def events(response: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line]


def test_a_turn_streams_its_events_and_a_thread_goes_on(tmp_path: Path) -> None:
    first, second = ask(
        tmp_path,
        ("POST", "/v1/turns", {"thread": "a", "text": "generate a futuristic city at night"}),
        ("POST", "/v1/turns", {"thread": "a", "text": "status"}),
    )
    assert first.headers["content-type"].startswith("text/event-stream")
    line = "Timeline (1 track): 1. Video: futuristic city at night (0-10s)"
    for response in (first, second):
        assert line in [event["text"] for event in events(response) if event["kind"] == "timeline"]


def test_a_body_that_is_none_is_refused_by_field(tmp_path: Path) -> None:
    healthy, refused = ask(tmp_path, ("GET", "/healthz", None), ("POST", "/v1/turns", {"thread": "", "oops": 1}))
    assert healthy.json() == {"status": "ok"}
    assert refused.status_code == 422
    assert {detail["field"] for detail in refused.json()["details"]} == {"thread", "text", "oops"}
