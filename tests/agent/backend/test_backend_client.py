from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.backend import Attribution, Backend, Credits, RenderStatus, Snapshot, Uploaded
from agent.backend.calls import RULES
from agent.errors import (
    ApiError,
    BackendError,
    BadAnswer,
    ClientIdMissing,
    ExportBlocked,
    FileTooLarge,
    FileTypeRefused,
    OutOfCredits,
    RateLimited,
    SessionGone,
    SettingsError,
    StreamLost,
    TokenRejected,
    Unreachable,
    UploadRefused,
)

CREDITS = "/api/credits/balance/simple"
SESSION = "/api/tasks/me/with-session/nemo_agent"
STATE = "/api/state/nemo_agent/me/s1/latest"
UPLOAD = "/api/upload-video/nemo_agent/me/s1"
RENDER = "/api/render/proxy/lambda"
POLL = "/api/render/proxy/lambda/render_1"
DRAFT = {"m": {"title": "城市\ud83d"}, "t": [{"tt": 0, "sg": [{"d": 10000, "odd": [1.5, None]}]}]}


def silent(done: int, total: int) -> None:
    """Progress nobody looks at."""


def test_every_call_goes_where_the_documents_say_with_what_they_say(wire: Any, canary: str) -> None:
    wire.on("POST", SESSION, wire.ok(task_id="t1", session_id="s1", user_id=7))
    wire.on("GET", CREDITS, httpx.Response(200, json={"available": 98, "frozen": "2", "total": None}))
    wire.on("GET", STATE, wire.ok(state={"draft": {"t": []}, "video_infos": [1], "odd": 1}, user_id="u1"))
    wire.on("POST", RENDER, wire.ok(id="render_1", status="pending"))
    wire.on("POST", f"{POLL}/cancel", wire.ok(id="render_1", status="canceled"))
    wire.on("POST", "/api/auth/claim-token", wire.ok(claim_token="clm_a/b", expires_in=604800))
    backend = wire.backend()

    async def everything() -> list[Any]:
        await backend.connect()
        session = await backend.create_session("zh-CN")
        output = {"format": "mp4", "quality": "high"}
        return [
            session,
            await backend.credits(),
            await backend.snapshot("s1"),
            await backend.submit_render("render_1", "s1", DRAFT, output),
            await backend.cancel_render("render_1"),
            await backend.claim_link(session),
        ]

    session, have, snapshot, submitted, canceled, link = wire.run(everything())
    assert (session.session_id, session.task_id, session.user_id) == ("s1", "t1", "7")
    assert (have.available, have.frozen, have.total) == (98, 2, None)
    assert (snapshot.draft, snapshot.video_infos, snapshot.generated_media) == ({"t": []}, [1], None)
    assert snapshot.user_id == "u1"
    assert (submitted.status, canceled.status) == ("pending", "failed")
    assert link == "https://nemovideo.com/workspace/claim?ct=clm_a%2Fb"
    assert [(r.method, r.url.path) for r in wire.requests] == [
        ("POST", "/api/auth/anonymous-token"),
        ("POST", SESSION),
        ("GET", CREDITS),
        ("GET", STATE),
        ("POST", RENDER),
        ("POST", f"{POLL}/cancel"),
        ("POST", "/api/auth/claim-token"),
    ]
    bodies = [json.loads(body) for body in wire.bodies if body]
    assert bodies == [
        {"task_name": "project", "language": "zh-CN"},
        {
            "id": "render_1",
            "sessionId": "s1",
            "draft": DRAFT,
            "output": {"format": "mp4", "quality": "high"},
        },
        {"task_id": "t1", "session_id": "s1"},
    ]
    for request in wire.requests:
        assert request.headers["x-skill-source"] == "generator-image"
        assert request.headers["x-skill-version"] == "1.0.0"
        assert request.headers["x-skill-platform"] == "unknown"
        assert canary not in str(request.url)
    assert "authorization" not in wire.requests[0].headers
    assert {r.headers["authorization"] for r in wire.requests[1:]} == {f"Bearer {canary}"}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ((1001, 200), TokenRejected),
        ((1002, 200), SessionGone),
        ((2001, 200), OutOfCredits),
        ((4001, 200), FileTypeRefused),
        ((4002, 413), FileTooLarge),
        ((400, 400), ClientIdMissing),
        ((402, 402), ExportBlocked),
        ((429, 429), RateLimited),
        ((7777, 200), ApiError),
    ],
)
def test_each_code_is_its_own_error(wire: Any, reply: tuple[int, int], kind: type[ApiError]) -> None:
    wire.on("POST", RENDER, wire.refused(reply[0], "because", reply[1]))
    with pytest.raises(kind) as caught:
        wire.run(wire.backend().submit_render("render_1", "s1", {}, {}))
    assert type(caught.value) is kind
    assert (caught.value.number, caught.value.status, str(caught.value)) == (reply[0], reply[1], "because")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(200, text="<html>"), BadAnswer),
        (httpx.Response(200, text=""), BadAnswer),
        (httpx.Response(200, json=[1]), BadAnswer),
        (httpx.Response(302, headers={"location": "https://elsewhere.test"}), BadAnswer),
        (httpx.Response(503, text="busy"), BadAnswer),
        (httpx.Response(500, json={"code": 99, "message": "x"}), BadAnswer),
        (httpx.Response(413, text="<html>nginx"), FileTooLarge),
        (httpx.Response(402, json={"detail": "no"}), ExportBlocked),
        (httpx.Response(400, json={"detail": "no"}), ApiError),
        (httpx.Response(404, json={"detail": "Not Found"}), ApiError),
        (httpx.Response(200, json={"code": "1002"}), SessionGone),
        (httpx.Response(200, json={"code": "E_NOPE"}), ApiError),
        (httpx.Response(200, json={"success": False, "error": "no"}), ApiError),
    ],
)
def test_answers_from_something_in_between_are_told_by_their_status(
    wire: Any, reply: httpx.Response, kind: type[BackendError]
) -> None:
    wire.on("POST", SESSION, reply)
    with pytest.raises(kind) as caught:
        wire.run(wire.backend().create_session("en"))
    assert type(caught.value) is kind


def test_a_session_without_an_id_is_a_bad_answer(wire: Any) -> None:
    wire.on("POST", SESSION, wire.ok(task_id="t1"))
    with pytest.raises(BadAnswer, match="session_id"):
        wire.run(wire.backend().create_session("en"))


def test_ids_stand_at_top_level_too(wire: Any) -> None:
    wire.on("POST", SESSION, httpx.Response(200, json={"task_id": "t", "sessionId": "s"}))
    session = wire.run(wire.backend().create_session("en"))
    assert (session.session_id, session.task_id, session.user_id) == ("s", "t", None)


def test_a_snapshot_without_a_state_is_bad_and_a_null_state_is_empty(wire: Any) -> None:
    wire.on("GET", STATE, wire.ok(state=None), wire.ok(nothing=1))
    assert wire.run(wire.backend().snapshot("s1")) == Snapshot()
    with pytest.raises(BadAnswer):
        wire.run(wire.backend().snapshot("s1"))


def test_odd_session_ids_stay_one_segment_of_the_path(wire: Any) -> None:
    wire.on("GET", "/api/state/nemo_agent/me/../x?y/latest", wire.ok(state={}))
    wire.run(wire.backend().snapshot("../x?y"))
    assert wire.requests[-1].url.raw_path == b"/api/state/nemo_agent/me/..%2Fx%3Fy/latest"


# What may be tried again


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(502, text="<html>"),
        httpx.Response(200, text="<html>"),
        httpx.Response(500, json={"code": 500}),
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
    ],
)
def test_a_read_is_made_twice_more_and_then_told(wire: Any, trouble: Any) -> None:
    wire.on("GET", CREDITS, trouble, trouble, wire.ok(available=1))
    assert wire.run(wire.backend().credits()).available == 1
    assert wire.clock.slept == [0.5, 2.0]
    wire.on("GET", CREDITS, trouble)
    with pytest.raises(Unreachable if isinstance(trouble, Exception) else BadAnswer):
        wire.run(wire.backend().credits())
    assert wire.paths().count(CREDITS) == 6


@pytest.mark.parametrize(("said", "waited"), [("", 30.0), ("7", 7.0), ("120", 120.0), ("soon", 30.0)])
def test_a_limited_read_waits_as_long_as_it_is_told_and_tries_once_more(wire: Any, said: str, waited: float) -> None:
    limited = httpx.Response(429, headers={"retry-after": said}, json={"code": 429, "message": "slow"})
    wire.on("GET", CREDITS, limited, wire.ok(available=1))
    assert wire.run(wire.backend().credits()).available == 1
    assert wire.clock.slept == [waited]
    wire.on("GET", CREDITS, limited)
    with pytest.raises(RateLimited):
        wire.run(wire.backend().credits())
    assert wire.clock.slept == [waited, waited]


def test_a_limit_longer_than_anybody_waits_is_not_waited_for_and_never_cut_short(wire: Any) -> None:
    wire.on("GET", CREDITS, httpx.Response(429, headers={"retry-after": "121"}, json={"code": 429}))
    with pytest.raises(RateLimited) as caught:
        wire.run(wire.backend().credits())
    assert (caught.value.key, caught.value.values["minutes"]) == ("error.rate_limited.later", 3)
    assert (wire.clock.slept, wire.paths().count(CREDITS)) == ([], 1)


def test_an_answer_without_end_is_given_up_before_memory_is(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.backend.calls.LONGEST_ANSWER", 1000)
    wire.on("GET", CREDITS, lambda request: httpx.Response(200, content=b'{"a":"' + b"x" * 2000 + b'"}'))
    with pytest.raises(BadAnswer, match="without end"):
        wire.run(wire.backend().credits())


def test_an_answer_that_drips_forever_is_given_up(wire: Any) -> None:
    async def scenario() -> float:
        with pytest.raises(Unreachable):
            await wire.backend().credits()
        return asyncio.get_running_loop().time()

    wire.on("GET", CREDITS, *(wire.stream(*[b" ", 20.0] * 99) for _ in range(3)))
    assert wire.run(scenario()) == 3 * 120 + 0.5 + 2


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "error": {"code": 2001, "message": "because"}},
        {"error": {"code": "2001", "message": "because"}},
        {"detail": {"code": 2001, "message": "because"}},
        {"success": False, "message": "because", "data": {"code": 2001}},
        {"code": 2001.0, "msg": "because"},
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_code_is_found_in_every_envelope(wire: Any, body: dict[str, Any], status: int) -> None:
    wire.on("POST", SESSION, httpx.Response(status, json=body))
    with pytest.raises(OutOfCredits, match="because"):
        wire.run(wire.backend().create_session("en"))


def test_a_date_to_come_back_at_is_understood(wire: Any) -> None:
    at = {"retry-after": "Sat, 21 Nov 2026 12:00:09 GMT"}
    wire.on("GET", POLL, httpx.Response(200, headers=at, json={"id": "render_1", "status": "pending"}))
    assert wire.run(wire.backend().render_status("render_1")).retry_after == 9


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("x"), httpx.WriteError("x")])
@pytest.mark.parametrize("path", [SESSION, RENDER, UPLOAD])
def test_a_write_without_an_answer_is_lost_and_not_made_again(
    wire: Any, tmp_path: Path, trouble: Exception, path: str
) -> None:
    wire.on("POST", path, trouble)
    backend = wire.backend()
    calls = {
        SESSION: lambda: backend.create_session("en"),
        RENDER: lambda: backend.submit_render("render_1", "s1", {}, {}),
        UPLOAD: lambda: backend.upload_urls("s1", ["https://x.test/a.mp4"]),
    }
    with pytest.raises(StreamLost):
        wire.run(calls[path]())
    assert wire.paths().count(path) == 1


def test_a_session_is_asked_for_again_only_when_nothing_was_sent(wire: Any) -> None:
    wire.on("POST", SESSION, httpx.ConnectError("x"), wire.ok(session_id="s1"))
    assert wire.run(wire.backend().create_session("en")).session_id == "s1"
    wire.on("POST", SESSION, httpx.Response(502, text="x"))
    with pytest.raises(BadAnswer):
        wire.run(wire.backend().create_session("en"))
    assert wire.paths().count(SESSION) == 3


def test_a_render_is_submitted_once_whatever_happens(wire: Any) -> None:
    for trouble in (httpx.ConnectError("x"), httpx.Response(502, text="x"), wire.refused(429)):
        before = wire.paths().count(RENDER)
        wire.on("POST", RENDER, trouble)
        with pytest.raises(BackendError):
            wire.run(wire.backend().submit_render("render_1", "s1", {}, {}))
        assert wire.paths().count(RENDER) == before + 1


def test_the_table_never_sends_or_submits_again() -> None:
    for endpoint in ("send", "render"):
        rule = RULES[endpoint]  # type: ignore[index]  # literals
        assert (rule.after, rule.limited) == (frozenset(), 0)


def test_a_call_refused_for_its_token_is_made_again_with_a_new_one(wire: Any) -> None:
    wire.on("POST", "/api/auth/anonymous-token", wire.ok(token="old"), wire.ok(token="new"))
    wire.on("POST", RENDER, wire.refused(1001, "expired", 401), wire.ok(id="render_1", status="pending"))
    wire.run(wire.backend().submit_render("render_1", "s1", {}, {}))
    sent = [r.headers["authorization"] for r in wire.requests if r.url.path == RENDER]
    assert sent == ["Bearer old", "Bearer new"]


# Renders


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"id": "render_1", "status": "completed", "progress": 1.0, "output": {"url": "https://x/a.mp4"}},
            ("completed", 1.0, "https://x/a.mp4"),
        ),
        (
            {"success": True, "data": {"status": "processing", "progress": 45, "outputUrl": None}},
            ("processing", 0.45, None),
        ),
        (
            {"success": True, "data": {"status": "COMPLETED", "outputUrl": "https://x/b.mp4"}},
            ("completed", None, "https://x/b.mp4"),
        ),
        ({"success": False, "data": {"status": "failed", "error": "no frames"}}, ("failed", None, None)),
        ({"code": 0, "data": {"status": "warming-up", "progress": "12%"}}, ("processing", 0.12, None)),
        ({"code": 0, "data": {"progress": 1e400, "output": [1]}}, ("pending", None, None)),
    ],
)
def test_a_jobs_status_is_read_in_every_shape(wire: Any, body: dict[str, Any], expected: Any) -> None:
    wire.on("GET", POLL, httpx.Response(200, text=json.dumps(body)))
    status = wire.run(wire.backend().render_status("render_1"))
    assert (status.id, (status.status, status.progress, status.url)) == ("render_1", expected)
    assert status.retry_after is None
    assert status.message == ("no frames" if expected[0] == "failed" else None)


def test_only_the_backends_own_no_makes_a_job_unknown(wire: Any) -> None:
    wire.on("GET", POLL, httpx.Response(404, json={"detail": "no such render"}))
    expected = RenderStatus(id="render_1", status="unknown", message="no such render")
    assert wire.run(wire.backend().render_status("render_1")) == expected
    wire.on("GET", POLL, wire.refused(404, "no such render"))
    assert wire.run(wire.backend().render_status("render_1")) == expected
    others = {BadAnswer: httpx.Response(404, text="<html>nginx</html>"), SessionGone: wire.refused(1002)}
    for kind, reply in others.items():
        wire.on("GET", POLL, reply)
        with pytest.raises(kind):
            wire.run(wire.backend().render_status("render_1"))


# Uploads


def test_files_go_up_in_one_request_and_their_bytes_are_counted(wire: Any, tmp_path: Path) -> None:
    (tmp_path / "城市.png").write_bytes(b"\x89PNG" + b"x" * 200_000)
    (tmp_path / "b.mp3").write_bytes(b"ID3" + b"y" * 10)
    listed = [
        {"filename": "城市.png", "file_type": "image/png", "width": 640, "height": 480, "duration": None},
        {"filename": "b.mp3", "file_type": "audio", "duration": 12.5, "width": 0},
        {"filename": "c.mp4", "duration_ms": 900},
        "junk",
    ]
    wire.on("POST", UPLOAD, wire.ok(files=listed, session_state_applied=True))
    seen: list[tuple[int, int]] = []
    paths = [tmp_path / "城市.png", tmp_path / "b.mp3"]
    files = wire.run(wire.backend().upload("s1", paths, lambda done, total: seen.append((done, total))))
    assert [(f.name, f.kind, f.duration_ms, f.width, f.height) for f in files] == [
        ("城市.png", "image", None, 640, 480),
        ("b.mp3", "audio", 12500, None, None),
        ("c.mp4", "clip", 900, None, None),
    ]
    body = wire.bodies[-1]
    assert body.count(b'name="files"; filename=') == 2
    assert 'filename="城市.png"'.encode() in body
    assert b"x" * 200_000 in body
    assert int(wire.requests[-1].headers["content-length"]) == len(body)
    assert seen[-1] == (200_017, 200_017)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_an_upload_after_a_new_token_starts_from_the_first_byte(wire: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"picture")
    wire.on("POST", "/api/auth/anonymous-token", wire.ok(token="old"), wire.ok(token="new"))
    wire.on("POST", UPLOAD, wire.refused(1001), wire.ok(files=[]))
    assert wire.run(wire.backend().upload("s1", [path], silent)) == []
    assert [b"picture" in body for body in wire.bodies if b"filename" in body] == [True, True]


def test_urls_are_handed_over_unfetched(wire: Any) -> None:
    wire.on("POST", UPLOAD, wire.ok(files=[{"filename": "a.mp4", "file_type": "video/mp4"}]))
    assert wire.run(wire.backend().upload_urls("s1", ["https://x.test/a.mp4"])) == [Uploaded(name="a.mp4", kind="clip")]
    assert json.loads(wire.bodies[-1]) == {"urls": ["https://x.test/a.mp4"], "source_type": "url"}


def test_a_file_that_is_not_there_never_starts_an_upload(wire: Any, tmp_path: Path) -> None:
    with pytest.raises(UploadRefused) as caught:
        wire.run(wire.backend().upload("s1", [tmp_path / "a.png"], silent))
    assert (caught.value.reason, caught.value.values) == ("missing", {"name": "a.png"})
    assert UPLOAD not in wire.paths()


# Around the calls


def test_cookies_of_one_person_never_travel_with_anothers_token(wire: Any) -> None:
    cookie = httpx.Response(200, headers={"set-cookie": "sid=alice"}, json={"available": 1})
    wire.on("GET", CREDITS, cookie)
    backend = wire.backend()

    async def twice() -> None:
        await backend.credits()
        await backend.credits()

    wire.run(twice())
    assert "cookie" not in wire.requests[-1].headers


def test_turns_that_want_to_know_one_balance_at_once_ask_for_it_once(wire: Any) -> None:
    wire.on("GET", CREDITS, wire.ok(available=7))
    account = wire.credentials()
    backends = [wire.backend(account) for _ in range(20)]

    async def ask() -> list[Credits]:
        return await asyncio.gather(*(backend.credits() for backend in backends))

    assert [have.available for have in wire.run(ask())] == [7] * 20
    assert wire.paths().count(CREDITS) == 1
    wire.run(backends[0].credits())
    assert wire.paths().count(CREDITS) == 2


def test_an_answer_that_was_packed_all_the_same_is_unpacked(wire: Any, adk: Any) -> None:
    packed = gzip.compress(b'{"available": 7}')
    body = wire.stream(packed[:9], packed[9:]).stream
    wire.on("GET", CREDITS, httpx.Response(200, headers={"content-encoding": "gzip"}, stream=body))
    assert wire.run(wire.backend().credits()).available == 7

    said = gzip.compress(adk([{"content": {"parts": [{"text": "Done."}]}, "author": "nemo_agent"}]))
    stream = wire.stream(said[:20], said[20:])
    stream.headers["content-encoding"] = "gzip"
    wire.on("POST", "/run_sse", stream)
    assert "Done." in [getattr(event, "text", "") for event in wire.run(wire.heard(wire.backend()))]


def test_odd_frontmatter_stays_inside_its_header() -> None:
    headers = Attribution("生成\r\nX-Evil: 1", "", " a%\ud800 ").headers()
    assert headers == {
        "X-Skill-Source": "%E7%94%9F%E6%88%90%0D%0AX-Evil: 1",
        "X-Skill-Version": "unknown",
        "X-Skill-Platform": "a%25?",
    }


@pytest.mark.parametrize("url", ["", "ftp://x", "https://", "http://x:port", "backend"])
def test_an_address_that_is_none_is_told_at_once(wire: Any, url: str) -> None:
    with pytest.raises(SettingsError):
        Backend(url, httpx.AsyncClient(), wire.credentials(), Attribution("a", "1", "x"), wire.clock)
