"""Decisions: which route each step of a turn takes. Pure and fast: no network, no LangGraph, no await."""

from router.decide import decide
from router.decision import ROUTES, Decision, Route, Source, Turn
from router.language import language, spoken
from router.wishes import output_format, undo_asked, version

__all__ = [
    "ROUTES",
    "Decision",
    "Route",
    "Source",
    "Turn",
    "decide",
    "language",
    "output_format",
    "spoken",
    "undo_asked",
    "version",
]
