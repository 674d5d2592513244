"""``upscale train``: from the pictures to the last checkpoint, read from top to bottom."""

import contextlib
import math
import time
from collections.abc import Callable
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
from upscale.training.schedules import Schedule, rate
from upscale.training.state import State, load_state, new_state, to_training
from upscale.training.step import Running, update
from upscale.training.validation import Validation, prepare_validation

__all__ = ["Hooks", "train"]


@dataclass(frozen=True)
class Hooks:
    """How the loop speaks and is spoken to.

    ``show``: after every logged step and validation; ``stop``: asked after each step whether to
    save and end; ``progress``: of preparations, by title; ``started``: when these are done, from
    where on ``stop`` is asked.
    """

    show: Callable[[Moment], None] = lambda moment: None
    stop: Callable[[], bool] = lambda: False
    notify: Notify = lambda text: None
    progress: Callable[[str], Callable[[int, int], None]] = lambda title: lambda done, total: None
    started: Callable[[], None] = lambda: None


def train(config: Config, run: Path, resume: bool, world: World, hooks: Hooks) -> int:
    """Train as ``config`` says, into the folder ``run``, and return the steps that are done.

    ``resume``: from the state in ``run``; the result is that of a run without a break, bit for bit
    in float32 on the CPU. One process at a time has a run. Raises UpscaleError kinds; where the
    loss is no longer finite, one that says which state is kept.
    """
    recipe = config.recipe
    _warn(config, hooks.notify)
    device = _device(config, world, hooks)
    precision = pick_precision(config.precision, device)
    store, state, objective, origin = _prepare(config, run, resume, world, device, precision, hooks)
    leads = world.rank == 0
    with (
        claimed(run, resume) if leads else contextlib.nullcontext(),
        contextlib.ExitStack() as held,
    ):
        if resume:
            state.load_state_dict(_saved(run / STATE_FILE, store))
        keeper = Keeper(config, run, state, origin, store.digest) if leads else None
        held.enter_context(contextlib.closing(keeper) if keeper else contextlib.nullcontext())
        validation = _validation(config, device, hooks) if leads else None
        running = _running(config, state, precision, world)
        of_generator, of_discriminator = _schedules(config)
        patches = Patches(
            *(store, recipe.hr_patch, recipe.batch, config.seed, recipe.degradation),
            *(world.rank, world.size),
        )
        workers = (8 if device.type == "cuda" else 0) if config.workers is None else config.workers
        feed = batches(patches, state.step + 1, recipe.steps, workers, device)
        if keeper is not None and validation is not None and state.step == 0:
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
            last = stopping or state.step == recipe.steps
            saves = last or state.step % config.save_every == 0
            validates = config.valid is not None and (
                state.step == recipe.steps or state.step % config.validate_every == 0
            )
            if not (last or saves or validates or state.step % config.log_every == 0):
                continue
            numbers = world.mean_of(figures)
            _check(numbers, state, lr[:1] if saves or validates else None, world, run)
            if keeper is not None:
                seconds = time.perf_counter() - begun
                moment = Moment(
                    state.step, recipe.steps, numbers, rates[0], seconds / counted, waited / seconds
                )
                keeper.log(moment)
                hooks.show(moment)
                if validates and validation is not None:
                    hooks.show(keeper.validate(validation))
                if saves:
                    keeper.save()
            begun, waited, counted = time.perf_counter(), 0.0, 0
    return state.step


def _warn(config: Config, notify: Notify) -> None:
    """Say what is likely not meant."""
    recipe = config.recipe
    if recipe.is_gan and recipe.init == "none":
        notify(
            "warning: a GAN that starts from nothing seldom gets anywhere; the papers "
            "start it from a PSNR-trained generator: --init FILE"
        )
    if config.valid is None:
        return
    valid, data = Path(config.valid).resolve(), config.data.resolve()
    if valid == data or data in valid.parents:
        notify("warning: --valid lies in --data, so it measures what is learnt by heart")


def _prepare(
    config: Config,
    run: Path,
    resume: bool,
    world: World,
    device: torch.device,
    precision: str,
    hooks: Hooks,
) -> tuple[Store, State, Objective, dict[str, str]]:
    """Refuse what cannot be run; bring pictures and weights here, one process after the other."""
    recipe = config.recipe
    if recipe.batch % (world.size * recipe.accumulate):
        raise UsageError(
            f"--batch {recipe.batch} cannot be shared by {world.size} processes in "
            f"{recipe.accumulate} passes each; take a multiple"
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
    return store, state, objective, _origin(config, store, start)


def _device(config: Config, world: World, hooks: Hooks) -> torch.device:
    device = pick_device(config.device, hooks.notify)
    if world.size > 1 and device.type == "cuda":
        torch.cuda.set_device(world.local)
        return torch.device("cuda", world.local)
    return device


def _saved(path: Path, store: Store) -> dict[str, Any]:
    """Return the state in ``path``; UsageError where the pictures are others by now."""
    saved = load_state(path)
    if saved["data"] != store.digest:
        raise UsageError(
            f"{path}: was trained on other pictures than those in --data now; put them back, or "
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
            "warning: validation is on LR of MATLAB's bicubic, unlike the training; put LR files "
            "of its kind into LR/ beside HR/ in --valid"
        )
    return prepare_validation(pictures, scale, config.metric, config.samples, device, hooks.notify)


def _running(config: Config, state: State, precision: str, world: World) -> Running:
    """Say how the networks are called: by several processes, compiled, in which precision."""
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


def _origin(config: Config, store: Store, start: dict[str, str]) -> dict[str, str]:
    """Say where the generator comes from, for the metadata of its file."""
    recipe = config.recipe
    origin = {
        "recipe": recipe.source,
        "data_digest": store.digest,
        "data_pictures": str(len(store.items)),
        "data_licence": config.data_licence,
        "seed": str(config.seed),
    }
    if recipe.init != "none":
        origin["init"] = Path(recipe.init).name
        told = _trained(start) if "recipe" in start else start
        origin |= {
            f"init_{key}": told[key] for key in ("title", "licence", "origin") if told.get(key)
        }
    return origin


def _trained(start: dict[str, str]) -> dict[str, str]:
    """Describe start weights that are a run's own, so that what these began with stays known."""
    made = f"trained on {start.get('data_pictures')} pictures ({start.get('data_digest', '')[:16]}"
    made += f"; {start['data_licence']})" if start.get("data_licence") else ")"
    if "init" in start:
        known = (start["init"], start.get("init_title"), start.get("init_origin"))
        made += f", from {', '.join(filter(None, known))}"
    return {
        "title": f"{start['recipe']}, {start.get('steps')} steps",
        "origin": made,
        "licence": start.get("init_licence", ""),
    }


def _check(
    numbers: dict[str, float], state: State, lr: Tensor | None, world: World, run: Path
) -> None:
    """Raise UpscaleError where figures are not finite, or what would be kept is not sound."""
    wrong = [name for name, value in numbers.items() if not math.isfinite(value)]
    if not wrong and lr is not None and world.any_of(not state.is_sound(lr), lr.device):
        wrong = ["the generator's result"]
    if not wrong:
        return
    kept = "nothing was saved before"
    if (run / STATE_FILE).exists():
        kept = f"the last good state is kept, --resume {run} goes on from it"
    raise UpscaleError(
        f"{', '.join(wrong)} is no finite number at step {state.step}; {kept}. Take a smaller "
        "--lr-rate, --clip 1, or --precision fp32",
        code="non-finite",
    )
