"""Learning rates as a pure function of the step, so that a resumed run needs only its step."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, get_args

from upscale.errors import UsageError
from upscale.training.recipes import Recipe

__all__ = ["Kind", "Schedule", "rate", "schedules_of"]

Kind = Literal["constant", "steps", "cosine"]


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes over a training. Raises UsageError for impossible numbers.

    SRGAN: 1e-4, times 0.1 at step 1e5 (Ledig et al. 2017, section 3.2). ESRGAN: 1e-4, halved at
    50k, 100k, 200k and 300k; its PSNR stage: 2e-4, halved every 2e5 (Wang et al. 2018, section
    4.1).
    """

    base: float
    """Adam's rate at the start."""
    kind: Kind = "constant"
    """``steps``: multiplied at milestones; ``cosine``: falls to 0 along half a period."""
    steps: int = 0
    """Length of the cosine, after which the rate stays 0."""
    milestones: tuple[int, ...] = ()
    """Steps at which ``steps`` multiplies the rate by ``decay``."""
    decay: float = 0.5
    """Factor of the rate at each milestone."""
    warmup: int = 0
    """Steps over which the rate rises linearly from nearly 0; 0: none."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            known = ", ".join(get_args(Kind))
            raise UsageError(f"learning-rate schedule {self.kind!r} is not known; known: {known}")
        if not (math.isfinite(self.base) and self.base > 0):
            raise UsageError(f"a learning rate of {self.base} is not usable; give one above 0")
        if self.warmup < 0:
            raise UsageError(f"a warm-up of {self.warmup} steps is not possible; give 0 for none")
        if self.kind == "steps":
            self._check_milestones()
        if self.kind == "cosine" and self.steps < 1:
            raise UsageError(f"a cosine over {self.steps} steps is not possible; give 1 or more")

    def _check_milestones(self) -> None:
        if not self.milestones:
            raise UsageError("learning-rate schedule 'steps' needs at least one milestone")
        if self.milestones[0] < 1 or any(a >= b for a, b in pairwise(self.milestones)):
            numbers = ", ".join(map(str, self.milestones))
            raise UsageError(f"milestones {numbers}: give steps from 1 up, each above the last")
        if not 0 < self.decay <= 1:
            raise UsageError(
                f"a decay of {self.decay} is not possible; give one above 0 and at most 1"
            )


def schedules_of(recipe: Recipe) -> tuple[Schedule, Schedule]:
    """Return the schedules of the generator and the discriminator; only their bases differ."""
    schedule = Schedule(
        *(recipe.lr_rate, recipe.schedule, recipe.steps, recipe.milestones),
        *(recipe.decay, recipe.warmup),
    )
    return schedule, replace(schedule, base=recipe.discriminator_rate or recipe.lr_rate)


def rate(step: int, schedule: Schedule) -> float:
    """Return the learning rate of the update that follows ``step`` updates, from 0.

    The rates equal those of PyTorch's MultiStepLR and CosineAnnealingLR (Loshchilov and Hutter
    2017, equation 5, without restarts), times (step + 1)/warmup during the warm-up. Raises
    UsageError for a step below 0.
    """
    if step < 0:
        raise UsageError(f"step {step} is not possible; steps count from 0")
    rising = min(1.0, (step + 1) / schedule.warmup) if schedule.warmup else 1.0
    match schedule.kind:
        case "constant":
            value = schedule.base
        case "steps":
            passed = sum(milestone <= step for milestone in schedule.milestones)
            value = schedule.base * schedule.decay**passed
        case "cosine":
            share = min(step / schedule.steps, 1.0)
            value = schedule.base * (1 + math.cos(math.pi * share)) / 2
    return rising * value
