"""What a backend may be made to do, act by act: names, values and where each can happen. Data only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError, WithJsonSchema

__all__ = ["ACTS", "EFFECTS", "OPENING", "Act", "Beats", "Code", "Duration", "Kind", "Step", "described", "read"]

Kind = Literal["any", "stream", "wire", "render"]
"""Where an act can happen: anywhere, in the chat's stream only, as an answer, or to a render job."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|m|h|d)")


def _seconds(value: Any) -> Any:
    """ "90s", "2m", "1h" or "8d" as seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"a duration needs its unit: write {value}s, {value}m, {value}h or {value}d")
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no duration: write a number and its unit, such as 30s, 2m, 1h or 8d")
    return float(found[1]) * _UNITS[found[2]]


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)? ?(ms|s|m|h|d)$"}),
]
"""Seconds; written with a unit."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Beats(BaseModel):
    """`heartbeat`: one every so often, for so long."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    every: Duration = 30.0
    for_: Annotated[Duration, "seconds"] = 0.0


class Code(_Strict):
    """`code`: JSON under HTTP 200, with what it says and how long to wait; `status`: that number as HTTP's own."""

    code: int
    message: str = ""
    retry_after: Duration | None = None
    bind: str | None = None
    """Who a registration link would bind: `user_id` beside the code."""


class Step(_Strict):
    """`edit`: one of a track that is put there, a label to take away, fields to set, a whole draft, or `undo`."""

    track: dict[str, Any] | None = None
    remove: str | None = None
    set: dict[str, dict[str, Any]] | None = None
    draft: dict[str, Any] | None = None
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """One step of a script."""

    name: str
    value: Any = None

    def __str__(self) -> str:
        number = self.value.code if isinstance(self.value, Code) else self.value
        return f"{self.name} {number}" if self.name in ("code", "status", "html") else self.name


@dataclass(frozen=True, slots=True)
class _Word:
    """What an act takes. `bare` is the value of the act written as a single word, None where it needs one."""

    about: str
    kind: Kind = "any"
    takes: Any = None
    bare: Any = None
    schema: Mapping[str, Any] = field(default_factory=dict)


def _int() -> dict[str, Any]:
    return {"type": "integer", "minimum": 0}


def _text() -> dict[str, Any]:
    return {"type": "string"}


_WAIT = {"type": "string", "pattern": r"^\d+(\.\d+)? ?(ms|s|m|h|d)$"}
ACTS: dict[str, _Word] = {
    "wait": _Word("Nothing comes for so long.", takes=Duration, schema=_WAIT),
    "heartbeat": _Word(
        "Heartbeats: {every: 30s, for: 90s}; a single one where it stands alone.",
        "stream",
        Beats,
        Beats(),
        {"type": "object", "properties": {"every": _WAIT, "for": _WAIT}, "additionalProperties": False},
    ),
    "say": _Word("Text for the person: pieces first, then the whole.", "stream", str, schema=_text()),
    "partial": _Word("These pieces, then their aggregate.", "stream", list[str], schema={"type": "array"}),
    "thought": _Word("A text that is marked as a thought.", "stream", str, schema=_text()),
    "tool": _Word("A tool is called and returns.", "stream", str, schema=_text()),
    "edit": _Word("The draft changes: a track, {remove: label}, {set: …}, {draft: …}, undo.", takes=Step),
    "charge": _Word("Credits are charged.", takes=int, schema=_int()),
    "code": _Word("JSON with an error code, under HTTP 200.", takes=Code),
    "status": _Word("A plain HTTP status.", "wire", Code, schema=_int()),
    "html": _Word("A proxy's page under this HTTP status.", takes=int, bare=502, schema=_int()),
    "fail": _Word("The render job fails; in the stream, the turn breaks with an error.", takes=str, bare="broken"),
    "cut": _Word("The connection breaks in the middle of the answer.", bare=True),
    "end": _Word("The answer ends cleanly, too early.", bare=True),
    "hang": _Word("No byte ever again.", bare=True),
    "refuse": _Word("The connection is refused: nothing arrives.", "wire", bare=True),
    "garble": _Word("A frame, or an answer, that nobody can read.", bare=True),
    "twice": _Word("The last event comes again.", "stream", bare=True),
    "apologise": _Word("“I encountered a temporary issue…” after good output.", "stream", str, bare=""),
    "kill": _Word("The agent's process dies; the next turn is the reopened one's.", bare=True),
}
OPENING = ("code", "status", "html", "refuse")
"""Acts that, before any output, answer a send instead of the chat."""
_BESIDE = {"message", "retry_after", "bind"}
EFFECTS = ("wait", "edit", "charge", "kill")
"""Acts that put nothing on the wire."""


def read(raw: Any) -> Act:
    """A YAML item as an act. Raises ValueError with what to write instead."""
    if isinstance(raw, str):
        word = _word(raw)
        if word.bare is None:
            raise ValueError(f"{raw} needs a value: write `{raw}: …`. {word.about}")
        return Act(raw, word.bare)
    if isinstance(raw, dict) and (coded := raw.keys() & {"code", "status"}) and raw.keys() - coded <= _BESIDE:
        return Act(name := min(coded), _value(name, raw if len(raw) > 1 else raw[name]))
    if not isinstance(raw, dict) or len(raw) != 1:
        raise ValueError(f"an act is one word or one `name: value`, not {raw!r}; put a dash before each act")
    name, value = next(iter(raw.items()))
    word = _word(str(name))
    if word.takes is None:
        raise ValueError(f"{name} takes no value: write `- {name}`")
    return Act(str(name), _value(str(name), value))


def described() -> dict[str, Any]:
    """The JSON schema of an act."""
    words = [name for name, word in ACTS.items() if word.bare is not None]
    pairs = [
        {
            "type": "object",
            "properties": {name: {**word.schema, "description": word.about}},
            "required": [name],
            "additionalProperties": name in ("code", "status"),
        }
        for name, word in ACTS.items()
        if word.takes is not None
    ]
    return {"oneOf": [{"enum": words}, *pairs]}


def _word(name: str) -> _Word:
    if name not in ACTS:
        raise ValueError(f"{name!r} is no act; there are {', '.join(ACTS)}")
    return ACTS[name]


def _value(name: str, raw: Any) -> Any:
    """The checked value, short forms written out."""
    if name in ("code", "status"):
        raw = {**raw, "code": raw[name]} if isinstance(raw, dict) and name in raw else {"code": raw}
        raw.pop("status", None)
    if name == "edit":
        raw = _step(raw)
    if name == "heartbeat" and isinstance(raw, dict) and "for" in raw:
        raw = {**{key: value for key, value in raw.items() if key != "for"}, "for_": raw["for"]}
    try:
        return TypeAdapter(ACTS[name].takes).validate_python(raw, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{name}{f'.{where}' if where else ''}: {said}") from None


def _step(raw: Any) -> Any:
    if raw == "undo":
        return {"undo": True}
    if isinstance(raw, dict) and "tt" in raw:
        return {"track": raw}
    if isinstance(raw, dict) and len(raw) == 1 and raw.keys() <= {"remove", "set", "draft"}:
        return raw
    raise ValueError(
        "edit: write a track ({tt: 1, sg: […]}), {remove: label}, {set: {label: {…}}}, {draft: {…}} or undo"
    )
