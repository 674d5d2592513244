"""What is minimised: the terms of the generator's loss, each with its coefficient.

Pictures are in [0, 1] here. The SRGAN paper measures its MSE on [-1, 1], where it is four times as
large: `SRGAN_RANGE` carries that over, so that the published coefficients keep their meaning.
"""

import re
from dataclasses import dataclass
from typing import Literal

from upscale.errors import UsageError
from upscale.upscaling.options import LOSSES, option

__all__ = ["SRGAN_RANGE", "LossOptions"]

LPIPS_LEAST = {"vgg": 16, "alex": 31}
"""Sides in pixels of the smallest pictures that each network of LPIPS can compare."""

REAL_ESRGAN = {"conv1_2": 0.1, "conv2_2": 0.1, "conv3_4": 1.0, "conv4_4": 1.0, "conv5_4": 1.0}
"""Layers of VGG19 and their factors in section 4.1 of Wang et al. 2021 (Real-ESRGAN,
arXiv:2107.10833): "{conv1, …, conv5} feature maps (with weights {0.1, 0.1, 1, 1, 1}) before
activation"."""

LAYER = re.compile(r"(?P<name>(conv|relu)[1-5]_[1-4])(:(?P<factor>[\d.]+(e[-+]?\d+)?))?")

SRGAN_RANGE = 4.0
"""The square of [-1, 1]'s width over that of [0, 1]."""

VGG22_RESCALING = 1 / 12.75
"""Of VGG features; about 0.006 on their squared error (Ledig et al. 2017, section 3.2)."""


@dataclass(frozen=True, kw_only=True)
class LossOptions:
    """The terms of a recipe, and what their networks are."""

    pixel: Literal["l1", "mse", "charbonnier"] = option(
        "Pixel loss: l1, mse or charbonnier (an L1 without its kink; Lai et al. 2017).",
        *("mse", LOSSES),
    )
    pixel_coefficient: float = option("Factor of the pixel loss.", SRGAN_RANGE, LOSSES, least=0)
    psnr_coefficient: float = option(
        "Factor of the PSNR loss: the decibels on Y short of 50.", 0.0, LOSSES, least=0
    )
    frequency: Literal["l1", "focal"] = option(
        "Loss between spectra: l1 (Cho et al. 2021, factor 0.1) or focal (Jiang et al. 2021, 1).",
        *("l1", LOSSES),
    )
    frequency_coefficient: float = option(
        "Factor of the loss between spectra.", 0.0, LOSSES, least=0
    )
    content: str = option(
        "VGG features of the content loss: none, a layer such as relu5_4 (after the activation) or "
        "conv5_4 (before it), several with factors (conv2_2:0.1,conv5_4:1), or real-esrgan (the "
        "five of Wang et al. 2021); of a VGG16, relu5_3 or conv5_3.",
        *("none", LOSSES),
        metavar="LAYERS",
    )
    content_distance: Literal["l1", "mse", "charbonnier"] = option(
        "Distance between VGG features: l1, mse or charbonnier.", "mse", LOSSES
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

    @property
    def layers(self) -> dict[str, float]:
        """The layers of VGG that the content loss sees, with their factors; none if it is off.

        Raises UsageError for a word that names no layers.
        """
        layers = _layers(self.content)
        return layers if self.content_coefficient else {}

    def check_losses(self, hr_patch: int, scale: int, vgg: str) -> None:
        """Raise UsageError for what makes no sense with patches of ``hr_patch`` HR pixels.

        ``vgg``: the network of the content loss.
        """
        if vgg == "vgg19" and (of_16 := [name for name in self.layers if name.endswith("5_3")]):
            raise UsageError(
                f"--content {of_16[0]} is of a VGG16, such as that of MINC; give its file by "
                f"--vgg FILE, or take {of_16[0][:-1]}4 of vgg19 by --content"
            )
        for layer in self.layers:
            needed = 2 ** (int(layer[4]) - 1)  # each stage of a VGG halves the picture
            if hr_patch < needed:
                raise UsageError(
                    f"--hr-patch {hr_patch} is too small for --content {layer}, which needs "
                    f"{needed}"
                )
        least = LPIPS_LEAST[self.lpips_network]
        if self.lpips_coefficient and hr_patch < least:
            raise UsageError(
                f"--hr-patch {hr_patch} is too small for LPIPS by {self.lpips_network}, which "
                f"needs {least}"
            )
        if self.psnr_coefficient and hr_patch <= 2 * scale:
            raise UsageError(
                f"--hr-patch {hr_patch} leaves nothing for --psnr-coefficient, which leaves "
                f"{scale} pixels at each edge out"
            )
        terms = (
            *(self.pixel_coefficient, self.psnr_coefficient, self.frequency_coefficient),
            *(self.layers, self.lpips_coefficient, self.reduction_coefficient, self.is_gan),
        )
        if not any(terms):
            raise UsageError("every loss is switched off; give one of the --…-coefficient options")
        if self.adversarial != "none" and not self.is_gan:
            raise UsageError(
                f"--adversarial {self.adversarial} does nothing with --adversarial-coefficient 0"
            )


def _layers(word: str) -> dict[str, float]:
    if word == "none":
        return {}
    if word == "real-esrgan":
        return REAL_ESRGAN
    found = [LAYER.fullmatch(part.strip()) for part in word.split(",")]
    layers = {each["name"]: _factor(each["factor"]) for each in found if each}
    if len(layers) < len(found) or not all(layers.values()):
        raise UsageError(
            f"--content {word!r} is not known: none, real-esrgan, or different layers of VGG with "
            "commas between, such as relu5_4 or conv2_2:0.1,conv5_4:1"
        )
    return layers


def _factor(word: str | None) -> float:
    """Read a layer's factor; 0 for one that is not a number."""
    try:
        return float(word or 1)
    except ValueError:  # such as 1.2.3
        return 0.0
