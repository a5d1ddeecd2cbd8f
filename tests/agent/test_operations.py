"""A host as a process: it is checked before it listens, counted and logged while it runs, and stops in peace."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from door_stage import GENERATE, Client, gated, makes, serving
from world import World

from agent.cli import main
from agent.errors import SettingsError
from agent.keeping import open_keeping
from agent.serve import logs_json
from agent.serve.health import Readiness
from agent.serve.options import Options
from agent.serve.stopping import _Ending
from agent.settings import Settings, serving_here
from evals.stage import FAST, studio

REELCHAT = [sys.executable, "-c", "import sys; from agent.cli import main; sys.exit(main())"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")


def numbers(page: str) -> dict[str, float]:
    rows = [line.rpartition(" ") for line in page.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in rows}


# What an operator says


def test_flags_win_over_the_environment_and_that_over_what_is_there() -> None:
    said = serving_here({"REELCHAT_PORT": "9000", "REELCHAT_HOST": "::1", "REELCHAT_NAMES": "a.test, b.test", "X": "1"})
    chosen = Options.load({"port": 9001, "origin": ("https://a.test",), "name": ()}, said)
    assert (chosen.port, chosen.host, chosen.names, chosen.origins) == (
        9001,
        "::1",
        ("a.test", "b.test"),
        ("https://a.test",),
    )
    assert chosen.drain_s == Options().drain_s


def test_every_command_finds_the_backend_that_the_environment_names(tmp_path: Path) -> None:
    said = {"REELCHAT_BACKEND": "http://studio:8900", "REELCHAT_HOME": str(tmp_path), "NEMO_API_URL": "http://a.test"}
    found = Settings.load(environ=said)
    assert (found.base_url, found.data) == ("http://studio:8900", tmp_path / "studio_8900")
    assert Settings.load(backend="studio", environ=said).base_url is None


def test_what_kubernetes_says_of_a_service_of_our_name_is_no_port() -> None:
    assert Options.load({}, serving_here({"REELCHAT_PORT": "tcp://10.0.0.1:80"})).port == Options().port


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "70000"),
        ("streams", "0"),
        ("upload_mb", "0"),
        ("keep_days", "-1"),
        ("keep_days", "nan"),
        ("drain_seconds", "soon"),
        ("log_format", "xml"),
        ("origins", "*"),
        ("thread_headers", "a:c"),
        ("public_url", "https://u:pw@a.test"),
    ],
)
def test_an_option_that_can_not_be_meant_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Options.load({}, {name: value})
    assert str(refused.value.values["name"]).startswith("--")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--host", "0.0.0.0"], "Anybody who reaches 0.0.0.0 could use this host, because it has no keys."),
        (["--workers", "2"], "Several workers can't share SQLite"),
        (["--keep-days", "x"], "“x” does not fit --keep-days."),
    ],
)
def test_a_host_that_must_not_start_says_why_and_leaves_with_2(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REELCHAT_HOME", str(tmp_path))
    with keeping_logs():
        assert main(["--lang", "en", "serve", *arguments]) == 2
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and not said.out


def test_a_port_in_use_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REELCHAT_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken, keeping_logs():
        port = taken.getsockname()[1]
        assert main(["--lang", "en", "serve", "--port", str(port)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"127.0.0.1:{port} can't be listened on: ") and said.count("\n") == 1


# What machines ask


def test_turns_requests_refusals_and_sends_are_counted_without_names(world: World) -> None:
    makes(world)

    async def scenario(client: Client) -> str:
        await client.post("/v1/turns", {"thread": "geheim", "text": GENERATE})
        await client.post("/v1/turns", {"thread": "", "text": GENERATE})
        await client.http.request("BREW", "/coffee/alice")
        return (await client.http.get("/metrics")).text

    page = serving(world, scenario)
    found = numbers(page)
    assert found['reelchat_turns_total{door="/v1/turns",status="done"}'] == 1
    assert found['reelchat_turn_seconds_count{door="/v1/turns"}'] == 1
    assert found['reelchat_sends_total{status="200"}'] == 1
    assert found['reelchat_refused_total{code="bad_request"}'] == 1
    assert found['reelchat_http_requests_total{method="POST",route="/v1/turns",status="422"}'] == 1
    assert found['reelchat_http_requests_total{method="other",route="none",status="404"}'] == 1
    assert found["reelchat_turns_live"] == found["reelchat_streams_open"] == 0
    assert "geheim" not in page and "alice" not in page and "BREW" not in page


def test_a_turn_and_its_stream_are_seen_while_they_go_on(world: World) -> None:
    begun, may = gated(world)

    async def scenario(client: Client) -> dict[str, float]:
        turn = asyncio.create_task(client.post("/v1/turns", {"thread": "a", "text": GENERATE}))
        await begun.wait()
        found = numbers((await client.http.get("/metrics")).text)
        may.set()
        await turn
        return found

    found = serving(world, scenario)
    assert (found["reelchat_turns_live"], found["reelchat_streams_open"]) == (1, 1)


def test_numbers_need_a_key_where_there_are_keys(world: World) -> None:
    async def scenario(client: Client) -> list[int]:
        key = await client.key("alice")
        client.host.keys._any = (float("-inf"), False)  # as a host that started after that
        asked = [await client.http.get("/metrics"), await client.http.get("/metrics", headers={"Authorization": key})]
        return [answer.status_code for answer in (*asked, await client.http.get("/readyz"))]

    assert serving(world, scenario)[:2] == [401, 200]


def test_a_host_is_ready_unless_something_is_missing_or_it_stops(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> None: ...

    async def broken() -> None:
        raise OSError("gone")

    async def scenario(client: Client) -> list[Any]:
        monkeypatch.setattr(Readiness, "_backend", nothing)
        found = [await client.http.get("/readyz")]
        client.host.house.keep = client.host.house.keep._replace(alive=broken)
        monkeypatch.setattr("agent.serve.health.GOOD_FOR_S", 0.0)
        found.append(await client.http.get("/readyz"))
        client.host.turns.draining = True
        found += [await client.http.get("/readyz"), await client.http.get("/healthz")]
        return [(answer.status_code, answer.json().get("missing")) for answer in found]

    with keeping_logs():
        assert serving(world, scenario) == [(200, None), (503, ["store"]), (503, ["draining"]), (200, None)]


def test_a_backend_that_nobody_listens_at_is_missing(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        world.environ["NEMO_API_URL"] = f"http://127.0.0.1:{closed.getsockname()[1]}"

    async def scenario(client: Client) -> Any:
        return (await client.http.get("/readyz")).json()

    with keeping_logs():
        assert serving(world, scenario) == {"status": "not ready", "missing": ["backend"]}


# What is logged


@contextmanager
def keeping_logs() -> Iterator[None]:
    """Puts every logger back as it was."""
    before = {name: _of(name) for name in (*logs_json.HEARD, "uvicorn.access")}
    try:
        yield
    finally:
        logging.captureWarnings(False)
        for name, (handlers, propagate, level, disabled) in before.items():
            one = logging.getLogger(name)
            one.handlers, one.propagate, one.disabled = handlers, propagate, disabled
            one.setLevel(level)


def _of(name: str) -> tuple[list[logging.Handler], bool, int, bool]:
    one = logging.getLogger(name)
    return list(one.handlers), one.propagate, one.level, one.disabled


def test_every_line_of_a_request_carries_its_id_also_those_of_its_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    makes(world)
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)

    async def ended(*_: Any) -> None:
        logging.getLogger("reelchat.turns").warning("from the turn, %s", "Bearer sk-reel-secretsecret")

    async def scenario(client: Client) -> None:
        logs_json.log_here("json")
        client.host.turns.on_end.append(ended)
        await client.post("/v1/turns", {"thread": "a", "text": GENERATE}, X_Request_Id="number-7")

    with keeping_logs():
        serving(world, scenario)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [(line["logger"], line["request_id"], line["route"]) for line in lines] == [
        ("reelchat.turns", "number-7", "/v1/turns"),
        ("reelchat.http", "number-7", "/v1/turns"),
    ]
    assert lines[0]["message"] == "from the turn, Bearer [hidden]"
    assert (lines[1]["status"], lines[1]["user"]) == (200, logs_json.hashed("guest"))
    assert set(lines[1]) == {
        "time",
        "level",
        "logger",
        "message",
        "request_id",
        "route",
        "user",
        "method",
        "status",
        "ms",
    }


@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_broken_request_is_one_record_and_no_name_begins_a_line_of_its_own(
    kind: logs_json.LogFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    with keeping_logs():
        logs_json.log_here(kind)
        try:
            raise ValueError("oops")
        except ValueError:
            logging.getLogger("reelchat.host").exception("broke\nINFO forged")
    first, *rest = written.getvalue().splitlines()
    assert "oops" in written.getvalue() and "broke\\nINFO forged" in first
    assert kind == "text" or not rest


# How it stops


@asynccontextmanager
async def process(folder: Path, backend: str, *flags: str) -> AsyncIterator[tuple[subprocess.Popen[str], str]]:
    """`reelchat serve` and its address."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEMO_", "REELCHAT_", "LC_"))}
    environ = {**kept, "REELCHAT_HOME": str(folder), "LANG": "C.UTF-8"}
    command = [*REELCHAT, "--backend", backend, "serve", "--port", "0", *flags]
    with subprocess.Popen(command, env=environ, cwd=folder, stderr=subprocess.PIPE, text=True) as running:  # noqa: ASYNC220
        assert running.stderr
        try:
            line = await asyncio.to_thread(running.stderr.readline)
            address = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert address, line
            yield running, address[0]
        finally:
            running.kill()


async def recorded(folder: Path, backend: str) -> list[str]:
    """How the turns of conversation "a" are on record."""
    settings = Settings.load(backend=backend, home=folder, environ={})
    async with open_keeping(settings) as keep:
        root = ("reelchat", "guest", "turns")
        return [item.value["status"] for item in await keep.store.asearch(root)]


@posix
def test_a_turn_in_progress_ends_when_the_host_is_told_to_stop(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with studio(tmp_path / "studio", *FAST[:2], "--pace", "1", "--silent-rate", "0") as url:
            async with process(tmp_path, url) as (running, address), httpx.AsyncClient(timeout=60) as client:
                body = {"thread": "a", "text": GENERATE}
                async with client.stream("POST", f"{address}/v1/turns", json=body) as answer:
                    lines = answer.aiter_lines()
                    assert await anext(lines) == "event: turn"
                    running.send_signal(signal.SIGTERM)
                    said = [line async for line in lines]
                assert await asyncio.to_thread(running.wait, 30) == 0
            assert any('"kind":"timeline"' in line for line in said)
            assert [line for line in said if line][-1] == 'data: {"status":"done"}'
            assert await recorded(tmp_path, url) == ["done"]

    asyncio.run(scenario())


@contextmanager
def silent() -> Iterator[str]:
    """A backend that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for one in held:
                one.close()


@posix
@pytest.mark.parametrize(("drain", "signals"), [("0.2", 1), ("600", 2)])
def test_a_turn_without_an_end_holds_a_host_no_longer_than_it_is_allowed(
    drain: str, signals: int, tmp_path: Path
) -> None:
    async def scenario(url: str) -> None:
        async with process(tmp_path, url, "--drain-seconds", drain) as (running, address):
            async with httpx.AsyncClient(timeout=60) as client:
                body = {"thread": "a", "text": GENERATE}
                async with client.stream("POST", f"{address}/v1/turns", json=body) as answer:
                    lines = answer.aiter_lines()
                    assert await anext(lines) == "event: turn"
                    for _ in range(signals):
                        running.send_signal(signal.SIGTERM)
                        if signals > 1:
                            await refused(address)
                    assert [line async for line in lines if line][-1] == 'data: {"status":"broken"}'
                assert await asyncio.to_thread(running.wait, 30) == 0
        assert await recorded(tmp_path, url) == ["broken"]

    async def refused(address: str) -> None:
        """Returns when nobody is let in any more."""
        port = int(address.rpartition(":")[2])
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return
            writer.close()

    with silent() as url:
        asyncio.run(scenario(url))


def test_a_stream_that_waits_for_another_process_is_ended_with_the_last_turn(world: World) -> None:
    async def scenario(client: Client) -> bool:
        endless = asyncio.create_task(asyncio.Event().wait())
        end = _Ending(client.host, {endless}, worker=False)
        end._begin()
        await end.over()
        await asyncio.wait((endless,))
        return endless.cancelled() and client.host.turns.draining

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.serve.stopping.GOODBYE_S", 0.0)
        assert serving(world, scenario)
