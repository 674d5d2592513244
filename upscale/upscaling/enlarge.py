"""Enlarges pixels to an exact size: passes of the network, then at most one resampling."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from upscale.models.fetching.sources import Progress
from upscale.models.model import Model
from upscale.pixels.image import Pixels
from upscale.pixels.resample import resize_bands
from upscale.pixels.spool import Rows, Spool
from upscale.upscaling.engine import upscale_bands
from upscale.upscaling.passes.shared import shared
from upscale.upscaling.target import Sizes
from upscale.upscaling.tiling import Tiling, at_once
from upscale.upscaling.wrapping import Wrapped, margin_of

__all__ = ["company", "enlarge", "enlarge_together"]

RESULT = 4
"""Most bytes per sample of a result."""

TOGETHER = 256 * 2**20
"""Most bytes of results in memory at a time."""


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
    ``scratch`` names a file for pixels between two passes that do not fit into memory. With
    ``wrap``, picture and result continue beyond an edge with their opposite side, as a texture
    does.
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
    as_made = sizes.resized == made and sizes.crop is None and not margin
    asked = dtype if as_made else np.dtype(np.float32)
    bands = upscale_bands(pixels, model, tiling, advance, asked)
    yield from bands if as_made else _resized(bands, made, sizes, margin, dtype)


def _resized(
    bands: Iterator[Any], made: tuple[int, int], sizes: Sizes, margin: int, dtype: np.dtype[Any]
) -> Iterator[Pixels]:
    levels = np.iinfo(dtype).max
    for band in resize_bands(bands, *made, *sizes.resized, crop=sizes.crop, margin=margin):
        yield (band.clip(0, 1) * levels).round().astype(dtype)


def company(pixels: Rows, model: Model, tiling: Tiling, sizes: Sizes) -> int:
    """Return how many pictures like ``pixels`` go through the network together; 1: each alone."""
    if model.tta or tiling.tile or sizes.passes > 1 or not isinstance(pixels, np.ndarray):
        return 1
    height, width, channels = pixels.shape
    result: int = height * width * channels * model.scale**2 * RESULT
    return max(1, min(at_once(model, height * width), TOGETHER // result))


def enlarge_together(
    pictures: Sequence[Pixels], model: Model, sizes: Sizes
) -> list[list[Pixels] | None]:
    """Return the bands of pictures of one size, made in one pass; see `enlarge`.

    They differ from those of `enlarge` by at most one level. None: a picture has to go alone.
    """
    height, width, _ = pictures[0].shape
    dtype = pictures[0].dtype
    made = (width * model.scale, height * model.scale)
    if sizes.resized == made and sizes.crop is None:
        return [each if each is None else [each] for each in shared(pictures, model, dtype)]
    return [
        each if each is None else [*_resized(iter([each]), made, sizes, 0, dtype)]
        for each in shared(pictures, model, np.dtype(np.float32))
    ]
