"""The generator's loss: a sum of terms, each with the coefficient of the recipe."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from upscale.metrics.by_name import fetch
from upscale.metrics.lpips import LPIPS, load_lpips
from upscale.models.fetching.sources import Notify, Progress
from upscale.networks.resampling import Resampling
from upscale.training.losses.frequency import FREQUENCY
from upscale.training.losses.terms import (
    DISTANCES,
    content,
    grid,
    l1,
    psnr_shortfall,
    total_variation,
)
from upscale.training.losses.vgg import VGG19, load_vgg
from upscale.training.recipes import Recipe

__all__ = ["Objective", "load_objective"]

CALIBRATED = {"conv2_2", "relu2_2", "conv5_4", "relu5_4"}
"""Layers of vgg19 whose scale is known (`upscale.training.losses.vgg_layouts.CALIBRATION`)."""

SHIFTS = 8
"""Rows and columns by which LPIPS' view of the patches varies, from 0 (see `_shifted`)."""


@dataclass(frozen=True)
class Objective:
    """The generator's loss but for its adversarial term, which needs a discriminator."""

    recipe: Recipe
    """States the terms and their coefficients."""
    vgg: VGG19 | None = None
    """On the device of the pictures; None: the recipe has no content loss."""
    lpips: LPIPS | None = None
    """On the device of the pictures; None: the recipe has no LPIPS."""

    def __call__(self, sr: Tensor, hr: Tensor, step: int) -> dict[str, Tensor]:
        """Return the terms by name, times their coefficients, without those of coefficient 0.

        ``sr``, ``hr``: (N, 3, H, W), float, RGB, [0, 1], ``sr`` not clamped; H and W are multiples
        of the recipe's scale. ``step``: of the run; it decides LPIPS' shift. Each term is a float32
        scalar. Wang et al. 2018, equation 3; Ledig et al. 2017, equations 4 and 5. Raises
        UsageError for two shapes.
        """
        recipe = self.recipe
        terms = {}
        if recipe.pixel_coefficient:
            terms["pixel"] = recipe.pixel_coefficient * DISTANCES[recipe.pixel](sr, hr)
        if recipe.frequency_coefficient:
            distance = FREQUENCY[recipe.frequency](sr, hr)
            terms["frequency"] = recipe.frequency_coefficient * distance
        if recipe.psnr_coefficient:
            shortfall = psnr_shortfall(sr, hr, border=recipe.scale)
            terms["shortfall"] = recipe.psnr_coefficient * shortfall
        if layers := recipe.layers:
            assert self.vgg is not None
            made = self.vgg(sr, layers)
            with torch.no_grad():
                true = self.vgg(hr, layers)
            kind, rescaling = recipe.content_distance, recipe.content_rescaling
            parts = [
                factor * content(made[layer], true[layer], kind, rescaling)
                for layer, factor in layers.items()
            ]
            terms["content"] = recipe.content_coefficient * torch.stack(parts).sum()
        if recipe.tv_coefficient:
            terms["tv"] = recipe.tv_coefficient * total_variation(sr)
        if recipe.grid_coefficient:
            terms["grid"] = recipe.grid_coefficient * grid(sr, hr, recipe.scale)
        if recipe.lpips_coefficient:
            assert self.lpips is not None
            seen = _shifted(sr, hr, step, self.lpips.smallest)
            terms["lpips"] = recipe.lpips_coefficient * self.lpips(*seen).mean()
        if recipe.reduction_coefficient:
            reduced = Resampling(down=recipe.scale)
            terms["reduction"] = recipe.reduction_coefficient * l1(reduced(sr), reduced(hr))
        return terms


def load_objective(
    recipe: Recipe, vgg: str, device: torch.device, progress: Progress, notify: Notify
) -> Objective:
    """Return the loss of ``recipe`` with the networks that it needs, on ``device``.

    ``vgg``: what `load_vgg` takes. Raises WeightsError where weights cannot be had.
    """
    features = lpips = None
    if layers := recipe.layers:
        if vgg == "vgg19" and (unlike := layers.keys() - CALIBRATED):
            notify(
                f"warning: vgg19 has torchvision's scale at φ2,2 and φ5,4 only, so the factors of "
                f"{', '.join(sorted(unlike))} weigh otherwise than in papers; --vgg FILE takes "
                "torchvision's own weights"
            )
        features = load_vgg(vgg, progress, notify).to(device)
    if recipe.lpips_coefficient:
        weights = fetch(f"lpips-{recipe.lpips_network}", progress, notify)
        assert weights is not None
        lpips = load_lpips(weights).to(device)
    return Objective(recipe, features, lpips)


def _shifted(sr: Tensor, hr: Tensor, step: int, smallest: int) -> tuple[Tensor, Tensor]:
    """Leave out up to 7 rows at the top and columns at the left, as many as ``step`` decides.

    AlexNet looks at every fourth pixel. If these were always the same of the 4 × 4 that a generator
    makes of a pixel, it would learn to hide a faint grid in the others. (Kettunen et al. 2019,
    E-LPIPS, arXiv:1906.03973, show what a metric's fixed view admits.)
    """
    places = min(SHIFTS, min(hr.shape[-2:]) - smallest + 1)
    top, left = np.random.default_rng(step).integers(places, size=2)
    return sr[..., top:, left:], hr[..., top:, left:]
