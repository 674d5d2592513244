"""SRVGGNetCompact, the small generator of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833)."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from upscale.networks.layers import Convolution, PReLU

__all__ = ["Compact", "CompactSpec"]


@dataclass(frozen=True)
class CompactSpec:
    """A chain of 3 × 3 convolutions at the size of the input, as in ``realesr-general-x4v3``."""

    architecture: ClassVar[str] = "compact"
    align: ClassVar[int] = 1

    scale: int = 4
    features: int = 64
    """Channels."""
    blocks: int = 32
    """Convolutions with a PReLU between the first and the last."""

    @property
    def overlap(self) -> int:
        """LR pixels of context beside a tile, by default.

        Convolutions see ``blocks`` + 2 pixels. Measured: with 24, half a level of 255 off at most.
        """
        return min(self.blocks + 2, 24)


class Compact(nn.Module):
    """Convolutions, pixel-shuffle, and the input repeated; keys named as in Real-ESRGAN."""

    def __init__(self, spec: CompactSpec) -> None:
        """Fresh parameters in the shapes that ``spec`` asks for."""
        super().__init__()
        self.spec = spec
        n = spec.features
        layers: list[nn.Module] = [Convolution(3, n), PReLU(n)]
        for _ in range(spec.blocks):
            layers += [Convolution(n, n), PReLU(n)]
        self.body = nn.Sequential(*layers, Convolution(n, 3 * spec.scale**2))

    @property
    def conv_first(self) -> nn.Module:
        """The convolution that sees the input."""
        return self.body[0]

    @property
    def conv_last(self) -> nn.Module:
        """The convolution in front of the pixel-shuffle."""
        return self.body[-1]

    def forward(self, lr: Tensor) -> Tensor:
        """Return ``lr`` (N, 3, H, W), [0, 1], enlarged: (N, 3, H·scale, W·scale), unclamped."""
        residual = F.pixel_shuffle(self.body(lr), self.spec.scale)
        return residual + F.interpolate(lr, scale_factor=self.spec.scale, mode="nearest")
