"""Pixels → pixels, tile by tile, in bands of rows from top to bottom."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from upscale.errors import DeviceError, InputError
from upscale.models.fetching.sources import Progress
from upscale.models.model import Model
from upscale.pixels.bleed import bleed
from upscale.pixels.image import Pixels
from upscale.pixels.spool import Rows
from upscale.pixels.tiles import Span, rising_window, spans
from upscale.upscaling.tiling import MIN_TILE, Tiling, plan_tiling

__all__ = ["upscale_bands", "upscale_pixels"]

LUMA = (0.299, 0.587, 0.114)
"""Weights of RGB in gray (ITU-R BT.601)."""

BAND = 128 * 2**20
"""Bytes of a band of the result: where a picture is very wide, its tiles are less high."""


def upscale_pixels(
    pixels: Pixels,
    model: Model,
    tiling: Tiling | None = None,
    progress: Progress = lambda done, total: None,
) -> Pixels:
    """Return (H·scale, W·scale, C) for ``pixels`` (H, W, C); see `upscale_bands`."""
    return np.concatenate(list(upscale_bands(pixels, model, tiling, progress)))


def upscale_bands(
    pixels: Rows,
    model: Model,
    tiling: Tiling | None = None,
    progress: Progress = lambda done, total: None,
    dtype: np.dtype[Any] | None = None,
) -> Iterator[Any]:
    """Yield the upscaled picture from top to bottom: (rows, W·scale, C).

    ``pixels``: (H, W, C), uint8 or uint16, C = 1 gray, 2 gray and opacity, 3 RGB, 4 RGB and
    opacity. ``dtype`` of the result: that of ``pixels`` if None; uint8, uint16, or float32 in
    [0, 1]. Gray goes through the network as three equal channels and comes back as luma. Opacity
    goes through as a gray picture, by the PSNR end if the model has one (a GAN draws texture into
    it), and stays between the least and the greatest of the 3×3 LR pixels around, so flat opacity
    does not change. Colour is bled into fully transparent pixels first. Raises InputError if the
    network's numbers are not finite, DeviceError if memory is too small for the smallest tile.
    ``progress`` is told LR pixels after each tile.
    """
    tiling = tiling or plan_tiling(model)
    dtype = dtype or pixels.dtype
    height, width, channels = pixels.shape
    scale = model.scale
    row_bytes = width * scale * scale * channels * dtype.itemsize
    tile_height = min(tiling.tile or height, max(MIN_TILE, BAND // row_bytes))
    rows = spans(height, tile_height, tiling.overlap, model.spec.align)
    columns = spans(width, tiling.tile, tiling.overlap, model.spec.align)
    done = 0
    below: list[Tensor | None] = [None] * len(columns)
    for row in rows:
        lr = _window(pixels, row, max(tiling.overlap, model.overlap))
        hr_top = (row.start - row.ramp_before) * scale
        hr_bottom = (row.stop - row.ramp_after) * scale
        band = np.empty((hr_bottom - hr_top, width * scale, channels), dtype)
        right: Tensor | None = None
        for index, (column, sr) in enumerate(_tiles(lr, model, tiling, columns)):
            strip, right = _join(_contribution(sr, column, scale, -1), right, column, scale, -1)
            strip = _contribution(strip, row, scale, -2)
            piece, below[index] = _join(strip, below[index], row, scale, -2)
            hr_left = (column.start - column.ramp_before) * scale
            band[:, hr_left : hr_left + piece.shape[-1]] = _quantize(piece, dtype)
            done += (row.stop - row.start) * (column.stop - column.start)
            progress(done, height * width)
        yield band


def _window(pixels: Rows, row: Span, reach: int) -> Pixels:
    """Return the rows that the tiles of ``row`` see, with colour bled as far as they see."""
    if pixels.shape[2] not in (2, 4):
        window: Pixels = pixels[row.lr_start : row.lr_stop]
        return window
    top = max(0, row.lr_start - reach)
    around = pixels[top : row.lr_stop + reach]
    return bleed(around, reach)[row.lr_start - top : row.lr_stop - top]


def _contribution(sr: Tensor, span: Span, scale: int, dim: int) -> Tensor:
    """Crop the spoiled outer part of the context along ``dim``."""
    start = span.start - span.ramp_before
    length = span.stop + span.ramp_after - start
    return sr.narrow(dim, (start - span.lr_start) * scale, length * scale)


def _join(
    sr: Tensor, before: Tensor | None, span: Span, scale: int, dim: int
) -> tuple[Tensor, Tensor | None]:
    """Blend the ramp that ``sr`` shares with the piece before it, and hold back the next one.

    Returns what is finished along ``dim``, and the end that waits for the next piece.
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
    lr: Pixels, model: Model, tiling: Tiling, columns: Sequence[Span]
) -> Iterator[tuple[Span, Tensor]]:
    """Yield each column's span and its window, upscaled: (C, h·scale, w·scale), float32."""
    batch: list[Span]
    for _, group in groupby(columns, key=lambda span: span.lr_stop - span.lr_start):
        same_width = list(group)
        for first in range(0, len(same_width), tiling.batch):
            batch = same_width[first : first + tiling.batch]
            windows = [lr[:, span.lr_start : span.lr_stop] for span in batch]
            yield from zip(batch, _super_resolve(windows, model, tiling.overlap), strict=True)


def _super_resolve(windows: list[Pixels], model: Model, overlap: int) -> list[Tensor]:
    """Upscale windows (h, w, C) of one size; return (C, h·scale, w·scale) each, float32."""
    whole = torch.from_numpy(np.stack(windows).astype(np.float32, copy=False))
    whole = whole.permute(0, 3, 1, 2) / np.iinfo(windows[0].dtype).max
    channels = whole.shape[1]
    gray = channels < 3
    colour = whole[:, :1].expand(-1, 3, -1, -1) if gray else whole[:, :3]
    sr = _finite(colour, model, overlap)
    if gray:
        sr = (sr * sr.new_tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True)
    if channels in (2, 4):
        opacity = whole[:, -1:]
        sr = torch.cat((sr, _upscale_opacity(opacity, model, overlap).to(sr.device)), 1)
    return list(sr)


def _upscale_opacity(opacity: Tensor, model: Model, overlap: int) -> Tensor:
    """Upscale (N, 1, h, w) as gray, between the extremes of each pixel's 3×3 neighbours."""
    low = -F.max_pool2d(-opacity, 3, 1, 1)
    high = F.max_pool2d(opacity, 3, 1, 1)
    low, high = (F.interpolate(x, scale_factor=model.scale, mode="nearest") for x in (low, high))
    if torch.equal(low, high):
        return low
    sr = _finite(opacity.expand(-1, 3, -1, -1), model.faithful, overlap).mean(1, keepdim=True)
    return torch.clamp(sr, low.to(sr.device), high.to(sr.device))


def _finite(lr: Tensor, model: Model, overlap: int) -> Tensor:
    """Run the network, and again in float32 if half precision could not hold its numbers."""
    sr = _run(lr, model, overlap)
    if not sr.isfinite().all():
        sr = _run(lr, model.exact, overlap)
        if not sr.isfinite().all():
            raise InputError(
                f"{model.name}: its numbers for this picture are not finite; use another model",
                code="non-finite",
            )
    return sr


def _run(lr: Tensor, model: Model, overlap: int) -> Tensor:
    """Run the network on (N, 3, h, w); if memory is too small, on halves with context."""
    try:
        return model(lr)
    except NotImplementedError as error:  # PyTorch knows fewer operators on some devices
        raise DeviceError(
            f"{model.device}: PyTorch lacks an operator of {model.name} there "
            f"({str(error).splitlines()[0][:120]}); use --device cpu, or for mps set "
            "PYTORCH_ENABLE_MPS_FALLBACK=1"
        ) from error
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
            raise DeviceError(
                f"{model.device}: not enough memory for a tile of {lr.shape[-1]} × "
                f"{lr.shape[-2]} pixels ({str(error).splitlines()[0]}); close other programs, or "
                "use --device cpu or a smaller model"
            ) from error
    pieces: list[Tensor] = []
    before: Tensor | None = None
    for span in spans(length, half, overlap, model.spec.align):
        part = lr.narrow(dim, span.lr_start, span.lr_stop - span.lr_start)
        sr = _contribution(_run(part, model, overlap), span, model.scale, dim)
        piece, before = _join(sr, before, span, model.scale, dim)
        pieces.append(piece)
    return torch.cat(pieces, dim)


def _quantize(sr: Tensor, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Turn (C, h, w), [0, 1], into (h, w, C) of ``dtype``; round on the device."""
    clamped = sr.clamp(0, 1).permute(1, 2, 0)
    if dtype == np.float32:
        return np.asarray(clamped.cpu().numpy())
    levels = np.iinfo(dtype).max
    integers = clamped.mul(levels).round().to(torch.uint8 if levels == 255 else torch.int32)
    return np.asarray(integers.cpu().numpy().astype(dtype, copy=False))
