"""Mutants: the agent broken on purpose, one way at a time, so that the dialogues prove what they notice."""

from evals.mutants import books, client, steps, words
from evals.mutants.mutant import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant", "books", "client", "steps", "words"]
