"""What every endpoint shares: answers under a code, bodies read within limits, who is asking."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from studio.accounts import Accounts
from studio.store import Session, Store
from studio.words import say

__all__ = ["Problem", "account", "body", "ok", "on_crash", "on_http", "on_problem", "session"]

BODY_LIMIT = 8 * 1024 * 1024


class Problem(Exception):
    """An answer under a code; HTTP's own status is 200 unless it says otherwise."""

    def __init__(self, code: int, message: str = "", *, status: int = 200, **values: object) -> None:
        super().__init__(message or say("en", f"code_{code}", **values))
        self.code = code
        self.status = status


def ok(data: Mapping[str, Any], **top: Any) -> JSONResponse:
    """{"code":0,"data":…} with what else belongs at the top level."""
    return JSONResponse({"code": 0, "message": "ok", "data": dict(data)} | top)


async def on_problem(request: Request, error: Exception) -> Response:
    """See Problem."""
    assert isinstance(error, Problem)
    return JSONResponse({"code": error.code, "message": str(error)}, error.status)


async def on_http(request: Request, error: Exception) -> Response:
    """An unknown path or method, in the shape of the real server's."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)


async def on_crash(request: Request, error: Exception) -> Response:
    """Our fault; the log has the rest."""
    return JSONResponse({"code": 500, "message": say("en", "broke")}, 500)


async def body(request: Request) -> dict[str, Any]:
    """The JSON object of a request, {} if there is none. Raises Problem 400."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_LIMIT:
            raise Problem(400, "the body is too large", status=413)
    try:
        parsed = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        raise Problem(400, "the body is not JSON", status=400) from None
    if not isinstance(parsed, dict):
        raise Problem(400, "the body is not a JSON object", status=400)
    return parsed


def account(request: Request, accounts: Accounts) -> str:
    """Whose bearer token it is. Raises Problem 1001."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found = accounts.who(token.strip()) if scheme.lower() == "bearer" and token else None
    if found is None:
        raise Problem(1001)
    return found


def session(store: Store, owner: str, name: object) -> Session:
    """The account's own session. Raises Problem 1002, for another's too."""
    found = store.session(name, owner) if isinstance(name, str) else None
    if found is None:
        raise Problem(1002)
    return found
