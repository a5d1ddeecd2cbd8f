"""What every door of the host stands on: the host itself, who is asking, and refusals in the person's language."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from agent.errors import Busy
from agent.events import Error
from agent.house import Agent, House
from agent.serve.keys import Keys, Principal
from agent.serve.links import Links
from agent.serve.options import Options
from agent.serve.turns import Order, Running, Turns
from agent.serve.vault import Vault
from agent.settings import Settings
from agent.skills import Skill, load_skill, skill_names
from prompts import Lang, say

if TYPE_CHECKING:
    from agent.serve.limits import Limits

__all__ = [
    "HEARTBEAT_S",
    "QUIET",
    "Host",
    "Refused",
    "Unfit",
    "as_json",
    "as_text",
    "events_response",
    "language",
    "principal",
    "read",
    "refusal",
]

HEARTBEAT_S, QUIET = 15.0, ": still here\n\n"
"""A comment on a stream that was quiet for so long, so that nobody on the way takes it for dead."""
MOST_WORDS = 100_000
"""Characters of one message: a body may be larger, for the pictures in it."""
CODES = {
    "bad_request": 422,
    "unauthorized": 401,
    "forbidden_origin": 403,
    "forbidden_host": 403,
    "not_found": 404,
    "no_such_model": 404,
    "method": 405,
    "conversation_busy": 409,
    "too_large": 413,
    "quota": 413,
    "unsupported_type": 415,
    "no_user_message": 422,
    "rate_limited": 429,
    "too_many_streams": 429,
    "internal": 500,
    "draining": 503,
}
"""The HTTP status of every refusal; its sentence is under [serve]."""
KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
Model = TypeVar("Model", bound=BaseModel)
_NOTHING = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Refused(Exception):
    """A request that is not carried out. `code` names the sentence, `values` fill it.

    A `reason` among them is the key of what stands for {why} in it.
    """

    def __init__(self, code: str, *, param: str | None = None, after: int | None = None, **values: object) -> None:
        super().__init__(code)
        self.code, self.param, self.after, self.values = code, param, after, values


class Unfit(Exception):
    """A file that the backend would not take; `event` says why."""

    def __init__(self, event: Error) -> None:
        super().__init__(event.code)
        self.event = event


@dataclass(slots=True)
class Host:
    """One process's house with its doors."""

    settings: Settings
    options: Options
    house: House
    turns: Turns
    keys: Keys
    links: Links
    limits: Limits

    @classmethod
    def of(cls, request: Request) -> Host:
        """The host that this request has reached."""
        return cast(Host, request.app.state.host)

    def agent(self, request: Request, skill: str | None = None) -> Agent:
        """An agent for whoever is asking, speaking for the persona of that name. Raises Refused."""
        agent = self.turns.agent(principal(request).user)
        return agent.with_skill(self.skill(skill)) if skill else agent

    def skill(self, name: str) -> Skill:
        """A persona of our shelf; a path is none. Raises Refused."""
        if name not in skill_names():
            raise Refused("no_such_model", param="model", name=name[:100], known=", ".join(skill_names()))
        return load_skill(name)

    def vault(self, request: Request) -> Vault:
        """The files of whoever is asking."""
        desk = self.agent(request).tools.desk
        assert isinstance(desk, Vault)
        return desk

    async def begin(self, agent: Agent, order: Order) -> Running:
        """Begins, joins or repeats a turn. Raises Refused."""
        if self.turns.draining:
            raise Refused("draining", after=5)
        if len(order.text) > MOST_WORDS:
            raise Refused("bad_request", why=f"{len(order.text)} > {MOST_WORDS}")
        try:
            return await self.turns.take(agent, order)
        except Busy as error:
            raise Refused("conversation_busy", after=2) from error

    def absolute(self, link: str, request: Request) -> str:
        """A link of ours as somebody elsewhere can follow it."""
        return (self.options.public_url or str(request.base_url)).rstrip("/") + link


def principal(request: Request) -> Principal:
    """Who is asking; the guard has looked. Raises Refused where it let somebody through who is nobody."""
    found = cast(Principal, request.state.principal)
    if not found.user:
        raise Refused("unauthorized")
    return found


def language(request: Request, wanted: object = None) -> Lang:
    """What sentences to whoever is asking are in: as the request says, else as its reader's browser does."""
    if wanted in ("en", "zh"):
        return "zh" if wanted == "zh" else "en"
    spoken = request.headers.get("accept-language", "").lower()
    found = re.search(r"\b(zh|en)\b", spoken)
    host: Host | None = getattr(request.app.state, "host", None)
    if found:
        return "zh" if found[1] == "zh" else "en"
    return host.settings.lang if host else "en"


def refusal(request: Request, refused: Refused) -> Response:
    """The answer to a request that is not carried out."""
    status, id = CODES[refused.code], getattr(request.state, "id", "")
    request.state.refused = refused.code
    lang, values = language(request), {"id": id, **refused.values}
    if reason := refused.values.get("reason"):
        values["why"] = say(lang, str(reason), **values)
    error = {
        "message": say(lang, f"serve.{refused.code}", **values),
        "type": KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error"),
        "code": refused.code,
        "param": refused.param,
        "request_id": id,
    }
    headers = {} if refused.after is None else {"Retry-After": str(refused.after)}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": error}, status, headers)


async def read(request: Request, shape: type[Model]) -> Model:
    """The body as `shape`. Raises Refused with the field that is wrong."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused("unsupported_type", wanted="application/json")  # a form of another site's can't send that
    body = await request.body()
    if _NOTHING.search(body):
        raise Refused("bad_request", why="\\u0000")  # no text of a person's, and no database takes it
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))[:100]
        why = f"{where}: {first['msg']}" if where else first["msg"]
        raise Refused("bad_request", param=where or None, why=why) from error


def as_json(value: Mapping[str, Any] | Sequence[Any], status: int = 200) -> Response:
    """An answer."""
    return JSONResponse(value, status)


def events_response(pieces: AsyncIterator[str], request: Request) -> Response:
    """A stream of server-sent events. The turn behind it does not end with it."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_closing(pieces), media_type="text/event-stream", headers=headers)


async def _closing(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    async with aclosing(cast(Any, pieces)):
        async for piece in pieces:
            yield piece


def as_text(value: Mapping[str, Any]) -> str:
    """JSON in one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
