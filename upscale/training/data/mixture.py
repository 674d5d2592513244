"""The pictures of a run: one store, or several with shares."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from upscale.training.data.store import Store

__all__ = ["Mixture"]


@dataclass(frozen=True)
class Mixture:
    """Decoded pictures of several folders, and the share of patches of each."""

    stores: tuple[Store, ...]
    """One store or more, of one scale."""
    shares: tuple[float, ...]
    """Share of each store, above 0, relative to their sum."""

    @property
    def scale(self) -> int:
        """The factor from LR to HR."""
        return self.stores[0].scale

    @property
    def pictures(self) -> int:
        """Number of pictures in all."""
        return sum(len(store.items) for store in self.stores)

    @property
    def digest(self) -> str:
        """The SHA-256 of a single store, or over those of several stores and their shares."""
        if len(self.stores) == 1:
            return self.stores[0].digest
        total = sum(self.shares)
        about = [
            [store.digest, share / total]
            for store, share in zip(self.stores, self.shares, strict=True)
        ]
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()

    def draw(self, random: np.random.Generator, batch: int) -> list[tuple[Store, int]]:
        """Draw ``batch`` pictures: their stores and indices.

        Pictures of a store are distinct if it has enough. A store's number of patches is its share
        of the batch, rounded up or down, and on average exactly its share.
        """
        if len(self.stores) == 1:
            return [(self.stores[0], index) for index in _distinct(random, self.stores[0], batch)]
        # Systematic sampling. Lay the shares of the batch end to end, and move marks at whole
        # numbers by one u from [0, 1):
        #
        #     0 ├──── 3.2 of it ────┤──── 1.8 ────┤ 5       marks at 1-u, 2-u, … 5-u
        #
        # A store of length s gets the marks in it: the mean over u is s, and any u is within 1.
        ends = np.cumsum(self.shares) / sum(self.shares) * batch
        marks = np.floor(ends + random.random()).astype(int)
        marks[-1] = batch
        drawn = [
            (store, index)
            for store, count in zip(self.stores, np.diff(marks, prepend=0), strict=True)
            for index in _distinct(random, store, int(count))
        ]
        return [drawn[place] for place in random.permutation(batch)]


def _distinct(random: np.random.Generator, store: Store, number: int) -> list[int]:
    count = len(store.items)
    return [int(index) for index in random.choice(count, number, replace=count < number)]
