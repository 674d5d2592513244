"""What a request wants: how its pictures are made, sized, saved and called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from upscale.batch.methods import Listener
from upscale.batch.order import Method, Order
from upscale.batch.planning.naming import Naming

__all__ = ["Asked", "Read", "Setting"]


@dataclass(frozen=True)
class Asked:
    """How the pictures of a job are made."""

    order: Order
    find: Callable[[Listener], Mapping[str, Method]]
    """Finds the weights, and fetches what is missing. Raises UpscaleError."""
    naming: Callable[[int], Naming]
    """How outputs are called, for a network's scale."""


Read = Callable[[Mapping[str, str]], Asked]
"""Makes it of a request's words, each under its setting's name. Raises UsageError."""


@dataclass(frozen=True)
class Setting:
    """A word that a request may give."""

    name: str
    kind: str
    """``string``, ``integer``, ``number`` or ``boolean``, as JSON Schema has it."""
    help: str
    default: object = None
