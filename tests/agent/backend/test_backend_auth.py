from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
import subprocess
import sys
import traceback
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from filelock import FileLock
from pydantic import SecretStr

from agent.backend import Credentials
from agent.backend.wire import Issued
from agent.errors import AgentError, ApiError, ClientIdMissing, RateLimited, SettingsError, TokenRejected

TOKEN = "/api/auth/anonymous-token"
CREDITS = "/api/credits/balance/simple"
posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


def kept(wire: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((wire.folder / "kept" / "token-nemo.json").read_text("utf-8"))
    return loaded


def test_a_first_start_makes_a_client_id_and_keeps_the_token_with_its_end(wire: Any, canary: str) -> None:
    wire.run(wire.backend().connect())
    (request,) = wire.requests
    made = request.headers["x-client-id"]
    assert str(uuid.UUID(made)) == made
    assert (wire.folder / "config" / "client_id").read_text("utf-8").strip() == made
    assert kept(wire) == {"token": canary, "expires_at": "2026-11-28T12:00:00+00:00"}


@posix_only
def test_only_their_owner_can_read_the_files(wire: Any) -> None:
    wire.run(wire.backend().connect())
    folder = wire.folder / "kept"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "token-nemo.json").stat().st_mode) == 0o600


def test_the_next_start_uses_what_was_kept(wire: Any, canary: str) -> None:
    wire.on("GET", CREDITS, wire.ok(available=1))
    wire.run(wire.backend().connect())
    wire.run(wire.backend().credits())
    assert wire.paths() == [TOKEN, CREDITS]
    assert wire.requests[-1].headers["authorization"] == f"Bearer {canary}"


@pytest.mark.parametrize(
    ("said", "kept_until"),
    [
        ("2026-11-22T00:00:00Z", "2026-11-22T00:00:00+00:00"),
        ("2026-11-22T00:00:00", "2026-11-22T00:00:00+00:00"),
        (1795305600, "2026-11-22T00:00:00+00:00"),
        (1795305600000, "2026-11-22T00:00:00+00:00"),
        ("soon", "2026-11-28T12:00:00+00:00"),
        (None, "2026-11-28T12:00:00+00:00"),
        (604800, "2026-11-28T12:00:00+00:00"),
        ("2020-01-01T00:00:00Z", "2026-11-28T12:00:00+00:00"),
    ],
)
def test_the_end_of_a_token_is_understood_however_it_is_written(wire: Any, said: Any, kept_until: str) -> None:
    wire.on("POST", TOKEN, wire.ok(token="t", expires_at=said))
    wire.run(wire.backend().connect())
    assert kept(wire)["expires_at"] == kept_until


def test_a_token_whose_date_makes_no_sense_is_not_asked_for_again_and_again(wire: Any) -> None:
    wire.on("POST", TOKEN, wire.ok(token="t", expires_at=604800))
    wire.on("GET", CREDITS, wire.ok(available=1))
    backend = wire.backend()

    async def thrice() -> None:
        for _ in range(3):
            await backend.credits()

    wire.run(thrice())
    assert wire.paths().count(TOKEN) == 1


def test_a_canceled_renewal_goes_on_and_its_token_is_kept(wire: Any, canary: str) -> None:
    credentials = wire.credentials()

    async def issue(client_id: str) -> Issued:
        await asyncio.sleep(20)
        return Issued(token=SecretStr(canary))

    async def never(client_id: str) -> Issued:
        raise AssertionError("asked for a second token")

    async def scenario() -> SecretStr:
        asking = asyncio.create_task(credentials.token(issue, wire.clock))
        await asyncio.sleep(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return await credentials.token(never, wire.clock)

    assert wire.run(scenario()).get_secret_value() == canary
    assert kept(wire)["token"] == canary


def test_a_token_that_has_ended_is_renewed_with_the_same_client_id(wire: Any) -> None:
    wire.on("POST", TOKEN, wire.ok(token="old"), wire.ok(token="new"))
    credentials = wire.credentials()

    async def week() -> None:
        backend = wire.backend(credentials)
        await backend.connect()
        await asyncio.sleep(timedelta(days=6, hours=23).total_seconds())
        await backend.connect()
        await asyncio.sleep(timedelta(hours=2).total_seconds())
        await backend.connect()

    wire.run(week())
    assert kept(wire)["token"] == "new"
    first, second = (r.headers["x-client-id"] for r in wire.requests)
    assert first == second


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'{"token": 5}', b'{"token": ""}', b"\xff\xfe"])
def test_a_file_that_makes_no_sense_is_written_anew(wire: Any, junk: bytes, canary: str) -> None:
    (wire.folder / "kept").mkdir()
    (wire.folder / "kept" / "token-nemo.json").write_bytes(junk)
    (wire.folder / "config").mkdir()
    (wire.folder / "config" / "client_id").write_bytes(junk)
    wire.run(wire.backend().connect())
    assert kept(wire)["token"] == canary
    uuid.UUID((wire.folder / "config" / "client_id").read_text("utf-8").strip())


def test_many_at_a_time_renew_once(wire: Any) -> None:
    wire.on("POST", TOKEN, wire.ok(token="old"), wire.ok(token="new"))
    backends = [wire.backend(credentials) for credentials in [wire.credentials()] * 3]

    def gate(request: httpx.Request) -> httpx.Response:
        old = request.headers["authorization"] == "Bearer old"
        return httpx.Response(200, json={"code": 1001} if old else {"available": 1})

    wire.on("GET", CREDITS, gate)

    async def together() -> list[Any]:
        return await asyncio.gather(*(backend.credits() for backend in backends * 5))

    assert [c.available for c in wire.run(together())] == [1] * 15
    assert wire.paths().count(TOKEN) == 2


def test_another_process_that_renewed_first_is_believed(wire: Any) -> None:
    wire.on("POST", TOKEN, wire.ok(token="old"), wire.ok(token="new"))
    ours, theirs = wire.credentials(), wire.credentials()

    async def both() -> SecretStr:
        issue = wire.backend(ours)._issue
        old = await ours.token(issue, wire.clock)
        await theirs.token(issue, wire.clock)
        await theirs.token(issue, wire.clock, rejected=old)
        return await ours.token(issue, wire.clock, rejected=old)

    assert wire.run(both()).get_secret_value() == "new"
    assert wire.paths().count(TOKEN) == 2


def test_a_renewal_waits_for_another_process_at_work_on_it_and_no_longer(wire: Any) -> None:
    (wire.folder / "kept").mkdir()

    async def wait() -> float:
        await wire.backend().connect()
        return asyncio.get_running_loop().time()

    code = "import sys, filelock\nheld = filelock.FileLock(sys.argv[1])\nheld.acquire()\n"
    code += "print(1, flush=True)\nsys.stdin.read()"
    lock = str(wire.folder / "kept" / "token-nemo.lock")
    other = subprocess.Popen([sys.executable, "-c", code, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with other:
        assert other.stdout and other.stdout.readline()
        assert 45 <= wire.run(wait()) < 47
    with FileLock(lock, timeout=0):
        pass


def test_a_limited_renewal_waits_thirty_seconds_and_has_its_own_sentence(wire: Any) -> None:
    wire.on("POST", TOKEN, wire.refused(429, "slow down", 429))
    with pytest.raises(RateLimited) as caught:
        wire.run(wire.backend().credits())
    assert caught.value.key == "error.rate_limited.token"
    assert (wire.clock.slept, wire.paths()) == ([30.0], [TOKEN, TOKEN])


def test_a_client_id_the_backend_does_not_see_is_replaced_once(wire: Any, canary: str) -> None:
    wire.on("POST", TOKEN, wire.refused(400, "missing X-Client-Id", 400), wire.ok(token=canary))
    wire.run(wire.backend().connect())
    first, second = (r.headers["x-client-id"] for r in wire.requests)
    assert first != second
    assert (wire.folder / "config" / "client_id").read_text("utf-8").strip() == second
    wire.on("POST", TOKEN, wire.refused(400))
    with pytest.raises(ClientIdMissing):
        wire.run(another(wire).connect())


def another(wire: Any) -> Any:
    return wire.backend(Credentials("other", wire.folder / "kept", wire.folder / "config" / "client_id"))


def test_each_backend_has_a_token_of_its_own(wire: Any) -> None:
    names = ["nemo", "studio", "127.0.0.1:80", "127.0.0.1_80", "../x", "城"]
    for name in names:
        wire.on("POST", TOKEN, wire.ok(token=f"for-{names.index(name)}"))
        credentials = Credentials(name, wire.folder / "kept", wire.folder / "client_id")
        wire.run(wire.backend(credentials).connect())
    files = list((wire.folder / "kept").glob("token-*.json"))
    assert len(files) == len(names)
    assert wire.paths().count(TOKEN) == len(names)


# The person's own


def test_a_supplied_token_is_used_as_it_is_and_never_written_down(wire: Any, canary: str) -> None:
    wire.on("GET", CREDITS, wire.ok(available=1))
    wire.run(wire.backend(supplied=f" {canary}\n").credits())
    assert wire.paths() == [CREDITS]
    assert wire.requests[0].headers["authorization"] == f"Bearer {canary}"
    assert [p for p in wire.folder.rglob("*") if p.is_file()] == []


def test_a_supplied_token_that_is_refused_is_told_and_never_replaced(wire: Any, canary: str) -> None:
    wire.on("GET", CREDITS, wire.refused(1001))
    wire.on("POST", "/run_sse", wire.refused(1001))
    backend = wire.backend(supplied=canary)
    for call in (backend.credits, lambda: wire.heard(backend)):
        with pytest.raises(TokenRejected) as caught:
            wire.run(call())
        assert caught.value.key == "error.token_rejected.supplied"
    assert wire.paths() == [CREDITS, "/run_sse"]


@pytest.mark.parametrize("token", ["två", "a b", "a\nb: c", "\x00"])
def test_a_supplied_token_no_header_can_hold_is_told_without_being_shown(wire: Any, token: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        wire.run(wire.backend(supplied=token).credits())
    assert caught.value.reason == "supplied"
    assert token not in "".join(traceback.format_exception(caught.value))
    assert wire.requests == []


def test_a_client_id_no_header_can_hold_is_a_wrong_setting(wire: Any) -> None:
    with pytest.raises(SettingsError):
        wire.credentials(client_id="a\nb")
    wire.run(wire.backend(wire.credentials(client_id="mine")).connect())
    assert wire.requests[0].headers["x-client-id"] == "mine"
    assert not (wire.folder / "config").exists()


def test_files_that_cannot_be_written_leave_the_token_in_memory(
    wire: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, canary: str
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("agent.backend.auth.tempfile.mkstemp", refuse)
    wire.on("GET", CREDITS, wire.ok(available=1))
    backend = wire.backend()
    wire.run(backend.credits())
    assert wire.paths() == [TOKEN, CREDITS]
    assert "can't be kept" in caplog.text
    assert canary not in caplog.text


# The canary


def test_the_token_is_in_no_text_anybody_may_see(wire: Any, canary: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"token {canary} is bad"
    wire.on("GET", CREDITS, wire.refused(99, echo))
    broken = wire.stream(f'data: {{"error":"{echo}"}}\n\n'.encode())
    wire.on("POST", "/run_sse", broken, wire.refused(2001, echo))
    wire.on("GET", "/api/state/nemo_agent/me/s1/latest", httpx.ReadError("cut"))
    credentials = wire.credentials()
    backend = wire.backend(credentials)
    seen = [repr(backend), repr(credentials), str(wire.run(wire.heard(backend)))]
    for call in (backend.credits, lambda: wire.heard(backend), lambda: backend.snapshot("s1")):
        with pytest.raises(AgentError) as caught:
            wire.run(call())
        error = caught.value
        seen += ["".join(traceback.format_exception(error)), repr(error), str(error.values), str(vars(error))]
    assert isinstance(error, AgentError) and not isinstance(error, ApiError)
    issued = Issued.model_validate({"token": canary, "data": {"token": canary}})
    seen += [repr(issued), issued.model_dump_json(), caplog.text]
    assert canary not in "\n".join(seen)


def test_a_reply_to_the_token_call_that_makes_no_sense_does_not_show_it(wire: Any, canary: str) -> None:
    wire.on("POST", TOKEN, wire.ok(token=[canary]))
    with pytest.raises(AgentError) as caught:
        wire.run(wire.backend().connect())
    assert canary not in "".join(traceback.format_exception(caught.value))


def test_a_token_is_kept_whole_whenever_the_process_dies(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from agent.backend.auth import _write
while True:
    for letter in "ab":
        _write(Path(sys.argv[1]), letter * 100_000)
        print(1, flush=True)
"""
    path = tmp_path / "token.json"
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    with writer:
        assert writer.stdout and writer.stdout.readline()
        for _ in range(300):
            text = path.read_text("utf-8")
            assert len(text) == 100_000 and len(set(text)) == 1
        writer.kill()
