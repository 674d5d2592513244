"""The layers that the networks are made of.

Every convolution casts its input to the dtype of its own weights, so that
`upscale.networks.spec.set_precision` alone decides what runs in half precision.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upscale.pixels.tiles import spans

__all__ = [
    "Activation",
    "BatchNorm",
    "Convolution",
    "PReLU",
    "activation",
    "in_pieces",
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

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of ``x`` (N, C, H, W), in the dtype of the bias."""
        x = x.to(self.weight.dtype)
        if self.bias.dtype == self.weight.dtype:
            return F.conv2d(x, self.weight, self.bias, padding=self.padding)
        y = F.conv2d(x, self.weight, None, padding=self.padding)
        return y.to(self.bias.dtype).add_(self.bias.view(-1, 1, 1))


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


PIECE = 64
"""LR pixels a side of a piece for the wide layers behind the body.

Their tensors are up to 16 times as large as the body's. At this size they stay within 32 MiB, up
to which glibc reuses memory; larger ones are mapped anew each time, and the page faults take a
third of a pass.
"""


def in_pieces(tail: Callable[[Tensor], Tensor], x: Tensor, scale: int, reach: int) -> Tensor:
    """Return ``tail(x)``, computed in pieces, with small tensors.

    ``x``: (N, C, H, W). ``tail`` makes (N, 3, H·scale, W·scale) of it and sees at most ``reach``
    pixels of ``x`` to each side, so pieces with that much context are exact.
    """
    height, width = x.shape[-2:]
    if max(height, width) <= PIECE:
        return tail(x)
    sr: Tensor | None = None
    for row in spans(height, PIECE, reach):
        for column in spans(width, PIECE, reach):
            window = x[..., row.lr_start : row.lr_stop, column.lr_start : column.lr_stop]
            piece = tail(window)
            if sr is None:
                sr = piece.new_empty(*piece.shape[:2], height * scale, width * scale)
            top, left = row.start - row.lr_start, column.start - column.lr_start
            core = piece[
                ...,
                top * scale : (top + row.stop - row.start) * scale,
                left * scale : (left + column.stop - column.start) * scale,
            ]
            sr[
                ...,
                row.start * scale : row.stop * scale,
                column.start * scale : column.stop * scale,
            ] = core
    assert sr is not None
    return sr
