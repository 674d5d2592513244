"""What may be done to HR so that LR look like people's own pictures, and how often: settings."""

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
"""How a picture is resized: mean over the area; between the nearest 2 or 4 samples, which aliases
where it reduces; MATLAB's antialiased bicubic."""

Sampling = Literal["4:4:4", "4:2:2", "4:2:0"]
"""How many samples of chroma a JPEG keeps."""

Drawn = TypeVar("Drawn")
Shares = tuple[tuple[Drawn, float], ...]
"""What may be drawn, and how often: the shares are of their own sum."""


@dataclass(frozen=True)
class Blurs:
    """What may be drawn as a kernel. Shares are of 1; lengths in samples of what is blurred."""

    share: float
    """Of the pictures that are blurred at all."""
    sigmas: Range
    """See `gaussian`; drawn once for a round kernel, twice for a long one."""
    sizes: tuple[int, ...]
    kinds: tuple[tuple[KernelKind, float, float], ...]
    """Kind, its share, and how many of that kind are long and turned, not round."""
    generalized_shapes: Range
    plateau_shapes: Range
    """Shapes; half of those drawn lie below 1 and half above it, where the range holds 1."""
    sinc_share: float
    """Of the blurs, those with a `sinc` kernel."""


@dataclass(frozen=True)
class Stage:
    """One round of blur, resize, noise and JPEG. Shares are of 1; a range is drawn from evenly."""

    blurs: Blurs
    resizes: tuple[float, float, float]
    """Shares of pictures enlarged, reduced and kept."""
    factors: Range
    """Least and greatest size, where 1 is HR's in the first stage and LR's in the second."""
    noise_share: float
    gaussian_share: float
    """Of the noise, that which is Gaussian; the rest is Poisson."""
    noise_sigmas: Range
    """Levels of 255."""
    poisson_strengths: Range
    """Standard deviation at level x over √x."""
    gray_share: float
    """Of the noise, that which is equal in the three channels."""
    jpeg_share: float
    qualities: tuple[int, int]


@dataclass(frozen=True)
class Degradations:
    """How LR are made from HR: what may be drawn, and how often. Shares are of 1."""

    bicubic_share: float
    """Of the patches, those that are nothing but `upscale.pixels.degrade.degrade`."""
    first: Stage
    second: Stage
    shuffled_share: float
    """Of the stages, those whose steps come in any order; the others' is that of `Stage`."""
    methods: Shares[Method]
    samplings: Shares[Sampling]
    sinc_share: float
    """Of the patches, those that ring: a `sinc` filter after the last resizing."""
    jpeg_last_share: float
    """Of the patches, those whose last JPEG comes after the last resizing, not before."""


SIZES = (7, 9, 11, 13, 15, 17, 19, 21)
KINDS_PUBLISHED: tuple[tuple[KernelKind, float, float], ...] = (
    ("gaussian", 0.70, 25 / 70),
    ("generalized", 0.15, 0.2),
    ("plateau", 0.15, 0.2),
)

PRESETS: dict[str, Degradations] = {
    # Real-ESRGAN, section 4.1 and the authors' options for their ×4 model. Their steps
    # come in a fixed order: shuffled_share 0.
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
    # Our own, by eye: pictures that people put on the web or take with a telephone.
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
