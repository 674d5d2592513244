"""How a picture is cut into tiles that fit into memory."""

from dataclasses import dataclass

import torch

from upscale.errors import UsageError
from upscale.models.model import Model
from upscale.system import free_memory

__all__ = ["MIN_TILE", "Tiling", "plan_tiling"]

CPU_BUDGET = 2 * 2**30
"""Bytes that a tile on the CPU may take, if they are free."""

BYTES_PER_CHANNEL = 64
"""Bytes a feature channel and LR pixel that a pass takes at its widest (measured: 44 to 50)."""

CPU_TENSOR = 32 * 2**20
"""Bytes of a layer's features above which glibc maps memory anew for each (measured: a pixel then
takes 1.1 to 1.2 times as long)."""

MIN_TILE = 32
OVERLAPS_PER_TILE = 20
LARGEST_TILE = 512
"""Cores of 20 overlaps spend a fifth on context; larger ones gain little, and seldom show
progress."""


@dataclass(frozen=True)
class Tiling:
    """How a picture is cut for the network."""

    tile: int
    """Side of a tile without its context, in LR pixels; 0: the whole picture."""
    overlap: int
    """LR pixels of context on every side."""
    batch: int = 1
    """Tiles in one pass of the network."""

    @property
    def effort(self) -> float:
        """LR pixels that the network reads for each pixel of a tile, which has context around."""
        return ((self.tile + 2 * self.overlap) / self.tile) ** 2 if self.tile else 1.0

    @property
    def is_wasteful(self) -> bool:
        """Whether tiles are so small that most of the work is their context."""
        return 0 < self.tile < MIN_TILE


def plan_tiling(model: Model, tile: int | None = None, overlap: int | None = None) -> Tiling:
    """Choose what is None by the model's network and the free memory.

    Raises UsageError for negative numbers.
    """
    if (tile is not None and tile < 0) or (overlap is not None and overlap < 0):
        raise UsageError("tile and overlap are LR pixels: whole numbers from 0")
    overlap = model.overlap if overlap is None else overlap
    pixels = _free_bytes(model.device) // (BYTES_PER_CHANNEL * model.spec.features)
    if tile is None:
        if model.device.type == "cpu":
            pixels = min(pixels, CPU_TENSOR // (4 * model.spec.features))
        side = int(pixels**0.5)
        tile = max(
            MIN_TILE, min(side - 2 * overlap, OVERLAPS_PER_TILE * max(overlap, 16), LARGEST_TILE)
        )
    batch = 1
    if model.device.type == "cuda" and tile:
        batch = max(1, min(64, pixels // (tile + 2 * overlap) ** 2))
    return Tiling(tile, overlap, batch)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] * 0.6)
    return min(CPU_BUDGET, free_memory() // 2)
