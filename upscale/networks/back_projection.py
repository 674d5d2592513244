"""Iterative back-projection: a result is corrected until its reduction meets the input."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from upscale.pixels.resample import matrix

__all__ = ["REACH", "SMOOTH", "back_project", "projected", "resized"]

REACH = 4
"""LR pixels on every side that one iteration looks at: the reduction reads 2 and the enlargement 2
(both kernels are 4 LR pixels wide)."""

SMOOTH = 15
"""LR pixels a side."""


def back_project(sr: Tensor, lr: Tensor, iterations: int) -> Tensor:
    """Correct ``sr`` by what its bicubic reduction differs from ``lr`` by, ``iterations`` times.

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

    Shapes and range as of `back_project`; float32, differentiable. What is smooth in the
    difference, such as a shift of colours, is gone after one; fine differences take several.

    ``smooth``: only the mean of the difference over `SMOOTH` LR pixels a side around each, nearly
    two JPEG blocks, is added: colours become those of ``lr``, and its noise and blocks do not come
    back.
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
