"""Everything that can go wrong, and whose fault it is.

AgentError
  SettingsError         configured wrongly: say which setting
  NothingToExport       no track has a segment: say how to make one
  UploadRefused         the file never left: missing, empty, wrong type or too large
  Busy                  another turn holds this thread
  SpendRefused          the turn would go over the person's own limit: nothing was sent
  TransferFailed        a file could not be written or fetched whole: the job is kept
  BackendError
    Unreachable         nothing was sent: safe to try again
    StreamLost          sent, outcome unknown: look, never re-send
    BadAnswer           not the JSON we were promised
    RenderFailed        the render job ended without a file
    ApiError            the backend said no: one class a code
      TokenRejected 1001    SessionGone 1002     OutOfCredits 2001
      FileTypeRefused 4001  FileTooLarge 4002    ClientIdMissing 400
      ExportBlocked 402     RateLimited 429

Each class says what happens next. `key` names its sentence in prompts/replies.*.toml under [error].
"""

from __future__ import annotations

import re
from typing import ClassVar

__all__ = [
    "AgentError",
    "ApiError",
    "BackendError",
    "BadAnswer",
    "Busy",
    "ClientIdMissing",
    "ExportBlocked",
    "FileTooLarge",
    "FileTypeRefused",
    "NothingToExport",
    "OutOfCredits",
    "RateLimited",
    "RenderFailed",
    "SessionGone",
    "SettingsError",
    "SpendRefused",
    "StreamLost",
    "TokenRejected",
    "TransferFailed",
    "Unreachable",
    "UploadRefused",
    "api_error",
]


class AgentError(Exception):
    """Told to the person in one sentence; the conversation goes on."""

    reason: str = ""
    """Which of several sentences fits, where a class has more than one: "missing", "empty", "size"…"""

    def __init__(self, message: str = "", *, reason: str = "", **values: object) -> None:
        super().__init__(message)
        self.reason = reason
        self.values = values
        """What the sentence's placeholders are filled with."""

    @property
    def key(self) -> str:
        """The key of the sentence: "error.upload_refused.size" or "error.busy"."""
        return ".".join(filter(None, ("error", self.name, self.reason)))

    @property
    def name(self) -> str:
        """The class in snake case: the code front ends and logs see."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class SettingsError(AgentError):
    """A setting is wrong. Say which, and what it may be."""


class NothingToExport(AgentError):
    """No track has a segment. Say how to make one."""


class UploadRefused(AgentError):
    """The file never left this machine. Say why and what is accepted."""


class Busy(AgentError):
    """Another turn holds this thread. Wait for it or use another thread."""


class SpendRefused(AgentError):
    """Going on would pass the person's own limit. Nothing was sent."""


class TransferFailed(AgentError):
    """A file could not be written or fetched whole. The job is kept; collect it later."""


# The backend's side


class BackendError(AgentError):
    """The backend's side of the wire went wrong."""


class Unreachable(BackendError):
    """Nothing was sent: safe to try again."""


class StreamLost(BackendError):
    """Sent, outcome unknown: look at the state, never re-send."""


class BadAnswer(BackendError):
    """Not the JSON we were promised. Reads may be tried again; writes are looked up."""


class RenderFailed(BackendError):
    """The render job ended without a file. One new id, once; then say so."""


class ApiError(BackendError):
    """The backend refused with a code we have no class for. Say it in plain words."""

    code: ClassVar[int] = -1

    def __init__(
        self,
        message: str = "",
        *,
        code: int | None = None,
        status: int = 200,
        reason: str = "",
        **values: object,
    ) -> None:
        super().__init__(message, reason=reason, **values)
        self.number = self.code if code is None else code
        self.status = status
        """The HTTP status the code came under; often 200."""


class TokenRejected(ApiError):
    """Get a new token once, unless the person supplied this one: then say so."""

    code = 1001


class SessionGone(ApiError):
    """Create a new session once and say that the timeline starts anew."""

    code = 1002


class OutOfCredits(ApiError):
    """Say how to register or top up. Do not try again."""

    code = 2001


class FileTypeRefused(ApiError):
    """List what is accepted."""

    code = 4001


class FileTooLarge(ApiError):
    """Suggest compressing or trimming."""

    code = 4002


class ClientIdMissing(ApiError):
    """Make a client id and try once more."""

    code = 400


class ExportBlocked(ApiError):
    """The plan does not allow exports: not a matter of credits."""

    code = 402


class RateLimited(ApiError):
    """Wait, then try once more; a send or a submit is left to the person."""

    code = 429


_BY_CODE: dict[int, type[ApiError]] = {
    kind.code: kind
    for kind in (
        TokenRejected,
        SessionGone,
        OutOfCredits,
        FileTypeRefused,
        FileTooLarge,
        ClientIdMissing,
        ExportBlocked,
        RateLimited,
    )
}


def api_error(code: int, message: str, *, status: int = 200, reason: str = "", **values: object) -> ApiError:
    """The error for a backend's code."""
    return _BY_CODE.get(code, ApiError)(message, code=code, status=status, reason=reason, **values)
