"""What sends cost, and the person's own limit on it.

The balance is the meter: what it loses while this run of the program lasts counts as spent by it, a turn that was
stopped or lost included. A backend quotes no prices, so a step is held against the dearest one of its kind seen in
this run and against what the documents call usual, never more than there is. Unknown is never zero: where a limit
is set and the balance can't be read, nothing is sent.
"""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.asking import ask
from agent.backend import Backend, Credits
from agent.context import Context, tools
from agent.draft import Draft
from agent.errors import BackendError, SpendRefused
from agent.purse import Kind, Purse
from agent.report import tell
from agent.state import State
from prompts import say

__all__ = ["balance", "may_spend", "metered", "tell_cost"]

NEW, EDIT, STUDIO = 100.0, 50.0, 5.0
"""Credits, roughly, by the documents: a clip on an empty timeline, a session of edits; the most the studio takes."""


def metered(runtime: Runtime[Context]) -> bool:
    """Whether the person wants a say in what is spent."""
    settings = tools(runtime).settings
    return settings.max_spend is not None or settings.ask_before_spending


def may_spend(kind: Kind, draft: Any, have: Credits, state: State, runtime: Runtime[Context]) -> dict[str, Any] | None:
    """None where the step may go on with what the account has; what its node returns where the person is asked first.

    Raises SpendRefused.
    """
    held = tools(runtime)
    settings, purse = held.settings, held.purse
    if not metered(runtime):
        return None
    purse.look(have.available)
    price = purse.price(kind, _usual(kind, draft, settings.backend))
    if have.available is not None:
        price = min(price, have.available)
    if not price:
        return None
    if settings.max_spend is not None:
        _hold_against(settings.max_spend, price, have, purse)
    if not settings.ask_before_spending:
        return None
    return _ask(price, have, state, runtime)


def tell_cost(
    kind: Kind, before: float | None, have: Credits, state: State, runtime: Runtime[Context], *, aloud: bool = True
) -> None:
    """Says what a step has cost that left `have`; `before` is what was available before it."""
    purse = tools(runtime).purse
    purse.look(before)
    purse.look(have.available)
    if before is not None and have.available is not None:
        purse.paid(kind, before - have.available)
    if aloud and (words := _cost(before, have)):
        key, values = words
        if kind == "export" and "cost" not in values:
            return  # Exports are free: only one that was not is worth a word.
        tell(runtime, say(state["lang"], key, **values))


def _hold_against(limit: float, price: float, have: Credits, purse: Purse) -> None:
    if have.available is None:
        raise SpendRefused(reason="unknown", limit=f"{limit:g}")
    if purse.spent + price > limit:
        raise SpendRefused(reason="over", price=f"{price:g}", limit=f"{limit:g}", spent=f"{purse.spent:g}")


def _ask(price: float, have: Credits, state: State, runtime: Runtime[Context]) -> dict[str, Any] | None:
    held, lang, step = tools(runtime), state["lang"], state["steps"][0]
    answering = bool(state["decisions"]) and state["decisions"][0]["source"] == "context"
    if held.purse.agreed(runtime.context.thread, step["text"]) and answering:
        return None
    if not held.settings.somebody_answers:
        raise SpendRefused(reason="nobody", price=f"{price:g}")
    held.purse.ask(runtime.context.thread, step["text"])
    known = have.available is not None
    text = say(lang, "spend.ask" if known else "spend.ask_blind", price=f"{price:g}", left=f"{have.available or 0:g}")
    return {"outcome": "failed", "question": ask(step["route"], step["text"], lang, runtime, text)}


def _cost(before: float | None, have: Credits) -> tuple[str, dict[str, str]] | None:
    """The key and the numbers of the sentence; None where the step cost nothing."""
    if before is None or have.available is None:
        return "spend.unknown", {}
    cost, numbers = before - have.available, {"left": f"{have.available:g}"}
    if cost < 0:
        return "spend.refilled", numbers
    if have.frozen:
        numbers["reserved"] = f"{have.frozen:g}"
    if cost:
        return "spend.cost_reserved" if have.frozen else "spend.cost", numbers | {"cost": f"{cost:g}"}
    return ("spend.reserved", numbers) if have.frozen else None


def _usual(kind: Kind, draft: Any, backend: str) -> float:
    if kind == "export":
        return 0.0
    if backend == "studio":
        return STUDIO
    return EDIT if Draft.read(draft).exportable else NEW


async def balance(backend: Backend, within: float = 0.0) -> Credits:
    """What the account has, or had less than `within` seconds ago, as far as it can be told."""
    try:
        return await backend.credits(within)
    except BackendError:
        return Credits(available=None, frozen=None, total=None)
