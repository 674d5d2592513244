"""Iterative back-projection: a result is corrected until its reduction meets the input."""

from functools import lru_cache

import torch
from torch import Tensor

from upscale.resample import matrix

__all__ = ["REACH", "back_project", "reduced"]

REACH = 4
"""LR pixels on every side that one iteration looks at: the reduction reads 2 and the enlargement 2
(both kernels are 4 LR pixels wide)."""


def back_project(sr: Tensor, lr: Tensor, iterations: int) -> Tensor:
    """Correct ``sr`` by what its bicubic reduction differs from ``lr`` by, ``iterations`` times.

    ``lr``: (N, C, H, W), in [0, 1]; ``sr``: (N, C, H·scale, W·scale), float32, on one device.
    Returns the shape of ``sr``; in [0, 1] after the first iteration. Irani & Peleg 1991,
    equation 2, with MATLAB's bicubic in both directions:
    ``sr ← clip(sr + enlarge(lr - reduce(sr)))``.
    """
    height, width = lr.shape[-2:]
    new_height, new_width = sr.shape[-2:]
    with torch.autocast(sr.device.type, enabled=False):
        reduce_rows = _matrix(new_height, height, sr.device)
        reduce_columns = _matrix(new_width, width, sr.device).T
        enlarge_rows = _matrix(height, new_height, sr.device)
        enlarge_columns = _matrix(width, new_width, sr.device).T
        for _ in range(iterations):
            residual = lr - reduce_rows @ sr @ reduce_columns
            sr = (sr + enlarge_rows @ residual @ enlarge_columns).clamp(0, 1)
    return sr


def reduced(sr: Tensor, height: int, width: int) -> Tensor:
    """Return MATLAB's bicubic reduction of ``sr`` (N, C, H, W) to ``height`` × ``width``, float32.

    Differentiable; not rounded.
    """
    with torch.autocast(sr.device.type, enabled=False):
        rows = _matrix(sr.shape[-2], height, sr.device)
        columns = _matrix(sr.shape[-1], width, sr.device).T
        smaller: Tensor = rows @ sr.float() @ columns
        return smaller


@lru_cache(maxsize=16)  # tiles come in few sizes
def _matrix(length: int, new_length: int, device: torch.device) -> Tensor:
    return torch.from_numpy(matrix(length, new_length, "reflect")).float().to(device)
