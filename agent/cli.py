"""The command `reelchat`: options, sub-commands and exit codes.

Rooms are imported where they are used, because --help has 0.3 s and the first prompt 0.8 s.
Exit codes: 0 done, 1 a turn failed, 2 called wrongly, 130 Ctrl-C.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.calling import set_up, setup_options
from agent.logs import install
from agent.serve_cli import admin, mcp, serve
from agent.usage import Misuse, SpokenGroup, asked_language, sentence
from prompts import say

if TYPE_CHECKING:
    from agent.settings import Settings
    from agent.skills import Skill

__all__ = ["main", "reelchat"]

OUT_FORMATS = ("mp4", "gif", "png", "jpg", "jpeg", "webp")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns the exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # A title in Chinese must not end a turn on a Latin-1 terminal.
    install()
    lang = _language(args)
    try:
        code = reelchat.main(args, prog_name="reelchat", standalone_mode=False, obj=lang)
    except click.ClickException as error:
        click.echo(sentence(error, lang), err=True)
        return 2
    except click.Abort:
        click.echo(say(lang, "cli.interrupted"), err=True)
        return 130
    except Exception as error:
        return _refused(error, lang)
    return code if isinstance(code, int) else 0


@click.group(cls=SpokenGroup, invoke_without_command=True, help="about", subcommand_metavar="[COMMAND]")
@click.option("-p", "--prompt", "turns", multiple=True, metavar="TEXT", help="prompt")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="out")
@click.option("--continue", "again", is_flag=True, help="continue")
@click.option("--thread", metavar="NAME", help="thread")
@setup_options
@click.option("--version", is_flag=True, help="version")
@click.pass_context
def reelchat(ctx: click.Context, /, turns: tuple[str, ...], out: Path | None, version: bool, **choices: Any) -> int:
    if version:
        from importlib.metadata import version as installed

        click.echo(f"reelchat {installed('reelchat')}")
        ctx.exit(0)
    if ctx.invoked_subcommand:
        return 0
    if out and out.suffix.lstrip(".").lower() not in OUT_FORMATS:
        raise Misuse("out_format", path=out, known=", ".join(f".{name}" for name in OUT_FORMATS))
    settings, skill = set_up(ctx)
    thread = _thread(settings, choices["again"], choices["thread"])
    if not turns and sys.stdin and sys.stdin.isatty() and not out:
        return _chat(settings, skill, thread)
    return _without_a_terminal(ctx, settings, skill, list(turns), out, thread)


@reelchat.command(help="skills_about")
@setup_options
@click.pass_context
def skills(ctx: click.Context, /, **_: Any) -> None:
    from agent.repl.actions import shelf

    settings, skill = set_up(ctx)
    click.echo(shelf(settings.lang, skill.name))


@reelchat.command(help="route_about")
@click.argument("text", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="route_json")
@setup_options
@click.pass_context
def route(ctx: click.Context, /, text: tuple[str, ...], as_json: bool, **_: Any) -> None:
    import json
    from dataclasses import asdict

    from agent.repl.actions import reasons
    from router import decide

    decisions = decide(" ".join(text))
    if as_json:
        click.echo(json.dumps([asdict(decision) for decision in decisions], ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(reasons(decisions, ctx.obj)))


@reelchat.command(help="jobs_about")
@click.argument("action", type=click.Choice(["list", "collect", "cancel", "forget"]), default="list")
@click.argument("id", default="")
@click.option("--yes", is_flag=True, help="jobs_yes")
@setup_options
@click.pass_context
def jobs(ctx: click.Context, /, action: Any, id: str, yes: bool, **_: Any) -> int:
    import asyncio

    from agent.repl.jobs import Order, manage

    return asyncio.run(manage(*set_up(ctx), Order(action, id, yes)))


@reelchat.command(help="versions_about")
@click.option("--thread", metavar="NAME", help="versions_thread")
@setup_options
@click.pass_context
def versions(ctx: click.Context, /, thread: str | None, **_: Any) -> int:
    from agent.repl.versions import listed, print_versions

    return print_versions(*set_up(ctx), thread or ctx.find_root().params["thread"], listed)


@reelchat.command(help="diff_about")
@click.argument("numbers", nargs=-1)
@click.option("--thread", metavar="NAME", help="versions_thread")
@setup_options
@click.pass_context
def diff(ctx: click.Context, /, numbers: tuple[str, ...], thread: str | None, **_: Any) -> int:
    from agent.repl.versions import compared, print_versions

    return print_versions(*set_up(ctx), thread or ctx.find_root().params["thread"], compared(" ".join(numbers)))


@reelchat.command(help="timeline_about")
@click.option("--svg", type=click.Path(path_type=Path), metavar="FILE", help="timeline_svg")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="timeline_html")
@click.option("--thread", metavar="NAME", help="timeline_thread")
@setup_options
@click.pass_context
def timeline(ctx: click.Context, /, svg: Path | None, html: Path | None, thread: str | None, **_: Any) -> int:
    import asyncio

    from agent.repl.timeline import show_timeline

    for path, form in ((svg, ".svg"), (html, ".html")):
        if path and path.suffix.lower() != form:
            raise Misuse("timeline_name", path=path, known=form)
    named = thread or ctx.find_root().params.get("thread")
    return asyncio.run(show_timeline(*set_up(ctx), named, [path for path in (svg, html) if path]))


@reelchat.command(help="doctor_about")
@click.option("--contract", metavar="URL", help="doctor_contract")
@setup_options
@click.pass_context
def doctor(ctx: click.Context, /, contract: str | None, **_: Any) -> int:
    import asyncio

    from agent.contract import probe
    from agent.doctor import examine
    from agent.settings import NEMO_URL

    if contract is not None:
        # The cloud by its address is the cloud by its name: a second name would cost a second token.
        named = contract.rstrip("/") == NEMO_URL
        ctx.params["backend"] = "nemo" if named else contract
        return asyncio.run(probe(*set_up(ctx)))
    return asyncio.run(examine(set_up(ctx)[0]))


@reelchat.command("eval", help="eval_about", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def evaluate(rest: tuple[str, ...]) -> int:
    import subprocess

    return subprocess.call([sys.executable, "-m", "evals", *rest])


reelchat.add_command(serve)
reelchat.add_command(mcp)
reelchat.add_command(admin)


def _thread(settings: Settings, again: bool, named: str | None) -> str | None:
    """The conversation to go on with; None for a new one."""
    from agent.repl.threads import last_thread

    if named or not again:
        return named
    last = last_thread(settings.data)
    if last is None:
        click.echo(say(settings.lang, "cli.nothing_to_continue"), err=True)
    return last


def _chat(settings: Settings, skill: Skill, thread: str | None) -> int:
    import asyncio
    from dataclasses import replace

    from agent.repl.loop import Repl

    return asyncio.run(Repl(replace(settings, somebody_answers=True), skill, thread).run())


def _without_a_terminal(
    ctx: click.Context,
    settings: Settings,
    skill: Skill,
    turns: list[str],
    out: Path | None,
    thread: str | None,
) -> int:
    """Plays the turns given, else those on stdin; with none at all, the tour."""
    import asyncio

    from agent.repl.oneshot import Script, play, tour
    from agent.settings import Settings

    if not turns and sys.stdin and not sys.stdin.isatty():
        turns = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
    if turns or thread or out:
        return asyncio.run(play(settings, skill, Script(turns, thread, out, collect=thread is not None)))
    if not ctx.params["backend"] and settings.base_url:
        # Nobody asked for anything, so nothing may be spent or sent.
        settings = Settings.load(backend="studio", exports=settings.exports, lang=settings.lang)
    return asyncio.run(tour(settings, skill))


def _language(args: Sequence[str]) -> Any:
    """Of help pages and usage errors: what --lang says, else what the environment says."""
    if asked := asked_language(args):
        return asked
    from agent.settings import spoken_here

    return spoken_here()


def _refused(error: Exception, lang: Any) -> int:
    """One sentence for what stopped the program before or between its turns; a bug keeps its traceback."""
    from agent.errors import AgentError, SettingsError
    from agent.repl.greeting import refusal

    if isinstance(error, AgentError):
        click.echo(refusal(error, None, lang), err=True)
        return 2 if isinstance(error, SettingsError) else 1
    if isinstance(error, OSError):
        click.echo(say(lang, "cli.failed", what=error), err=True)
        return 1
    raise error


if __name__ == "__main__":
    sys.exit(main())
