"""A canary in messages, arguments, tracebacks and crashes: it never reaches a log."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from agent import logs

CANARY = "nmv_usr_canary-4711"
OPAQUE = "zq81-opaque-0042"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    factory, hook, known = logging.getLogRecordFactory(), sys.excepthook, set(logs._known)
    ours = logging.getLogger("reelchat")
    kept = list(ours.handlers), ours.propagate
    logs._known.clear()
    yield
    logging.setLogRecordFactory(factory)
    sys.excepthook = hook
    logs._known.clear()
    logs._known.update(known)
    for handler in ours.handlers:
        handler.close()
    ours.handlers, ours.propagate = kept


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a handler of anybody's, which knows nothing of secrets, writes down."""
    logs.install(SecretStr(OPAQUE))
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"got {CANARY}.", "got [hidden]"),
        (f"Authorization: Bearer {OPAQUE}x", "Authorization: Bearer [hidden]"),
        ("{'authorization': 'Bearer abcdef.ghi'}", "{'authorization': 'Bearer [hidden]'}"),
        ("[(b'Authorization', b'raw-key-1')]", "[(b'Authorization', b'[hidden]')]"),
        ("GET /x?a=1&token=abc&b=2", "GET /x?a=1&token=[hidden]&b=2"),
        ("key sk-reel-Ab_c-12 of anna", "key [hidden] of anna"),
        ("/files/f/a.png?expires=9&signature=0a1b-2c", "/files/f/a.png?expires=9&signature=[hidden]"),
        (
            "https://nemovideo.com/workspace/claim?ct=clm_77 now",
            "https://nemovideo.com/workspace/claim?ct=[hidden] now",
        ),
        ('{"token": "abc", "credits": 100}', '{"token": "[hidden]", "credits": 100}'),
        ('{"claim_token":"abc"}', '{"claim_token":"[hidden]"}'),
        ("http://me:pw@edit.example/x", "http://[hidden]@edit.example/x"),
        ("token count: 3, the bearer of news", "token count: 3, the bearer of news"),
        ("/workspace/x?bind=u77", "/workspace/x?bind=u77"),
        ("nothing to hide: 生成一张图片", "nothing to hide: 生成一张图片"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_the_rest_stays(text: str, clean: str) -> None:
    assert logs.redacted(text) == clean


def test_a_message_and_its_arguments_are_clean(written: io.StringIO) -> None:
    log = logging.getLogger("somebody.else")
    log.warning("token " + CANARY)
    log.warning("%s and %r", CANARY, {"token": OPAQUE})
    log.warning("%(who)s", {"who": httpx.Request("GET", f"http://x/?token={OPAQUE}")})
    log.warning("Bearer %s", "joined-only-now")
    log.warning("%d of %.1f", 3, 4.0)
    said = written.getvalue()
    assert CANARY not in said and OPAQUE not in said and "joined-only-now" not in said
    assert "3 of 4.0" in said


def test_a_traceback_is_clean_down_to_its_cause(written: io.StringIO) -> None:
    try:
        try:
            raise ValueError(f"Illegal header value b'Bearer {OPAQUE}'")
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        logging.getLogger("somebody.else").exception("turn failed")
    said = written.getvalue()
    assert "RuntimeError: [hidden]" in said and "Illegal header value" in said
    assert CANARY not in said and OPAQUE not in said


def test_httpx_logs_its_requests_without_the_token(written: io.StringIO) -> None:
    logging.getLogger("httpx").setLevel(logging.INFO)
    try:
        with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))) as client:
            client.get(f"http://x.test/claim?ct={OPAQUE}", headers={"Authorization": f"Bearer {CANARY}"})
    finally:
        logging.getLogger("httpx").setLevel(logging.NOTSET)
    assert "http://x.test/claim?ct=[hidden]" in written.getvalue()


def test_a_log_call_with_too_few_arguments_is_still_clean(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logging.getLogger("x").warning("%s %s", CANARY)
    assert CANARY not in written.getvalue()


def test_our_own_file_holds_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "reelchat.log"
    logs.log_to(path)  # Not installed: the handler's own filter has to do.
    logging.getLogger("reelchat.x").warning("token %s", CANARY, extra={"more": CANARY})
    assert "token [hidden]" in path.read_text(encoding="utf-8")


def test_installing_twice_changes_nothing(written: io.StringIO) -> None:
    first = logging.getLogRecordFactory()
    logs.install()
    assert logging.getLogRecordFactory() is first


def test_a_crash_of_the_program_prints_no_secret() -> None:
    script = f"from agent.logs import install; install(); raise RuntimeError('Bearer {CANARY}')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 1
    assert (
        "RuntimeError: Bearer [hidden]" in done.stderr and "canary-4711')" not in done.stderr.split("RuntimeError")[1]
    )
