"""A picture as a stream: no pixel is computed twice, and there are no seams to hide."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from upscale.models.fetching.sources import Progress
from upscale.models.model import Model
from upscale.networks.streaming.bands import IN_CACHE
from upscale.pixels.spool import Rows
from upscale.upscaling.passes.failures import MemoryShortageError, lacking, non_finite
from upscale.upscaling.passes.samples import (
    bled,
    colour_of,
    extremes,
    from_colour,
    is_finite,
    opacity_of,
    quantized,
)

__all__ = ["streamed"]

WINDOW = 128
"""LR rows that are taken from the picture at a time; more where it is narrow, up to a band on the
CPU: a picture that fits into it goes through at once, and nothing is copied."""

BAND = 4 * 2**20
"""Least bytes of a band of the result, except for the last band."""


def streamed(pixels: Rows, model: Model, progress: Progress, dtype: np.dtype[Any]) -> Iterator[Any]:
    """Yield the upscaled picture in bands; arguments as of `upscale_bands`.

    Raises MemoryShortageError after the rows that could be made.
    """
    height, width, channels = pixels.shape
    scale = model.scale
    ready: list[Any] = []
    done = 0

    def colour(first: int, last: int) -> Tensor:
        return colour_of(bled(pixels, first, last, model.overlap))

    opacity = _Rows(_opacity(pixels, model)) if channels in (2, 4) else None
    for part in _rows(colour, height, model, 0, height * scale):
        sr = from_colour(part, channels)
        if opacity is not None:
            sr = torch.cat((sr, opacity.next(sr.shape[-2]).to(sr.device)))
        ready.append(quantized(sr, dtype))
        done += sr.shape[-2]
        progress(done // scale * width, height * width)
        if sum(band.nbytes for band in ready) >= BAND or done == height * scale:
            yield np.concatenate(ready)
            ready = []


def _rows(
    read: Callable[[int, int], Tensor], height: int, model: Model, first: int, last: int
) -> Iterator[Tensor]:
    """Yield SR rows [first, last) as they come: (3, rows, W·scale), float32, finite.

    ``read`` returns LR rows, (3, rows, W). Rows before ``first`` and after ``last`` are context.
    Values that half precision cannot hold are computed again in float32, with all that follows.
    """
    scale, align = model.scale, model.spec.align
    top = max(0, first // scale - model.overlap) // align * align
    bottom = min(height, -(-last // scale) + model.overlap)
    row = top * scale
    for part in _through(read, top, bottom, model):
        sr = part[:, max(0, first - row) : max(0, last - row)]
        row += part.shape[1]
        if not sr.shape[1]:
            continue
        if not is_finite(sr):
            if model is model.exact:
                raise non_finite(model)
            start = max(first, row - part.shape[1])
            yield from _rows(read, height, model.exact, start, last)
            return
        yield sr


def _through(
    read: Callable[[int, int], Tensor], top: int, bottom: int, model: Model
) -> Iterator[Tensor]:
    """Yield the result of LR rows [top, bottom), with nothing above and below."""
    align = model.spec.align
    width = read(top, top + 1).shape[-1]
    lr_width = width + -width % align
    stream = model.stream(bottom - top + -(bottom - top) % align, lr_width)
    rows = max(WINDOW, IN_CACHE // lr_width // align * align)
    for first in range(top, bottom, rows):
        lr = read(first, min(first + rows, bottom))[None].to(model.device)
        lr = model.aligned(lr).contiguous(memory_format=torch.channels_last)
        try:
            for sr in model.feed(stream, lr):
                yield sr[0, ..., : width * model.scale]
        except NotImplementedError as error:
            raise lacking(model, error) from error
        except (RuntimeError, MemoryError) as error:
            raise MemoryShortageError from error


def _opacity(pixels: Rows, model: Model) -> Iterator[Tensor]:
    """Yield SR rows of opacity: (1, rows, W·scale), within the extremes of 3 × 3 LR pixels.

    If these are equal, no network runs.
    """
    height = pixels.shape[0]

    def limits(first: int, last: int) -> tuple[Tensor, Tensor]:
        """Return the extremes around LR rows [first, last)."""
        top = max(0, first - 1)
        around = opacity_of(pixels[top : min(height, last + 1)])
        assert around is not None
        rows = slice((first - top) * model.scale, (last - top) * model.scale)
        low, high = extremes(around[None], model.scale)
        return low[0, :, rows], high[0, :, rows]

    def gray(first: int, last: int) -> Tensor:
        opacity = opacity_of(pixels[first:last])
        assert opacity is not None
        return opacity.expand(3, -1, -1)

    def is_flat(first: int) -> bool:
        return torch.equal(*limits(first, min(first + WINDOW, height)))

    for flat, group in groupby(range(0, height, WINDOW), is_flat):
        windows = [(first, min(first + WINDOW, height)) for first in group]
        if flat:
            yield from (limits(*window)[0] for window in windows)
            continue
        span = windows[0][0] * model.scale, windows[-1][1] * model.scale
        sr = _Rows(_rows(gray, height, model.faithful, *span))
        for window in windows:
            low, high = limits(*window)
            mean = sr.next(low.shape[-2]).mean(0, keepdim=True)
            yield torch.clamp(mean, low.to(mean.device), high.to(mean.device))


class _Rows:
    """Rejoins the parts of a picture in rows of any height."""

    def __init__(self, parts: Iterator[Tensor]) -> None:
        self._parts = parts
        self._ready: list[Tensor] = []

    def next(self, count: int) -> Tensor:
        """Return the next rows: (C, count, W)."""
        while sum(part.shape[-2] for part in self._ready) < count:
            self._ready.append(next(self._parts))
        rows = torch.cat(self._ready, -2)
        self._ready = [rows[..., count:, :]]
        return rows[..., :count, :]
