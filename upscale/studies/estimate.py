"""Estimates how long the trainings of a study take, by timing some steps of each."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

import torch

from upscale.models.devices import pick_device
from upscale.models.fetching.sources import Notify, Progress
from upscale.networks.spec import spec_from_dict
from upscale.studies.trainings import Planned
from upscale.training.config import Config
from upscale.training.learning.schedules import rate, schedules_of
from upscale.training.learning.state import new_state, to_training
from upscale.training.learning.step import precision_of, update, wrapped
from upscale.training.losses.objective import load_objective
from upscale.training.start import Start

__all__ = ["seconds_left"]

TIMED = 3
"""Number of timed steps; one step before them allocates memory and is not timed."""


def seconds_left(
    planned: Sequence[Planned],
    notify: Notify = lambda text: None,
    progress: Callable[[str], Progress] = lambda title: lambda done, total: None,
) -> list[float]:
    """Return the remaining seconds of each training's steps, without cutting patches.

    Trainings that differ only in their start, steps or pictures are measured once. It writes
    nothing and restores PyTorch's random state. Raises the errors of a training.
    """
    seconds: dict[str, float] = {}
    left = []
    for each in planned:
        if each.finished:
            left.append(0.0)
            continue
        recipe = replace(each.config.recipe, source="", init="none", steps=1, milestones=())
        if (key := repr(recipe)) not in seconds:
            seconds[key] = _seconds_per_step(each.config, notify, progress)
        left.append((each.config.recipe.steps - each.steps_done) * seconds[key])
    return left


def _seconds_per_step(config: Config, notify: Notify, progress: Callable[[str], Progress]) -> float:
    """Time steps on random pictures, with a network of random parameters."""
    recipe = config.recipe
    device = pick_device(config.device, notify)
    fetching = progress("fetching weights")
    with torch.random.fork_rng():
        start = Start(spec_from_dict(recipe.generator), None, {})
        precision = precision_of(config.precision, recipe, device)
        state = new_state(recipe, start, config.seed, device, precision == "fp16")
        objective = load_objective(recipe, config.vgg, device, fetching, notify)
        running = wrapped(state, precision, 1, config.compile)
        rates = (rate(0, schedules_of(recipe)[0]), rate(0, schedules_of(recipe)[1]))
        hr, lr = (
            torch.rand(recipe.batch, 3, side, side)
            .to(device)
            .contiguous(memory_format=torch.channels_last)
            for side in (recipe.hr_patch, recipe.hr_patch // recipe.scale)
        )
        to_training(state.generator, recipe.batch_norm)
        update(state, running, objective, recipe, lr, hr, rates)
        _finish(device)
        times = []
        for _ in range(TIMED):
            begun = time.perf_counter()
            update(state, running, objective, recipe, lr, hr, rates)
            _finish(device)
            times.append(time.perf_counter() - begun)
    return median(times)


def _finish(device: torch.device) -> None:
    """Wait until ``device`` has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
