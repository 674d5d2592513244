"""MATLAB's bicubic resampling by a whole factor, and a running mean, as layers of a network."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upscale.pixels.resample import contributions

__all__ = ["Resampling", "Smoothing"]


class Resampling(nn.Module):
    """Enlarge or reduce by a whole factor, antialiased, with the mirror image beyond the edges.

    Float32 and differentiable; equal to ``imresize`` of MATLAB, and to
    `upscale.pixels.resample.matrix` with edges that reflect.
    """

    def __init__(self, up: int = 1, down: int = 1) -> None:
        """Take one factor; the other is 1."""
        super().__init__()
        self.up = up
        self.down = down

    @property
    def reach(self) -> int:
        """Rows of the input that a result sees beyond those that it covers."""
        return 2 * self.down

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H · up / down, W · up / down) for (N, C, H, W)."""
        count, channels = x.shape[:2]
        with torch.autocast(x.device.type, enabled=False):
            taps = _taps(self.up, self.down, x.device)
            planes = x.float().contiguous().flatten(0, 1)[:, None]
            planes = self._along(planes, taps[:, None, :, None], -2)
            planes = self._along(planes, taps[:, None, None, :], -1)
        return planes.view(count, channels, *planes.shape[-2:])

    def _along(self, planes: Tensor, taps: Tensor, dim: int) -> Tensor:
        """Resample planes (M, 1, H, W) along an axis."""
        length = planes.shape[dim]
        index = torch.arange(-self.reach, length + self.reach, device=planes.device)
        index = index.remainder(2 * length)
        index = torch.minimum(index, 2 * length - 1 - index)
        stride = (self.down, 1) if dim == -2 else (1, self.down)
        phases = F.conv2d(planes.index_select(dim, index), taps, stride=stride)
        if self.up == 1:
            return phases
        return phases.movedim(1, dim).flatten(*((1, 2) if dim == -2 else (2, 3)))[:, None]


@lru_cache
@torch.inference_mode(False)  # the tensors serve training too
def _taps(up: int, down: int, device: torch.device) -> Tensor:
    """Return factors of the samples around: (up, 5 · down), the middle ``down`` are covered."""
    indices, factors = contributions(5 * down, 5 * up, edges="reflect")
    taps = torch.zeros(up, 5 * down, dtype=torch.float64)
    for phase in range(up):
        row = 2 * up + phase  # of the middle sample, which sees no edge
        taps[phase].index_add_(0, torch.from_numpy(indices[row]), torch.from_numpy(factors[row]))
    return taps.float().to(device)


class Smoothing(nn.Module):
    """The mean of a square around each pixel, as far as it lies in the picture."""

    up = down = 1

    def __init__(self, side: int) -> None:
        """Take the odd side of the square, in pixels."""
        super().__init__()
        self.side = side

    @property
    def reach(self) -> int:
        """Rows that a result sees above and below."""
        return self.side // 2

    def forward(self, x: Tensor) -> Tensor:
        """Return the shape of ``x``: (N, C, H, W)."""
        return F.avg_pool2d(x, self.side, 1, self.reach, count_include_pad=False)
