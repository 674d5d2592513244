import math
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
)

from upscale.errors import UsageError
from upscale.training.learning.schedules import Schedule, rate

SRGAN = Schedule(1e-4, "steps", milestones=(100_000,), decay=0.1)
ESRGAN = Schedule(1e-4, "steps", milestones=(50_000, 100_000, 200_000, 300_000))
RRDB_PSNR = Schedule(2e-4, "steps", milestones=tuple(range(200_000, 1_000_000, 200_000)))


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        (SRGAN, 0, 1e-4),
        (SRGAN, 99_999, 1e-4),
        (SRGAN, 100_000, 1e-5),
        (SRGAN, 199_999, 1e-5),
        (ESRGAN, 49_999, 1e-4),
        (ESRGAN, 50_000, 5e-5),
        (ESRGAN, 100_000, 2.5e-5),
        (ESRGAN, 200_000, 1.25e-5),
        (ESRGAN, 300_000, 6.25e-6),
        (ESRGAN, 10**9, 6.25e-6),
        (RRDB_PSNR, 199_999, 2e-4),
        (RRDB_PSNR, 200_000, 1e-4),
        (RRDB_PSNR, 999_999, 1.25e-5),
        (Schedule(1e-4), 10**6, 1e-4),
    ],
)
def test_rates_of_the_papers(schedule: Schedule, step: int, expected: float) -> None:
    assert rate(step, schedule) == pytest.approx(expected, rel=1e-12)


def test_cosine_is_half_a_period_and_then_0() -> None:
    schedule = Schedule(2e-4, "cosine", steps=1200)
    # (1 + cos(pi/3))/2 = 3/4, (1 + cos(pi/2))/2 = 1/2, (1 + cos(2 pi/3))/2 = 1/4
    for step, expected in [(0, 2e-4), (400, 1.5e-4), (600, 1e-4), (800, 5e-5)]:
        assert rate(step, schedule) == pytest.approx(expected, rel=1e-12)
    assert rate(1200, schedule) == rate(5000, schedule) == 0


def test_warm_up_rises_in_equal_steps_to_the_base() -> None:
    schedule = Schedule(1e-3, warmup=4)
    rates = [rate(step, schedule) for step in range(6)]
    assert rates == pytest.approx([2.5e-4, 5e-4, 7.5e-4, 1e-3, 1e-3, 1e-3], rel=1e-12)
    assert rate(0, Schedule(1e-3, warmup=1)) == 1e-3


# --- beside PyTorch's


def optimizer_of(base: float) -> Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)


def rates_of(optimizer: Optimizer, scheduler: LRScheduler, count: int) -> list[float]:
    rates = []
    for _ in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def ours(schedule: Schedule, count: int) -> list[float]:
    return [rate(step, schedule) for step in range(count)]


@pytest.mark.parametrize("decay", [0.5, 0.1, 1.0])
def test_steps_are_those_of_multi_step_lr(decay: float) -> None:
    optimizer = optimizer_of(2e-4)
    scheduler = MultiStepLR(optimizer, milestones=[3, 7, 8, 15], gamma=decay)
    schedule = Schedule(2e-4, "steps", milestones=(3, 7, 8, 15), decay=decay)
    assert ours(schedule, 20) == pytest.approx(rates_of(optimizer, scheduler, 20), rel=1e-12)


def test_cosine_is_that_of_cosine_annealing_lr() -> None:
    optimizer = optimizer_of(1e-4)
    scheduler = CosineAnnealingLR(optimizer, T_max=50)
    schedule = Schedule(1e-4, "cosine", steps=50)
    expected = rates_of(optimizer, scheduler, 51)
    assert ours(schedule, 51) == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_warm_up_is_linear_lr_times_the_schedule() -> None:
    optimizer = optimizer_of(2e-4)
    warmup = LinearLR(optimizer, start_factor=1 / 10, end_factor=1.0, total_iters=9)
    chained = ChainedScheduler([warmup, MultiStepLR(optimizer, milestones=[5, 20], gamma=0.5)])
    schedule = Schedule(2e-4, "steps", milestones=(5, 20), decay=0.5, warmup=10)
    assert ours(schedule, 30) == pytest.approx(rates_of(optimizer, chained, 30), rel=1e-12)


# --- refusals


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"base": 0.0}, "0.0"),
        ({"base": -1e-4}, "-0.0001"),
        ({"base": math.nan}, "nan"),
        ({"base": math.inf}, "inf"),
        ({"kind": "linear"}, "'linear'"),
        ({"warmup": -1}, "-1"),
        ({"kind": "steps"}, "'steps'"),
        ({"kind": "steps", "milestones": (0, 5)}, "0, 5"),
        ({"kind": "steps", "milestones": (9, 5)}, "9, 5"),
        ({"kind": "steps", "milestones": (5, 5)}, "5, 5"),
        ({"kind": "steps", "milestones": (5,), "decay": 0.0}, "0.0"),
        ({"kind": "steps", "milestones": (5,), "decay": 2.0}, "2.0"),
        ({"kind": "steps", "milestones": (5,), "decay": math.nan}, "nan"),
        ({"kind": "cosine"}, "0"),
        ({"kind": "cosine", "steps": -3}, "-3"),
    ],
)
def test_nonsense_is_refused(values: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        Schedule(**{"base": 1e-4, **values})


def test_a_step_below_0_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^step -1 "):
        rate(-1, Schedule(1e-4))


def test_a_schedule_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Schedule(1e-4).base = 1.0  # type: ignore[misc]
