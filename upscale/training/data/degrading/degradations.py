"""Settings of blind degradation: the steps from HR to LR, and how often they occur.

A share lies in [0, 1]. Draws from a range are uniform.
"""

from dataclasses import dataclass
from typing import Literal, TypeVar

__all__ = [
    "PRESETS",
    "Blurs",
    "Degradations",
    "KernelKind",
    "Method",
    "Range",
    "Sampling",
    "Shares",
    "Stage",
]

Range = tuple[float, float]

KernelKind = Literal["gaussian", "generalized", "plateau"]

Method = Literal["area", "bilinear", "bicubic", "antialiased"]
"""How a picture is resized: ``area`` takes means; ``bilinear`` and ``bicubic`` interpolate the
nearest 2 or 4 samples a side, and alias where they reduce; ``antialiased`` is MATLAB's bicubic."""

Sampling = Literal["4:4:4", "4:2:2", "4:2:0"]
"""How many chroma samples a JPEG keeps."""

Drawn = TypeVar("Drawn")
Shares = tuple[tuple[Drawn, float], ...]
"""Possible draws and their frequency, relative to the sum of the shares."""


@dataclass(frozen=True)
class Blurs:
    """The possible kernels; see `upscale.training.data.degrading.kernels`."""

    share: float
    """Share of the pictures that are blurred."""
    sigmas: Range
    """Samples; drawn once for a round kernel, twice for a long one."""
    sizes: tuple[int, ...]
    """Samples a side."""
    kinds: tuple[tuple[KernelKind, float, float], ...]
    """Kind, its share, and the share of that kind that is long and turned, not round."""
    generalized_shapes: Range
    """Half of the draws lie below 1 and half above, where the range holds 1."""
    plateau_shapes: Range
    """As for ``generalized_shapes``."""
    sinc_share: float
    """Share of the blurs that are `sinc` kernels."""


@dataclass(frozen=True)
class Stage:
    """One round of blur, resize, noise and JPEG."""

    blurs: Blurs
    """Its blurs."""
    resizes: tuple[float, float, float]
    """Shares of pictures enlarged, reduced and kept."""
    factors: Range
    """Size, relative to HR's in the first stage and to LR's in the second."""
    noise_share: float
    """Share of the pictures that get noise."""
    gaussian_share: float
    """Share of the noise that is Gaussian; the rest is Poisson."""
    noise_sigmas: Range
    """Levels of 255."""
    poisson_strengths: Range
    """Standard deviation at level x over √x."""
    gray_share: float
    """Share of the noise that is equal in the three channels."""
    jpeg_share: float
    """Share of the pictures that are compressed."""
    qualities: tuple[int, int]
    """Lowest and highest JPEG quality."""


@dataclass(frozen=True)
class Degradations:
    """The way from HR to LR."""

    bicubic_share: float
    """Share of the patches that only `upscale.pixels.degrade.degrade` reduces."""
    first: Stage
    """The first round."""
    second: Stage
    """The second round."""
    shuffled_share: float
    """Share of the stages with steps in random order, instead of that of `Stage`."""
    methods: Shares[Method]
    """How pictures are resized."""
    samplings: Shares[Sampling]
    """How JPEGs keep chroma."""
    sinc_share: float
    """Share of the patches that ring, by a `sinc` filter after the last resizing."""
    jpeg_last_share: float
    """Share of the patches whose last JPEG follows the last resizing, instead of preceding it."""


SIZES = (7, 9, 11, 13, 15, 17, 19, 21)
KINDS_PUBLISHED: tuple[tuple[KernelKind, float, float], ...] = (
    ("gaussian", 0.70, 25 / 70),
    ("generalized", 0.15, 0.2),
    ("plateau", 0.15, 0.2),
)

PRESETS: dict[str, Degradations] = {
    # Real-ESRGAN, section 4.1 and the authors' options for their ×4 model, whose steps come in a
    # fixed order (shuffled_share 0).
    "real": Degradations(
        bicubic_share=0.0,
        first=Stage(
            blurs=Blurs(1.0, (0.2, 3.0), SIZES, KINDS_PUBLISHED, (0.5, 4.0), (1.0, 2.0), 0.1),
            resizes=(0.2, 0.7, 0.1),
            factors=(0.15, 1.5),
            noise_share=1.0,
            gaussian_share=0.5,
            noise_sigmas=(1.0, 30.0),
            poisson_strengths=(0.05, 3.0),
            gray_share=0.4,
            jpeg_share=1.0,
            qualities=(30, 95),
        ),
        second=Stage(
            blurs=Blurs(0.8, (0.2, 1.5), SIZES, KINDS_PUBLISHED, (0.5, 4.0), (1.0, 2.0), 0.1),
            resizes=(0.3, 0.4, 0.3),
            factors=(0.3, 1.2),
            noise_share=1.0,
            gaussian_share=0.5,
            noise_sigmas=(1.0, 25.0),
            poisson_strengths=(0.05, 2.5),
            gray_share=0.4,
            jpeg_share=1.0,
            qualities=(30, 95),
        ),
        shuffled_share=0.5,
        methods=(("area", 1 / 3), ("bilinear", 1 / 3), ("bicubic", 1 / 3)),
        samplings=(("4:2:0", 1.0),),
        sinc_share=0.8,
        jpeg_last_share=0.5,
    ),
    # Our own, chosen by eye: pictures from the web or from a telephone.
    "web": Degradations(
        bicubic_share=0.2,
        first=Stage(
            blurs=Blurs(0.6, (0.2, 2.4), SIZES[:4], KINDS_PUBLISHED, (0.5, 4.0), (1.0, 2.0), 0.05),
            resizes=(0.1, 0.5, 0.4),
            factors=(0.3, 1.2),
            noise_share=0.5,
            gaussian_share=0.4,
            noise_sigmas=(1.0, 15.0),
            poisson_strengths=(0.05, 1.5),
            gray_share=0.4,
            jpeg_share=0.5,
            qualities=(60, 95),
        ),
        second=Stage(
            blurs=Blurs(0.2, (0.2, 0.8), SIZES[:1], KINDS_PUBLISHED, (0.5, 4.0), (1.0, 2.0), 0.05),
            resizes=(0.15, 0.25, 0.6),
            factors=(0.7, 1.5),
            noise_share=0.3,
            gaussian_share=0.4,
            noise_sigmas=(0.5, 6.0),
            poisson_strengths=(0.05, 0.5),
            gray_share=0.4,
            jpeg_share=0.95,
            qualities=(50, 95),
        ),
        shuffled_share=0.5,
        methods=(("antialiased", 0.5), ("area", 0.3), ("bicubic", 0.1), ("bilinear", 0.1)),
        samplings=(("4:2:0", 0.7), ("4:4:4", 0.25), ("4:2:2", 0.05)),
        sinc_share=0.15,
        jpeg_last_share=0.8,
    ),
}
