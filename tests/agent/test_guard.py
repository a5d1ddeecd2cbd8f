"""What every request passes before a door is asked."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gate import MP4, PNG, Caller, Gate, at_gate

from agent.serve import Options
from agent.serve.door import Refused
from agent.serve.guard import may_bind
from agent.serve.limits import Limits, open_limits
from agent.settings import Settings
from evals import servers


class Time:
    """Stands in for the `time` of the library that counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_800_000_000.0
        clock = SimpleNamespace(time=lambda: self.now)
        for module in ("limits.aio.storage.memory", "limits.aio.strategies", "agent.serve.limits"):
            monkeypatch.setattr(f"{module}.time", clock)


def code(response: Any) -> str:
    """Of a refusal, which always has a sentence and a number, and never anything of the inside."""
    error = response.json()["error"]
    assert error["message"] and error["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    return str(error["code"])


@pytest.mark.parametrize(
    ("options", "has_keys", "may"),
    [
        (Options(), False, True),
        (Options(host="::1"), False, True),
        (Options(host="127.0.0.2", public_url="http://localhost:8765"), False, True),
        (Options(host="0.0.0.0"), False, False),
        (Options(host="::"), False, False),
        (Options(host="192.168.0.7"), False, False),
        (Options(host="localhost.example.org"), False, False),
        (Options(public_url="https://reel.example.org"), False, False),  # a proxy brings strangers to this machine
        (Options(names=("reel.example.org",)), False, False),
        (Options(names=("*",)), False, False),
        (Options(origins=("*",)), False, False),
        (Options(origins=("http://localhost:3000",)), False, True),
        (Options(host="0.0.0.0"), True, True),
    ],
)
def test_without_keys_only_this_machine_may_reach_a_host(options: Options, has_keys: bool, may: bool) -> None:
    assert may_bind(options, has_keys) is may


def test_a_host_for_others_takes_nobody_in_before_it_has_keys(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> list[Any]:
        return [
            await gate.client.get("/v1/about"),
            await gate.client.get("/v1/threads"),
            await gate.turn("a", "status"),
        ]

    about, threads, turn = at_gate(tmp_path, scenario, Options(names=("reel.example.org",)))
    assert about.status_code == 200
    assert [code(one) for one in (threads, turn)] == ["unauthorized"] * 2


def test_the_last_key_that_is_revoked_leaves_the_door_shut(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> list[int]:
        found = [(await gate.client.get("/v1/threads")).status_code]
        await gate.add("anna")
        found.append((await gate.client.get("/v1/threads")).status_code)
        found.append((await gate.client.get("/v1/threads", headers=gate.key("anna"))).status_code)
        await gate.host.keys.revoke("anna")
        found.append((await gate.client.get("/v1/threads", headers=gate.key("anna"))).status_code)
        found.append((await gate.client.get("/v1/threads")).status_code)
        return found

    assert at_gate(tmp_path, scenario) == [200, 401, 200, 401, 401]


@pytest.mark.parametrize(
    ("host", "fine"),
    [
        ("127.0.0.1:8765", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("[::1]:8765", True),
        ("192.168.0.7:8765", True),  # nobody else's name can lead a browser to say that
        ("reel.example.org", True),
        ("evil.example.org", False),
        ("evil.example.org@localhost", False),
        ("localhost/files/", False),
        ("localhost/files/#", False),
        ("localhost?", False),
        ("localhost:8765:1", False),
        ("127.0.0.1.evil.example.org", False),
        ("localhost.", False),
        ("", False),
        ("\xb2", False),
    ],
)
def test_only_names_of_ours_are_answered(tmp_path: Path, host: str, fine: bool) -> None:
    async def scenario(gate: Gate) -> None:
        name = host.encode("latin-1")
        answer = await gate.client.get("/v1/threads", headers=[(b"host", name), *_raw(gate.key("anna"))])
        if fine:
            assert answer.status_code == 200
        else:
            assert code(answer) == "forbidden_host"
        # Machines that watch the host call it by whatever address it has.
        assert (await gate.client.get("/healthz", headers=[(b"host", b"10.1.2.3")])).status_code == 200

    at_gate(tmp_path, scenario, Options(names=("Reel.example.org",)), users=["anna"])


def test_two_host_headers_are_none(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> Any:
        return await gate.client.get("/v1/threads", headers=[(b"host", b"localhost"), (b"host", b"localhost")])

    assert code(at_gate(tmp_path, scenario)) == "forbidden_host"


FORM = {"content-type": "application/x-www-form-urlencoded"}
PLAIN = {"content-type": "text/plain"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"origin": "http://127.0.0.1:8765"}, "fine"),
        ({"origin": "https://chat.example.org"}, "fine"),
        ({}, "fine"),
        ({"sec-fetch-site": "same-origin"}, "fine"),
        ({"sec-fetch-site": "none"}, "fine"),
        ({"origin": "null"}, "forbidden_origin"),
        ({"origin": "https://evil.example.org"}, "forbidden_origin"),
        ({"origin": "http://127.0.0.1:3000"}, "forbidden_origin"),
        ({"origin": "http://127.0.0.1:8765.evil.example.org"}, "forbidden_origin"),
        ({"origin": "https://chat.example.org.evil.example.org"}, "forbidden_origin"),
        ({"origin": "http://["}, "forbidden_origin"),
        ({"origin": "file://127.0.0.1:8765"}, "forbidden_origin"),
        ({"origin": ""}, "forbidden_origin"),
        ({"sec-fetch-site": "cross-site"}, "forbidden_origin"),
        ({"sec-fetch-site": "same-site"}, "forbidden_origin"),
        ({"origin": "null", **PLAIN}, "forbidden_origin"),
        (PLAIN, "unsupported_type"),
        (FORM, "unsupported_type"),
        ({"content-type": "application/json; charset=utf-8"}, "fine"),
        ({"content-type": "application/json-patch+json"}, "unsupported_type"),
        ({"content-type": "multipart/form-data; boundary=x"}, "unsupported_type"),
    ],
)
def test_pages_of_other_sites_ask_for_nothing(tmp_path: Path, headers: dict[str, str], expected: str) -> None:
    async def scenario(gate: Gate) -> None:
        whole = {"content-type": "application/json", **headers}
        answer = await gate.client.post("/v1/turns", content='{"thread":"a","text":"status"}', headers=whole)
        if expected == "fine":
            assert answer.status_code == 200
        else:
            assert code(answer) == expected
            assert gate.nemo.requests == [] and (await gate.client.get("/v1/threads")).json() == {"threads": []}
        if expected == "forbidden_origin":
            sent = {name: value for name, value in headers.items() if name != "content-type"}
            assert code(await gate.upload("a.png", PNG, sent)) == "forbidden_origin"
            assert (await gate.client.get("/v1/files")).json()["data"] == []

    at_gate(tmp_path, scenario, Options(origins=("https://chat.example.org",)))


def test_a_page_that_may_ask_gets_its_preflight_without_a_key_and_others_get_none(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
        good = {"origin": "https://chat.example.org"}
        before = await gate.client.options("/v1/turns", headers={**asks, **good})
        assert before.status_code == 200
        assert before.headers["access-control-allow-origin"] == good["origin"]
        assert "authorization" in before.headers["access-control-allow-headers"]
        assert "POST" in before.headers["access-control-allow-methods"]
        asked = await gate.client.get("/v1/threads", headers={**good, **gate.key("anna")})
        assert asked.headers["access-control-allow-origin"] == good["origin"]
        assert "Origin" in asked.headers["vary"]
        refused = await gate.client.get("/v1/threads", headers=good)
        assert (code(refused), refused.headers["access-control-allow-origin"]) == ("unauthorized", good["origin"])
        for bad in ("https://evil.example.org", "null", "http://chat.example.org"):
            other = await gate.client.options("/v1/turns", headers={**asks, "origin": bad})
            assert code(other) == "forbidden_origin" and "access-control-allow-origin" not in other.headers
        own = await gate.client.get("/v1/threads", headers=gate.key("anna"))
        assert "access-control-allow-origin" not in own.headers

    at_gate(tmp_path, scenario, Options(origins=("https://chat.example.org",)), users=["anna"])


def test_without_allowed_pages_no_answer_speaks_of_other_sites(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        answer = await gate.client.get("/v1/about")
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"

    at_gate(tmp_path, scenario)


def test_a_body_that_does_not_say_how_long_it_is_is_cut_off_too(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        caller = Caller(gate, "POST", "/v1/turns", {"content-type": "application/json"})
        for _ in range(100):
            caller.give(b" " * 10_000, more=True)
        assert await caller.status() == 413
        assert json.loads(await caller.body())["error"]["code"] == "too_large"
        assert caller.taken == 11  # and the rest is not read
        form = Caller(gate, "POST", "/v1/files", {"content-type": "multipart/form-data; boundary=x"})
        form.give(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n' + MP4, more=True)
        for _ in range(120):
            form.give(b"x" * 10_000, more=True)
        assert await form.status() == 413
        assert (await gate.client.get("/v1/files")).json()["data"] == []
        assert gate.nemo.requests == [] and gate.host.limits.open == 0

    at_gate(tmp_path, scenario, Options(body_mb=0.1, upload_mb=0.1))


@pytest.mark.parametrize("said", ["200000", "1" * 30, "-5", "abc", "\xb2", "1e3", ""])
def test_a_length_that_is_none_or_too_much_is_refused_before_anything_is_read(tmp_path: Path, said: str) -> None:
    async def scenario(gate: Gate) -> None:
        caller = Caller(gate, "POST", "/v1/turns", {"content-type": "application/json", "content-length": said})
        assert await caller.status() == 413 and caller.taken == 0

    at_gate(tmp_path, scenario, Options(body_mb=0.1))


def test_a_key_has_so_many_requests_a_minute_and_others_have_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time(monkeypatch)

    async def scenario(gate: Gate) -> None:
        for _ in range(5):
            assert (await gate.client.get("/v1/threads", headers=gate.key("anna"))).status_code == 200
        refused = await gate.client.get("/v1/threads", headers=gate.key("anna"))
        assert code(refused) == "rate_limited" and refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["retry-after"] in refused.json()["error"]["message"]
        assert (await gate.client.get("/v1/threads", headers=gate.key("ben"))).status_code == 200
        time.now += 121
        assert (await gate.client.get("/v1/threads", headers=gate.key("anna"))).status_code == 200

    at_gate(tmp_path, scenario, Options(requests_a_minute=5), users=["anna", "ben"])


def test_whoever_guesses_keys_is_stopped_and_good_keys_of_that_address_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time(monkeypatch)

    async def scenario(gate: Gate) -> None:
        def guess(n: int) -> Any:
            # What a request says of where it comes from counts for nothing.
            headers = {"Authorization": f"Bearer sk-reel-{n}", "X-Forwarded-For": f"198.51.100.{n}"}
            return gate.client.get("/v1/threads", headers=headers)

        assert [code(await guess(n)) for n in range(5)] == ["unauthorized"] * 3 + ["rate_limited"] * 2
        link = await gate.client.get("/files/file_" + "0" * 32 + "/a.png?expires=1900000000&signature=a-b")
        assert code(link) == "rate_limited"
        assert (await gate.client.get("/v1/threads", headers=gate.key("anna"))).status_code == 200
        assert (await gate.client.get("/v1/about")).status_code == 200
        assert (await gate.client.get("/healthz")).status_code == 200
        time.now += 121
        assert code(await guess(9)) == "unauthorized"

    at_gate(tmp_path, scenario, Options(strangers_a_minute=3), users=["anna"])


def test_one_network_of_ipv6_is_one_stranger() -> None:
    async def scenario() -> list[str]:
        limits, said = Limits(Options(strangers_a_minute=1)), []
        for address in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "::ffff:192.0.2.1", "192.0.2.1", "", "x"):
            try:
                await limits.stranger(address)
                said.append("fine")
            except Exception as error:
                said.append(str(error))
        return said

    assert asyncio.run(scenario()) == ["fine", "rate_limited", "fine", "fine", "rate_limited", "fine", "rate_limited"]


def test_open_answers_are_counted_as_long_as_they_are_read(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        go = asyncio.Event()

        async def wait(nemo: Any) -> None:
            await go.wait()

        gate.nemo.scripts.append([wait])  # type: ignore[list-item]
        headers = {"content-type": "application/json", **gate.key("anna")}
        reader = Caller(gate, "POST", "/v1/turns", headers)
        reader.give(json.dumps({"thread": "a", "text": "generate a city", "turn": "a" * 32}).encode())
        assert await reader.status() == 200
        assert gate.host.limits.open == 1
        second = await gate.turn("b", "status", headers=gate.key("anna"))
        assert (second.status_code, code(second)) == (429, "too_many_streams")
        follow = await gate.client.get(f"/v1/threads/a/turns/{'a' * 32}", headers=gate.key("anna"))
        assert code(follow) == "too_many_streams"
        # What is short is answered, and a turn can be stopped; others are not concerned.
        assert (await gate.client.get("/v1/threads", headers=gate.key("anna"))).status_code == 200
        assert (await gate.turn("b", "status", headers=gate.key("ben"))).status_code == 200
        reader.leave()
        await reader.task
        assert gate.host.limits.open == 0
        go.set()
        found = await gate.client.get(f"/v1/threads/a/turns/{'a' * 32}", headers=gate.key("anna"))
        assert found.status_code == 200 and '"status":"done"' in found.text
        assert gate.host.limits.open == 0

    at_gate(tmp_path, scenario, Options(streams=1), users=["anna", "ben"])


def test_a_request_that_breaks_has_a_number_and_the_log_has_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(gate: Gate) -> Any:
        def broken(*_: Any) -> Any:
            raise RuntimeError(f"inside of {tmp_path} with {gate.keys['anna']} ?signature=abc-def0123")

        monkeypatch.setattr(gate.host.turns, "records", broken)
        return await gate.client.get("/v1/threads", headers={**gate.key("anna"), "X-Request-Id": "mine-1"})

    from agent.logs import install

    before = logging.getLogRecordFactory()
    install()
    try:
        with caplog.at_level(logging.ERROR):
            answer = at_gate(tmp_path, scenario, users=["anna"])
    finally:
        logging.setLogRecordFactory(before)
    assert (answer.status_code, code(answer), answer.headers["x-request-id"]) == (500, "internal", "mine-1")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert str(tmp_path) not in answer.text and "RuntimeError" not in answer.text
    (record,) = [one for one in caplog.records if "mine-1" in one.getMessage()]
    assert record.exc_text and "RuntimeError" in record.exc_text
    for secret in ("sk-reel-", "abc-def0123"):
        assert secret not in caplog.text


@pytest.mark.parametrize("given", ["a b", "a\r\nSet-Cookie: x=1", "x" * 65, "<script>", "\xe9"])
def test_a_request_id_that_is_no_name_is_replaced(tmp_path: Path, given: str) -> None:
    async def scenario(gate: Gate) -> Any:
        return await gate.client.get("/healthz", headers=[(b"x-request-id", given.encode("latin-1"))])

    assert re.fullmatch("[0-9a-f]{32}", at_gate(tmp_path, scenario).headers["x-request-id"])


def test_a_websocket_finds_nobody(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> list[Any]:
        said: list[Any] = []

        async def send(message: Any) -> None:
            said.append(message)

        scope = {"type": "websocket", "path": "/v1/turns", "headers": [], "query_string": b"", "app": gate.app}
        await gate.app(scope, asyncio.Queue().get, send)
        return said

    assert [message["type"] for message in at_gate(tmp_path, scenario)] == ["websocket.close"]


def test_limits_in_a_redis_that_is_away_are_kept_here(tmp_path: Path) -> None:
    pytest.importorskip("redis", reason="the client of Redis is not installed")

    async def scenario() -> list[str]:
        # A port that nobody listens on: bound, never opened.
        import socket

        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            url = f"redis://127.0.0.1:{held.getsockname()[1]}"
            settings = Settings.load(home=tmp_path, exports=tmp_path, redis=url, environ={})
            said = []
            async with open_limits(settings, Options(strangers_a_minute=1)) as limits:
                for _ in range(2):
                    try:
                        await limits.stranger("192.0.2.1")
                        said.append("fine")
                    except Exception as error:
                        said.append(str(error))
            return said

    assert asyncio.run(scenario()) == ["fine", "rate_limited"]


def test_processes_that_share_a_redis_count_together(tmp_path: Path) -> None:
    pytest.importorskip("redis", reason="the client of Redis is not installed")

    async def scenario(url: str) -> None:
        settings = Settings.load(home=tmp_path, exports=tmp_path, redis=url, environ={})
        options = Options(strangers_a_minute=2)
        async with open_limits(settings, options) as one, open_limits(settings, options) as other:
            for limits in (one, other):
                await limits.stranger("192.0.2.1")
            for limits in (one, other):
                with pytest.raises(Refused) as refused:
                    await limits.stranger("192.0.2.1")
                assert refused.value.code == "rate_limited" and 1 <= (refused.value.after or 0) <= 60
            await one.stranger("192.0.2.2")

    try:
        with servers.redis(tmp_path) as url:
            asyncio.run(scenario(url))
    except servers.Missing as missing:
        pytest.skip(str(missing))


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
