"""A picture in tiles with context, joined by short ramps, row by row."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from upscale.models.fetching.sources import Progress
from upscale.models.model import Model
from upscale.pixels.image import Pixels
from upscale.pixels.spool import Rows
from upscale.pixels.tiles import Span, rising_window, spans
from upscale.upscaling.passes.failures import lacking, non_finite, too_little_memory
from upscale.upscaling.passes.samples import (
    bled,
    colour_of,
    extremes,
    from_colour,
    is_finite,
    opacity_of,
    quantized,
)
from upscale.upscaling.tiling import MIN_TILE

__all__ = ["tiled"]

BAND = 128 * 2**20
"""Bytes of a band of the result: in a very wide picture, tiles are lower."""


def tiled(
    pixels: Rows,
    model: Model,
    tile: tuple[int, int],
    overlap: int,
    batch: int,
    progress: Progress,
    dtype: np.dtype[Any],
) -> Iterator[Any]:
    """Yield the upscaled picture in rows of tiles; arguments as of `upscale_bands`.

    ``tile``: height and width of a tile, 0 for those of the picture; ``overlap``: context on each
    side; LR pixels both. ``batch``: tiles that go through the network at once.
    """
    height, width, channels = pixels.shape
    scale = model.scale
    row_bytes = width * scale * scale * channels * dtype.itemsize
    tile_height = min(tile[0] or height, max(MIN_TILE, BAND // row_bytes))
    rows = spans(height, tile_height, overlap, model.spec.align)
    columns = spans(width, tile[1], overlap, model.spec.align)
    done = 0
    below: list[Tensor | None] = [None] * len(columns)
    for row in rows:
        lr = bled(pixels, row.lr_start, row.lr_stop, max(overlap, model.overlap))
        hr_top = (row.start - row.ramp_before) * scale
        hr_bottom = (row.stop - row.ramp_after) * scale
        band = np.empty((hr_bottom - hr_top, width * scale, channels), dtype)
        right: Tensor | None = None
        for index, (column, sr) in enumerate(_tiles(lr, model, overlap, batch, columns)):
            strip, right = _join(_contribution(sr, column, scale, -1), right, column, scale, -1)
            strip = _contribution(strip, row, scale, -2)
            piece, below[index] = _join(strip, below[index], row, scale, -2)
            hr_left = (column.start - column.ramp_before) * scale
            band[:, hr_left : hr_left + piece.shape[-1]] = quantized(piece, dtype)
            done += (row.stop - row.start) * (column.stop - column.start)
            progress(done, height * width)
        yield band


def _contribution(sr: Tensor, span: Span, scale: int, dim: int) -> Tensor:
    """Crop the outer part of the context, which has errors of the edge, along ``dim``."""
    start = span.start - span.ramp_before
    length = span.stop + span.ramp_after - start
    return sr.narrow(dim, (start - span.lr_start) * scale, length * scale)


def _join(
    sr: Tensor, before: Tensor | None, span: Span, scale: int, dim: int
) -> tuple[Tensor, Tensor | None]:
    """Blend the ramp that ``sr`` shares with the piece before it, and keep the next one.

    Returns the finished part along ``dim``, and the end that waits for the next piece.
    """
    if before is not None:
        length = before.shape[dim]
        shape = (-1, 1) if dim == -2 else (1, -1)
        rising = torch.from_numpy(rising_window(length)).to(sr.device).view(shape)
        head = before * rising.flip(dim) + sr.narrow(dim, 0, length) * rising
        sr = torch.cat((head, sr.narrow(dim, length, sr.shape[dim] - length)), dim)
    kept = 2 * span.ramp_after * scale
    if not kept:
        return sr, None
    finished = sr.shape[dim] - kept
    return sr.narrow(dim, 0, finished), sr.narrow(dim, finished, kept).clone()


def _tiles(
    lr: Pixels, model: Model, overlap: int, most: int, columns: Sequence[Span]
) -> Iterator[tuple[Span, Tensor]]:
    """Yield each column's span and its window, upscaled: (C, h·scale, w·scale), float32."""
    batch: list[Span]
    for _, group in groupby(columns, key=lambda span: span.lr_stop - span.lr_start):
        same_width = list(group)
        for first in range(0, len(same_width), most):
            batch = same_width[first : first + most]
            windows = [lr[:, span.lr_start : span.lr_stop] for span in batch]
            yield from zip(batch, _super_resolve(windows, model, overlap), strict=True)


def _super_resolve(windows: list[Pixels], model: Model, overlap: int) -> list[Tensor]:
    """Upscale windows (h, w, C) of one size; return (C, h·scale, w·scale) each, float32."""
    whole = cast(Pixels, np.stack(windows))
    sr = from_colour(_finite(colour_of(whole), model, overlap), whole.shape[-1])
    opacity = opacity_of(whole)
    if opacity is not None:
        sr = torch.cat((sr, _upscale_opacity(opacity, model, overlap).to(sr.device)), 1)
    return list(sr)


def _upscale_opacity(opacity: Tensor, model: Model, overlap: int) -> Tensor:
    """Upscale (N, 1, h, w) as gray, within the extremes of each pixel's 3×3 neighbours."""
    low, high = extremes(opacity, model.scale)
    if torch.equal(low, high):
        return low
    sr = _finite(opacity.expand(-1, 3, -1, -1), model.faithful, overlap).mean(1, keepdim=True)
    return torch.clamp(sr, low.to(sr.device), high.to(sr.device))


def _finite(lr: Tensor, model: Model, overlap: int) -> Tensor:
    """Run the network, and again in float32 if half precision cannot hold the result."""
    sr = _run(lr, model, overlap)
    if not is_finite(sr):
        sr = _run(lr, model.exact, overlap)
        if not is_finite(sr):
            raise non_finite(model)
    return sr


def _run(lr: Tensor, model: Model, overlap: int) -> Tensor:
    """Run the network on (N, 3, h, w); if memory is too small, on halves with context."""
    try:
        return model(lr)
    except NotImplementedError as error:  # PyTorch knows fewer operators on some devices
        raise lacking(model, error) from error
    except (
        RuntimeError,
        MemoryError,
    ) as error:  # on the CPU, memory that is too small has no type of its own
        if model.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(lr) > 1:
            return torch.cat([_run(one, model, overlap) for one in torch.split(lr, 1)])
        dim = -2 if lr.shape[-2] >= lr.shape[-1] else -1
        length = lr.shape[dim]
        half = -(-length // 2)
        if half + overlap >= length:
            raise too_little_memory(model, lr, error) from error
    pieces: list[Tensor] = []
    before: Tensor | None = None
    for span in spans(length, half, overlap, model.spec.align):
        part = lr.narrow(dim, span.lr_start, span.lr_stop - span.lr_start)
        sr = _contribution(_run(part, model, overlap), span, model.scale, dim)
        piece, before = _join(sr, before, span, model.scale, dim)
        pieces.append(piece)
    return torch.cat(pieces, dim)
