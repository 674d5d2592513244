"""The settings of a request: model, size, format and names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from upscale.batch.methods import Listener
from upscale.batch.order import Method, Order
from upscale.batch.planning.naming import Naming

__all__ = ["Asked", "Read", "Setting"]


@dataclass(frozen=True)
class Asked:
    """The settings of a job."""

    order: Order
    find: Callable[[Listener], Mapping[str, Method]]
    """Finds the weights, and fetches missing ones. Raises UpscaleError."""
    naming: Callable[[int], Naming]
    """Names of the outputs, for a network's scale."""


Read = Callable[[Mapping[str, str]], Asked]
"""Parses a request's words by the names of their settings. Raises UsageError."""


@dataclass(frozen=True)
class Setting:
    """A setting that a request may contain."""

    name: str
    kind: str
    """``string``, ``integer``, ``number`` or ``boolean``, as in JSON Schema."""
    help: str
    default: object = None
