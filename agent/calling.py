"""What sub-commands of `reelchat` share: the options that all of them understand, and the settings these make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from agent.settings import Settings
    from agent.skills import Skill

__all__ = ["SETTINGS", "chosen", "set_up", "setup_options"]

F = TypeVar("F", bound=Callable[..., Any])
SETTINGS = ("backend", "exports", "lang", "max_spend", "ask_before_spending", "database", "redis", "engine")


def setup_options(command: F) -> F:
    """The options that every part of the program understands."""
    for option in (
        click.option("--exports", type=click.Path(path_type=Path), metavar="DIR", help="exports"),
        click.option("--lang", type=click.Choice(["en", "zh"]), help="lang"),
        click.option("--backend", metavar="NAME|URL", help="backend"),
        click.option("--skill", metavar="NAME|PATH", help="skill"),
        click.option("--max-spend", type=click.FloatRange(min=0), metavar="N", help="max_spend"),
        click.option("--ask-before-spending", is_flag=True, default=None, help="ask_before_spending"),
    ):
        command = option(command)
    return command


def chosen(ctx: click.Context) -> dict[str, Any]:
    """What was said on the command line; a sub-command's own options win."""
    said = {name: value for name, value in ctx.find_root().params.items() if value is not None}
    return said | {name: value for name, value in ctx.params.items() if value is not None}


def set_up(ctx: click.Context) -> tuple[Settings, Skill]:
    """What this run is set up with. Raises SettingsError."""
    from agent.logs import conceal, log_to
    from agent.settings import Settings
    from agent.skills import DEFAULT, load_skill

    said = chosen(ctx)
    choices = {name: said.get(name) for name in SETTINGS}
    choices["ask_before_spending"] = bool(choices["ask_before_spending"])
    settings = Settings.load(**choices)  # type: ignore[arg-type]  # click has checked them
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    for secret in (settings.token, settings.database, settings.redis, settings.engine_key):
        conceal(secret)
    log_to(settings.data / "reelchat.log")
    return settings, load_skill(said.get("skill") or DEFAULT)
