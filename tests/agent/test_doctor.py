"""What is stored where, whether it works, and which shapes a backend speaks: never a secret, never a send."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_nemo import CANARY, CITY, FakeNemo, code, cut, ok
from pydantic import SecretStr
from world import World

from agent import contract, doctor
from agent.backend import contract as wire
from agent.backend.contract import ask_everything_free
from agent.settings import Settings
from agent.skills import load_skill
from evals.stage import FAST, studio

FREE = [
    ("POST", "/api/auth/anonymous-token"),
    ("POST", "/api/tasks/me/with-session/nemo_agent"),
    ("GET", "/api/credits/balance/simple"),
    ("GET", "/api/state/nemo_agent/me/ses-secret-1/latest"),
]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A studio that need not be started: the one test about it starts it."""

    async def fine(lang: Any) -> doctor.Line:
        return doctor.Line("good", "studio")

    monkeypatch.setattr(doctor, "_studio", fine)


def examined(settings: Settings) -> tuple[int, str]:
    out = io.StringIO()
    return asyncio.run(doctor.examine(settings, out)), out.getvalue()


def probed(world: World, monkeypatch: pytest.MonkeyPatch, settings: Settings | None = None) -> tuple[int, str]:
    def through(given: Settings, attribution: Any) -> AsyncIterator[Any]:
        return ask_everything_free(given, attribution, clock=world.clock, transport=world.nemo)

    monkeypatch.setattr(contract, "ask_everything_free", through)
    out, settings = io.StringIO(), settings or world.settings()
    return asyncio.run(contract.probe(settings, load_skill("generator-image"), out)), out.getvalue()


# This computer


def test_the_embedded_studio_starts_and_films_are_encoded_without_ffmpeg(settings: Settings) -> None:
    code_, said = examined(settings)
    assert code_ == 0, said
    assert "[ok] The embedded studio starts" in said
    assert "[ok] Rendering works without ffmpeg" in said
    assert said.endswith("Everything is in order.\n")


def test_a_machine_where_nothing_happened_yet_is_in_order(at_once: None, settings: Settings) -> None:
    code_, said = examined(settings)
    assert code_ == 0
    assert "threads.db: nothing there yet" in said and "Token: none yet" in said
    assert list(settings.data.iterdir()) == []


def test_conversations_jobs_sends_and_the_token_are_counted_and_never_shown(at_once: None, world: World) -> None:
    world.nemo.draft = {"t": [CITY]}
    world.nemo.scripts.append([cut])
    world.say("make a film of a city", "export as mp4")
    code_, said = examined(world.settings())
    assert code_ == 0, said
    assert "Conversations: 1, in" in said
    assert "Exports on record: 1 (0 still open), sends without a known outcome: 1, in" in said
    assert "[ok] Token: there is one that has ended, 0 minutes old, in" in said  # the fake's clock is behind
    assert "Client id: there is one" in said
    client_id = world.settings().client_id_file.read_text().strip()
    for secret in (CANARY, client_id, "ses-secret"):
        assert secret not in said


def test_a_token_of_the_persons_own_is_named_by_where_it_comes_from(at_once: None, world: World) -> None:
    world.environ["NEMO_TOKEN"] = CANARY
    said = examined(world.settings())[1]
    assert "[ok] Token: your own, from NEMO_TOKEN" in said and CANARY not in said


def test_an_old_and_a_broken_token_are_told_apart(at_once: None, settings: Settings) -> None:
    kept = settings.data / "token-studio.json"
    kept.write_text(json.dumps({"token": CANARY, "expires_at": "2020-01-01T00:00:00+00:00"}), encoding="utf-8")
    assert "there is one that has ended, 0 minutes old" in examined(settings)[1]
    kept.write_text("[", encoding="utf-8")
    assert "token-studio.json can't be read; the next turn gets another" in examined(settings)[1]


def test_a_broken_database_is_said_and_left_as_it_is(at_once: None, settings: Settings) -> None:
    path = settings.data / "journal.db"
    path.write_bytes(b"no database" * 100)
    code_, said = examined(settings)
    assert code_ == 1
    assert f"[BAD] {path} can't be read: " in said
    assert said.endswith("see the lines marked [BAD].\n")
    assert path.read_bytes() == b"no database" * 100


def test_a_studio_that_does_not_start_is_a_reason_to_complain(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.embedded.sys.executable", "/nowhere/python")
    code_, said = examined(settings)
    assert code_ == 1 and "[BAD] The embedded studio does not start: " in said


def test_a_codec_that_is_missing_is_a_reason_to_complain(
    at_once: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = doctor.import_module

    def without(name: str) -> Any:
        if name == "av":
            raise ImportError("no wheel for this machine")
        return real(name)

    monkeypatch.setattr(doctor, "import_module", without)
    code_, said = examined(settings)
    assert code_ == 1 and "[BAD] Rendering does not work: ImportError: no wheel for this machine." in said


def test_a_narrow_terminal_is_told_what_it_lacks() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    said = [line.text for line in doctor._terminal("en", stream)]
    assert said[0] == "Terminal: not interactive (pipe or file), encoding latin-1, without colours"
    assert "has no “✅ 视频”" in said[1]


def test_the_doctor_speaks_chinese(at_once: None, settings: Settings) -> None:
    chinese = dataclasses.replace(settings, lang="zh", max_spend=30.0, ask_before_spending=True)
    said = examined(chinese)[1]
    assert "后端：这台电脑上的内置工作室" in said and said.endswith("一切正常。\n")
    assert "每次运行最多 30 积分" in said and "每次发送前先问" in said


# A backend


def test_only_what_is_free_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.draft = {"t": [CITY]}
    code_, said = probed(world, monkeypatch)
    assert [(request.method, request.url.path) for request in world.nemo.requests] == FREE
    assert code_ == 0
    assert "] token: HTTP 200 in" in said and "inside “data”, code 0; has token, credits" in said
    assert "has task_id, session_id, user_id" in said
    assert "has available, frozen, total" in said
    assert "has state, draft; the draft is in short names (t, tt, sg, d, m)" in said
    assert "not tried" in said and said.endswith("It speaks every free call of the protocol.\n")
    assert CANARY not in said and "ses-secret" not in said


def test_every_request_of_the_probe_says_who_asks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    probed(world, monkeypatch)
    assert {request.headers["x-skill-source"] for request in world.nemo.requests} == {"generator-image"}


def test_a_kept_token_is_used_and_none_is_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    probed(world, monkeypatch)
    world.nemo.requests.clear()
    said = probed(world, monkeypatch)[1]
    assert "[-] token: not asked" in said
    assert "/api/auth/anonymous-token" not in [request.url.path for request in world.nemo.requests]


def test_answers_at_the_top_level_are_understood_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.answer("POST /api/auth", httpx.Response(200, json={"token": CANARY, "plan": "free"}))
    world.nemo.answer("GET /api/credits", httpx.Response(200, json={"code": 0, "available": 3}))
    code_, said = probed(world, monkeypatch)
    assert code_ == 0
    assert "at top level, no code; has token; besides plan" in said
    assert "at top level, code 0; has available" in said


def test_a_backend_that_lacks_one_fails_and_the_rest_is_still_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.nemo.answer("POST /api/tasks", httpx.Response(404, json={"detail": "Not Found"}))
    world.nemo.answer("GET /api/credits", ok({"coins": 3}))
    code_, said = probed(world, monkeypatch)
    assert code_ == 1
    assert "[BAD] session: " in said and "[BAD] credits: " in said
    assert "[BAD] state: not asked, for there is no session" in said
    assert said.endswith("see the lines marked [BAD].\n")


def test_a_token_that_is_refused_ends_the_probe(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.answer("POST /api/auth", code(500), code(500), code(500), code(500))
    code_, said = probed(world, monkeypatch)
    assert code_ == 1 and "[BAD] token: " in said and "session" not in said.split("[BAD]")[1]


def test_what_is_not_free_cannot_leave() -> None:
    only = wire._OnlyFree("https://x.test/prefix/")

    async def ask(method: str, path: str) -> None:
        await only.check(httpx.Request(method, f"https://x.test/prefix{path}"))

    for method, path in FREE:
        asyncio.run(ask(method, path))
    for path in ("/run_sse", "/api/upload-video/nemo_agent/me/s", "/api/render/proxy/lambda", "/api/auth/claim-token"):
        with pytest.raises(AssertionError):
            asyncio.run(ask("POST", path))


def test_the_studio_speaks_every_free_call(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, str]:
        out = io.StringIO()
        async with studio(tmp_path / "studio", *FAST) as url:
            settings = Settings.load(backend=url, home=tmp_path, lang="en", environ={})
            settings.data.mkdir(parents=True)
            return await contract.probe(settings, load_skill("generator-image"), out), out.getvalue()

    code_, said = asyncio.run(scenario())
    assert code_ == 0, said
    assert "has state, draft" in said


def test_the_fake_is_never_written_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.environ["NEMO_TOKEN"] = CANARY
    probed(world, monkeypatch)
    assert (world.nemo.sends, world.nemo.submits) == ([], [])
    assert isinstance(world.nemo, FakeNemo) and isinstance(world.settings().token, SecretStr)
