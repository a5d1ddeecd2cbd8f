"""The graph for an engine: `langgraph dev`, the LangGraph Agent Server and Aegra run it by way of langgraph.json.

The engine keeps the checkpoints and runs the nodes. What has to be on disk before an effect stays ours: the journal
is in our own store, which engines promise nothing about, and so are the keys. Whoever calls an engine directly is
the user of their key; only a gateway's key, such as the doors' own, says whom it speaks for.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, TypeVar, cast

from langgraph.config import get_config
from langgraph.runtime import Runtime
from langgraph_sdk import Auth

from agent.context import Context
from agent.graph import builder
from agent.house import House, open_house
from agent.serve.keys import GUEST, Keys
from agent.serve.vault import Vault
from agent.settings import Settings
from agent.skills import DEFAULT, load_skill, skill_names
from agent.state import State

__all__ = ["auth", "graph"]

GATEWAY = "gateway:"
"""What the identity of a gateway's key begins with; no user's name has a colon in it first."""
Node = TypeVar("Node", bound=Callable[[State, Runtime[Context]], Awaitable[Any]])

_houses: dict[asyncio.AbstractEventLoop, asyncio.Task[House]] = {}
_open = AsyncExitStack()
"""Never left: an engine does not say when it is done with us, and every record is on disk by then."""


async def house() -> House:
    """The house of this process, opened by whoever needs it first."""
    loop = asyncio.get_running_loop()
    if loop not in _houses:
        _houses[loop] = loop.create_task(_opened())
    return await asyncio.shield(_houses[loop])


async def _opened() -> House:
    settings = await asyncio.to_thread(Settings.load)
    return await _open.enter_async_context(open_house(settings, load_skill(DEFAULT)))


def in_house(node: Node) -> Node:
    """A node that finds this process's tools, whichever process it is resumed in."""

    @functools.wraps(node)
    async def wrapped(state: State, runtime: Runtime[Context]) -> Any:
        ours = await house()
        context = _context(runtime.context or Context())
        agent = ours.agent_for(context.user, Vault)  # held, so that its tools are there as long as the node runs
        return await node(state, runtime.override(context=context, store=agent.store))

    return cast(Node, wrapped)  # the same signature, by which LangGraph draws its edges


def _context(given: Context | dict[str, Any]) -> Context:
    """Whose turn it is by their key, and no path that a stranger chose."""
    asked = given if isinstance(given, Context) else Context(**given)
    chosen = get_config().get("configurable", {})
    identity = str(chosen.get("langgraph_auth_user_id") or GUEST)
    user = (asked.user if asked.user != "local" else GUEST) if identity.startswith(GATEWAY) else identity
    return replace(
        asked,
        user=user,
        thread=str(chosen.get("thread_id") or asked.thread),
        skill=asked.skill if asked.skill in skill_names() else DEFAULT,
        turn=asked.turn or str(chosen.get("run_id") or ""),
    )


graph = builder(in_house).compile(name="reelchat")

auth = Auth()


@auth.authenticate
async def authenticate(headers: dict[str, Any]) -> dict[str, Any]:
    """The user of a key. Engines spell header names as text or as bytes."""
    said = {_text(name).lower(): _text(value) for name, value in headers.items()}
    keys = Keys((await house()).keep.store)
    if not await keys.any():
        return {"identity": f"{GATEWAY}{GUEST}", "is_authenticated": True}
    scheme, _, secret = said.get("authorization", "").partition(" ")
    found = await keys.who(secret.strip()) if scheme.lower() == "bearer" and secret else None
    if found is None:
        raise Auth.exceptions.HTTPException(status_code=401, detail="an API key is needed")
    return {"identity": f"{GATEWAY}{found.user}" if found.gateway else found.user, "is_authenticated": True}


@auth.on
async def own(ctx: Auth.types.AuthContext, value: Any) -> dict[str, str]:
    """Everything has an owner, and only the owner finds it."""
    owner = {"owner": ctx.user.identity}
    if isinstance(value, dict):
        if isinstance(value.get("metadata"), dict):
            value["metadata"].update(owner)  # One engine does not see another dict in its place.
        else:
            value["metadata"] = dict(owner)
    return owner


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
