"""Help pages and usage errors in the person's language; `help` of a command or option is a key of [cli]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

import click

from prompts import Lang, say

__all__ = ["Misuse", "SpokenCommand", "SpokenGroup", "asked_language", "sentence"]


class Misuse(click.UsageError):
    """A call that cannot be meant, with its own sentence under [cli]."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values


def asked_language(args: Sequence[str]) -> Lang | None:
    """What --lang says, read before anything else so that help and errors obey it."""
    for position, arg in enumerate(args):
        if arg == "--":
            break
        name, equals, value = arg.partition("=")
        if name == "--lang":
            value = value if equals else "".join(args[position + 1 : position + 2])
            return cast(Lang, value) if value in get_args(Lang) else None
    return None


def sentence(error: click.ClickException, lang: Lang) -> str:
    """What is wrong with the call and what to do instead."""
    if isinstance(error, Misuse):
        return say(lang, f"cli.{error.key}", **error.values)
    if isinstance(error, click.NoSuchOption):
        near = sorted(error.possibilities or ())
        key = "cli.no_option" if near else "cli.no_option_like_it"
        return say(lang, key, name=error.option_name, nearest=near[0] if near else "")
    if isinstance(error, click.BadOptionUsage):
        return say(lang, "cli.needs_value", name=error.option_name)
    if isinstance(error, click.MissingParameter):
        return say(lang, "cli.missing", name=_name(error.param))
    if isinstance(error, click.BadParameter) and error.param is not None:
        return say(lang, "cli.bad_value", name=_name(error.param), known=_known(error.param))
    return say(lang, "cli.bad_usage")


def _name(param: click.Parameter | None) -> str:
    if param is None:
        return "?"
    return param.opts[-1] if isinstance(param, click.Option) else param.human_readable_name


def _known(param: click.Parameter) -> str:
    kind = param.type
    if isinstance(kind, click.Choice):
        return ", ".join(map(str, kind.choices))
    if isinstance(kind, click.IntRange):
        return f"{kind.min}-{kind.max}"
    return kind.name


class SpokenCommand(click.Command):
    """A command whose help page is in the language that the context's `obj` says."""

    def __init__(self, *args: Any, **more: Any) -> None:
        # Said by `format_usage`, in the right language.
        super().__init__(*args, **{"options_metavar": "", **more})

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = " ".join([say(ctx.obj, "cli.some_options"), *filter(None, self.collect_usage_pieces(ctx))])
        formatter.write_usage(ctx.command_path, pieces, prefix=say(ctx.obj, "cli.usage"))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(say(ctx.obj, f"cli.{self.help}"))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)):
                # click made --help itself and wrote its own words.
                key = "help" if "--help" in param.opts else param.help
                rows.append((record[0], say(ctx.obj, f"cli.{key}")))
        with formatter.section(say(ctx.obj, "cli.options")):
            formatter.write_dl(rows)


class SpokenGroup(SpokenCommand, click.Group):
    """A group of them, which names the nearest where there is no such sub-command."""

    command_class = SpokenCommand

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section(say(ctx.obj, "cli.commands")):
            formatter.write_dl([(name, say(ctx.obj, f"cli.{one.help}")) for name, one in self.commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            import difflib  # 10 ms that only a mistake costs

            near = difflib.get_close_matches(args[0], self.commands, 1)
            key = "no_command" if near else "no_command_like_it"
            raise Misuse(key, name=args[0], nearest=near[0] if near else "")
        return super().resolve_command(ctx, args)
