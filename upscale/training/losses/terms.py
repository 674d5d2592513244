"""What the papers minimise, term by term; a recipe has the coefficients.

Every loss is a float32 scalar, computed in float32 under autocast too. It is a mean over the batch,
so that a coefficient does not depend on the batch's size. Ledig et al. 2017 is SRGAN,
arXiv:1609.04802; Wang et al. 2018 is ESRGAN, arXiv:1809.00219.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from upscale.errors import UsageError
from upscale.metrics.psnr_ssim import LUMA, PEAK

__all__ = [
    "ADVERSARIAL",
    "DISTANCES",
    "Adversarial",
    "Mean",
    "charbonnier",
    "content",
    "difference",
    "grid",
    "l1",
    "mse",
    "psnr_shortfall",
    "relativistic_discriminator",
    "relativistic_generator",
    "standard_discriminator",
    "standard_generator",
    "total_variation",
]

Mean = Callable[[Tensor], Tensor]
"""All elements → a scalar; with several processes the mean over all of them, differentiable."""


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Return the mean of |sr - hr| over all elements (Wang et al. 2018, L1 of equation 3).

    ``sr``, ``hr``: of one shape, any float type. Raises UsageError for two shapes.
    """
    return difference(sr, hr).abs().mean()


def mse(sr: Tensor, hr: Tensor) -> Tensor:
    """Return the mean of (sr - hr)² over all elements (Ledig et al. 2017, equation 4).

    ``sr``, ``hr``: of one shape, any float type. The paper's pictures are in [-1, 1], where this is
    four times its value in [0, 1]. Raises UsageError for two shapes.
    """
    return difference(sr, hr).square().mean()


CHARBONNIER = 1e-3
"""The distance in [0, 1] below which it is square, and above which it is linear."""


def charbonnier(sr: Tensor, hr: Tensor) -> Tensor:
    """Return the mean of √((sr - hr)² + 1e-6) over all elements: an L1 without its kink.

    ``sr``, ``hr``: of one shape, any float type. Lai et al. 2017 (LapSRN, arXiv:1704.03915),
    section 3.2, with their ε of 1e-3; equal pictures cost ε. Raises UsageError for two shapes.
    """
    return (difference(sr, hr).square() + CHARBONNIER**2).sqrt().mean()


PSNR_GOAL = 50.0
"""dB."""


def psnr_shortfall(sr: Tensor, hr: Tensor, border: int) -> Tensor:
    """Return by how many dB the PSNR of Y' falls short of about 50 dB, as a mean over the batch.

    ``sr``, ``hr``: (N, 3, H, W), RGB, [0, 1]; ``border`` pixels on each side do not count. A
    picture's shortfall is 10 log10(1 + MSE / 1e-5): minus its PSNR up to a constant, as in Chen et
    al. 2021 (HINet, arXiv:2105.06086), but bounded, so that flat patches do not dominate. Smooth
    and busy pictures contribute alike, as to a set's PSNR; to a batch's MSE, busy ones contribute
    nearly all. Raises UsageError for two shapes.
    """
    height, width = sr.shape[-2:]
    inner = difference(sr, hr)[..., border : height - border, border : width - border]
    luma = (inner * inner.new_tensor(LUMA).view(3, 1, 1) / PEAK).sum(1)
    errors = luma.square().mean((1, 2))
    shortfall: Tensor = 10 * torch.log10(1 + errors * 10 ** (PSNR_GOAL / 10)).mean()
    return shortfall


def difference(sr: Tensor, hr: Tensor) -> Tensor:
    """Return ``sr - hr`` in float32. Raises UsageError for two shapes."""
    if sr.shape != hr.shape:
        raise UsageError(
            f"a loss compares tensors of one shape, not {tuple(sr.shape)} and {tuple(hr.shape)}"
        )
    return sr.float() - hr.float()


Distance = Callable[[Tensor, Tensor], Tensor]

DISTANCES: dict[str, Distance] = {"l1": l1, "mse": mse, "charbonnier": charbonnier}


def content(
    sr_features: Tensor, hr_features: Tensor, distance: str, rescaling: float = 1.0
) -> Tensor:
    """Return the distance between feature maps, both multiplied by ``rescaling`` first.

    ``sr_features``, ``hr_features``: (N, C, h, w), of one shape; ``distance``: a key of
    `DISTANCES`. Ledig et al. 2017, equation 5: ``mse`` and 1/12.75, which makes 1/162.6 (the
    paper's 0.006) of the squared error; here it is a mean over the channels too. Wang et al. 2018,
    section 3.3: ``l1`` and 1. Raises UsageError for two shapes or an unknown distance.
    """
    if distance not in DISTANCES:
        raise UsageError(f"distance {distance!r} is not known; give one of {', '.join(DISTANCES)}")
    return DISTANCES[distance](sr_features.float() * rescaling, hr_features.float() * rescaling)


def total_variation(sr: Tensor) -> Tensor:
    """Return the isotropic total variation of a picture, as a mean over the batch.

    ``sr``: (N, C, H, W), any float type. A picture's is the sum over pixels and channels of
    √(Δx² + Δy²), with the differences to the next column and row, 0 at the last ones. Its gradient
    is 0 where a picture is flat.

    Ledig et al. 2017 use it with VGG22 at 2e-8, after Aly and Dubois 2005 and Johnson et al. 2016.
    The latter sum over pixels too; for a mean, 2e-8 would do nothing. On [-1, 1] it is twice its
    value on [0, 1].
    """
    sr = sr.float()
    down = F.pad(sr.diff(dim=-2), (0, 0, 0, 1))
    right = F.pad(sr.diff(dim=-1), (0, 1))
    # Where both differences are 0, this norm's gradient is 0; that of a square root would be NaN.
    slope = torch.linalg.vector_norm(torch.stack((down, right)), dim=0)
    total: Tensor = slope.sum((1, 2, 3)).mean()
    return total


def grid(sr: Tensor, hr: Tensor, scale: int) -> Tensor:
    """Return the power of the pattern that SR adds to HR at the pitch of the LR pixels.

    ``sr``, ``hr``: (N, C, H, W), [0, 1], H and W multiples of ``scale``. A generator makes
    ``scale`` × ``scale`` places of each LR pixel, with other weights for each place. Where one
    place differs from the others in the mean over a patch, the eye sees a pattern in flat regions
    (Aitken et al. 2017, arXiv:1707.02937, on sub-pixel convolution), too faint to count in other
    losses. The difference SR - HR is divided by HR's deviation within the LR pixel plus a level of
    255, and averaged at each place; the variance over the places is returned. 1 is a pattern of one
    level (root mean square) in a flat picture. Raises UsageError for two shapes.
    """

    def places(picture: Tensor) -> Tensor:
        cells = F.pixel_unshuffle(picture.float(), scale)
        return cells.reshape(*picture.shape[:2], scale**2, *cells.shape[2:])

    off, true = places(difference(sr, hr)), places(hr)  # (N, C, scale², H / scale, W / scale)
    detail = true.std(2, correction=0, keepdim=True)
    pattern = (off / (detail + 1 / 255)).mean((-2, -1))
    power: Tensor = pattern.var(2, correction=0).mean()
    return power


# A discriminator returns logits C(x), and D(x) = σ(C(x)). With softplus(z) = log(1 + exp z), which
# PyTorch computes without overflow,
#
#     -log σ(z) = softplus(-z)        -log(1 - σ(z)) = softplus(z).


def _as_real(logits: Tensor) -> Tensor:
    return F.softplus(-logits).mean()


def _as_made(logits: Tensor) -> Tensor:
    return F.softplus(logits).mean()


def standard_generator(hr_logits: Tensor, sr_logits: Tensor, mean: Mean = torch.mean) -> Tensor:
    """Return -log D(sr) (Ledig et al. 2017, equation 6; its sum over pictures is a mean here).

    ``sr_logits``: before the sigmoid, of any shape. ``hr_logits`` and ``mean`` are unused: all four
    adversarial losses are called alike.
    """
    return _as_real(sr_logits.float())


def standard_discriminator(hr_logits: Tensor, sr_logits: Tensor, mean: Mean = torch.mean) -> Tensor:
    """Return -log D(hr) - log(1 - D(sr)): binary cross-entropy (Ledig et al. 2017, equation 2).

    ``hr_logits``, ``sr_logits``: before the sigmoid, of any shapes; ``mean`` is unused. The two
    terms are added, not averaged.
    """
    return _as_real(hr_logits.float()) + _as_made(sr_logits.float())


def relativistic_generator(hr_logits: Tensor, sr_logits: Tensor, mean: Mean = torch.mean) -> Tensor:
    """Return -log(1 - D_Ra(hr, sr)) - log D_Ra(sr, hr) (Wang et al. 2018, equation 2).

    ``hr_logits``, ``sr_logits``: C(x), before the sigmoid, of any shapes. D_Ra(a, b) =
    σ(C(a) - E C(b)), where E is ``mean``. The two terms are added as in the paper; BasicSR halves
    their sum.

    The gradient reaches ``sr`` through both terms. The outer means are over the given tensors only,
    which is right where processes average their gradients.
    """
    hr_relative, sr_relative = _relative(hr_logits, sr_logits, mean)
    return _as_made(hr_relative) + _as_real(sr_relative)


def relativistic_discriminator(
    hr_logits: Tensor, sr_logits: Tensor, mean: Mean = torch.mean
) -> Tensor:
    """Return -log D_Ra(hr, sr) - log(1 - D_Ra(sr, hr)) (Wang et al. 2018, equation 1).

    Arguments as for `relativistic_generator`; the terms are added here too.
    """
    hr_relative, sr_relative = _relative(hr_logits, sr_logits, mean)
    return _as_real(hr_relative) + _as_made(sr_relative)


def _relative(hr_logits: Tensor, sr_logits: Tensor, mean: Mean) -> tuple[Tensor, Tensor]:
    """Return C(hr) - E C(sr) and C(sr) - E C(hr), in float32."""
    hr_logits, sr_logits = hr_logits.float(), sr_logits.float()
    return hr_logits - mean(sr_logits), sr_logits - mean(hr_logits)


AdversarialLoss = Callable[[Tensor, Tensor, Mean], Tensor]


@dataclass(frozen=True)
class Adversarial:
    """The losses of both sides, called with (``hr_logits``, ``sr_logits``, ``mean``)."""

    generator: AdversarialLoss
    """The generator's loss."""
    discriminator: AdversarialLoss
    """The discriminator's loss."""
    generator_sees_hr: bool
    """Whether the generator's loss uses ``hr_logits``."""


ADVERSARIAL: dict[str, Adversarial] = {
    "standard": Adversarial(standard_generator, standard_discriminator, False),
    "relativistic": Adversarial(relativistic_generator, relativistic_discriminator, True),
}
