"""Options as fields: a field of a dataclass declares its flag, help and limits.

`upscale.cli.terminal.options` makes flags of such fields. Flags, calls and configuration files have
the same limits.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import MISSING, field, fields
from typing import Any, Literal, TypedDict, Unpack, get_args, get_origin, get_type_hints

from upscale.errors import UsageError

__all__ = [
    "COLOUR",
    "FILES",
    "LEARNING",
    "LOSSES",
    "MEASURE",
    "MODEL",
    "PANELS",
    "REPORT",
    "SIZE",
    "SPEED",
    "About",
    "Declared",
    "argument",
    "check_limits",
    "flag_of",
    "like",
    "option",
    "shared",
]

FILES, SIZE, MODEL = "Input and output", "Size", "Model"
COLOUR, SPEED, REPORT = "Colour and metadata", "Speed", "Report"
LEARNING, LOSSES, MEASURE = "Learning", "Losses", "Measure"
PANELS = (FILES, SIZE, MODEL, LEARNING, LOSSES, COLOUR, MEASURE, SPEED, REPORT)
"""Panels of the help, in the order in which it shows them."""

LIMITS = {
    "least": (operator.ge, "at least"),
    "most": (operator.le, "at most"),
    "above": (operator.gt, "above"),
    "below": (operator.lt, "below"),
}


class About(TypedDict, total=False):
    """The attributes of an option."""

    short: str
    """A flag of one letter."""
    metavar: str
    """Placeholder for the value in the help."""
    word: str
    """The default as the user types it."""
    read: Callable[[str], Any]
    """Function that parses a word, or each word of an option that may be repeated."""
    repeated: bool
    """Whether the option may be repeated in a command that keeps only given options."""
    least: float
    most: float
    above: float
    below: float


class Declared(About, total=False):
    """An option that several commands have, or what their options share."""

    text: str
    default: Any
    panel: str | None


def option(
    text: str, default: Any = MISSING, panel: str | None = None, **about: Unpack[About]
) -> Any:
    """Make a field that is an option; ``text``: its help, ``panel``: its panel in the help."""
    return field(default=default, metadata={"help": text, "panel": panel, **about})


def shared(declared: Declared, **own: Unpack[Declared]) -> Any:
    """Make a field of an option that several commands have; ``own``: what only this one says."""
    return option(**(declared | own))


def like(kind: type[Any], name: str, **own: Unpack[Declared]) -> Any:
    """Make a field of an option that another dataclass has; ``own``: what only this one says."""
    found = next(each for each in fields(kind) if each.name == name)
    about: Any = {key: value for key, value in found.metadata.items() if key != "help"}
    return option(**({"text": found.metadata["help"], "default": found.default} | about | own))


def argument(metavar: str, text: str = "", default: Any = MISSING) -> Any:
    """Make a field for an argument without a flag."""
    return field(default=default, metadata={"help": text, "metavar": metavar, "argument": True})


def flag_of(name: str) -> str:
    """Return the flag of a field."""
    return "--" + name.replace("_", "-")


def check_limits(options: Any) -> None:
    """Raise UsageError for a number outside the limits of its field, or an unknown word."""
    hints = get_type_hints(type(options))
    for each in fields(options):
        value, flag = getattr(options, each.name), flag_of(each.name)
        if "help" not in each.metadata or value is None:
            continue
        kinds = (hints[each.name], *get_args(hints[each.name]))
        for known in (get_args(kind) for kind in kinds if get_origin(kind) is Literal):
            if value not in known:
                raise UsageError(f"{flag} {value!r} is not known: {', '.join(known)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{flag} is {value}; give a finite number")
        limits = {key: each.metadata[key] for key in LIMITS if key in each.metadata}
        if not all(LIMITS[key][0](value, limit) for key, limit in limits.items()):
            wanted = " and ".join(f"{LIMITS[key][1]} {limit}" for key, limit in limits.items())
            raise UsageError(f"{flag} is {value}; it must be {wanted}")
