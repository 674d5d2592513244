"""LPIPS 0.1: how different two pictures look, by the features of AlexNet or VGG16.

Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
arXiv:1801.03924, equation 1. Lower means more alike, and identical pictures give 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from upscale.errors import UsageError, WeightsError
from upscale.models.checkpoints.read import read_metadata, read_tensors
from upscale.networks.layers import without_tf32

__all__ = ["LPIPS", "NETWORKS", "Layer", "load_lpips", "make_lpips"]

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""Those of ImageNet's pictures, RGB in [0, 1]; both networks take (x - MEAN) / DEVIATION."""

EPSILON = 1e-10
"""Added to the length of a feature vector before it divides, since some vectors are zero."""


@dataclass(frozen=True)
class Layer:
    """A convolution with a ReLU behind it, and a max-pool of stride 2 before it if ``pool`` > 0."""

    features: int
    """Channels of the output."""
    kernel: int = 3
    """Side of the convolution's kernel."""
    stride: int = 1
    """Stride of the convolution."""
    padding: int = 1
    """Padding of the convolution, on each side."""
    pool: int = 0
    """Side of the max-pool's window; 0: no pool."""


Stages = Sequence[Sequence[Layer]]
"""Features are compared at the end of each stage."""

NETWORKS: dict[str, Stages] = {
    "alex": (
        (Layer(64, kernel=11, stride=4, padding=2),),
        (Layer(192, kernel=5, padding=2, pool=3),),
        (Layer(384, pool=3),),
        (Layer(256),),
        (Layer(256),),
    ),
    "vgg": (
        (Layer(64), Layer(64)),
        (Layer(128, pool=2), Layer(128)),
        (Layer(256, pool=2), Layer(256), Layer(256)),
        (Layer(512, pool=2), Layer(512), Layer(512)),
        (Layer(512, pool=2), Layer(512), Layer(512)),
    ),
}
"""AlexNet as torchvision has it (Krizhevsky 2014), VGG16 (Simonyan and Zisserman 2015)."""


class LPIPS(nn.Module):
    """The distance of two pictures; parameters are frozen, gradients reach the pictures.

    ``stages``: one of `NETWORKS`, or another of its form. ``smallest``: side in pixels of the
    smallest picture that leaves the last stage a feature to compare: 31 for AlexNet, 16 for VGG16.
    """

    def __init__(self, stages: Stages) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        self.heads = nn.ModuleList()
        width = 3
        for stage in stages:
            modules: list[nn.Module] = []
            for layer in stage:
                if layer.pool:
                    modules.append(nn.MaxPool2d(layer.pool, 2))
                size = (layer.kernel, layer.stride, layer.padding)
                modules += [nn.Conv2d(width, layer.features, *size), nn.ReLU(inplace=True)]
                width = layer.features
            self.stages.append(nn.Sequential(*modules))
            self.heads.append(nn.Conv2d(width, 1, 1, bias=False))
        self.smallest = _smallest(stages)
        self.eval().requires_grad_(False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distance of each picture of ``a`` to that of ``b``: (N,), at least 0.

        ``a``, ``b``: (N, 3, H, W), float32, RGB in [0, 1] (not clamped), on the module's device.
        The result is differentiable in both. On CUDA it is computed without TF32. Raises UsageError
        if the shapes differ, are not those of RGB pictures, or have a side below ``smallest``.

        With ŷ the features of a stage, each pixel's vector scaled to length 1, and v the weights of
        the stage's head: d = Σ over stages of the mean over pixels of Σ_c v_c (ŷ_a - ŷ_b)_c².
        (Equation 1 has v = w².)
        """
        self._check(a, b)
        mean, deviation = (a.new_tensor(x).view(3, 1, 1) for x in (MEAN, DEVIATION))
        distance: Tensor = a.new_zeros(len(a))
        with without_tf32():
            a, b = (a - mean) / deviation, (b - mean) / deviation
            for stage, head in zip(self.stages, self.heads, strict=True):
                a, b = stage(a), stage(b)
                squares = (_unit(a) - _unit(b)).square()
                distance = distance + head(squares).mean((1, 2, 3))
        return distance

    def _check(self, a: Tensor, b: Tensor) -> None:
        shape = tuple(a.shape)
        if a.shape != b.shape or len(shape) != 4 or shape[1] != 3:
            raise UsageError(
                "LPIPS compares two batches of RGB pictures of one shape (N, 3, H, W), "
                f"not {shape} and {tuple(b.shape)}"
            )
        if min(shape[2:]) < self.smallest:
            raise UsageError(
                f"LPIPS with this network needs pictures of {self.smallest} × {self.smallest} "
                f"pixels or more, and these have {shape[3]} × {shape[2]}; measure larger ones"
            )


def _unit(features: Tensor) -> Tensor:
    # Where the vector is 0, so is this norm's gradient; that of a square root would be infinite.
    length: Tensor = torch.linalg.vector_norm(features, dim=1, keepdim=True)
    return features / (length + EPSILON)


def _smallest(stages: Stages) -> int:
    """Return the shortest side that leaves the last stage one pixel, from the last layer backwards.

    A window of k pixels with stride s and padding p makes 1 + ⌊(n + 2p - k) / s⌋ pixels of n.
    """
    side = 1
    for layer in reversed([layer for stage in stages for layer in stage]):
        side = max(1, (side - 1) * layer.stride + layer.kernel - 2 * layer.padding)
        if layer.pool:
            side = (side - 1) * 2 + layer.pool
    return side


def load_lpips(path: Path) -> LPIPS:
    """Load the network of a converted file, on the CPU. Raises WeightsError for other files."""
    name = read_metadata(path).get("spec", {}).get("lpips")
    if name not in NETWORKS:
        raise WeightsError(
            f"{path}: is not an LPIPS network; fetch it again with: upscale models pull --force "
            "lpips-alex (or lpips-vgg)"
        )
    return make_lpips(str(name), read_tensors(path), path)


def make_lpips(name: str, state: dict[str, Tensor], path: Path) -> LPIPS:
    """Make the network ``name`` of `NETWORKS` with the parameters ``state``, read from ``path``.

    Raises WeightsError if they are not those of this network, not float32, or not finite.
    """
    with torch.device("meta"):
        network = LPIPS(NETWORKS[name])
    expected = {key: tensor.shape for key, tensor in network.state_dict().items()}
    if {key: tensor.shape for key, tensor in state.items()} != expected:
        raise WeightsError(
            f"{path}: its layers are not those of LPIPS with {name}, as it says; download it again"
        )
    if not all(x.dtype == torch.float32 and x.isfinite().all() for x in state.values()):
        raise WeightsError(
            f"{path}: holds NaN, infinity or numbers other than float32; download it again"
        )
    network.load_state_dict(state, assign=True)
    return network
