"""Finds the dictionaries and keys of a checkpoint that may be a generator.

Training programs wrap a generator in dictionaries (``{"net_g": {…}}``) and put their own prefixes
before its keys (``generator.module.``). No list of them is needed: the marker key of a dialect
shows its prefix.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from upscale.models.checkpoints.dialects import DIALECTS, FOREIGN, Dialect
from upscale.networks.spec import StateDict

__all__ = ["Reading", "describe_keys", "find_readings", "foreign_network", "some"]

AVERAGED = re.compile(r"(^|[._])ema([._]|$)")
"""Part of the place of weights averaged over training, which are better than the last ones."""


@dataclass(frozen=True)
class Reading:
    """Tensors that look like a generator; they may be incomplete."""

    place: str
    """Its dictionary and its prefix, as messages name them."""
    dialect: Dialect
    """Dialect of the marker."""
    state: StateDict
    """Its tensors without the prefix; keys that lack the prefix are left out."""

    @property
    def averaged(self) -> bool:
        """Whether these are averaged weights, by their place."""
        return AVERAGED.search(self.place) is not None


def find_readings(states: Mapping[str, StateDict]) -> list[Reading]:
    """Find all readings of the dictionaries of a file, averaged weights first."""
    readings = []
    for place, state in states.items():
        found: dict[str, Dialect] = {}
        for dialect in DIALECTS:
            for prefix in _prefixes(state, dialect.marker):
                found.setdefault(prefix, dialect)
        for prefix, dialect in found.items():
            kept = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            path = ".".join(filter(None, (place, prefix.removesuffix("."))))
            readings.append(Reading(path or "the top of the file", dialect, kept))
    return sorted(readings, key=lambda reading: not reading.averaged)


def foreign_network(states: Mapping[str, StateDict]) -> str | None:
    """Return the title of a known foreign network, or None."""
    for title, (marker, *others) in FOREIGN:
        for state in states.values():
            for prefix in _prefixes(state, marker):
                if all(prefix + other in state for other in others):
                    return title
    return None


def describe_keys(states: Mapping[str, StateDict]) -> str:
    """List some keys of each dictionary of a file."""
    if not any(states.values()):
        return "none"
    told = [f"{place}: {some(state)}" if place else some(state) for place, state in states.items()]
    return "; ".join(told[:6]) + ("; …" if len(told) > 6 else "")


def some(keys: Iterable[str]) -> str:
    """Name the first three of ``keys`` in alphabetical order."""
    names = sorted(keys)
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "") if names else "none"


def _prefixes(state: StateDict, marker: str) -> list[str]:
    ends = (key.removesuffix(marker) for key in state if key.endswith(marker))
    return [prefix for prefix in ends if not prefix or prefix.endswith(".")]
