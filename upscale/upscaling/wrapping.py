"""A repeating texture: its rows continue with the opposite side, as far as results need them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from upscale.models.model import Model
from upscale.pixels.spool import Rows
from upscale.upscaling.target import Sizes

__all__ = ["Wrapped", "margin_of"]


@dataclass(frozen=True)
class Wrapped:
    """Rows with ``margin`` more pixels on each side, copied from the opposite side."""

    inner: Rows
    """The picture: (H, W, C)."""
    margin: int
    """Pixels on each side; may exceed the picture's size."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels, with margins."""
        height, width, channels = self.inner.shape
        return height + 2 * self.margin, width + 2 * self.margin, channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples: uint8 or uint16."""
        return self.inner.dtype

    def __getitem__(self, rows: slice, /) -> npt.NDArray[Any]:
        """Return the rows of a slice with step 1 as an array."""
        start, stop, _ = rows.indices(self.shape[0])
        height, width, channels = self.inner.shape
        parts = [np.empty((0, width, channels), self.dtype)]
        row, end = start - self.margin, stop - self.margin
        while row < end:
            first = row % height
            count = min(end - row, height - first)
            parts.append(self.inner[first : first + count])
            row += count
        columns = np.arange(-self.margin, width + self.margin) % width
        return np.concatenate(parts)[:, columns]


def margin_of(model: Model, sizes: Sizes, width: int, height: int) -> int:
    """Return how many LR pixels beyond an edge affect the results inside it.

    Pass k depends on ``overlap`` of its own pixels, each scale**-k of an LR pixel. `resize_bands`
    depends on twice its step, or 2, of the last result. The margin is a multiple of the network's
    alignment, so that the picture keeps its place in that grid.
    """
    scale = model.scale
    margin: int = sum(-(-model.overlap // scale**k) for k in range(sizes.passes))
    enlarged = scale**sizes.passes
    made = (width * enlarged, height * enlarged)
    if sizes.resized != made:
        steps = (-(-old // new) for old, new in zip(made, sizes.resized, strict=True))
        margin += -(-(2 * max(steps) + 1) // enlarged)
    align: int = model.spec.align
    return margin + -margin % align
