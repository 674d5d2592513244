"""SRResNet, the generator of SRGAN (Ledig et al. 2017), and its published relatives."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upscale.networks.back_projection import Projection, reach_of_projection
from upscale.networks.layers import (
    Activation,
    BatchNorm,
    Convolution,
    RowWise,
    activation,
    stages_of,
)

__all__ = ["ResidualBlock", "SRResNet", "SRResNetSpec", "Standardized", "UpsamplingStage"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class SRResNetSpec:
    """SRResNet of the SRGAN paper (figure 4); other values are its published relatives."""

    architecture: ClassVar[str] = "srresnet"
    align: ClassVar[int] = 1

    scale: int = 4
    features: int = 64
    """Channels."""
    blocks: int = 16
    """Residual blocks."""
    end_kernel: int = 9
    """Side of the first and the last convolution."""
    normalization: Literal["batch", "none"] = "batch"
    first_activation: Activation = "prelu"
    block_activation: Activation = "prelu"
    up_activation: Activation = "prelu"
    hr_activation: Activation = "none"
    negative_slope: float = 0.2
    """Of the leaky activations."""
    long_skip: bool = True
    """A convolution after the blocks, and the first features added to its result."""
    skip_added: bool = True
    """Whether they are added. The convolution stays, so that two networks of SRGAN's study of depth
    (appendix A.1: with and without the connection) differ in nothing else."""
    hr_convolution: bool = False
    """One more convolution before the last."""
    upsampler: Literal["subpixel", "nearest"] = "subpixel"
    """Sub-pixel convolution, or nearest neighbour and convolution."""
    input: Literal["unit", "imagenet"] = "unit"
    """[0, 1] as it is, or normalised by ImageNet's mean and deviation."""
    output: Literal["tanh", "linear"] = "tanh"
    """tanh is read as [-1, 1]."""
    base: Literal["none", "bilinear"] = "none"
    """What is added to the output."""
    projected: bool = False
    """A step of back-projection at the end, which keeps the colours of the input."""
    smooth_projection: bool = False
    """That step corrects only what is smooth."""
    last_shuffle_folded: bool = False
    """See `upscale.networks.fold.fold_last_shuffle`."""

    @property
    def overlap(self) -> int:
        """LR pixels of context beside a tile, by default.

        Measured: at most one level of 255 off the whole picture.
        """
        return 16 + reach_of_projection(self.projected, self.smooth_projection)

    @property
    def stages(self) -> tuple[int, ...]:
        """The factor of each upsampling stage: (2, 2) for scale 4."""
        return stages_of(self.scale)


def _normalization(spec: SRResNetSpec) -> nn.Module:
    return BatchNorm(spec.features) if spec.normalization == "batch" else nn.Identity()


class Standardized(RowWise):
    """RGB less ImageNet's mean, over its deviation."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the shape of ``x``: (N, 3, H, W)."""
        mean, std = (x.new_tensor(v).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
        return (x - mean) / std


class ResidualBlock(nn.Module):
    """x + BN(conv(act(BN(conv(x))))): B of the SRGAN paper's figure 4."""

    def __init__(self, spec: SRResNetSpec) -> None:
        super().__init__()
        n = spec.features
        self.conv1 = Convolution(n, n)
        self.bn1 = _normalization(spec)
        self.act = activation(spec.block_activation, n, spec.negative_slope)
        self.conv2 = Convolution(n, n)
        self.bn2 = _normalization(spec)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, features, H, W), float32, for the same."""
        h: Tensor = self.bn2(self.conv2(self.act(self.bn1(self.conv1(x)))))
        return x + h


class UpsamplingStage(nn.Module):
    """Features enlarged by ``factor``: sub-pixel convolution, or nearest neighbour first."""

    def __init__(self, spec: SRResNetSpec, factor: int, shuffle: bool = True) -> None:
        super().__init__()
        n = spec.features
        self.factor = factor
        self.nearest = spec.upsampler == "nearest"
        self.shuffle = shuffle and not self.nearest
        outputs = n if self.nearest else n * factor**2
        self.conv = Convolution(n, outputs)
        channels = n if shuffle else outputs
        self.act = activation(spec.up_activation, channels, spec.negative_slope)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H·factor, W·factor) for (N, features, H, W); unshuffled where folded."""
        if self.nearest:
            x = F.interpolate(x, scale_factor=self.factor, mode="nearest")
        x = self.conv(x)
        if self.shuffle:
            x = F.pixel_shuffle(x, self.factor)
        y: Tensor = self.act(x)
        return y


class SRResNet(nn.Module):
    """The generator of Ledig et al. 2017 (figure 4) and its published relatives."""

    def __init__(self, spec: SRResNetSpec) -> None:
        """Fresh parameters in the shapes that ``spec`` asks for."""
        super().__init__()
        self.spec = spec
        n, slope = spec.features, spec.negative_slope
        self.normalize = Standardized() if spec.input == "imagenet" else nn.Identity()
        self.conv_first = Convolution(3, n, spec.end_kernel)
        self.act_first = activation(spec.first_activation, n, slope)
        self.body = nn.Sequential(*(ResidualBlock(spec) for _ in range(spec.blocks)))
        if spec.long_skip:
            self.conv_body = Convolution(n, n)
            self.bn_body = _normalization(spec)
        *inner, last = spec.stages
        self.up = nn.Sequential(
            *(UpsamplingStage(spec, factor) for factor in inner),
            UpsamplingStage(spec, last, shuffle=not spec.last_shuffle_folded),
        )
        if spec.hr_convolution:
            self.conv_hr = Convolution(n, n)
            self.act_hr = activation(spec.hr_activation, n, slope)
        if spec.last_shuffle_folded:
            radius = -(-(spec.end_kernel // 2) // last)
            self.conv_last = Convolution(n * last**2, 3 * last**2, 2 * radius + 1)
        else:
            self.conv_last = Convolution(n, 3, spec.end_kernel)
        if spec.projected:
            self.projection = Projection(spec.scale, spec.smooth_projection)

    def forward(self, lr: Tensor) -> Tensor:
        """Return ``lr`` (N, 3, H, W), [0, 1], enlarged: (N, 3, H·scale, W·scale), unclamped."""
        spec = self.spec
        first: Tensor = self.act_first(self.conv_first(self.normalize(lr)))
        x = self.body(first)
        if spec.long_skip:
            x = self.bn_body(self.conv_body(x))
            if spec.skip_added:
                x = first + x
        x = self.up(x)
        if spec.hr_convolution:
            x = self.act_hr(self.conv_hr(x))
        sr: Tensor = self.conv_last(x)
        if spec.last_shuffle_folded:
            sr = F.pixel_shuffle(sr, spec.stages[-1])
        if spec.base == "bilinear":
            sr = sr + F.interpolate(lr, scale_factor=spec.scale, mode="bilinear")
        if spec.output == "tanh":
            sr = (torch.tanh(sr) + 1) / 2
        if spec.projected:
            sr = self.projection(sr, lr)
        return sr
