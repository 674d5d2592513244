"""``upscale train``: the loop from the pictures to the last checkpoint."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from upscale.errors import UsageError
from upscale.models.devices import pick_device
from upscale.models.fetching.sources import Notify, Progress
from upscale.networks.spec import spec_to_dict
from upscale.training.config import Config
from upscale.training.data.mixture import Mixture
from upscale.training.data.patches import Patches, batches
from upscale.training.data.shares import trained_on
from upscale.training.data.store import open_store
from upscale.training.keeper import STATE_FILE, Keeper, Moment, check_begun, claimed
from upscale.training.learning.distributed import World
from upscale.training.learning.failures import check_compiler, check_finite, enough_memory
from upscale.training.learning.schedules import rate, schedules_of
from upscale.training.learning.state import State, load_state, new_state, to_training
from upscale.training.learning.step import precision_of, update, wrapped
from upscale.training.losses.objective import load_objective
from upscale.training.records.boards import check_installed
from upscale.training.records.origin import machine_of, origin_of
from upscale.training.records.validation import Validation, find_validation
from upscale.training.start import Start, read_start

__all__ = ["Hooks", "train"]


@dataclass(frozen=True)
class Hooks:
    """How a caller follows and stops a training."""

    show: Callable[[Moment], None] = lambda moment: None
    """Called after each logged step and each validation."""
    stop: Callable[[], bool] = lambda: False
    """Asked after each step: whether to save and end."""
    notify: Notify = lambda text: None
    """Called with each warning."""
    progress: Callable[[str], Progress] = lambda title: lambda done, total: None
    """Makes a progress bar, from the title of a preparation."""
    started: Callable[[], None] = lambda: None
    """Called when the preparations end; ``stop`` is asked only from then on."""


def train(
    config: Config,
    run: Path,
    resume: bool,
    world: World,
    hooks: Hooks,
    first_of: Path | None = None,
) -> int:
    """Train as ``config`` says, into the folder ``run``, and return the number of steps done.

    ``resume`` continues from the state in ``run``; the result equals that of an unbroken run, bit
    for bit in float32 on the CPU. ``world``: the processes that share the batch. Raises kinds of
    UpscaleError; where a loss is not finite, the message names the state that is kept.
    ``first_of``: the run that this one is the first stage of.
    """
    notify = hooks.notify
    _check_options(config, world, notify)
    device = world.own(pick_device(config.device, notify))
    check_begun(run, resume)
    with world.one_after_the_other():
        fetching = hooks.progress("fetching weights")
        start = read_start(config.recipe, config.asked, fetching, notify)
        config = _stating(config, start)
        recipe = config.recipe
        precision = precision_of(config.precision, recipe, device)
        mixture = _decoded(config, hooks)
        state = new_state(recipe, start, config.seed, device, precision == "fp16")
        objective = load_objective(recipe, config.vgg, device, fetching, notify)
    origin = origin_of(config, mixture, start.origin) | machine_of(device, precision)
    validation = _validation(config, device, world, hooks)
    with _kept(config, run, resume, world, mixture, state, origin, notify) as keeper:
        running = wrapped(state, precision, world.size, config.compile)
        schedules = schedules_of(recipe)
        feed = _feed(config, mixture, state.step + 1, world, device)
        if keeper and validation and state.step == 0:
            hooks.show(keeper.validate(validation))
        hooks.started()
        begun, waited, counted, stopping = time.perf_counter(), 0.0, 0, False
        while state.step < recipe.steps and not stopping:
            asked = time.perf_counter()
            lr, hr = next(feed)
            waited += time.perf_counter() - asked
            rates = rate(state.step, schedules[0]), rate(state.step, schedules[1])
            to_training(state.generator, recipe.batch_norm)
            figures = update(state, running, objective, recipe, lr, hr, rates)
            counted += 1
            stopping = world.any_of(hooks.stop(), device)
            ended = state.step == recipe.steps
            saves = stopping or ended or state.step % config.save_every == 0
            validates = config.valid is not None and (
                ended or state.step % config.validate_every == 0
            )
            if not (saves or validates or state.step % config.log_every == 0):
                continue
            numbers = world.mean_of(figures)
            check_finite(
                *(numbers, state, lr[:1] if saves or validates else None, world),
                *(run, first_of),
            )
            if keeper:
                seconds = time.perf_counter() - begun
                moment = Moment(
                    state.step, recipe.steps, numbers, rates[0], seconds / counted, waited / seconds
                )
                keeper.log(moment)
                hooks.show(moment)
                if validates and validation:
                    hooks.show(keeper.validate(validation))
                if saves:
                    keeper.save()
            begun, waited, counted = time.perf_counter(), 0.0, 0
    return state.step


def _stating(config: Config, start: Start) -> Config:
    """Return ``config`` with the whole generator that is trained, which ``config.toml`` keeps."""
    return replace(config, recipe=replace(config.recipe, generator=spec_to_dict(start.spec)))


def _validation(
    config: Config, device: torch.device, world: World, hooks: Hooks
) -> Validation | None:
    """Find what the first process validates on, before the run's folder is made."""
    if world.rank > 0:
        return None
    return find_validation(config, device, hooks.progress, hooks.notify)


def _decoded(config: Config, hooks: Hooks) -> Mixture:
    recipe = config.recipe
    progress = hooks.progress("decoding")
    sigma = recipe.blur_sigma if recipe.degradation == "gaussian" else None
    about = (config.lr, recipe.scale, recipe.hr_patch, progress, hooks.notify, sigma)
    stores = tuple(open_store(each.folder, *about) for each in config.data)
    return Mixture(stores, tuple(each.share for each in config.data))


def _check_options(config: Config, world: World, notify: Notify) -> None:
    """Raise UsageError where the batch cannot be shared, and warn of what is probably a mistake."""
    recipe = config.recipe
    parts = world.size * recipe.accumulate
    if recipe.batch % parts:
        raise UsageError(
            f"--batch {recipe.batch} cannot be shared by {world.size} processes of "
            f"{recipe.accumulate} passes each; give a multiple of {parts}"
        )
    if recipe.is_gan and recipe.init == "none":
        notify(
            "warning: a GAN seldom succeeds without start weights; give those of a PSNR-trained "
            "generator, as the papers do: --init FILE"
        )
    for name in ("tensorboard", "wandb"):
        if getattr(config, name):
            check_installed(name)
    late = [each for each in recipe.milestones if each >= recipe.steps]
    if late and recipe.schedule == "steps":
        notify(
            f"warning: the learning rate falls at {', '.join(map(str, late))}, and --steps is "
            f"{recipe.steps}; give --milestones below that"
        )
    if config.valid is not None and trained_on(Path(config.valid), config.data):
        notify("warning: --valid lies in --data, so it measures pictures that are trained on")


@contextlib.contextmanager
def _kept(
    config: Config,
    run: Path,
    resume: bool,
    world: World,
    mixture: Mixture,
    state: State,
    origin: dict[str, str],
    notify: Notify,
) -> Iterator[Keeper | None]:
    """Load the state to resume, and give the first process the run's lock and its keeper."""
    device = next(state.generator.parameters()).device
    if config.compile:
        check_compiler(device)
    with contextlib.ExitStack() as held:
        held.enter_context(enough_memory(config, device))
        if world.rank == 0:
            held.enter_context(claimed(run, resume))
        if resume:
            path = run / STATE_FILE
            saved = load_state(path)
            if saved["data"] != mixture.digest:
                raise UsageError(
                    f"{path}: --data no longer holds the pictures of this run; put them back, or "
                    "start a new run from its generator.safetensors with --init"
                )
            state.load_state_dict(saved["state"])
        done, steps = state.step, config.recipe.steps
        if done >= steps and world.rank == 0:
            notify(
                f"{run}: has done {done} steps, and --steps is {steps}: nothing is left to do, and "
                f"the run stays as it is; --steps above {done} trains on"
            )
        if world.rank > 0 or done >= steps:
            yield None
            return
        keeper = Keeper(config, run, state, origin, mixture.digest)
        yield held.enter_context(contextlib.closing(keeper))


def _feed(
    config: Config, mixture: Mixture, first: int, world: World, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    recipe = config.recipe
    patches = Patches(
        *(mixture, recipe.hr_patch, recipe.batch, config.seed, recipe.degradation, recipe.augment),
        *(world.rank, world.size),
    )
    workers = (8 if device.type == "cuda" else 0) if config.workers is None else config.workers
    return batches(patches, first, recipe.steps, workers, device)
