"""What a run comes out as. Each module makes one kind of text; nothing here plays or checks."""

from __future__ import annotations

from evals.reports.failed import save_failed
from evals.reports.html import html
from evals.reports.junit import junit
from evals.reports.markdown import markdown
from evals.reports.plain import as_json, errors, messages
from evals.reports.terminal import show, terminal

__all__ = ["as_json", "errors", "html", "junit", "markdown", "messages", "save_failed", "show", "terminal"]
