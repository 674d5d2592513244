"""Commands with readable help, and a group with a default command."""

import os
from copy import copy
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from upscale.cli.terminal.console import emit
from upscale.errors import did_you_mean

__all__ = ["DEFAULT_COMMAND", "Command", "DefaultGroup", "Group"]

DEFAULT_COMMAND = "run"


class _Context(typer.Context):
    @property
    def command_path(self) -> str:
        """The words of the usage line: the default command's name is not one of them."""
        if self.info_name == DEFAULT_COMMAND and self.parent is not None:
            return self.parent.command_path
        return super().command_path


class _Plain:
    """Help without Typer's types, and with ``--help`` in its own panel."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return options and arguments for the help."""
        every: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for each in every:
            if each.param_type_name == "argument":
                vars(each)["display_type_rich"] = lambda ctx: ""
            elif each.is_flag:
                each.metavar = ""
        options = [each for each in every if each.param_type_name == "option"]
        if any(each.rich_help_panel for each in options):
            for each in options:
                each.rich_help_panel = each.rich_help_panel or "Help"
        return every


class Command(_Plain, TyperCommand):
    """A command."""

    context_class = _Context


class Group(_Plain, TyperGroup):
    """A group of commands."""


class DefaultGroup(Group):
    """A group whose first word is an input unless it is a command: ``upscale photo.png``."""

    introduction = ""
    """Text that the group prints if no word is given."""

    also_folders: tuple[str, ...] = ()
    """Names of groups that are also common folder names: if the folder exists, it is meant, unless
    a command or an option of the group follows."""

    own_options = ("--version", "--install-completion", "--show-completion")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front of words other than commands and own options."""
        if not args and not ctx.resilient_parsing:
            emit(self.introduction)
            ctx.exit()
        if not args or args[0] in ctx.help_option_names:
            return list(super().parse_args(ctx, args))
        if args[0] in self.also_folders and self._is_folder(ctx, args):
            return list(super().parse_args(ctx, [DEFAULT_COMMAND, *args]))
        if args[0] not in self.commands and args[0].split("=")[0] not in self.own_options:
            near = did_you_mean(args[0], set(self.commands) - {DEFAULT_COMMAND})
            if near and args[0].isalpha() and not os.path.lexists(args[0]):
                ctx.fail(f"{args[0]!r} is neither a command nor a file{near}")
            args = [DEFAULT_COMMAND, *args]
        return list(super().parse_args(ctx, args))

    def _is_folder(self, ctx: Any, args: list[str]) -> bool:
        group = self.commands[args[0]]
        own = {*getattr(group, "commands", ()), *ctx.help_option_names}
        own |= {flag for each in group.params for flag in each.opts}
        return os.path.isdir(args[0]) and (len(args) == 1 or args[1] not in own)

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
