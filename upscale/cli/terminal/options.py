"""Makes a Typer command of a dataclass with fields of `upscale.upscaling.options`."""

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from upscale.cli.terminal.console import exit_on_error
from upscale.upscaling.options import PANELS, flag_of

__all__ = ["Some", "make_command"]

METAVARS = {int: "N", float: "NUMBER", str: "WORD", Path: "PATH"}


def _whole_number(word: object) -> int:
    try:
        return int(re.sub(r"\.0+$", "", str(word)))
    except ValueError as error:
        raise typer.BadParameter(f"{word!r} is not a whole number, such as 2") from error


def _number(word: str | float) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise typer.BadParameter(f"{word!r} is not a number, such as 2.5") from error


NUMBERS: dict[Any, Callable[[Any], Any]] = {int: _whole_number, float: _number}
"""Parsers of option values; Typer's own messages for wrong values are meant for programmers."""


@dataclass(frozen=True)
class Some:
    """Some options of another command."""

    kind: type[Any]
    """Options class of the other command."""
    names: tuple[str, ...]


def make_command(
    act: Callable[..., None], kind: type[Any], *given_kinds: type[Any] | Some
) -> Callable[..., None]:
    """Return the function for a Typer command, which calls ``act`` with a ``kind``.

    The fields of ``given_kinds`` are options without defaults; ``act`` gets those that the user
    gives in a dict, together with the values of `Some` options. Its docstring is the help of the
    command.
    """
    own = {each.name: each for each in fields(kind)}
    shared: dict[str, Field[Any]] = {}
    every: list[tuple[Field[Any], Any]] = []
    for other in (*given_kinds, kind):
        some = other.kind if isinstance(other, Some) else other
        hints = get_type_hints(some)  # once for all fields, since it is slow
        taken = [each for each in fields(some) if other is kind or "help" in each.metadata]
        if isinstance(other, Some):
            taken = [each for each in taken if each.name in other.names]
            shared |= {each.name: each for each in taken}
        every += [(each, hints[each.name]) for each in taken]
    every.sort(key=lambda pair: ("", *PANELS).index(pair[0].metadata.get("panel") or ""))
    parameters = [
        _parameter(each, hint, given=each.name not in own | shared) for each, hint in every
    ]

    def command(**words: Any) -> None:
        with exit_on_error(words.get("debug", False)):
            values = {name: _value(own[name], words.pop(name)) for name in own}
            given = {name: _value(shared[name], words.pop(name)) for name in shared}
            given |= {name: value for name, value in words.items() if value not in (None, [])}
            act(kind(**values), *([given] if given_kinds else []))

    paragraphs = inspect.cleandoc(act.__doc__ or "").split("\n\n")
    command.__doc__ = "\n\n".join(" ".join(each.split()) for each in paragraphs)
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def _value(each: "Field[Any]", word: Any) -> Any:
    """Return the value of a field for the typed word."""
    read = each.metadata.get("read", lambda word: word)
    if isinstance(each.default, tuple) and "word" not in each.metadata:
        return tuple(map(read, word or ())) or each.default
    if isinstance(word, list):
        return tuple(word)
    try:
        return word if word is None else read(word)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=flag_of(each.name)) from error


def _parameter(each: "Field[Any]", hint: Any, given: bool) -> inspect.Parameter:
    """Return Typer's parameter for the option or argument of a field."""
    about = each.metadata
    if "help" not in about:
        return inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, annotation=hint)
    kind: Any = next(kind for kind in get_args(hint) or (hint,) if kind is not type(None))
    default = None if given else about.get("word", each.default)
    is_word = any(get_origin(each) is Literal for each in (hint, kind)) or "read" in about
    if is_word or (given and get_origin(hint) is tuple):
        kind = list[str] if about.get("repeated") else str
    metavar = about.get("metavar", METAVARS.get(kind))
    if get_origin(hint) is tuple and not given and "word" not in about:
        kind = list[kind]
        default = None if isinstance(default, tuple) else default
    info: Any
    if "argument" in about:
        info = typer.Argument(help=about["help"], metavar=metavar, show_default=False)
    else:
        flag = flag_of(each.name)
        if kind is bool and (given or default):
            flag = f"{flag}/--no-{flag[2:]}"
        info = typer.Option(
            *[word for word in (flag, about.get("short")) if word],
            help=about["help"],
            metavar=metavar,
            rich_help_panel=about["panel"],
            parser=NUMBERS.get(kind),
            show_default=not given,
        )
    return inspect.Parameter(
        each.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is MISSING else default,
        annotation=Annotated[kind | None if default is None else kind, info],
    )
