"""One step: an update of the generator, then one of the discriminator, where there is one."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from upscale.models.precision import DTYPES, pick_precision
from upscale.networks.spec import Network, build, spec_from_dict
from upscale.training.learning.distributed import global_mean, synchronise_batch_norm
from upscale.training.learning.state import State
from upscale.training.losses.objective import Objective
from upscale.training.losses.terms import ADVERSARIAL, Mean
from upscale.training.recipes import Recipe

__all__ = ["Running", "precision_of", "update", "wrapped"]


@dataclass(frozen=True)
class Running:
    """The networks as a step calls them: plain, compiled, or wrapped for several processes."""

    generator: nn.Module
    """Called with LR; returns SR."""
    discriminator: nn.Module | None
    """Called in its own update; the generator's calls the plain one, and does not train it."""
    dtype: torch.dtype | None
    """Of autocast; None: float32 throughout."""
    mean: Mean
    """Averages logits over all processes."""


def precision_of(asked: str, recipe: Recipe, device: torch.device) -> str:
    """Return the requested precision of a training; ``auto`` is the fastest one.

    On the CPU a pass through the recipe's generator and back is timed, under autocast, as a step
    makes it. Parameters stay in float32, so the result's error is no criterion.
    """
    spec = spec_from_dict(recipe.generator)

    @cache
    def network() -> Network:
        with torch.random.fork_rng(devices=[]):
            return build(spec).train()

    def run(name: str, lr: Tensor) -> Tensor:
        with torch.autocast(lr.device.type, DTYPES[name], enabled=name != "fp32"):
            sr: Tensor = network()(lr).float()
        sr.mean().backward()  # type: ignore[no-untyped-call]
        return sr.detach()

    return pick_precision(asked, device, f"training of {spec!r}", run, math.inf)


def wrapped(state: State, precision: str, processes: int, compiled: bool) -> Running:
    """Return the networks of ``state`` for ``processes``, compiled if asked, at ``precision``."""

    def wrap(network: nn.Module) -> nn.Module:
        if processes > 1:
            synchronise_batch_norm(network)
            device = next(network.parameters()).device
            ids = [device] if device.type == "cuda" else None
            network = DistributedDataParallel(network, device_ids=ids)
        return torch.compile(network) if compiled else network  # type: ignore[return-value]

    return Running(
        wrap(state.generator),
        wrap(state.discriminator) if state.discriminator else None,
        None if precision == "fp32" else DTYPES[precision],
        global_mean,
    )


def update(
    state: State,
    running: Running,
    objective: Objective,
    recipe: Recipe,
    lr: Tensor,
    hr: Tensor,
    rates: tuple[float, float],
) -> dict[str, Tensor]:
    """Do one step on ``lr`` (N, 3, h, w) and ``hr`` (N, 3, H, W), and return its figures.

    Both are float32, [0, 1], on the networks' device. ``rates``: learning rates of generator and
    discriminator. Figures are scalars, float32, on the device, means over the accumulated passes:
    each term of the loss; ``loss``, their sum; with a GAN ``discriminator``, its loss, and
    ``D(hr)`` and ``D(sr)``, the mean of the logits' sigmoid.
    """
    figures: dict[str, Tensor] = {}
    passes = list(zip(lr.chunk(recipe.accumulate), hr.chunk(recipe.accumulate), strict=True))
    made = []
    _set_rate(state.generator_optimizer, rates[0])
    state.generator_optimizer.zero_grad(set_to_none=True)
    with _frozen(state.discriminator):
        for lr_part, hr_part in passes:
            sr, terms = _generate(state, running, objective, recipe, lr_part, hr_part)
            loss = torch.stack(list(terms.values())).sum()
            state.scaler.scale(loss / len(passes)).backward()  # type: ignore[no-untyped-call]
            _add(figures, terms | {"loss": loss}, len(passes))
            made.append(sr.detach())
    if recipe.clip:
        state.scaler.unscale_(state.generator_optimizer)
        nn.utils.clip_grad_norm_(state.generator.parameters(), recipe.clip)
    state.scaler.step(state.generator_optimizer)
    if state.discriminator is not None and state.discriminator_optimizer is not None:
        _set_rate(state.discriminator_optimizer, rates[1])
        state.discriminator_optimizer.zero_grad(set_to_none=True)
        for sr, (_, hr_part) in zip(made, passes, strict=True):
            loss, told = _discriminate(running, recipe, sr, hr_part)
            state.scaler.scale(loss / len(passes)).backward()  # type: ignore[no-untyped-call]
            _add(figures, told, len(passes))
        state.scaler.step(state.discriminator_optimizer)
    state.scaler.update()
    state.average.update(state.generator)
    state.step += 1
    return figures


def _generate(
    state: State,
    running: Running,
    objective: Objective,
    recipe: Recipe,
    lr: Tensor,
    hr: Tensor,
) -> tuple[Tensor, dict[str, Tensor]]:
    with _autocast(running, lr):
        sr = running.generator(lr).float()
        terms = objective(sr, hr, state.step)
        if state.discriminator is not None:
            losses = ADVERSARIAL[recipe.adversarial]
            sr_logits = state.discriminator(sr)
            with torch.no_grad():
                hr_logits = state.discriminator(hr) if losses.generator_sees_hr else sr_logits
            adversarial = losses.generator(hr_logits, sr_logits, running.mean)
            terms["adversarial"] = recipe.adversarial_coefficient * adversarial
    return sr, terms


def _discriminate(
    running: Running, recipe: Recipe, sr: Tensor, hr: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    assert running.discriminator is not None
    with _autocast(running, sr):
        hr_logits, sr_logits = running.discriminator(hr), running.discriminator(sr)
        loss = ADVERSARIAL[recipe.adversarial].discriminator(hr_logits, sr_logits, running.mean)
    return loss, {
        "discriminator": loss,
        "D(hr)": hr_logits.float().sigmoid().mean(),
        "D(sr)": sr_logits.float().sigmoid().mean(),
    }


def _autocast(running: Running, like: Tensor) -> torch.autocast:
    return torch.autocast(like.device.type, running.dtype, enabled=running.dtype is not None)


@contextlib.contextmanager
def _frozen(module: nn.Module | None) -> Iterator[None]:
    """Give a module's parameters no gradients, for the length of a with statement."""
    parameters = [] if module is None else list(module.parameters())
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _add(figures: dict[str, Tensor], terms: dict[str, Tensor], passes: int) -> None:
    for name, term in terms.items():
        part = term.detach() / passes
        figures[name] = figures[name] + part if name in figures else part
