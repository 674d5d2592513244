"""Measures a generator on pictures that it was not trained on, as ``upscale bench`` does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from upscale.bench.contenders import System, network
from upscale.bench.gallery import write_picture
from upscale.bench.measure import measure
from upscale.bench.sets.datasets import find_set
from upscale.bench.sets.picture_sets import Pair, PictureSet, read_hr
from upscale.errors import WeightsError
from upscale.metrics.by_name import Metric, make_metrics
from upscale.metrics.protocol import BLUR_SIGMA, METRICS, Protocol
from upscale.models.fetching.sources import Notify, Progress
from upscale.models.model import Model
from upscale.networks.fold import fold
from upscale.networks.spec import Spec
from upscale.pictures.reading.reader import read_header
from upscale.pixels.baselines import Levels
from upscale.training.config import Config
from upscale.training.data.degrading.degradations import PRESETS

__all__ = ["Validation", "find_pictures", "find_validation", "prepare_validation"]


@dataclass(frozen=True)
class Validation:
    """The pictures and metrics of a run's validation."""

    pictures: PictureSet
    """The set."""
    protocol: Protocol
    """The rules of the figures."""
    metrics: dict[str, Metric]
    """The metrics, by name."""
    samples: int
    """Number of results that are kept as pictures."""
    device: torch.device
    """The device that measures the generator."""

    def run(self, generator: nn.Module, spec: Spec, folder: Path | None) -> dict[str, float]:
        """Return the means over the pictures by metric, computed in float32.

        ``spec``: of the generator. Some results are kept in ``folder``, if it is given.
        """
        numbers = {key: tensor.detach().float() for key, tensor in generator.state_dict().items()}
        spec, folded = fold(spec, numbers)
        model = Model("generator", spec, folded, "", self.device, "fp32")
        kept = {pair.name for pair in self.pictures.pairs[: self.samples]}

        def visit(system: System, pair: Pair, sr: Levels, hr: Levels, figures: object) -> None:
            if folder is not None and pair.name in kept:
                write_picture(folder / f"{pair.name}.png", sr)

        (row,) = measure(network(model), self.pictures, self.protocol, self.metrics, visit)
        return row.figures


def find_pictures(
    valid: str, scale: int, progress: Callable[[str], Progress], notify: Notify
) -> PictureSet:
    """Return the pictures of ``--valid``. Raises UpscaleError if one cannot be measured."""
    pictures = find_set(valid, None, scale, progress(f"fetching {valid}"), notify)
    for pair in pictures.pairs:
        header = read_header(pair.hr)
        if (header.channels, header.frames) not in ((1, 1), (3, 1)):
            read_hr(pair.hr)
    return pictures


def find_validation(
    config: Config, device: torch.device, progress: Callable[[str], Progress], notify: Notify
) -> Validation | None:
    """Return the validation of ``config``, or None; ``progress`` makes a bar from its title."""
    if config.valid is None:
        return None
    scale = config.recipe.scale
    pictures = find_pictures(config.valid, scale, progress, notify)
    recipe = config.recipe
    trained_otherwise = recipe.degradation in PRESETS or config.lr is not None
    if trained_otherwise and pictures.lr_folder is None:
        notify(
            "warning: validation makes LR with MATLAB's bicubic, but training does not; put LR "
            "files like those of the training into LR/ beside HR/ in --valid"
        )
    if recipe.degradation == "gaussian" and pictures.lr_folder is not None:
        notify(
            f"warning: validation uses the LR files in {pictures.lr_folder}, and training blurs "
            "HR; check that these files were made in the same way"
        )
    sigma = recipe.blur_sigma if recipe.degradation == "gaussian" else None
    return prepare_validation(pictures, scale, config.metric, config.samples, device, notify, sigma)


def prepare_validation(
    pictures: PictureSet,
    scale: int,
    metric: str,
    samples: int,
    device: torch.device,
    notify: Notify = lambda text: None,
    sigma: float | None = None,
) -> Validation:
    """Prepare to measure PSNR, SSIM and, where its weights are available, LPIPS (AlexNet).

    LR is the set's own if it has LR files. Otherwise it is made by a blur of ``sigma`` HR pixels,
    if that is given, or by MATLAB's bicubic. Raises WeightsError if ``metric`` is LPIPS and its
    weights are missing.
    """
    degradation: Literal["uint8", "gaussian", "folder"] = "uint8" if sigma is None else "gaussian"
    if pictures.lr_folder is not None:
        degradation = "folder"
    protocol = Protocol(
        scale=scale, border=scale, degradation=degradation, blur_sigma=sigma or BLUR_SIGMA
    )
    metrics = make_metrics(["psnr", "ssim"], protocol, device)
    try:
        metrics |= make_metrics(["lpips-alex"], protocol, device)
    except WeightsError as error:
        if metric == "lpips-alex":
            raise
        notify(f"{METRICS['lpips-alex'].title} is left out: {error}")
    return Validation(pictures, protocol, metrics, samples, device)
