"""Upscales pixels in bands of rows from top to bottom."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from upscale.models.fetching.sources import Progress
from upscale.models.model import Model
from upscale.pixels.image import Pixels
from upscale.pixels.spool import Rows
from upscale.upscaling.passes.failures import MemoryShortageError
from upscale.upscaling.passes.streamed import streamed
from upscale.upscaling.passes.tiled import tiled
from upscale.upscaling.tiling import Tiling, largest_tile, plan_tiling, widest

__all__ = ["upscale_bands", "upscale_pixels"]


def upscale_pixels(pixels: Pixels, model: Model, tiling: Tiling | None = None) -> Pixels:
    """Return (H·scale, W·scale, C) for ``pixels`` (H, W, C); see `upscale_bands`."""
    return np.concatenate(list(upscale_bands(pixels, model, tiling)))


def upscale_bands(
    pixels: Rows,
    model: Model,
    tiling: Tiling | None = None,
    progress: Progress = lambda done, total: None,
    dtype: np.dtype[Any] | None = None,
) -> Iterator[Any]:
    """Yield the upscaled picture from top to bottom: (rows, W·scale, C).

    ``pixels``: (H, W, C), uint8 or uint16, C = 1 gray, 2 gray and opacity, 3 RGB, 4 RGB and
    opacity. ``dtype`` of the result: that of ``pixels`` if None; uint8, uint16, or float32 in [0,
    1]. Gray goes through the network as three equal channels and comes back as luma. Opacity goes
    through as a gray picture, with the PSNR end if the model has one (a GAN draws texture into it).
    It stays between the minimum and the maximum of the surrounding 3×3 LR pixels, so flat opacity
    does not change. Colour is bled into fully transparent pixels first.

    Without tiles the picture streams: the result is that of the whole picture, and memory does not
    grow with its height. A picture that is too wide for that goes through in parts as wide as
    memory allows. Raises InputError if the network's numbers are not finite, DeviceError if memory
    is too small for the smallest tile. ``progress`` counts LR pixels.
    """
    tiling = tiling or plan_tiling(model)
    dtype = dtype or pixels.dtype
    height, width, _ = pixels.shape
    part, most = width, 0
    done = 0
    if not tiling.tile and not model.tta and (part := widest(model, width)) == width:
        try:
            for band in streamed(pixels, model, progress, dtype):
                done += len(band)
                yield band
        except MemoryShortageError:
            part = most = largest_tile(model, tiling.overlap)
        else:
            return
    tile = (tiling.tile or most, tiling.tile or (0 if model.tta else part))
    # The rows that have not streamed go through in tiles, with context from those that have.
    first = max(0, done // model.scale - tiling.overlap) // model.spec.align * model.spec.align
    spare = done - first * model.scale

    def advance(made: int, of: int) -> None:
        progress(first * width + made, height * width)

    rest = _Below(pixels, first)
    for band in tiled(rest, model, tile, tiling.overlap, tiling.batch, advance, dtype):
        if len(band) > spare:
            yield band[spare:]
        spare = max(0, spare - len(band))


@dataclass(frozen=True)
class _Below:
    """Rows from number ``first`` on."""

    inner: Rows
    first: int

    @property
    def shape(self) -> tuple[int, int, int]:
        height, width, channels = self.inner.shape
        return height - self.first, width, channels

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.inner.dtype

    def __getitem__(self, rows: slice, /) -> Any:
        start, stop, _ = rows.indices(self.shape[0])
        return self.inner[self.first + start : self.first + stop]
