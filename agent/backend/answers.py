"""What a response says before its content: an answer, a refusal with a code, or nothing readable.

Refusals come as `{"code":N,"message":…}`, often under HTTP 200; as FastAPI's `{"detail":…}`; and as bare
HTTP from something in between. What was asked for stands at top level or inside `data`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

from agent.errors import ApiError, BackendError, BadAnswer, ClientIdMissing, SessionGone, api_error

__all__ = ["Drafts", "decode", "read_answer", "retry_after"]

FINE = (None, 0, 200)
"""Codes of an answer that is no refusal; most answers have none."""
CODE_OF_STATUS = {401: 1001, 402: 402, 413: 4002, 415: 4001, 429: 429}
"""What an HTTP status means when the body has no code."""
LONGEST_MESSAGE = 300
DRAFTS_KEPT = 32
_SPACE, _NOT_ASCII = re.compile(r"[ \t\n\r]*"), re.compile("[^\x00-\x7f]+")


def decode(text: str) -> Any:
    """Parsed JSON, or None for everything that is not JSON."""
    try:
        return _VALUES.decode(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int | float:
    """A float beyond 64 bits: what is parsed goes into the state, which can hold no such integer."""
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else float(digits)


_JSON, _VALUES = json.JSONDecoder(), json.JSONDecoder(parse_int=_whole)


class Drafts:
    """The texts of the drafts seen last: 1.50 and 1e-7 are spelled so in the text alone, not in what is parsed."""

    def __init__(self) -> None:
        self._texts: dict[bytes, str] = {}

    def keep(self, draft: Any, answer: str) -> None:
        """Keeps the text of `draft`, which came in the text of an answer of the state endpoint."""
        try:
            text, written = _draft_in(answer), _written(draft)
        except RecursionError:
            return
        self._texts.pop(_name(written), None)
        if text is not None and text != written:
            self._texts[_name(written)] = text
            if len(self._texts) > DRAFTS_KEPT:
                del self._texts[next(iter(self._texts))]

    def text(self, draft: Any) -> str:
        """`draft` as JSON in ASCII: as it came where that is known, else as we write it.

        Raises ValueError, TypeError or RecursionError where it is no JSON.
        """
        written = _written(draft)
        return self._texts.get(_name(written), written)


def _written(draft: Any) -> str:
    return json.dumps(draft, separators=(",", ":"))


def _name(written: str) -> bytes:
    return sha256(written.encode()).digest()


def _draft_in(answer: str) -> str | None:
    """The draft's own text in ASCII, from where `read_answer` and `wire.snapshot` find its value; None without one."""
    answer = answer.removeprefix("\ufeff")
    places, _ = _members(answer, _past_space(answer, 0))
    fields = {**places, **_inner(places)}
    state = fields.get("state", fields)
    place = state.get("draft") if isinstance(state, dict) else None
    # Half a character can be no UTF-8; as an escape it goes everywhere.
    return place and _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], answer[place])


def _members(text: str, at: int) -> tuple[dict[str, Any], int]:
    """Where each value of the object at `at` stands, for those of an envelope their members; and where it ends."""
    found: dict[str, Any] = {}
    at = _past_space(text, at + 1)
    while text[at] != "}":
        name, at = _JSON.raw_decode(text, at)
        start = _past_space(text, _past_space(text, at) + 1)
        if name in ("data", "state") and text[start] == "{":
            found[name], end = _members(text, start)
        else:
            _, end = _JSON.raw_decode(text, start)
            found[name] = slice(start, end)
        at = _past_space(text, end)
        at = _past_space(text, at + 1) if text[at] == "," else at
    return found, at + 1


def _past_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def read_answer(status: int, headers: Mapping[str, str], text: str, now: datetime) -> dict[str, Any]:
    """The fields of an answer, those inside `data` first. Raises ApiError or BadAnswer."""
    body = decode(text)
    if not isinstance(body, dict):
        raise _unreadable(status, headers, now)
    error = _refusal(status, headers, body, now)
    if error:
        raise error
    inner = _inner(body)
    return {name: value for name, value in body.items() if name != "data"} | inner


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the server asks us to wait, from either form of the header; None when it does not say."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    moment = _moment(value)
    if moment is None:
        return None
    # A server's date is measured by its own watch where it shows one: ours may be hours off.
    return max(0.0, (moment - (_moment(headers.get("date", "")) or now)).total_seconds())


def _moment(value: str) -> datetime | None:
    """An HTTP date in UTC, or None."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None  # the standard parser raises all of these
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unreadable(status: int, headers: Mapping[str, str], now: datetime) -> BackendError:
    """A page from a proxy, a plain text, nothing at all: only the status can be believed."""
    if status in CODE_OF_STATUS:
        return api_error(CODE_OF_STATUS[status], f"HTTP {status}", status=status, retry_after=retry_after(headers, now))
    return BadAnswer(f"HTTP {status} without the JSON we were promised", status=status)


def _refusal(status: int, headers: Mapping[str, str], body: dict[str, Any], now: datetime) -> BackendError | None:
    """The error that a JSON body stands for; None when it is an answer."""
    # A failed render job is an answer, though some say success: false beside it and why in an error of its own.
    job = "status" in {**body, **_inner(body)}
    refused = body.get("success") is False and not job
    code, message = _code(body.get("code")), _message(body)[:LONGEST_MESSAGE]
    if code is None and not job:
        code = _nested_code(body, refused)
    wait = retry_after(headers, now)
    if code in FINE and status < 400 and not refused:
        return None
    if code in FINE:
        return _without_code(status, message, body, wait)
    error = api_error(code or ApiError.code, message, status=status, retry_after=wait, **_bind(body))
    if type(error) is ApiError and (status >= 500 or 500 <= error.number < 600):
        # The backend broke, wherever it says so: what it had done by then nobody knows.
        return BadAnswer(message, status=status)
    return error


def _without_code(status: int, message: str, body: dict[str, Any], wait: float | None) -> BackendError:
    if status == 404 and message.lower().startswith("session not found"):
        return SessionGone(message, status=status)
    if status in CODE_OF_STATUS:
        return api_error(CODE_OF_STATUS[status], message, status=status, retry_after=wait, **_bind(body))
    if status >= 500:
        return BadAnswer(message, status=status)
    if status == 400 and "client-id" in message.lower():
        return ClientIdMissing(message, status=status)
    # Not api_error: an HTTP 400 is no code 400.
    return ApiError(message, code=status if status >= 400 else None, status=status)


def _inner(body: dict[str, Any]) -> dict[str, Any]:
    data = body.get("data")
    return data if isinstance(data, dict) else {}


def _bind(body: dict[str, Any]) -> dict[str, str]:
    """Whom a registration link binds, where a refusal says it."""
    for place in (_inner(body), body):
        user = place.get("user_id")
        if isinstance(user, int | str) and not isinstance(user, bool) and user != "":
            return {"bind": str(user)}
    return {}


def _nested_code(body: dict[str, Any], refused: bool) -> int | None:
    """The code inside `error`, `detail` or, where success is false, `data`; None when there is none."""
    for name in ("error", "detail", *(("data",) if refused else ())):
        value = body.get(name)
        if isinstance(value, dict) and (code := _code(value.get("code"))) is not None:
            return code
    return None


def _code(code: object) -> int | None:
    if isinstance(code, float) and code.is_integer():
        return int(code)
    if isinstance(code, bool) or not isinstance(code, int | str):
        return None
    try:
        return int(code)
    except ValueError:
        # A word in place of a number is no number we know, but it is no success either.
        return None if str(code).lower() in ("", "ok", "success") else ApiError.code


def _message(body: dict[str, Any]) -> str:
    for name in ("message", "msg", "detail", "error"):
        value = body.get(name)
        if isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str) and value:
            return value
    return ""
