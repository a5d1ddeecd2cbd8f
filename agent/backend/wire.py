"""The shapes that come over the wire, read tolerantly: what is unknown is kept, what is missing is None.

Only what a call is made for must be there (a session id, a token); without it the answer is a BadAnswer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from agent.errors import BadAnswer

__all__ = [
    "TOKEN_LIFE",
    "Claim",
    "Credits",
    "DownloadedFile",
    "Issued",
    "RenderStatus",
    "Session",
    "Snapshot",
    "Uploaded",
    "read",
    "snapshot",
    "uploads",
]

TOKEN_LIFE = timedelta(days=7)
"""How long a token lasts where the backend does not say."""

BEYOND_SENSE = 1e15
"""No length, size, moment or sum of ours is as large, and sums with smaller numbers can't overflow."""

Model = TypeVar("Model", bound=BaseModel)


def _number(value: object) -> float | None:
    """A finite number of 0 or more, also written as text or with a percent sign; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value.strip().removesuffix("%")) if isinstance(value, str) else float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < BEYOND_SENSE else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else round(number)


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


Number = Annotated[float | None, BeforeValidator(_number)]
Whole = Annotated[int | None, BeforeValidator(_whole)]
Text = Annotated[str | None, BeforeValidator(_text)]
Id = Annotated[str, BeforeValidator(_text)]


class _Wire(BaseModel):
    # Inputs are hidden in errors, because one of them may be a token.
    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True, hide_input_in_errors=True)


class Issued(_Wire):
    """A token for a client id, and when it ends."""

    # What else came with it is not kept: the token may stand there a second time, and in plain sight.
    model_config = ConfigDict(extra="ignore")

    token: SecretStr = Field(min_length=1)
    expires_at: datetime | None = None

    @field_validator("token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr) -> SecretStr:
        # Checked here, because httpx quotes a header it refuses, token and all.
        if not all("!" <= character <= "~" for character in token.get_secret_value()):
            raise ValueError("not a token")
        return token

    @field_validator("expires_at", mode="before")
    @classmethod
    def _moment(cls, value: object) -> datetime | None:
        """From ISO 8601 or from seconds or milliseconds since 1970; None when it is neither."""
        number = _number(value)
        try:
            if number is not None:
                return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
            moment = datetime.fromisoformat(str(value))
        except (ValueError, OverflowError, OSError):
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def ends(self, now: datetime) -> datetime:
        """When the token is of no more use."""
        return self.expires_at or now + TOKEN_LIFE


class Session(_Wire):
    """The backend's conversation and project. `user_id` is what a registration link binds."""

    session_id: Id = Field(validation_alias=AliasChoices("session_id", "sessionId"))
    task_id: Text = Field(None, validation_alias=AliasChoices("task_id", "taskId"))
    user_id: Text = Field(None, validation_alias=AliasChoices("user_id", "userId"))


class Claim(_Wire):
    """What lets a person take a project over in a browser."""

    claim_token: Id


class Credits(_Wire):
    """Credits to spend, reserved for work in progress, and in all; None where the backend does not say."""

    available: Number = None
    frozen: Number = None
    total: Number = None


class Snapshot(_Wire):
    """What the state endpoint returned. Everything in it is the backend's own JSON, untouched."""

    draft: Any = None
    video_infos: Any = None
    generated_media: Any = None
    canvas_config: Any = None
    user_id: Text = None


class Uploaded(_Wire):
    """A file the backend has. Sizes in pixels; None where there is none or the backend does not say."""

    name: str = ""
    kind: Literal["image", "clip", "audio"] | None = None
    duration_ms: int | None = None
    width: Whole = None
    height: Whole = None


class RenderStatus(_Wire):
    """How a render job stands. `unknown` is the backend's definite no: it has no such job."""

    id: str
    status: Literal["pending", "processing", "completed", "failed", "unknown"]
    progress: float | None = None
    """Done so far, 0 to 1; None where the backend does not say."""
    url: str | None = None
    """Where the file is; a completed job without one has it at `Backend.fallback_url`."""
    retry_after: float | None = None
    """Seconds until it is worth asking again; None where the backend does not say."""
    message: str | None = None
    """The backend's own words for why it failed or is not known."""

    @classmethod
    def of(cls, render_id: str, answer: dict[str, Any], wait: float | None = None) -> RenderStatus:
        """From an answer to a submit, a poll or a cancel."""
        output = answer.get("output")
        output = output if isinstance(output, dict) else {"url": output}
        urls = (output.get("url"), answer.get("outputUrl"), answer.get("output_url"), answer.get("url"))
        progress = _number(answer.get("progress"))
        return cls(
            id=_text(answer.get("id")) or render_id,
            status=_status(answer.get("status")),
            progress=progress if progress is None else min(progress / 100 if progress > 1 else progress, 1.0),
            url=next((url for url in urls if isinstance(url, str) and url), None),
            retry_after=wait,
            message=_reason(answer),
        )


class DownloadedFile(_Wire):
    """A file that has arrived whole. Size in bytes."""

    size: int


def read(model: type[Model], answer: dict[str, Any]) -> Model:
    """`answer` as a `model`. Raises BadAnswer when what the call is made for is not in it."""
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        missing = ", ".join(str(part) for problem in error.errors() for part in problem["loc"])
        raise BadAnswer(f"an answer without a usable {missing}") from None


def snapshot(answer: dict[str, Any]) -> Snapshot:
    """The snapshot in an answer of the state endpoint; empty where its state is null. Raises BadAnswer."""
    state = answer.get("state", answer)
    if "state" not in answer and "draft" not in answer:
        # An empty snapshot would read as "everything was deleted".
        raise BadAnswer("an answer without a state")
    return read(Snapshot, {"user_id": answer.get("user_id"), **(state if isinstance(state, dict) else {})})


def uploads(answer: dict[str, Any]) -> list[Uploaded]:
    """The files an upload's answer lists; none when it lists none, for then the state tells."""
    files = answer.get("files")
    return [_uploaded(file) for file in files if isinstance(file, dict)] if isinstance(files, list) else []


def _uploaded(file: dict[str, Any]) -> Uploaded:
    name = _text(file.get("filename")) or _text(file.get("name")) or ""
    exact, seconds = _whole(file.get("duration_ms")), _number(file.get("duration"))
    return Uploaded(
        name=name,
        kind=_kind(str(file.get("file_type") or file.get("type") or ""), name),
        duration_ms=exact if exact is not None or seconds is None else round(seconds * 1000),
        width=_whole(file.get("width")) or None,
        height=_whole(file.get("height")) or None,
    )


def _kind(said: str, name: str) -> Literal["image", "clip", "audio"] | None:
    """From "video/mp4", "video", "mp4" or, failing that, the name's ending."""
    for word in (
        said.partition("/")[0].lower(),
        said.lower(),
        PurePosixPath(name).suffix.lstrip(".").lower(),
    ):
        if word in ("image", "photo", "picture", "jpg", "jpeg", "png", "gif", "webp"):
            return "image"
        if word in ("video", "clip", "mp4", "mov", "avi", "webm", "mkv"):
            return "clip"
        if word in ("audio", "voice", "music", "mp3", "wav", "m4a", "aac"):
            return "audio"
    return None


def _status(said: object) -> Literal["pending", "processing", "completed", "failed"]:
    """A word we don't know means that the job is there and goes on: only a definite end is believed."""
    match str(said).lower():
        case "completed" | "complete" | "done" | "succeeded" | "success":
            return "completed"
        case "failed" | "failure" | "error" | "canceled" | "cancelled":
            return "failed"
        case "pending" | "queued" | "none":
            return "pending"
        case _:
            return "processing"


def _reason(answer: dict[str, Any]) -> str | None:
    """Why a job failed. Beside a job that did not, an envelope's message is "ok" and the like."""
    if _status(answer.get("status")) != "failed":
        return None
    for name in ("error", "message"):
        value = answer.get(name)
        if isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str) and value:
            return value
    return None
