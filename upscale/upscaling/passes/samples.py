"""Converts samples of a picture before and after the network."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from upscale.networks.pipeline import Luma
from upscale.pixels.bleed import bleed
from upscale.pixels.image import Pixels
from upscale.pixels.spool import Rows

__all__ = ["bled", "colour_of", "extremes", "from_colour", "is_finite", "opacity_of", "quantized"]


def bled(pixels: Rows, first: int, last: int, reach: int) -> Pixels:
    """Return rows [first, last), with colour bled by ``reach`` pixels into full transparency."""
    if pixels.shape[2] not in (2, 4):
        rows: Pixels = pixels[first:last]
        return rows
    top = max(0, first - reach)
    return bleed(pixels[top : last + reach], reach)[first - top : last - top]


def colour_of(pixels: Pixels) -> Tensor:
    """Return (…, H, W, C) as RGB in [0, 1]: (…, 3, H, W), float32; gray is three equal channels."""
    samples = _scaled(pixels)
    if pixels.shape[-1] < 3:
        return samples[..., :1, :, :].expand(*samples.shape[:-3], 3, -1, -1)
    return samples[..., :3, :, :]


def opacity_of(pixels: Pixels) -> Tensor | None:
    """Return the opacity of (…, H, W, C) in [0, 1]: (…, 1, H, W), float32; None without one."""
    return _scaled(pixels[..., -1:]) if pixels.shape[-1] in (2, 4) else None


def _scaled(pixels: Pixels) -> Tensor:
    samples = torch.from_numpy(pixels.astype(np.float32))
    return samples.movedim(-1, -3) / np.iinfo(pixels.dtype).max


def from_colour(sr: Tensor, channels: int) -> Tensor:
    """Return the luma of ``sr`` (…, 3, H, W) if a picture with these channels is gray."""
    luma: Tensor = sr if channels >= 3 else Luma()(sr)
    return luma


def extremes(opacity: Tensor, scale: int) -> tuple[Tensor, Tensor]:
    """Return minimum and maximum of 3 × 3 pixels, enlarged: (N, 1, H·scale, W·scale) both.

    ``opacity``: (N, 1, H, W).
    """
    low, high = -F.max_pool2d(-opacity, 3, 1, 1), F.max_pool2d(opacity, 3, 1, 1)
    low, high = (F.interpolate(x, scale_factor=scale, mode="nearest") for x in (low, high))
    return low, high


def is_finite(sr: Tensor) -> bool:
    """Return whether all of (…, H, W) are finite: then minimum and maximum are finite, too."""
    rows = sr.movedim(-3, -1)  # in the order of memory, so that they are read in one go
    return bool((rows.amin().isfinite() & rows.amax().isfinite()).item())


def quantized(sr: Tensor, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Turn (C, h, w), [0, 1], into (h, w, C) of ``dtype``: uint8, uint16, or float32."""
    # Round on the device.
    clamped = sr.permute(1, 2, 0).clamp(0, 1)
    if dtype == np.float32:
        return _on_host(clamped)
    levels = np.iinfo(dtype).max
    integers = clamped.mul_(levels).round_().to(torch.uint8 if levels == 255 else torch.int32)
    return _on_host(integers).astype(dtype, copy=False)


def _on_host(samples: Tensor) -> npt.NDArray[Any]:
    """Return samples of any device in memory; those of CUDA come into pinned memory, by DMA."""
    if samples.is_cuda:
        pinned = torch.empty(samples.shape, dtype=samples.dtype, pin_memory=True)
        samples = pinned.copy_(samples)
    return np.asarray(samples.cpu().numpy())
