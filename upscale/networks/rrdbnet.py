"""RRDBNet, the generator of ESRGAN (Wang et al. 2018)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upscale.networks.back_projection import Projection, reach_of_projection
from upscale.networks.layers import Convolution, stages_of

__all__ = ["RRDB", "DenseBlock", "RRDBNet", "RRDBNetSpec"]


@dataclass(frozen=True)
class RRDBNetSpec:
    """RRDBNet of the ESRGAN paper (section 3.1)."""

    architecture: ClassVar[str] = "rrdbnet"

    scale: int = 4
    features: int = 64
    """Channels."""
    blocks: int = 23
    """Residual-in-residual dense blocks."""
    growth: int = 32
    """Channels that each convolution of a dense block adds."""
    unshuffle: int = 1
    """Factor of the pixel-unshuffle in front; scale · unshuffle = 4 in the published models."""
    residual_scaling: float = 0.2
    """Factor of each residual before it is added: 0.2 in the published models."""
    projected: bool = False
    """As of `SRResNetSpec`, and so is the next."""
    smooth_projection: bool = False

    @property
    def overlap(self) -> int:
        """LR pixels of context beside a tile, by default; as of `SRResNetSpec`."""
        return 40 + reach_of_projection(self.projected, self.smooth_projection)

    @property
    def align(self) -> int:
        """A tile starts at a multiple of this, in LR pixels."""
        return self.unshuffle

    @property
    def stages(self) -> tuple[int, ...]:
        """The factor of each upsampling stage: (2, 2) for scale 4."""
        return stages_of(self.scale * self.unshuffle)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2, inplace=True)


class DenseBlock(nn.Module):
    """Five densely connected convolutions, scaled and added to the input (ESRGAN, figure 4)."""

    def __init__(self, features: int, growth: int, scaling: float) -> None:
        super().__init__()
        self.scaling = scaling
        self.conv1 = Convolution(features, growth)
        self.conv2 = Convolution(features + growth, growth)
        self.conv3 = Convolution(features + 2 * growth, growth)
        self.conv4 = Convolution(features + 3 * growth, growth)
        self.conv5 = Convolution(features + 4 * growth, features)

    def forward(self, x: Tensor) -> Tensor:
        """Return x + scaling · conv5([x, f1, f2, f3, f4]): (N, features, H, W), float32."""
        dtype = self.conv1.weight.dtype
        dense = x.to(dtype)
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            dense = torch.cat((dense, _leaky(conv(dense)).to(dtype)), dim=1)
        return torch.add(x, self.conv5(dense), alpha=self.scaling)


class RRDB(nn.Module):
    """Residual-in-residual dense block: three dense blocks, scaled and added (figure 4)."""

    def __init__(self, features: int, growth: int, scaling: float) -> None:
        super().__init__()
        self.scaling = scaling
        self.rdb1 = DenseBlock(features, growth, scaling)
        self.rdb2 = DenseBlock(features, growth, scaling)
        self.rdb3 = DenseBlock(features, growth, scaling)

    def forward(self, x: Tensor) -> Tensor:
        """Return x + scaling · (three dense blocks of x): (N, features, H, W), float32."""
        return torch.add(x, self.rdb3(self.rdb2(self.rdb1(x))), alpha=self.scaling)


class RRDBNet(nn.Module):
    """The generator of Wang et al. 2018; keys named as in BasicSR."""

    def __init__(self, spec: RRDBNetSpec) -> None:
        """Fresh parameters in the shapes that ``spec`` asks for."""
        super().__init__()
        self.spec = spec
        n = spec.features
        self.conv_first = Convolution(3 * spec.unshuffle**2, n)
        self.body = nn.Sequential(
            *(RRDB(n, spec.growth, spec.residual_scaling) for _ in range(spec.blocks))
        )
        self.conv_body = Convolution(n, n)
        for stage in range(1, len(spec.stages) + 1):
            self.add_module(f"conv_up{stage}", Convolution(n, n))
        self.conv_hr = Convolution(n, n)
        self.conv_last = Convolution(n, 3)
        if spec.projected:
            self.projection = Projection(spec.scale, spec.smooth_projection)

    def forward(self, lr: Tensor) -> Tensor:
        """Return ``lr`` (N, 3, H, W), [0, 1], enlarged: (N, 3, H·scale, W·scale), unclamped.

        H and W are multiples of ``spec.unshuffle``; see `upscale.networks.stream.through`.
        """
        spec = self.spec
        x = lr
        if spec.unshuffle > 1:
            x = F.pixel_unshuffle(lr, spec.unshuffle)
        first = self.conv_first(x)
        x = first + self.conv_body(self.body(first))
        for stage, factor in enumerate(spec.stages, 1):
            dtype = self.get_parameter(f"conv_up{stage}.weight").dtype
            x = F.interpolate(x.to(dtype), scale_factor=factor, mode="nearest")
            x = _leaky(self.get_submodule(f"conv_up{stage}")(x))
        sr: Tensor = self.conv_last(_leaky(self.conv_hr(x)))
        if spec.projected:
            sr = self.projection(sr, lr)
        return sr
