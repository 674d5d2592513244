"""What is minimised: the terms of the generator's loss, each with its coefficient.

Pictures are in [0, 1] here. The SRGAN paper measures its MSE on [-1, 1], where it is four times as
large: `SRGAN_RANGE` carries that over, so that the published coefficients keep their meaning.
"""

from dataclasses import dataclass
from typing import Literal

from upscale.upscaling.options import LOSSES, option

__all__ = ["SRGAN_RANGE", "LossOptions"]

SRGAN_RANGE = 4.0
"""The square of [-1, 1]'s width over that of [0, 1]."""

VGG22_RESCALING = 1 / 12.75
"""Of VGG features; about 0.006 on their squared error (Ledig et al. 2017, section 3.2)."""


@dataclass(frozen=True, kw_only=True)
class LossOptions:
    """The terms of a recipe, and what their networks are."""

    pixel: Literal["l1", "mse"] = option("Pixel loss: l1 or mse.", "mse", LOSSES)
    pixel_coefficient: float = option("Factor of the pixel loss.", SRGAN_RANGE, LOSSES, least=0)
    psnr_coefficient: float = option(
        "Factor of the PSNR loss: the decibels on Y short of 50.", 0.0, LOSSES, least=0
    )
    content: Literal["none", "relu2_2", "relu5_4", "conv5_4", "relu5_3", "conv5_3"] = option(
        "VGG features of the content loss: none, relu2_2, relu5_4 (after the activation) or "
        "conv5_4 (before it); of a VGG16, relu5_3 or conv5_3.",
        *("none", LOSSES),
    )
    content_distance: Literal["l1", "mse"] = option(
        "Distance between VGG features: l1 or mse.", "mse", LOSSES
    )
    content_rescaling: float = option(
        "Factor of the VGG features.", VGG22_RESCALING, LOSSES, above=0
    )
    content_coefficient: float = option("Factor of the content loss.", 0.0, LOSSES, least=0)
    tv_coefficient: float = option("Factor of the total variation.", 0.0, LOSSES, least=0)
    grid_coefficient: float = option(
        "Factor of the grid loss: a pattern that repeats with each LR pixel.", 0.0, LOSSES, least=0
    )
    lpips_coefficient: float = option("Factor of LPIPS.", 0.0, LOSSES, least=0)
    lpips_network: Literal["vgg", "alex"] = option(
        "Network of LPIPS: vgg (VGG16) or alex (AlexNet: much faster, but benchmarks judge by it).",
        *("vgg", LOSSES),
    )
    reduction_coefficient: float = option(
        "Factor of the reduction loss: L1 between the bicubic reductions of the result and of HR.",
        *(0.0, LOSSES),
        least=0,
    )
    adversarial: Literal["none", "standard", "relativistic"] = option(
        "Adversarial loss: none, standard or relativistic (average).", "none", LOSSES
    )
    adversarial_coefficient: float = option("Factor of the adversarial loss.", 0.0, LOSSES, least=0)
    discriminator: Literal["srgan", "esrgan", "unet"] = option(
        "Discriminator: srgan, esrgan or unet.", "srgan", LOSSES
    )

    @property
    def is_gan(self) -> bool:
        """Whether there is a discriminator."""
        return self.adversarial != "none" and self.adversarial_coefficient > 0
