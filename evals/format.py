"""The format of a dialogue: what a file may hold, and how one is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from evals.acts import ACTS, EFFECTS, Act, Duration, described, read
from evals.notation import Unfit, parse, told
from evals.props import check
from evals.trace import Check
from router import Route

__all__ = ["Act", "Call", "Dialogue", "Expect", "FormatError", "Ledger", "Said", "Script", "Turn", "World", "load"]
__all__ += ["loads", "schema"]

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "*")
_WHEN = re.compile(rf"({'|'.join(map(re.escape, METHODS))}) (/\S*)")
STREAM = "/run_sse"
Lang = Literal["en", "zh"]


class FormatError(ValueError):
    """A dialogue that cannot be played: each line names the file, the line and what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _when(value: Any) -> Any:
    if not isinstance(value, str) or not _WHEN.fullmatch(value):
        raise ValueError(f"{value!r} is no call: write a method and a path, such as POST /run_sse")
    return value


def _route(value: Any) -> Any:
    """Several acceptable routes, each a list of steps."""
    return [_listed(one) for one in value] if isinstance(value, list) else value


def _call(value: Any) -> Any:
    return {"call": value} if isinstance(value, str) else value


def _said(value: Any) -> Any:
    """One wording is a list of one."""
    if isinstance(value, dict):
        value = {**value, "text": _listed(value["text"])} if "text" in value else value
        return value
    if isinstance(value, list) and not value:
        raise ValueError("user: a list of wordings needs at least one")
    return {"text": _listed(value)}


def _reason(value: Any) -> Any:
    if not isinstance(value, str) or len(value) < 8:
        raise ValueError("a waiver needs its reason: write why it does not count here")
    return value


def _prop(value: Any) -> Any:
    check(value)
    return value


When = Annotated[str, BeforeValidator(_when)]
OneAct = Annotated[Act, BeforeValidator(lambda value: value if isinstance(value, Act) else read(value))]
Acts = Annotated[list[OneAct], WithJsonSchema({"type": "array", "items": described(), "minItems": 1})]
Steps = Annotated[list[Route], BeforeValidator(_listed)]
Words = Annotated[list[str], BeforeValidator(_listed)]
Reason = Annotated[str, BeforeValidator(_reason), StringConstraints(min_length=8)]


class Script(_Strict):
    """What the backend does when it is called so: consumed in order, then it behaves as ever."""

    when: When
    do: Acts = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Script:
        stream = self.when.endswith(STREAM)
        shown = False
        for act in self.do:
            kind = ACTS[act.name].kind
            if kind == "stream" and not stream:
                raise ValueError(f"{act.name} happens in the chat only: when: POST {STREAM}")
            if stream and shown and kind == "wire":
                raise ValueError(f"{act.name} answers instead of the chat: put it before anything that is said")
            shown = shown or act.name not in EFFECTS
        return self


class Said(_Strict):
    """What the person does: words (the seed picks one wording) with files, or a key."""

    text: list[str] = Field(default_factory=list)
    files: list[str] = Field(default_factory=list)
    key: Literal["ctrl-c", "wait"] | None = None
    """ctrl-c: stops this turn, or the one before where there are no words. wait: looks on while jobs are collected."""
    after: Duration | None = None
    """Seconds into the turn at which the key is pressed; for how long `wait` waits at most."""

    @model_validator(mode="after")
    def _something(self) -> Said:
        if not self.text and not self.files and self.key is None:
            raise ValueError("user: words, files or a key")
        if self.after is not None and self.key is None:
            raise ValueError("after: says when a key is pressed; there is no key")
        return self


class Call(_Strict):
    """A request that has to occur. Body and headers are subsets; `re:…` is a pattern, `$name` binds."""

    call: When
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)


class Reply(_Strict):
    """What the person has read at the end of the turn, questions and hints included, progress not."""

    contains: Words = Field(default_factory=list)
    any_of: Words = Field(default_factory=list)
    excludes: Words = Field(default_factory=list)
    """Whatever their case."""
    matches: str | None = None
    """A pattern that is searched for."""
    lang: Lang | None = None

    @model_validator(mode="after")
    def _pattern(self) -> Reply:
        try:
            re.compile(self.matches or "")
        except re.error as error:
            raise ValueError(f"reply.matches is no pattern: {error}") from None
        return self


class Asked(_Strict):
    """The question that ends the turn."""

    contains: Words = Field(default_factory=list)
    options: list[str] | None = None
    """Exactly these labels; `re:…` for a pattern."""


class Expect(_Strict):
    """What a turn must bring about; never nothing."""

    route: Steps | None = None
    any_route: Annotated[list[list[Route]], BeforeValidator(_route)] | None = None
    wire: list[Annotated[Call, BeforeValidator(_call)]] | None = None
    """Every write, in order, and reads that must occur among them. Token and session may be left out."""
    headers: dict[str, str] = Field(default_factory=dict)
    """On every request of the turn."""
    reply: Reply | None = None
    actions: list[str] | None = None
    draft: dict[str, Any] | None = None
    """A subset of the backend's draft after the turn."""
    timeline: str | None = None
    delivered: str | None = None
    error: str | None = None
    ask: Asked | None = None
    at_most_silent_for: Duration | None = None
    first_output_within: Duration | None = None

    @model_validator(mode="after")
    def _something(self) -> Expect:
        if not self.model_fields_set:
            raise ValueError("expect is empty: say at least where the turn goes, such as `route: sse`")
        if self.route is not None and self.any_route is not None:
            raise ValueError("route and any_route exclude each other")
        return self

    @property
    def routes(self) -> list[list[str]]:
        """The acceptable lists of steps; empty where none is asked for."""
        return [list(self.route)] if self.route is not None else [list(one) for one in self.any_route or []]


class Turn(_Strict):
    """One thing the person does, what the backend does meanwhile, and what must come of it."""

    user: Annotated[Said, BeforeValidator(_said)]
    lang: Lang | None = None
    after: Duration | None = None
    """Time that passes before it."""
    backend: list[Script] = Field(default_factory=list)
    expect: Expect
    waive: dict[Check, Reason] = Field(default_factory=dict)
    """Invariants that do not count here, each with its reason."""


class World(_Strict):
    """How things are before the first turn."""

    credits: int | None = None
    frozen: int = 0
    plan: Literal["free", "no-export"] = "free"
    draft: dict[str, Any] | None = None
    """There is a conversation already, and this is on its timeline."""
    token_age: Duration | None = None
    """There is a conversation already, and the token is this old."""
    idle: Duration | None = None
    """There is a conversation already; the program was closed this long ago."""
    nemo_token: bool = False
    """The person brought a token of their own."""
    files: dict[str, Annotated[Any, BeforeValidator(_prop)]] = Field(default_factory=dict)
    """Files that are here: image, clip, audio, text, empty, {mb: 300} or {text: words}."""
    max_spend: float | None = None
    ask_before_spending: bool = False
    person: bool = True
    """Somebody is there to answer a question about money."""
    dialect: Literal["adk", "flat"] = "adk"


class Ledger(_Strict):
    """What the backend has counted in the end."""

    sends: int | None = None
    renders: int | None = None
    uploads: int | None = None
    charged: float | None = None


class Dialogue(_Strict):
    """A scripted conversation."""

    dialogue: str
    about: str
    tags: list[str] = Field(default_factory=list)
    lang: Lang = "en"
    skill: str = "generator-image"
    runs: int = Field(default=5, ge=1)
    seeds: list[int] | None = None
    """Only these, instead of 0 to runs - 1."""
    world: World = Field(default_factory=World)
    turns: list[Turn] = Field(min_length=1)
    ledger: Ledger = Field(default_factory=Ledger)

    @model_validator(mode="after")
    def _whole(self) -> Dialogue:
        if "studio" in self.tags and any(turn.backend for turn in self.turns):
            raise ValueError("tagged `studio`: a real studio takes no script, so leave `backend` out")
        if not self.turns[0].user.text and not self.turns[0].user.files:
            raise ValueError("the first turn needs words: a key has nothing to act on")
        missing = {name for turn in self.turns for name in turn.user.files} - self.world.files.keys()
        if missing:
            raise ValueError(f"world.files lacks {', '.join(sorted(missing))}")
        return self

    def played(self) -> list[int]:
        """The seeds that it is played with."""
        return list(range(self.runs)) if self.seeds is None else self.seeds


def load(path: Path) -> Dialogue:
    """One file. Raises FormatError."""
    return loads(path.read_text(encoding="utf-8"), path)


def loads(text: str, path: Path) -> Dialogue:
    """The text of a file whose name has to be the dialogue's. Raises FormatError."""
    try:
        tree = parse(text)
        found = tree.validated(Dialogue)
        if found.dialogue != path.stem:
            tree.refuse(("dialogue",), f"the file is called {path.stem}: write `dialogue: {path.stem}` or rename it")
    except Unfit as error:
        raise FormatError("\n".join(f"{path}:{line}: {told(problem)}" for line, problem in error.problems)) from None
    return found


def schema() -> dict[str, Any]:
    """The JSON schema for editors."""
    made = Dialogue.model_json_schema()
    kinds = [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
    made["$defs"]["Turn"]["properties"]["user"] = {"anyOf": [*kinds, {"$ref": "#/$defs/Said"}]}
    made["$defs"]["Said"]["properties"]["text"] = {"anyOf": kinds}
    for name in ("contains", "any_of", "excludes"):
        made["$defs"]["Reply"]["properties"][name] = {"anyOf": kinds}
    made["$defs"]["Asked"]["properties"]["contains"] = {"anyOf": kinds}
    expect = made["$defs"]["Expect"]["properties"]
    expect["route"] = {"anyOf": [{"$ref": "#/$defs/Route"}, {"type": "array", "items": {"$ref": "#/$defs/Route"}}]}
    expect["wire"] = {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Call"}]}}
    steps = {"type": "array", "items": {"$ref": "#/$defs/Route"}}
    expect["any_route"] = {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/Route"}, steps]}}
    made["$defs"]["Route"] = {"enum": ["export", "credits", "state", "upload", "sse"]}
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return made
