"""What of a run's options does not go together, found before anything is read or computed."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from upscale.errors import UsageError
from upscale.metrics.protocol import BLUR_SIGMA
from upscale.training.learning.schedules import Schedule
from upscale.upscaling.options import check_limits, flag_of

if TYPE_CHECKING:
    from upscale.training.config import Config

__all__ = ["check", "idle"]

NUMBER = re.compile(r"[\d.]+(e[-+]?\d+)?", re.IGNORECASE)
"""What a learning rate looks like, given to the wrong option."""

BYTES = re.compile("[\ud800-\udfff]")
"""What stands for bytes that are not UTF-8 in names of files."""


def check(config: "Config") -> None:
    """Raise UsageError for what makes no sense."""
    recipe = config.recipe
    if config.first:
        with _named("the first stage"):
            config.of_first.check()
    for kind in (recipe, config):
        check_limits(kind)
        folders = [("data", each.folder) for each in config.data]
        for name, value in [*vars(kind).items(), *folders]:
            if isinstance(value, str | Path) and BYTES.search(str(value)):
                raise UsageError(
                    f"{flag_of(name)} {str(value)!r}: is not Unicode text, which the run's "
                    "configuration needs; rename it"
                )
    if recipe.hr_patch % recipe.scale:
        raise UsageError(
            f"--hr-patch {recipe.hr_patch} is not a multiple of the scale, {recipe.scale}"
        )
    if recipe.batch % recipe.accumulate:
        raise UsageError(f"--batch {recipe.batch} cannot be made of {recipe.accumulate} passes")
    if config.lr is not None and NUMBER.fullmatch(str(config.lr)) and not config.lr.exists():
        raise UsageError(
            f"--lr {config.lr}: is not a folder of LR pictures; the learning rate is --lr-rate"
        )
    if config.lr is not None and len(config.data) > 1:
        raise UsageError("--lr is of one --data; give one, or leave --lr out")
    if config.lr is not None and recipe.degradation != "bicubic":
        raise UsageError(
            f"--lr and --degradation {recipe.degradation} contradict each other: LR are there, "
            "or are made"
        )
    if recipe.degradation != "gaussian" and recipe.blur_sigma != BLUR_SIGMA:
        raise UsageError(
            f"--blur-sigma {recipe.blur_sigma} is of --degradation gaussian, and LR is made by "
            f"{recipe.degradation}; leave one of them out"
        )
    with _named("--schedule"):
        Schedule(
            *(recipe.lr_rate, recipe.schedule, recipe.steps, recipe.milestones),
            *(recipe.decay, recipe.warmup),
        )
    recipe.check_losses(recipe.hr_patch, recipe.scale, config.vgg)
    if recipe.is_gan:
        from upscale.training.losses.discriminators import check_patch

        with _named("--hr-patch"):
            patches = recipe.batch // recipe.accumulate
            check_patch(recipe.discriminator, recipe.hr_patch, patches)


def idle(config: "Config", given: Iterable[str]) -> tuple[str, ...]:
    """Say in sentences which of the options ``given`` have no effect in this run."""
    recipe = config.recipe
    steps, gan = recipe.schedule == "steps", recipe.is_gan
    content, valid = bool(recipe.layers), config.valid is not None
    needs = {
        "milestones": (steps or not recipe.milestones, "--schedule steps"),
        "decay": (steps, "--schedule steps"),
        "discriminator": (gan, "--adversarial"),
        "discriminator_rate": (gan or not recipe.discriminator_rate, "--adversarial"),
        "adversarial_coefficient": (gan or not recipe.adversarial_coefficient, "--adversarial"),
        "pixel": (bool(recipe.pixel_coefficient), "--pixel-coefficient"),
        "content": (content or recipe.content == "none", "--content-coefficient"),
        "content_coefficient": (content or not recipe.content_coefficient, "--content"),
        "content_distance": (content, "--content and --content-coefficient"),
        "content_rescaling": (content, "--content and --content-coefficient"),
        "vgg": (content, "--content and --content-coefficient"),
        "lpips_network": (bool(recipe.lpips_coefficient), "--lpips-coefficient"),
        "frequency": (bool(recipe.frequency_coefficient), "--frequency-coefficient"),
        "metric": (valid, "--valid"),
        "samples": (valid or not config.samples, "--valid"),
        "validate_every": (valid, "--valid"),
    }
    return tuple(
        f"{flag_of(name)} has no effect without {needed}"
        for name, (has, needed) in needs.items()
        if name in set(given) and not has
    )


@contextlib.contextmanager
def _named(flag: str) -> Iterator[None]:
    """Say which option a UsageError is about."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{flag}: {error}") from error
