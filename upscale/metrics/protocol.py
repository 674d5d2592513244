"""The rules of a benchmark, and its result: one row for each system and set."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["BLUR_SIGMA", "METRICS", "Protocol", "Row"]

METRICS = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "lpips-alex": "LPIPS-Alex",
    "lpips-vgg": "LPIPS-VGG",
    "dists": "DISTS",
    "niqe": "NIQE",
    "calm": "Calm",
    "calm-99": "Calm 99 %",
}
"""The figures by name, and what a table calls them.

PSNR is in dB, the others have no unit. More is better for the first two, less for the others."""


BLUR_SIGMA = 1.6
"""HR pixels. Ledig et al. 2017 blur by a Gaussian before they reduce (section 3), and do not state
its deviation; 1.6 is that of Jo et al. 2018 (DUF), for ×4, and of the degradation that Zhang et al.
2018 (RDN) and others call BD, for ×3."""


@dataclass(frozen=True)
class Protocol:
    """How figures are made; two tables can be compared where these are the same."""

    scale: int = 4
    """Factor from LR to HR."""
    channels: Literal["y", "rgb"] = "y"
    """Those of PSNR and SSIM: Y, or all three."""
    border: int = 4
    """HR pixels that are left out at each edge."""
    ssim: Literal["wang", "scikit-image", "daala"] = "wang"
    """The definition: `upscale.metrics.psnr_ssim` has two, `upscale.metrics.daala_ssim` one."""
    degradation: Literal["uint8", "double", "gaussian", "folder"] = "uint8"
    """How LR is made (`upscale.pixels.degrade`); ``folder``: the set brings LR files."""
    precision: str = "fp32"
    """Of the networks."""
    blur_sigma: float = BLUR_SIGMA
    """HR pixels; of ``gaussian``."""


@dataclass(frozen=True)
class Row:
    """The figures of one system on one set of pictures."""

    set: str
    """Name of the set."""
    system: str
    """The label of the row."""
    model: str
    """The name, file or baseline that was asked for."""
    alpha: float | None = None
    """Of the blend; None: the model as it is."""
    interpolation: str | None = None
    """``network`` or ``image`` where ``alpha`` blends two ends."""
    back_project: int = 0
    """How often results were corrected."""
    figures: dict[str, float] = field(default_factory=dict)
    """Means over the pictures, by the keys of `METRICS`."""
    pictures: dict[str, dict[str, float]] = field(default_factory=dict)
    """The figures of each picture."""
    seconds: float = 0.0
    """Of the upscaling alone."""
    megapixels: float = 0.0
    """Made in that time."""
    peak_bytes: int | None = None
    """Most memory of the process (on CUDA: of the GPU) during the upscaling; None: unknown."""

    @property
    def series(self) -> str:
        """What rows share that differ in alpha alone."""
        more = f", back-projected × {self.back_project}" if self.back_project else ""
        return self.model + more
