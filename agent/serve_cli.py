"""The sub-commands for other programs and for whoever runs a host: `reelchat serve`, `mcp` and `admin`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import platformdirs

from agent.calling import chosen, set_up, setup_options
from agent.usage import Misuse, SpokenCommand, SpokenGroup

__all__ = ["admin", "mcp", "serve"]

F = TypeVar("F", bound=Callable[..., Any])


def _cluster_options(command: F) -> F:
    for name in ("redis", "database"):
        command = click.option(f"--{name}", metavar="URL", help=f"serve_{name}")(command)
    return command


def _where(command: F) -> F:
    """Which host: what it keeps, and where."""
    for option in (
        click.option("--lang", type=click.Choice(["en", "zh"]), help="lang"),
        click.option("--backend", metavar="NAME|URL", help="backend"),
    ):
        command = option(command)
    return _cluster_options(command)


def _numbers(command: F) -> F:
    """Limits, as text: agent.serve.options checks them, for the environment too."""
    for name, shape in (
        ("log-format", "text|json"),
        ("keep-days", "N"),
        ("drain-seconds", "N"),
        ("streams", "N"),
        ("requests-a-minute", "N"),
        ("quota-mb", "N"),
        ("upload-mb", "N"),
    ):
        command = click.option(f"--{name}", metavar=shape, help=f"serve_{name.replace('-', '_')}")(command)
    return command


@click.command(cls=SpokenCommand, help="serve_about")
@click.option("--host", metavar="HOST", help="serve_host")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="serve_port")
@click.option("--public-url", metavar="URL", help="serve_public_url")
@click.option("--name", multiple=True, metavar="NAME", help="serve_name")
@click.option("--origin", multiple=True, metavar="URL", help="serve_origin")
@click.option("--thread-header", multiple=True, metavar="NAME", help="serve_thread_header")
@click.option("--workers", type=click.IntRange(1, 64), metavar="N", help="serve_workers")
@_cluster_options
@click.option("--engine", metavar="URL", help="serve_engine")
@_numbers
@setup_options
@click.pass_context
def serve(ctx: click.Context, /, **_: Any) -> int:
    settings, skill = set_up(ctx)
    from agent.serve import run
    from agent.serve.options import Options
    from agent.settings import serving_here

    return run(settings, skill, Options.load(ctx.params, serving_here()), chosen(ctx))


@click.command(cls=SpokenCommand, help="mcp_about")
@setup_options
@click.pass_context
def mcp(ctx: click.Context, /, **_: Any) -> int:
    if not chosen(ctx).get("exports"):  # Assistants start their servers in a folder of their own, if not in the root.
        ctx.params["exports"] = Path(platformdirs.user_videos_dir()) / "reelchat"
    settings, skill = set_up(ctx)
    from agent.serve.mcp_server import run

    return run(settings, skill)


@click.group(cls=SpokenGroup, help="admin_about", subcommand_metavar="COMMAND")
def admin() -> None: ...


@admin.group(cls=SpokenGroup, help="admin_keys_about", subcommand_metavar="COMMAND")
def keys() -> None: ...


@keys.command(help="admin_add_about")
@click.argument("name")
@click.option("--user", metavar="USER", help="admin_add_user")
@click.option("--gateway", is_flag=True, help="admin_gateway")
@_where
@click.pass_context
def add(ctx: click.Context, /, name: str, user: str | None, gateway: bool, **_: Any) -> int:
    return _manage(ctx, "add_key", name, user or name, gateway)


@keys.command("list", help="admin_list_about")
@_where
@click.pass_context
def list_keys(ctx: click.Context, /, **_: Any) -> int:
    return _manage(ctx, "list_keys")


@keys.command(help="admin_revoke_about")
@click.argument("name")
@_where
@click.pass_context
def revoke(ctx: click.Context, /, name: str, **_: Any) -> int:
    return _manage(ctx, "revoke_key", name)


@admin.command(help="admin_usage_about")
@click.option("--user", metavar="USER", help="admin_usage_user")
@click.option("--days", type=click.IntRange(1, 400), metavar="N", help="admin_usage_days")
@_where
@click.pass_context
def usage(ctx: click.Context, /, user: str | None, days: int | None, **_: Any) -> int:
    return _manage(ctx, "show_usage", user, days)


@admin.command("delete-user", help="admin_delete_about")
@click.argument("user")
@click.option("--yes", is_flag=True, help="admin_yes")
@_where
@click.pass_context
def delete_user(ctx: click.Context, /, user: str, yes: bool, **_: Any) -> int:
    import sys

    from prompts import say

    if not yes:
        if not (sys.stdin and sys.stdin.isatty()):
            raise Misuse("admin_not_asked", user=user)
        words = say(ctx.obj, "admin.sure", user=user)
        if click.prompt(words, default="", show_default=False, prompt_suffix=" ", err=True).strip() != user:
            click.echo(say(ctx.obj, "admin.kept", user=user), err=True)
            return 1
    return _manage(ctx, "delete_user", user)


@admin.command(help="admin_prune_about")
@click.option("--keep-days", metavar="N", help="serve_keep_days")
@_where
@click.pass_context
def prune(ctx: click.Context, /, **_: Any) -> int:
    from agent.serve.options import Options
    from agent.settings import serving_here

    return _manage(ctx, "prune_now", Options.load(ctx.params, serving_here()))


def _manage(ctx: click.Context, action: str, *values: Any) -> int:
    import asyncio

    settings, skill = set_up(ctx)
    from agent.serve import admin as office

    return asyncio.run(office.manage(settings, skill, action, *values))
