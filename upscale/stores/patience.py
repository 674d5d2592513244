"""Retries requests while a storage is busy or breaks off."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from upscale.stores.vendor import VendorError

__all__ = ["Patience"]

Answer = TypeVar("Answer")

CHANCE = random.SystemRandom()
"""Forked processes would share the state of another generator, and all retry at the same time."""


@dataclass(frozen=True)
class Patience:
    """Exponential back-off with full jitter: about half a minute in all, a minute at most.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    tries: int = 9
    """Number of attempts."""
    first: float = 0.25
    """Longest first pause, in seconds; the limit doubles with each pause."""
    longest: float = 20.0
    """Longest pause of all, in seconds."""

    def pauses(self) -> Iterator[float]:
        """Yield the seconds between two attempts."""
        for number in range(self.tries - 1):
            yield CHANCE.uniform(0, min(self.longest, self.first * 2**number))

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Return the result of ``question``; repeat it while it raises a VendorError that passes.

        Raises the last one.
        """
        for pause in self.pauses():
            try:
                return question()
            except VendorError as error:
                if not error.passes:
                    raise
            time.sleep(pause)
        return question()
