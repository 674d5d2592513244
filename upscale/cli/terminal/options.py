"""Options as fields: a frozen dataclass says what a command takes, and its Typer command is made.

A field made by `option` or `argument` carries flags, help, limits and panel as metadata. Fields of
other rooms may carry the same keys.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, field, fields
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from upscale.cli.terminal.console import exit_on_error
from upscale.errors import UsageError

__all__ = [
    "COLOUR",
    "FILES",
    "MODEL",
    "REPORT",
    "SIZE",
    "SPEED",
    "argument",
    "check_limits",
    "make_command",
    "option",
]

FILES, SIZE, MODEL = "Input and output", "Size", "Model"
COLOUR, SPEED, REPORT = "Colour and metadata", "Speed", "Report"
"""Panels of the help, in the order in which it shows them."""


def option(
    text: str,
    default: Any = MISSING,
    panel: str | None = None,
    *,
    short: str | None = None,
    metavar: str | None = None,
    least: float | None = None,
    most: float | None = None,
    word: str | None = None,
    read: Callable[[str], Any] | None = None,
) -> Any:
    """Make a field that is an option; ``text``: its help, ``panel``: where the help shows it.

    ``word``: the default as it is typed, and ``read`` what makes the value of a word.
    """
    metadata: dict[str, Any] = {"help": text, "panel": panel, "short": short, "metavar": metavar}
    metadata |= {"least": least, "most": most, "word": word, "read": read}
    return field(default=default, metadata=metadata)


def argument(metavar: str, text: str = "") -> Any:
    """Make a field that is given without a flag."""
    return field(metadata={"help": text, "metavar": metavar, "argument": True})


def check_limits(options: Any) -> None:
    """Raise UsageError for a number outside the limits of its field."""
    for each in fields(options):
        value = getattr(options, each.name)
        least, most = each.metadata.get("least"), each.metadata.get("most")
        low = least is not None and value is not None and value < least
        if low or (most is not None and value is not None and value > most):
            limits = f"{least} or more" if most is None else f"{least} to {most}"
            raise UsageError(f"{_flag(each.name)} is {value}; give {limits}")


def make_command(
    act: Callable[..., None], kind: type[Any], *given_kinds: type[Any]
) -> Callable[..., None]:
    """Return the function that Typer makes a command of: it calls ``act`` with a ``kind``.

    The fields of ``given_kinds`` are options without defaults; ``act`` gets those that the user
    gives as a dict. Its docstring is the command's help.
    """
    own = {each.name: each for each in fields(kind)}
    hints = get_type_hints(kind)
    parameters = [_parameter(each, hints[each.name]) for each in own.values()]
    for other in given_kinds:
        hints = get_type_hints(other)
        parameters += [
            _parameter(each, hints[each.name], given=True)
            for each in fields(other)
            if "help" in each.metadata
        ]

    def command(**words: Any) -> None:
        with exit_on_error(words.get("debug", False)):
            values = {name: _value(own[name], words.pop(name)) for name in own}
            given = {name: value for name, value in words.items() if value is not None}
            act(kind(**values), *([given] if given_kinds else []))

    command.__doc__ = act.__doc__
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _value(each: "Field[Any]", word: Any) -> Any:
    default: Any = each.default
    read = each.metadata.get("read")
    if read is not None and word is not None:
        try:
            return read(word)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint=_flag(each.name)) from error
    if isinstance(default, tuple) or isinstance(word, list):
        return tuple(word or default)
    return word


def _parameter(each: "Field[Any]", hint: Any, given: bool = False) -> inspect.Parameter:
    """Return the parameter from which Typer makes the option or argument of a field."""
    about = each.metadata
    if "help" not in about:
        return inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, annotation=hint)
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    kind: Any = kinds[0]
    default = each.default
    if get_origin(hint) is tuple:
        kind = str if given else list[kind]
        default = default if default is MISSING else None
    elif get_origin(hint) is Literal or about.get("read"):
        kind = str
    default = about.get("word") or default
    if given:
        default = None
    info: Any
    if about.get("argument"):
        info = typer.Argument(
            help=about["help"] or None, metavar=about["metavar"], show_default=False
        )
    else:
        flag = _flag(each.name)
        if kind is bool and (given or default):
            flag = f"{flag}/--no-{flag[2:]}"
        info = typer.Option(
            *[word for word in (flag, about.get("short")) if word],
            help=about["help"],
            metavar=about.get("metavar"),
            rich_help_panel=about.get("panel"),
            show_default=not given,
        )
    return inspect.Parameter(
        each.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is MISSING else default,
        annotation=Annotated[kind | None if default is None else kind, info],
    )
