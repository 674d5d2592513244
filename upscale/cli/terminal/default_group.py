"""A group of commands of which one needs no name."""

import os
from copy import copy
from typing import Any

from typer.core import TyperGroup

from upscale.cli.terminal.console import emit
from upscale.errors import did_you_mean

__all__ = ["DEFAULT_COMMAND", "DefaultGroup"]

DEFAULT_COMMAND = "run"


class DefaultGroup(TyperGroup):
    """A group whose first word is an input where it is not a command: ``upscale photo.png``."""

    own_options = ("--version", "--install-completion", "--show-completion")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front of what is neither a command nor our own option."""
        if not args and self.short_help and not ctx.resilient_parsing:
            emit(self.short_help)
            ctx.exit()
        if not args:
            return list(super().parse_args(ctx, [] if ctx.resilient_parsing else ["--help"]))
        if args[0] in ctx.help_option_names:
            return list(super().parse_args(ctx, args))
        if args[0] not in self.commands and args[0].split("=")[0] not in self.own_options:
            near = did_you_mean(args[0], set(self.commands) - {DEFAULT_COMMAND})
            if near and args[0].isalpha() and not os.path.lexists(args[0]):
                ctx.fail(f"{args[0]!r} is neither a command nor a file{near}")
            args = [DEFAULT_COMMAND, *args]
        return list(super().parse_args(ctx, args))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the default command's options beside the commands."""
        command = self.commands[DEFAULT_COMMAND]
        both = copy(self)
        both.params = [*command.params, *self.params]
        both.help, both.epilog, both.subcommand_metavar = command.help, command.epilog, ""
        super(DefaultGroup, both).format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Offer the default command's options and files beside the subcommands."""
        command = self.commands[DEFAULT_COMMAND]
        default = command.make_context("", [], parent=ctx, resilient_parsing=True)
        offered = super().shell_complete(ctx, incomplete)
        return [*offered, *command.shell_complete(default, incomplete)]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Leave the default command's name out of the usage line."""
        name, command, rest = super().resolve_command(ctx, args)
        return ("" if name == DEFAULT_COMMAND else name), command, rest
