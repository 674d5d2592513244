"""DISTS: how far two pictures differ in structure and texture, by the features of VGG16.

Ding, Ma, Wang, Simoncelli 2020, "Image Quality Assessment: Unifying Structure and Texture
Similarity", arXiv:2004.07728; equations below are those of that paper. Lower means more alike, and
identical pictures give 0. One patch of grass in place of another costs little here, much in LPIPS.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upscale.errors import UsageError, WeightsError
from upscale.metrics.lpips import DEVIATION, LPIPS, MEAN, load_lpips
from upscale.models.checkpoints.read import read_tensors
from upscale.models.manifest import Entry
from upscale.networks.layers import without_tf32

__all__ = ["DISTS", "convert_dists", "load_dists"]

KEYS = ("alpha", "beta")

WIDTHS = (3, 64, 128, 256, 512, 512)
"""Channels of the picture itself and of the five stages of VGG16."""

C1 = C2 = 1e-6
"""These keep the quotients of equations 5 and 6 finite."""


class DISTS(nn.Module):
    """The distance of two pictures; parameters are frozen, gradients reach the pictures.

    ``alpha``, ``beta``: (1475,), the weights of the texture (equation 5) and of the structure
    (equation 6) of each channel, divided by the sum of all of them.
    """

    window: Tensor
    alpha: Tensor
    beta: Tensor

    def __init__(self, vgg: LPIPS, alpha: Tensor, beta: Tensor) -> None:
        super().__init__()
        # Equation 3: L2 pooling under a Hanning window replaces each max-pool, against aliasing.
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(layer for layer in stage.children() if not isinstance(layer, nn.MaxPool2d))
            )
            for stage in vgg.stages.children()
        )
        window = torch.from_numpy(np.outer(np.hanning(5), np.hanning(5))[1:-1, 1:-1]).float()
        self.register_buffer("window", (window / window.sum())[None, None])
        total = alpha.sum() + beta.sum()
        self.register_buffer("alpha", alpha / total)
        self.register_buffer("beta", beta / total)
        self.eval().requires_grad_(False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distance of each picture of ``a`` to that of ``b``: (N,).

        ``a``, ``b``: (N, 3, H, W), float32, RGB in [0, 1], on the module's device. The result is 0
        for equal pictures, and rarely above 1. It is differentiable in both. On CUDA the features
        are computed without TF32. Raises UsageError if the shapes differ or are not those of RGB
        pictures.

        The means μ, variances σ² and the covariance are those over the pixels of a channel; the
        channels are those of the picture itself and of the features behind each stage:

            d = 1 - Σ alpha (2 μa μb + C1) / (μa² + μb² + C1)
                  - Σ beta (2 σab + C2) / (σa² + σb² + C2)
        """
        if a.shape != b.shape or a.ndim != 4 or a.shape[1] != 3:
            raise UsageError(
                "DISTS compares two batches of RGB pictures of one shape (N, 3, H, W), "
                f"not {tuple(a.shape)} and {tuple(b.shape)}"
            )
        alike: Tensor = a.new_zeros(len(a))
        begin = 0
        with without_tf32():
            maps = zip(self._features(a), self._features(b), strict=True)
        for x, y in maps:
            channels = slice(begin, begin + x.shape[1])
            begin += x.shape[1]
            mean_x, mean_y = x.mean((2, 3)), y.mean((2, 3))
            off_x, off_y = x - mean_x[..., None, None], y - mean_y[..., None, None]
            variances = (off_x.square() + off_y.square()).mean((2, 3))
            texture = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
            structure = (2 * (off_x * off_y).mean((2, 3)) + C2) / (variances + C2)
            alike = alike + texture @ self.alpha[channels] + structure @ self.beta[channels]
        return 1 - alike

    def _features(self, picture: Tensor) -> list[Tensor]:
        mean, deviation = (picture.new_tensor(z).view(3, 1, 1) for z in (MEAN, DEVIATION))
        found, features = [picture], (picture - mean) / deviation
        for number, stage in enumerate(self.stages):
            if number:
                window = self.window.expand(features.shape[1], 1, 3, 3)
                squares = F.conv2d(
                    features.square(), window, stride=2, padding=1, groups=len(window)
                )
                features = (squares + 1e-12).sqrt()
            features = stage(features.clone())  # the ReLUs work in place
            found.append(features)
        return found


def load_dists(path: Path, vgg: Path) -> DISTS:
    """Load converted weights from ``path``, and VGG16 from the file ``vgg`` of LPIPS, on the CPU.

    Raises WeightsError for other files.
    """
    found = read_tensors(path)
    if {key: tuple(each.shape) for key, each in found.items()} != dict.fromkeys(
        KEYS, (sum(WIDTHS),)
    ):
        raise WeightsError(
            f"{path}: does not hold the weights of DISTS; fetch them again with: "
            "upscale models pull --force dists"
        )
    return DISTS(load_lpips(vgg), found["alpha"], found["beta"])


def convert_dists(raw: Path, entry: Entry) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read ``weights.pt`` of DISTS-pytorch; a `upscale.models.cache.Convert`.

    Raises WeightsError for other files.
    """
    found = read_tensors(raw)
    if set(found) != set(KEYS):
        raise WeightsError(
            f"{raw}: holds {', '.join(sorted(found)) or 'nothing'}, and not the weights of DISTS, "
            f"which are {' and '.join(KEYS)}; download it again"
        )
    return {key: found[key].flatten() for key in KEYS}, {"dists": "vgg"}
