"""Learning rates as a pure function of the step.

Nothing is remembered from step to step: a training that is resumed needs its step only.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from upscale.errors import UsageError

__all__ = ["Kind", "Schedule", "rate"]

Kind = Literal["constant", "steps", "cosine"]


@dataclass(frozen=True)
class Schedule:
    """How the learning rate goes over a training; a field that its ``kind`` lacks is not read.

    ``base``: the rate of Adam to start from. ``kind``: "constant"; "steps", where the rate is
    multiplied by ``decay`` at each of ``milestones`` (steps); "cosine", half a period from ``base``
    down to ``floor`` over ``steps`` steps, and ``floor`` from there on. ``warmup``: steps of every
    kind over which the rate rises linearly from nearly 0, 0 for none.

    The papers: SRGAN 1e-4, times 0.1 at 1e5 (Ledig et al. 2017, section 3.2); ESRGAN 1e-4, halved
    at 50k, 100k, 200k and 300k, and its PSNR stage 2e-4, halved every 2e5 (Wang et al. 2018,
    section 4.1).

    Raises UsageError for numbers that make no sense.
    """

    base: float
    kind: Kind = "constant"
    steps: int = 0
    milestones: tuple[int, ...] = ()
    decay: float = 0.5
    warmup: int = 0
    floor: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            known = ", ".join(get_args(Kind))
            raise UsageError(f"learning-rate schedule {self.kind!r} is not known; known: {known}")
        if not (math.isfinite(self.base) and self.base > 0):
            raise UsageError(f"a learning rate of {self.base} trains nothing; take one above 0")
        if self.warmup < 0:
            raise UsageError(f"a warm-up of {self.warmup} steps makes no sense; take 0 for none")
        if self.kind == "steps":
            self._check_milestones()
        if self.kind == "cosine":
            self._check_cosine()

    def _check_milestones(self) -> None:
        if not self.milestones:
            raise UsageError("learning-rate schedule 'steps' needs a milestone at least")
        if self.milestones[0] < 1 or any(a >= b for a, b in pairwise(self.milestones)):
            numbers = ", ".join(map(str, self.milestones))
            raise UsageError(f"milestones {numbers}: take steps from 1 up, each above the last")
        if not 0 < self.decay <= 1:
            raise UsageError(
                f"a learning rate times {self.decay} at each milestone makes no sense; "
                "take a decay above 0 and at most 1"
            )

    def _check_cosine(self) -> None:
        if self.steps < 1:
            raise UsageError(f"a cosine over {self.steps} steps makes no sense; take 1 or more")
        if not 0 <= self.floor <= self.base:
            raise UsageError(
                f"a cosine from {self.base} to {self.floor} makes no sense; "
                f"take a floor from 0 to {self.base}"
            )


def rate(step: int, schedule: Schedule) -> float:
    """Return the learning rate of the update that follows ``step`` updates, from 0.

    The rates of PyTorch's MultiStepLR and CosineAnnealingLR (Loshchilov and Hutter 2017,
    equation 5, without restarts), the latter held at ``floor`` behind its end; times
    (step + 1)/warmup during the warm-up. Raises UsageError for a step below 0.
    """
    if step < 0:
        raise UsageError(f"there is no step {step}; steps count from 0")
    rising = min(1.0, (step + 1) / schedule.warmup) if schedule.warmup else 1.0
    match schedule.kind:
        case "constant":
            value = schedule.base
        case "steps":
            passed = sum(milestone <= step for milestone in schedule.milestones)
            value = schedule.base * schedule.decay**passed
        case "cosine":
            share = min(step / schedule.steps, 1.0)
            half = (schedule.base - schedule.floor) / 2
            value = schedule.floor + half * (1 + math.cos(math.pi * share))
    return rising * value
