"""What a benchmark has found: one row a system and set."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["METRICS", "Protocol", "Row"]

METRICS = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "lpips-alex": "LPIPS-Alex",
    "lpips-vgg": "LPIPS-VGG",
    "niqe": "NIQE",
}
"""Names of the figures, and what a table calls them. PSNR is in dB, the others have no unit; more
is better for the first two, less for the others."""


@dataclass(frozen=True)
class Protocol:
    """How figures are made; two tables can be compared where these are the same.

    ``border``: HR pixels left out at each edge; ``ssim``: which definition, see
    `upscale.metrics.psnr_ssim`; ``degradation``: ``uint8`` or ``double``, see
    `upscale.pixels.degrade`, or ``folder``, where the LR files of the set are read; ``precision``:
    of the networks.
    """

    scale: int = 4
    channels: Literal["y", "rgb"] = "y"
    border: int = 4
    ssim: Literal["wang", "scikit-image", "daala"] = "wang"
    degradation: Literal["uint8", "double", "folder"] = "uint8"
    precision: str = "fp32"


@dataclass(frozen=True)
class Row:
    """The figures of one system on one set of pictures.

    ``system``: the label of the row; ``model``: the name, file or baseline that was asked for;
    ``interpolation``: "network" or "image" where ``alpha`` blends two ends; ``back_project``: how
    often results were corrected; ``figures``: means over the pictures, by the keys of `METRICS`;
    ``pictures``: the same of each picture; ``seconds``: of the upscaling alone; ``megapixels``:
    made in that time; ``peak_bytes``: memory of the process (of the GPU on CUDA) at its highest
    while it was upscaling, None where the system does not say.
    """

    set: str
    system: str
    model: str
    alpha: float | None = None
    interpolation: str | None = None
    back_project: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, dict[str, float]] = field(default_factory=dict)
    seconds: float = 0.0
    megapixels: float = 0.0
    peak_bytes: int | None = None

    @property
    def series(self) -> str:
        """What rows that differ in alpha alone have in common, in words."""
        more = f", back-projected × {self.back_project}" if self.back_project else ""
        return self.model + more
