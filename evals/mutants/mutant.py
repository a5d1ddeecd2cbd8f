"""What a mutant is: one function of the agent swapped for a worse one, for as long as a context lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from unittest.mock import patch

__all__ = ["MUTANTS", "Break", "Mutant", "mutant", "put", "together"]

Break = AbstractContextManager[Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One way to break the agent."""

    name: str
    about: str
    room: str
    """Where the swapped function lives."""
    looks: tuple[str, ...]
    """Tags, groups or name pieces of the dialogues most likely to notice."""
    seeds: int
    """Seeds to try, from 0: one, unless only chance shows it."""
    broken: Callable[[], Break]
    """The agent is broken inside this context."""


MUTANTS: dict[str, Mutant] = {}


def mutant(room: str, *looks: str, seeds: int = 1) -> Callable[[Callable[[], Break]], Callable[[], Break]]:
    """Enters a function that makes the context into MUTANTS; its docstring says what is broken."""

    def enter(make: Callable[[], Break]) -> Callable[[], Break]:
        assert make.__doc__ and make.__name__ not in MUTANTS
        MUTANTS[make.__name__] = Mutant(make.__name__, make.__doc__.strip(), room, looks, seeds, make)
        return make

    return enter


def put(owner: Any, name: str, instead: Any) -> Break:
    """`instead` in the place of `owner.name`; an owner in words is a module. What is not there can't be swapped."""
    # A module by its path: `router.decide` the attribute is the function of that name.
    return patch.object(import_module(owner) if isinstance(owner, str) else owner, name, instead)


@contextmanager
def together(*breaks: Break) -> Iterator[None]:
    """Several swaps that only together are the mistake."""
    with ExitStack() as stack:
        for one in breaks:
            stack.enter_context(one)
        yield
