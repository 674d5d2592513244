"""The layers that the networks are made of.

Every convolution casts its input to the dtype of its own weights, so that
`upscale.networks.spec.set_precision` alone decides what runs in half precision.
"""

from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "Activation",
    "BatchNorm",
    "Convolution",
    "PReLU",
    "RowWise",
    "activation",
    "stages_of",
    "without_tf32",
]

Activation = Literal["prelu", "relu", "leaky_relu", "none"]


def stages_of(factor: int) -> tuple[int, ...]:
    """Return the factors of the upsampling stages that make ``factor``: (2, 2) for 4."""
    known = {1: (), 2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}
    if factor not in known:
        raise ValueError(f"no upsampling by {factor}; known: {', '.join(map(str, known))}")
    return known[factor]


def without_tf32() -> AbstractContextManager[None]:
    """Return a block in which convolutions in float32 are not rounded to TF32 on CUDA."""
    cudnn = torch.backends.cudnn
    flags: AbstractContextManager[None] = cudnn.flags(
        enabled=cudnn.enabled,
        benchmark=cudnn.benchmark,
        deterministic=cudnn.deterministic,
        allow_tf32=False,
    )
    return flags


class Convolution(nn.Conv2d):
    """A convolution of odd kernel, zero-padded to keep the size, in its own weights' dtype.

    A bias that is kept in a wider type than the weights is added in that type.
    """

    bias: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        self.reach = kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of ``x`` (N, C, H, W), in the dtype of the bias."""
        return self._convolved(x, (self.reach, self.reach))

    def inside(self, x: Tensor) -> Tensor:
        """Return the rows that have ``reach`` rows of ``x`` above and below: (N, C, rows, W)."""
        return self._convolved(x, (0, self.reach))

    def _convolved(self, x: Tensor, padding: tuple[int, int]) -> Tensor:
        x = x.to(self.weight.dtype)
        if self.bias.dtype == self.weight.dtype:
            return F.conv2d(x, self.weight, self.bias, padding=padding)
        y = F.conv2d(x, self.weight, None, padding=padding)
        return y.to(self.bias.dtype).add_(self.bias.view(-1, 1, 1))


class RowWise(nn.Module):
    """A layer without parameters that makes each row of the same row of its input."""


class PReLU(nn.PReLU):
    """Parametric ReLU with a slope for each channel, always in float32.

    Slopes rounded to bfloat16 shift whole channels: 0.03 dB on Set5 for SRGAN.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return max(x, 0) + slope · min(x, 0)."""
        return F.prelu(x.float(), self.weight)


class BatchNorm(nn.BatchNorm2d):
    """Batch-norm without the count of batches, which only a momentum of None needs."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.num_batches_tracked = None

    def _load_from_state_dict(
        self, state: dict[str, Tensor], prefix: str, about: dict[str, Any], *rest: Any
    ) -> None:
        # Below version 2 PyTorch would add the count that we leave out.
        super()._load_from_state_dict(state, prefix, {**about, "version": 2}, *rest)


def activation(name: Activation, channels: int, slope: float) -> nn.Module:
    """Make the activation called ``name``; ``slope`` is the leaky one's."""
    match name:
        case "prelu":
            return PReLU(channels)
        case "relu":
            return nn.ReLU(inplace=True)
        case "leaky_relu":
            return nn.LeakyReLU(slope, inplace=True)
        case "none":
            return nn.Identity()
