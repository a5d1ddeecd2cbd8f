"""What a log never holds: tokens, bearer headers and claim links, taken out before any handler sees a record."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import SecretStr

__all__ = ["Redacting", "conceal", "holds_token", "install", "log_to", "redacted"]

HIDDEN = "[hidden]"
SHORTEST = 6
"""Characters of a known secret; shorter ones would take harmless words out with them."""

_NAMES = r"(?:access_?|refresh_?|claim_?|id_?)?token|api_?key|secret|password|passwd|sig|signature|ct"
_SCHEME = r"\s*b?['\"]?(?:bearer|basic)\b"
_PATTERNS = (
    # Our backend's own kinds, wherever they stand.
    (re.compile(r"\b(?:nmv_usr|clm)_[\w.~+/=-]+"), HIDDEN),
    # Keys of a host.
    (re.compile(r"\bsk-reel-[\w-]+"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)(\s+|%20)[\w.~+/=:-]{4,}"), rf"\1\2{HIDDEN}"),
    (
        re.compile(r"(?i)(authorization['\"]?\s*[:=,](?!\s*b?['\"]?(?:bearer|basic)\b)\s*(?:b?['\"])?)[^\s'\",;)]+"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(rf"(?i)([?&;](?:{_NAMES})=)[^&\s'\"<>#]+"), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)(['\"](?:{_NAMES})['\"]\s*[:=,]\s*b?['\"])[^'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://)[^\s/?#@'\"]+@"), rf"\1{HIDDEN}@"),
)
_known: set[str] = set()


def conceal(secret: SecretStr | None) -> None:
    """Hides this value in every record from here on, whatever it looks like."""
    value = secret.get_secret_value().strip() if secret else ""
    if len(value) >= SHORTEST:
        _known.add(value)


def redacted(text: str) -> str:
    """`text` without secrets: those that are known, and whatever looks like one."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    for value in sorted(_known, key=len, reverse=True):  # One may begin with another.
        text = text.replace(value, HIDDEN)
    return text


def holds_token(text: str) -> bool:
    """Whether `text` holds a secret we know, or one of the backend's own kinds."""
    return _PATTERNS[0][0].search(text) is not None or any(value in text for value in _known)


class Redacting(logging.Filter):
    """Takes secrets out of a record's message, arguments, traceback and stack. Lets every record through."""

    def filter(self, record: logging.LogRecord) -> bool:
        _clean(record)
        return True


def install(*secrets: SecretStr | None) -> None:
    """Makes every record of this process, of whatever logger, and the last traceback of a crash free of secrets.

    May be called again. A filter of a logger sees only that logger's own records, and one of a handler only what
    reaches it; where records are made nothing gets past.
    """
    for secret in secrets:
        conceal(secret)
    make = logging.getLogRecordFactory()
    if not isinstance(make, _Factory):
        logging.setLogRecordFactory(_Factory(make))
    if sys.excepthook is not _last_words:
        sys.excepthook = _last_words


def log_to(path: Path) -> None:
    """Writes what our own loggers say to `path`, and to nothing else; the file is made by its first line."""
    log = logging.getLogger("reelchat")
    log.propagate = False
    for old in log.handlers:
        old.close()
    handler = logging.FileHandler(path, delay=True, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(Redacting())  # For what is added to a record after it was made.
    log.handlers = [handler]


class _Factory:
    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **more: Any) -> logging.LogRecord:
        record = self._make(*args, **more)
        _clean(record)
        return record


def _clean(record: logging.LogRecord) -> None:
    record.msg = _inside(record.msg)
    if isinstance(record.args, dict):
        record.args = {name: _inside(value) for name, value in record.args.items()}
    elif record.args:
        record.args = tuple(_inside(value) for value in record.args)
    try:
        whole = record.getMessage()
    except Exception:
        return  # Logged wrongly: the handler reports it, from pieces that are clean.
    if (clean := redacted(whole)) != whole:
        # "Bearer %s" and a word that only together are a secret.
        record.msg, record.args = clean, ()
    _clean_traces(record)


def _clean_traces(record: logging.LogRecord) -> None:
    """The traceback as text: an exception that is still there would be printed again, secrets and all."""
    if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
        record.exc_text = redacted("".join(traceback.format_exception(record.exc_info[1])).rstrip("\n"))
        record.exc_info = None
    elif record.exc_text:
        record.exc_text = redacted(record.exc_text)
    if record.stack_info:
        record.stack_info = redacted(record.stack_info)


def _inside(value: object) -> Any:
    """A value as it is where nothing in it is secret, so that formats for numbers still fit; else its text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else f"{value!s} {value!r}"
    if redacted(text) == text:
        return value
    return redacted(value if isinstance(value, str) else str(value))


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What Python prints when nobody caught an exception, without secrets."""
    if sys.stderr is not None:
        sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, trace))))
