"""The same turns over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from agent.serve import application
from agent.settings import Settings
from agent.skills import load_skill
from evals.stage import FAST, studio


@asynccontextmanager
async def hosted(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a host in this process, in front of a real studio."""
    async with studio(folder / "studio", *FAST) as url:
        settings = Settings.load(backend=url, home=folder, exports=folder / "exports", environ={})
        app = application(settings, load_skill("generator-image"))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                yield client


def ask(folder: Path, *requests: tuple[str, str, Any]) -> list[httpx.Response]:
    """The answers to requests, one after another."""

    async def run() -> list[httpx.Response]:
        async with hosted(folder) as client:
            return [await client.request(method, path, json=body) for method, path, body in requests]

    return asyncio.run(run())


def events(response: httpx.Response) -> list[dict[str, Any]]:
    said = [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line.startswith("data: ")]
    return [event for event in said if "kind" in event]


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
    error = refused.json()["error"]
    assert (error["code"], error["param"]) == ("bad_request", "thread")
    assert error["request_id"] == refused.headers["x-request-id"]


def test_the_same_turn_twice_is_told_again_and_not_done_again(tmp_path: Path) -> None:
    asked = {"thread": "a", "text": "generate a futuristic city at night", "turn": "0" * 31 + "1"}
    first, again, credits = ask(
        tmp_path, ("POST", "/v1/turns", asked), ("POST", "/v1/turns", asked), ("GET", "/v1/credits", None)
    )
    assert '"replayed":false' in first.text and '"replayed":true' in again.text
    said = [[event["text"] for event in events(one) if event["kind"] == "text"] for one in (first, again)]
    assert said[0] == said[1] != []
    assert credits.json()["available"] == 98  # one edit, paid once


def test_an_export_arrives_as_a_link_that_needs_no_key_and_says_no_path_of_the_host(tmp_path: Path) -> None:
    async def run() -> tuple[dict[str, Any], httpx.Response, httpx.Response]:
        async with hosted(tmp_path) as client:
            await client.post("/v1/turns", json={"thread": "a", "text": "generate a futuristic city at night"})
            answer = await client.post("/v1/turns", json={"thread": "a", "text": "export to ../../etc/evil.mp4"})
            (delivered,) = [event for event in events(answer) if event["kind"] == "delivered"]
            assert str(tmp_path) not in answer.text
            forged = delivered["url"][:-1] + ("0" if delivered["url"][-1] != "0" else "1")
            return delivered, await client.get(delivered["url"]), await client.get(forged)

    delivered, film, forged = asyncio.run(run())
    assert delivered["text"].startswith("✅ Ready: evil.mp4 (")
    assert film.status_code == 200 and film.content[4:8] == b"ftyp" and len(film.content) == delivered["size"]
    assert forged.status_code == 404


def test_a_name_of_the_hosts_own_files_leads_nowhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"\x89PNG\r\n\x1a\n")
    (answer,) = ask(tmp_path, ("POST", "/v1/turns", {"thread": "a", "text": f"upload {secret}"}))
    (refused,) = [event for event in events(answer) if event["kind"] == "error"]
    assert refused["code"] == "upload_refused"
    assert refused["text"].startswith("I can't see “secret.png”")


def test_what_the_page_suggests_names_no_file_of_the_host(tmp_path: Path) -> None:
    (answer,) = ask(tmp_path, ("GET", "/v1/skills", None))
    tries = [one for skill in answer.json()["skills"] for lang in ("en", "zh") for one in skill["tries"][lang]]
    assert len(tries) > 10 and not [one for one in tries if "./" in one]
