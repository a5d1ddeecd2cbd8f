"""The host: the same turns as in the terminal, over HTTP."""

from __future__ import annotations

from agent.serve.app import application
from agent.serve.options import Options
from agent.serve.running import run

__all__ = ["Options", "application", "run"]
