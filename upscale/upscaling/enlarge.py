"""Pixels → pixels of an exact size: passes of the network, then at most one resampling."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from upscale.models.fetching.sources import Progress
from upscale.models.model import Model
from upscale.pixels.image import Pixels
from upscale.pixels.resample import resize_bands
from upscale.pixels.spool import Rows, Spool
from upscale.upscaling.engine import upscale_bands
from upscale.upscaling.target import Sizes
from upscale.upscaling.tiling import Tiling
from upscale.upscaling.wrapping import Wrapped, margin_of

__all__ = ["enlarge"]


def enlarge(
    pixels: Rows,
    model: Model,
    tiling: Tiling,
    sizes: Sizes,
    progress: Progress = lambda done, total: None,
    scratch: Callable[[], Path | None] = lambda: None,
    wrap: bool = False,
) -> Iterator[Pixels]:
    """Yield the picture in the size of ``sizes``, from top to bottom; see `upscale_bands`.

    Between passes of the network samples have 16 bits; the last result is resampled as float.
    ``scratch`` names a file for pixels between two passes that are too many for memory.
    With ``wrap`` picture and result continue at their other side, as a texture does.
    """
    height, width, channels = pixels.shape
    dtype = pixels.dtype
    margin = margin_of(model, sizes, width, height) if wrap else 0
    if margin:
        pixels = Wrapped(pixels, margin)
        height, width, channels = pixels.shape
    pass_pixels = [height * width * model.scale ** (2 * n) for n in range(sizes.passes)]
    total = sum(pass_pixels)

    def advance(done: int, of_pass: int) -> None:
        progress(sum(pass_pixels[: pass_pixels.index(of_pass)]) + done, total)

    for _ in range(sizes.passes - 1):
        height, width = height * model.scale, width * model.scale
        spool = Spool((height, width, channels), np.uint16, scratch())
        for band in upscale_bands(pixels, model, tiling, advance, np.dtype(np.uint16)):
            spool.append(band)
        pixels = spool.finish()
    margin *= model.scale**sizes.passes
    made = (width * model.scale - 2 * margin, height * model.scale - 2 * margin)
    if sizes.resized == made and sizes.crop is None and not margin:
        yield from upscale_bands(pixels, model, tiling, advance, dtype)
        return
    bands = upscale_bands(pixels, model, tiling, advance, np.dtype(np.float32))
    levels = np.iinfo(dtype).max
    for band in resize_bands(bands, *made, *sizes.resized, crop=sizes.crop, margin=margin):
        yield (band.clip(0, 1) * levels).round().astype(dtype)
