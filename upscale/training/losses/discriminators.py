"""The networks that tell photographs from enlarged pictures, one from each paper.

All take ``x``, which is ``hr`` or ``sr``: (N, 3, H, W), float, RGB, nominally in [0, 1]. They
return float32 logits, positive where the picture seems real. The sigmoid is in the loss.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from upscale.errors import UsageError

__all__ = [
    "DISCRIMINATORS",
    "Discriminator",
    "ESRGANDiscriminator",
    "SRGANDiscriminator",
    "SpectralConvolution",
    "UNetDiscriminator",
    "build_discriminator",
    "check_patch",
]

SLOPE = 0.2
"""Of every leaky ReLU, in all three papers."""

Layers = Iterator[tuple[str, nn.Module]]


class SRGANDiscriminator(nn.Sequential):
    """The discriminator of Ledig et al. 2017 (figure 4): eight convolutions 3×3, two dense layers.

    ``hr_patch``: HR pixels a side, a multiple of ``stride``; 96 in the paper. A batch of one patch
    of ``stride`` pixels fails, since batch-norm would see one value a channel.

    The paper's HR is in [-1, 1], so `forward` computes 2x - 1 first. Convolutions before batch-norm
    have no bias, which the mean would remove. The paper does not state the initial weights; they
    are Glorot uniform with biases of 0, as in krasserm's Keras network.
    """

    stride: ClassVar[int] = 16

    def __init__(self, hr_patch: int, features: int = 64) -> None:
        super().__init__(OrderedDict(self._layers(hr_patch, features)))
        _start(self, nn.init.xavier_uniform_)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, 1), float32, for ``x`` (N, 3, hr_patch, hr_patch) in [0, 1]."""
        return _through(self, 2 * x - 1)

    def _layers(self, hr_patch: int, features: int) -> Layers:
        inputs = 3
        for number in range(1, 9):
            outputs, stride = features * 2 ** ((number - 1) // 2), 2 - number % 2
            yield from _stage(str(number), inputs, outputs, 3, stride, normalised=number > 1)
            inputs = outputs
        yield "flatten", nn.Flatten()
        yield "dense1", nn.Linear(inputs * (hr_patch // self.stride) ** 2, 1024)
        yield "act9", nn.LeakyReLU(SLOPE, inplace=True)
        yield "dense2", nn.Linear(1024, 1)


class ESRGANDiscriminator(nn.Sequential):
    """The VGG-style discriminator of ESRGAN (Wang et al. 2018); keys named as in BasicSR.

    Five stages of a convolution 3×3 and one 4×4 of stride 2, then two dense layers. ``hr_patch``:
    HR pixels a side, a multiple of ``stride``; 128 in the paper. (BasicSR adds a sixth stage for
    patches of 256; here the first dense layer grows.) A batch of one patch of ``stride`` pixels
    fails, as with `SRGANDiscriminator`. ``x`` stays in [0, 1], as in BasicSR.

    Initial weights follow MSRA's rule (He et al. 2015), unscaled, with biases of 0, as in the
    authors' first training code. The paper's factor 0.1 (section 3.1) is only the generator's.
    """

    stride: ClassVar[int] = 32

    def __init__(self, hr_patch: int, features: int = 64) -> None:
        super().__init__(OrderedDict(self._layers(hr_patch, features)))
        _start(self, nn.init.kaiming_normal_)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, 1), float32, for ``x`` (N, 3, hr_patch, hr_patch) in [0, 1]."""
        return _through(self, x)

    def _layers(self, hr_patch: int, features: int) -> Layers:
        inputs = 3
        for stage in range(5):
            outputs = features * min(2**stage, 8)
            yield from _stage(f"{stage}_0", inputs, outputs, 3, 1, normalised=stage > 0)
            yield from _stage(f"{stage}_1", outputs, outputs, 4, 2, normalised=True)
            inputs = outputs
        yield "flatten", nn.Flatten()
        yield "linear1", nn.Linear(inputs * (hr_patch // self.stride) ** 2, 100)
        yield "act5", nn.LeakyReLU(SLOPE, inplace=True)
        yield "linear2", nn.Linear(100, 1)


class SpectralConvolution(nn.Conv2d):
    """A convolution without bias whose kernel is divided by its largest singular value.

    Miyato et al. 2018, equation 8: the kernel is a matrix (outputs, inputs·k²), and one power
    iteration a training pass follows its singular value. Under autocast this stays in float32; the
    convolution has autocast's type.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, 1, bias=False)
        spectral_norm(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of ``x`` (N, inputs, H, W) with the divided kernel."""
        with torch.autocast(x.device.type, enabled=False):
            kernel = self.weight
        return F.conv2d(x, kernel, None, self.stride, self.padding)


class UNetDiscriminator(nn.Module):
    """The U-Net with spectral norm of Real-ESRGAN (Wang et al. 2021, figure 6).

    It returns a logit for each pixel. ``features``: channels at full size. Height and width are
    multiples of ``stride``; published trainings use patches of 256. Keys, initial weights
    (PyTorch's rule) and the range of ``x``, [0, 1], are those of Real-ESRGAN.
    """

    stride: ClassVar[int] = 8

    def __init__(self, features: int = 64) -> None:
        super().__init__()
        n = features
        self.conv0 = nn.Conv2d(3, n, 3, padding=1)
        self.conv1 = SpectralConvolution(n, 2 * n, 4, stride=2)
        self.conv2 = SpectralConvolution(2 * n, 4 * n, 4, stride=2)
        self.conv3 = SpectralConvolution(4 * n, 8 * n, 4, stride=2)
        self.conv4 = SpectralConvolution(8 * n, 4 * n, 3)
        self.conv5 = SpectralConvolution(4 * n, 2 * n, 3)
        self.conv6 = SpectralConvolution(2 * n, n, 3)
        self.conv7 = SpectralConvolution(n, n, 3)
        self.conv8 = SpectralConvolution(n, n, 3)
        self.conv9 = nn.Conv2d(n, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, 1, H, W), float32, for ``x`` (N, 3, H, W) in [0, 1]."""
        full = _leaky(self.conv0(x))
        half = _leaky(self.conv1(full))
        quarter = _leaky(self.conv2(half))
        eighth = _leaky(self.conv3(quarter))
        quarter = quarter + _leaky(self.conv4(_double(eighth)))
        half = half + _leaky(self.conv5(_double(quarter)))
        full = full + _leaky(self.conv6(_double(half)))
        logits: Tensor = self.conv9(_leaky(self.conv8(_leaky(self.conv7(full)))))
        return logits.float()


def _stage(
    place: str, inputs: int, outputs: int, kernel: int, stride: int, normalised: bool
) -> Layers:
    yield f"conv{place}", nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=not normalised)
    if normalised:
        yield f"bn{place}", nn.BatchNorm2d(outputs)
    yield f"act{place}", nn.LeakyReLU(SLOPE, inplace=True)


def _through(layers: nn.Sequential, x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x.float()


def _start(network: nn.Module, rule: Callable[[Tensor], Tensor]) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            rule(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE, inplace=True)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


Discriminator = SRGANDiscriminator | ESRGANDiscriminator | UNetDiscriminator

DISCRIMINATORS: dict[str, type[Discriminator]] = {
    "srgan": SRGANDiscriminator,
    "esrgan": ESRGANDiscriminator,
    "unet": UNetDiscriminator,
}


def check_patch(name: str, hr_patch: int, patches: int = 2) -> None:
    """Raise UsageError unless discriminator ``name`` halves ``hr_patch`` HR pixels exactly.

    ``patches``: in a pass; batch-norm needs more than one value a channel. The error names the
    nearest sizes that fit.
    """
    if name not in DISCRIMINATORS:
        known = ", ".join(DISCRIMINATORS)
        raise UsageError(f"--discriminator {name!r} is not known; give one of {known}")
    stride = DISCRIMINATORS[name].stride
    if hr_patch > 0 and hr_patch % stride == 0:
        if patches == 1 and hr_patch == stride and DISCRIMINATORS[name] is not UNetDiscriminator:
            raise UsageError(
                f"a single HR patch of {hr_patch} pixels leaves the batch-norm of the {name} "
                f"discriminator one value a channel; give --batch 2, or {2 * stride}"
            )
        return
    below = max(hr_patch, 0) // stride * stride
    nearest = f"{below} or {below + stride}" if below else str(stride)
    raise UsageError(
        f"an HR patch of {hr_patch} pixels does not fit the {name} discriminator, which halves it "
        f"{int(math.log2(stride))} times; give {nearest}, or another multiple of {stride}"
    )


def build_discriminator(name: str, hr_patch: int, features: int = 64) -> Discriminator:
    """Build discriminator ``name`` in training mode, with fresh float32 parameters.

    ``hr_patch``: HR pixels a side of its patches; ``features``: channels of the first convolution,
    which the other convolutions multiply. Parameters come from PyTorch's default random state, on
    the default device. Raises UsageError for a name that is not in `DISCRIMINATORS`, a patch that
    does not fit, or features below 1.
    """
    check_patch(name, hr_patch)
    if features < 1:
        raise UsageError(f"a discriminator of {features} features is not possible; give 1 or more")
    kind = DISCRIMINATORS[name]
    if issubclass(kind, UNetDiscriminator):
        return UNetDiscriminator(features)
    return kind(hr_patch, features)
