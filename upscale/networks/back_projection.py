"""Iterative back-projection: a result is corrected until its reduction meets the input."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from upscale.pixels.resample import matrix

__all__ = ["REACH", "SMOOTH", "back_project", "projected", "resized"]

REACH = 4
"""LR pixels that one iteration sees on each side: 2 by the reduction, 2 by the enlargement."""

SMOOTH = 15
"""Side of the smoothing window, in LR pixels."""


def back_project(sr: Tensor, lr: Tensor, iterations: int) -> Tensor:
    """Correct ``sr`` ``iterations`` times by the difference of its bicubic reduction to ``lr``.

    ``lr``: (N, C, H, W), in [0, 1]; ``sr``: (N, C, H·scale, W·scale), float32, on one device.
    Returns the shape of ``sr``; in [0, 1] after the first iteration. Irani & Peleg 1991,
    equation 2, with MATLAB's bicubic in both directions:
    ``sr ← clip(sr + enlarge(lr - reduce(sr)))``.
    """
    for _ in range(iterations):
        sr = projected(sr, lr).clamp(0, 1)
    return sr


def projected(sr: Tensor, lr: Tensor, smooth: bool = False) -> Tensor:
    """Return ``sr`` + enlarge(``lr`` - reduce(``sr``)): one iteration, not clamped.

    Shapes and range as of `back_project`; float32, differentiable. One iteration removes smooth
    differences, such as a shift of colours; fine ones take several.

    ``smooth``: add only the mean of the difference over `SMOOTH` × `SMOOTH` LR pixels, nearly two
    JPEG blocks. So colours become those of ``lr``, and its noise and blocks do not come back.
    """
    residual = lr - resized(sr, *lr.shape[-2:])
    if smooth:
        residual = F.avg_pool2d(residual, SMOOTH, 1, SMOOTH // 2, count_include_pad=False)
    return sr + resized(residual, *sr.shape[-2:])


def resized(x: Tensor, height: int, width: int) -> Tensor:
    """Return ``x`` (N, C, H, W) at ``height`` × ``width`` by MATLAB's bicubic.

    Float32, not rounded; differentiable.
    """
    with torch.autocast(x.device.type, enabled=False):
        rows = _matrix(x.shape[-2], height, x.device)
        columns = _matrix(x.shape[-1], width, x.device).T
        new: Tensor = rows @ x.float() @ columns
        return new


@lru_cache(maxsize=16)  # tiles come in few sizes
def _matrix(length: int, new_length: int, device: torch.device) -> Tensor:
    return torch.from_numpy(matrix(length, new_length, "reflect")).float().to(device)
