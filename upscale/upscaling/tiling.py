"""Decides whether a picture streams through the network or is cut into tiles."""

from dataclasses import dataclass

from upscale.errors import UsageError
from upscale.models.devices import free_bytes
from upscale.models.model import Model
from upscale.networks.streaming.bands import IN_CACHE, pixels_in_memory

__all__ = ["MIN_TILE", "Tiling", "at_once", "largest_tile", "plan_tiling", "widest"]

ALWAYS_FITS = 512
"""Width in LR pixels up to which a picture is assumed to fit into memory."""

MOST_AT_ONCE = 64
"""Most pictures, or tiles on CUDA, in one pass."""

MIN_TILE = 32
OVERLAPS_PER_TILE = 20
LARGEST_TILE = 512
"""In tiles of 20 overlaps a fifth is context; larger ones gain little and seldom show progress."""


@dataclass(frozen=True)
class Tiling:
    """The tiles of a picture."""

    tile: int
    """Side of a tile without its context, in LR pixels; 0: no tiles, the picture streams."""
    overlap: int
    """LR pixels of context on every side of a tile, and of a part of a very wide picture."""
    batch: int = 1
    """Tiles in one pass of the network."""

    @property
    def effort(self) -> float:
        """LR pixels that the network reads for each pixel of a tile, with its context."""
        return ((self.tile + 2 * self.overlap) / self.tile) ** 2 if self.tile else 1.0

    @property
    def is_wasteful(self) -> bool:
        """Whether tiles are so small that most of the work is their context."""
        return 0 < self.tile < MIN_TILE


def plan_tiling(model: Model, tile: int | None = None, overlap: int | None = None) -> Tiling:
    """Choose values for None: no tiles, unless the model has ``tta``, which turns its input.

    Raises UsageError for negative numbers.
    """
    if (tile is not None and tile < 0) or (overlap is not None and overlap < 0):
        raise UsageError("tile and overlap are LR pixels: whole numbers from 0")
    overlap = model.overlap if overlap is None else overlap
    if tile is None:
        tile = largest_tile(model, overlap) if model.tta else 0
    batch = 1
    if model.device.type == "cuda" and tile:
        batch = at_once(model, (tile + 2 * overlap) ** 2)
    return Tiling(tile, overlap, batch)


def largest_tile(model: Model, overlap: int) -> int:
    """Return the side of tiles that fit into memory with their context, in LR pixels."""
    side = int(_pixels(model) ** 0.5) - 2 * overlap
    return max(MIN_TILE, min(side, OVERLAPS_PER_TILE * max(overlap, 16), LARGEST_TILE))


def widest(model: Model, width: int) -> int:
    """Return the width in LR pixels, up to ``width``, that streams within memory."""
    if width <= ALWAYS_FITS:
        return width
    return min(width, max(ALWAYS_FITS, int(free_bytes(model.device) / model.bytes_of_a_column)))


def at_once(model: Model, pixels: int) -> int:
    """Return how many pictures with this number of LR pixels share a pass: 1 or more.

    On the CPU, as many as fit into its cache; larger ones gain nothing.
    """
    most = IN_CACHE if model.device.type == "cpu" else _pixels(model)
    return max(1, min(MOST_AT_ONCE, most // pixels))


def _pixels(model: Model) -> int:
    """Return the LR pixels whose features fit into memory at once."""
    return pixels_in_memory(free_bytes(model.device), model.spec.features)
