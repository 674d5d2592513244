"""``upscale train``: from the pictures to the last checkpoint, read from top to bottom."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from upscale.bench.datasets import find_set
from upscale.errors import UpscaleError, UsageError
from upscale.metrics.by_name import fetch
from upscale.metrics.lpips import load_lpips
from upscale.models.devices import PRECISIONS, pick_device, pick_precision
from upscale.models.sources import Notify, Progress
from upscale.training.config import Config
from upscale.training.data.patches import Patches, batches
from upscale.training.data.store import Store, open_store
from upscale.training.distributed import World, global_mean, synchronise_batch_norm
from upscale.training.keeper import STATE_FILE, Keeper, Moment, check_begun, claimed
from upscale.training.losses.objective import Objective
from upscale.training.losses.vgg import load_vgg
from upscale.training.records.origin import origin_of
from upscale.training.records.validation import Validation, prepare_validation
from upscale.training.schedules import Schedule, rate
from upscale.training.state import State, load_state, new_state, to_training
from upscale.training.step import Running, update

__all__ = ["Hooks", "train"]


@dataclass(frozen=True)
class Hooks:
    """How the caller follows and stops a training."""

    show: Callable[[Moment], None] = lambda moment: None
    """Called after each logged step and each validation."""
    stop: Callable[[], bool] = lambda: False
    """Asked after each step whether to save and end."""
    notify: Notify = lambda text: None
    """Called with each warning."""
    progress: Callable[[str], Callable[[int, int], None]] = lambda title: lambda done, total: None
    """Makes a progress bar, from the title of a preparation."""
    started: Callable[[], None] = lambda: None
    """Called when the preparations end; ``stop`` is asked only from then on."""


def train(config: Config, run: Path, resume: bool, world: World, hooks: Hooks) -> int:
    """Train as ``config`` says, into the folder ``run``, and return the number of steps done.

    ``resume`` continues from the state in ``run``; the result equals that of an unbroken run, bit
    for bit in float32 on the CPU. Only one process at a time can use a run. Raises UpscaleError
    kinds; where the loss is no longer finite, the message names the state that is kept.
    """
    recipe = config.recipe
    _warn(config, hooks.notify)
    device = _device(config, world, hooks)
    precision = pick_precision(config.precision, device)
    store, state, objective, origin = _prepare(config, run, resume, world, device, precision, hooks)
    with _kept(config, run, resume, world, store, state, origin) as keeper:
        validation = _validation(config, device, hooks) if keeper else None
        running = _running(config, state, precision, world)
        of_generator, of_discriminator = _schedules(config)
        feed = _feed(config, store, state.step + 1, world, device)
        if keeper and validation and state.step == 0:
            hooks.show(keeper.validate(validation))
        hooks.started()
        begun, waited, counted = time.perf_counter(), 0.0, 0
        stopping = False
        while state.step < recipe.steps and not stopping:
            asked = time.perf_counter()
            lr, hr = next(feed)
            waited += time.perf_counter() - asked
            rates = rate(state.step, of_generator), rate(state.step, of_discriminator)
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
            _check(numbers, state, lr[:1] if saves or validates else None, world, run)
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


@contextlib.contextmanager
def _kept(
    config: Config,
    run: Path,
    resume: bool,
    world: World,
    store: Store,
    state: State,
    origin: dict[str, str],
) -> Iterator[Keeper | None]:
    """Load the state to resume, and give the first process the run's lock and its keeper."""
    leads = world.rank == 0
    with contextlib.ExitStack() as held:
        if leads:
            held.enter_context(claimed(run, resume))
        if resume:
            state.load_state_dict(_saved(run / STATE_FILE, store))
        keeper = None
        if leads:
            keeper = Keeper(config, run, state, origin, store.digest)
            held.enter_context(contextlib.closing(keeper))
        yield keeper


def _feed(
    config: Config, store: Store, first: int, world: World, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    recipe = config.recipe
    patches = Patches(
        *(store, recipe.hr_patch, recipe.batch, config.seed, recipe.degradation),
        *(world.rank, world.size),
    )
    workers = (8 if device.type == "cuda" else 0) if config.workers is None else config.workers
    return batches(patches, first, recipe.steps, workers, device)


def _warn(config: Config, notify: Notify) -> None:
    """Warn of what is probably a mistake."""
    recipe = config.recipe
    if recipe.is_gan and recipe.init == "none":
        notify(
            "warning: a GAN seldom succeeds without start weights; give those of a PSNR-trained "
            "generator, as the papers do: --init FILE"
        )
    if config.valid is None:
        return
    valid, data = Path(config.valid).resolve(), config.data.resolve()
    if valid == data or data in valid.parents:
        notify("warning: --valid lies in --data, so it measures pictures that were trained on")


def _prepare(
    config: Config,
    run: Path,
    resume: bool,
    world: World,
    device: torch.device,
    precision: str,
    hooks: Hooks,
) -> tuple[Store, State, Objective, dict[str, str]]:
    """Check the run, then load pictures and weights, one process after the other."""
    recipe = config.recipe
    if recipe.batch % (world.size * recipe.accumulate):
        raise UsageError(
            f"--batch {recipe.batch} does not divide among {world.size} processes of "
            f"{recipe.accumulate} passes each; give a multiple of {world.size * recipe.accumulate}"
        )
    check_begun(run, resume)
    with world.one_after_the_other():
        store = open_store(
            config.data,
            config.lr,
            recipe.scale,
            recipe.hr_patch,
            hooks.progress("decoding"),
            hooks.notify,
        )
        half = precision == "fp16"
        fetching = hooks.progress("fetching weights")
        state, start = new_state(recipe, config.seed, device, half, fetching, hooks.notify)
        objective = _objective(config, device, fetching, hooks.notify)
    return store, state, objective, origin_of(config, store, start)


def _device(config: Config, world: World, hooks: Hooks) -> torch.device:
    device = pick_device(config.device, hooks.notify)
    if world.size > 1 and device.type == "cuda":
        torch.cuda.set_device(world.local)
        return torch.device("cuda", world.local)
    return device


def _saved(path: Path, store: Store) -> dict[str, Any]:
    """Return the state in ``path``; UsageError where --data holds other pictures now."""
    saved = load_state(path)
    if saved["data"] != store.digest:
        raise UsageError(
            f"{path}: --data no longer holds the pictures of this run; put them back, or "
            "start a new run from its generator.safetensors with --init"
        )
    state: dict[str, Any] = saved["state"]
    return state


def _objective(
    config: Config, device: torch.device, progress: Progress, notify: Notify
) -> Objective:
    recipe = config.recipe
    vgg = lpips = None
    if recipe.content != "none" and recipe.content_coefficient:
        vgg = load_vgg(config.vgg, progress, notify).to(device)
    if recipe.lpips_coefficient:
        weights = fetch(f"lpips-{recipe.lpips_network}", progress, notify)
        assert weights is not None
        lpips = load_lpips(weights).to(device)
    return Objective(recipe, vgg, lpips)


def _validation(config: Config, device: torch.device, hooks: Hooks) -> Validation | None:
    if config.valid is None:
        return None
    scale = config.recipe.scale
    pictures = find_set(
        config.valid, None, scale, hooks.progress(f"fetching {config.valid}"), hooks.notify
    )
    trained_otherwise = config.recipe.degradation != "bicubic" or config.lr is not None
    if trained_otherwise and pictures.lr_folder is None:
        hooks.notify(
            "warning: validation uses LR from MATLAB's bicubic, and training does not; put LR "
            "files like those of the training into LR/ beside HR/ in --valid"
        )
    return prepare_validation(pictures, scale, config.metric, config.samples, device, hooks.notify)


def _running(config: Config, state: State, precision: str, world: World) -> Running:
    """Wrap the networks for several processes, and compile them, as the run asks."""
    dtype = None if precision == "fp32" else PRECISIONS[precision]
    networks: list[nn.Module | None] = [state.generator, state.discriminator]
    for index, network in enumerate(networks):
        if network is None:
            continue
        called: nn.Module = network
        if world.size > 1:
            synchronise_batch_norm(network)
            device = next(network.parameters()).device
            called = DistributedDataParallel(
                network,
                device_ids=[device] if device.type == "cuda" else None,
            )
        if config.compile:
            called = torch.compile(called)  # type: ignore[assignment]
        networks[index] = called
    generator, discriminator = networks
    assert generator is not None
    return Running(generator, discriminator, dtype, global_mean)


def _schedules(config: Config) -> tuple[Schedule, Schedule]:
    recipe = config.recipe
    of_generator = Schedule(
        *(recipe.lr_rate, recipe.schedule, recipe.steps, recipe.milestones),
        *(recipe.decay, recipe.warmup),
    )
    base = recipe.discriminator_rate or recipe.lr_rate
    return of_generator, replace(of_generator, base=base)


def _check(
    numbers: dict[str, float], state: State, lr: Tensor | None, world: World, run: Path
) -> None:
    """Raise UpscaleError where a figure or the generator's output is not finite."""
    wrong = [name for name, value in numbers.items() if not math.isfinite(value)]
    if not wrong and lr is not None and world.any_of(not state.is_sound(lr), lr.device):
        wrong = ["the generator's result"]
    if not wrong:
        return
    kept = "no state was saved"
    if (run / STATE_FILE).exists():
        kept = f"the last good state is kept; --resume {run} continues from it"
    raise UpscaleError(
        f"{', '.join(wrong)} is not finite at step {state.step}; {kept}. Try a smaller "
        "--lr-rate, --clip 1, or --precision fp32",
        code="non-finite",
    )
