"""One step against gradients that are written down anew here, term by term."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tiny_training import RRDBNET, SRRESNET, narrow
from torch import Tensor, nn

from upscale.models.precision import FILE
from upscale.training.learning.state import State, new_state, to_training
from upscale.training.learning.step import Running, precision_of, update
from upscale.training.losses.objective import Objective
from upscale.training.recipes import RECIPES, Recipe
from upscale.training.start import read_start

pytestmark = pytest.mark.usefixtures("alone")

PSNR = replace(RECIPES["srresnet"], generator=SRRESNET, init="none", hr_patch=16, ema=0.9)
PLAIN = replace(PSNR, generator=SRRESNET | {"normalization": "none"})
RRDB = replace(PSNR, generator=RRDBNET, pixel="l1", pixel_coefficient=1.0)
GAN = replace(PSNR, adversarial="relativistic", adversarial_coefficient=0.5)
UNET = replace(GAN, discriminator="unet")
STANDARD = replace(GAN, adversarial="standard")


def fresh(recipe: Recipe, half: bool = False) -> State:
    state = new_state(recipe, read_start(recipe), 0, torch.device("cpu"), half)
    to_training(state.generator, recipe.batch_norm)
    return state


def pictures(number: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    hr = torch.rand(number, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return F.avg_pool2d(hr, 4), hr


def step(
    state: State,
    recipe: Recipe,
    rates: tuple[float, float] = (1e-3, 1e-3),
    dtype: torch.dtype | None = None,
    seed: int = 0,
) -> dict[str, Tensor]:
    running = Running(state.generator, state.discriminator, dtype, torch.mean)
    return update(state, running, Objective(recipe), recipe, *pictures(seed=seed), rates)


def gradients(network: nn.Module) -> list[Tensor]:
    found = [parameter.grad for parameter in network.parameters()]
    assert all(gradient is not None for gradient in found)
    return [gradient.clone() for gradient in found if gradient is not None]


def numbers(network: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def assert_near(found: list[Tensor], expected: list[Tensor], share: float) -> None:
    """Compare to a share of the largest number of each tensor, noise of float32 left out.

    A bias in front of batch-norm has no gradient but such noise.
    """
    noise = 1e-5 * max(each.abs().max().item() for each in expected)
    for a, b in zip(found, expected, strict=True):
        assert (a - b).abs().max() <= share * b.abs().max() + noise


# The gradients


def sigma(logits: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-logits))


def adversarial(recipe: Recipe, real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    """The losses of the generator and of the discriminator, as the papers write them."""
    if recipe.adversarial == "standard":  # Ledig et al. 2017, equations 6 and 2
        generator = -torch.log(sigma(made)).mean()
        return generator, -torch.log(sigma(real)).mean() - torch.log(1 - sigma(made)).mean()
    real_relative, made_relative = real - made.mean(), made - real.mean()
    generator = (  # Wang et al. 2018, equation 2
        -torch.log(1 - sigma(real_relative)).mean() - torch.log(sigma(made_relative)).mean()
    )
    discriminator = (  # equation 1
        -torch.log(sigma(real_relative)).mean() - torch.log(1 - sigma(made_relative)).mean()
    )
    return generator, discriminator


@pytest.mark.parametrize("recipe", [GAN, STANDARD, UNET], ids=["relativistic", "standard", "unet"])
def test_each_network_gets_the_gradient_of_its_own_loss_only(recipe: Recipe) -> None:
    state = fresh(recipe)
    before, judge = deepcopy(state.generator), deepcopy(state.discriminator)
    assert judge is not None
    figures = step(state, recipe)
    lr, hr = pictures()
    sr = before(lr)
    made = judge(sr)
    # The generator's loss looks at HR where it is relativistic, in this order; that matters where
    # each pass moves the singular vectors of spectral norm.
    real = judge(hr).detach() if recipe.adversarial == "relativistic" else made.detach()
    loss, _ = adversarial(recipe, real, made)
    total = 4 * ((sr - hr) ** 2).mean() + 0.5 * loss
    expected = torch.autograd.grad(total, list(before.parameters()))
    assert_near(gradients(state.generator), list(expected), 1e-4)
    assert figures["loss"].item() == pytest.approx(total.item(), rel=1e-5)
    assert figures["adversarial"].item() == pytest.approx(0.5 * loss.item(), rel=1e-5)

    real, made = judge(hr), judge(sr.detach())  # the same pictures, and no gradient behind them
    _, loss = adversarial(recipe, real, made)
    expected = torch.autograd.grad(loss, list(judge.parameters()))
    assert state.discriminator is not None
    assert_near(gradients(state.discriminator), list(expected), 1e-4)
    assert figures["discriminator"].item() == pytest.approx(loss.item(), rel=1e-5)
    assert figures["D(hr)"].item() == pytest.approx(sigma(real).mean().item(), rel=1e-5)
    assert figures["D(sr)"].item() == pytest.approx(sigma(made).mean().item(), rel=1e-5)
    assert all(each.requires_grad for each in state.discriminator.parameters())


@pytest.mark.parametrize("recipe", [PLAIN, RRDB], ids=["srresnet", "rrdbnet"])
def test_two_passes_of_half_a_batch_are_one_pass(recipe: Recipe) -> None:
    whole, halves = fresh(recipe), fresh(recipe)
    for seed in range(3):
        expected = step(whole, recipe, seed=seed)
        found = step(halves, replace(recipe, accumulate=2), seed=seed)
        for name, value in expected.items():
            assert found[name].item() == pytest.approx(value.item(), rel=1e-6)
        assert_near(gradients(halves.generator), gradients(whole.generator), 1e-4)
        for a, b in zip(numbers(halves.generator), numbers(whole.generator), strict=True):
            assert (a - b).abs().max() <= 1e-6


@pytest.mark.slow
def test_two_passes_of_half_a_batch_are_one_pass_for_the_discriminator() -> None:
    # A standard loss on logits that no batch-norm has mixed: the U-Net's. Its singular vectors go
    # on from pass to pass, so they are brought to rest first.
    recipe = replace(STANDARD, generator=PLAIN.generator, discriminator="unet")
    with narrow():
        whole, halves = fresh(recipe), fresh(recipe)
    assert whole.discriminator is not None
    for _ in range(100):
        whole.discriminator(pictures()[1][:1, :, :8, :8])
    halves.load_state_dict(deepcopy(whole.state_dict()))
    assert halves.discriminator is not None
    expected = step(whole, recipe)
    found = step(halves, replace(recipe, accumulate=2))
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value.item(), rel=1e-5)
    assert_near(gradients(halves.generator), gradients(whole.generator), 1e-3)
    assert_near(gradients(halves.discriminator), gradients(whole.discriminator), 1e-3)


# What is done with them


@pytest.mark.parametrize("recipe", [PLAIN, GAN], ids=["psnr", "gan"])
def test_the_first_step_of_adam_has_the_length_of_the_rate(recipe: Recipe) -> None:
    state = fresh(recipe)
    networks = [(state.generator, 3e-4)]
    if state.discriminator is not None:
        networks.append((state.discriminator, 7e-5))
    before = [numbers(network) for network, _ in networks]
    step(state, recipe, (3e-4, 7e-5))
    for (network, rate), start in zip(networks, before, strict=True):
        for was, now, gradient in zip(start, numbers(network), gradients(network), strict=True):
            # Kingma and Ba 2015, algorithm 1, t = 1: both corrected moments are the gradient's own
            expected = was - rate * gradient / (gradient.abs() + 1e-8)
            assert (now - expected).abs().max() < 3e-7  # two roundings of numbers below 2


def test_a_long_gradient_is_clipped_and_a_short_one_is_not() -> None:
    free, short, same = fresh(PSNR), fresh(PSNR), fresh(PSNR)
    step(free, PSNR)
    whole = gradients(free.generator)
    norm = torch.sqrt(sum((each.double() ** 2).sum() for each in whole)).item()  # type: ignore[arg-type]
    step(short, replace(PSNR, clip=norm / 3))
    assert_near(gradients(short.generator), [each / 3 for each in whole], 1e-4)
    step(same, replace(PSNR, clip=norm * 3))
    assert_near(gradients(same.generator), whole, 1e-6)


def test_the_average_takes_in_what_the_step_has_made() -> None:
    state = fresh(PSNR)
    start = numbers(state.generator)
    for count in (1, 2):
        average = numbers(state.average.network) if count > 1 else start
        step(state, PSNR, seed=count)
        decay = min(0.9, count / (9 + count))  # from nothing it warms up: (1 + n) / (10 + n)
        expected = [
            decay * was + (1 - decay) * now
            for was, now in zip(average, numbers(state.generator), strict=True)
        ]
        for a, b in zip(numbers(state.average.network), expected, strict=True):
            assert (a - b).abs().max() < 1e-6
        assert state.step == count


# Half precision


def test_the_precision_of_a_training_is_measured_and_draws_no_random_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path))
    cpu, before = torch.device("cpu"), torch.get_rng_state()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    found = precision_of("auto", PSNR, cpu)
    (kept,) = json.loads((tmp_path / FILE).read_text()).values()
    assert found == kept
    assert found in ("fp32", "bf16")
    assert torch.equal(torch.get_rng_state(), before)
    assert precision_of("fp16", PSNR, cpu) == "fp16"
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert precision_of("auto", PSNR, cpu) == "fp32"


@pytest.mark.parametrize("recipe", [PSNR, RRDB, GAN], ids=["bn", "rrdb", "gan"])
def test_under_bf16_losses_are_float32_and_near_those_of_float32(recipe: Recipe) -> None:
    recipe = replace(recipe, tv_coefficient=1e-3, reduction_coefficient=0.5, grid_coefficient=1e-3)
    exact, half = step(fresh(recipe), recipe), step(fresh(recipe), recipe, dtype=torch.bfloat16)
    assert exact.keys() == half.keys()
    for name, value in half.items():
        assert value.dtype == torch.float32, name
        assert value.shape == (), name
        assert value.isfinite(), name
        # bf16 has 8 bits: each layer rounds by up to 2^-9, and what a discriminator's batch-norms
        # see of a fresh generator is nearly flat
        near = 0.03 if name in ("pixel", "tv", "reduction") else 0.15
        assert value.item() == pytest.approx(exact[name].item(), rel=near, abs=0.01), name


def test_under_bf16_parameters_and_their_gradients_stay_float32() -> None:
    state = fresh(GAN)
    step(state, GAN, dtype=torch.bfloat16)
    for network in (state.generator, state.discriminator, state.average.network):
        assert network is not None
        assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert {each.dtype for each in gradients(state.generator)} == {torch.float32}


def test_fp16_with_scaling_goes_where_float32_goes() -> None:
    exact, half = fresh(PLAIN), fresh(PLAIN, half=True)
    assert half.scaler.is_enabled()
    for seed in range(3):
        step(exact, PLAIN, seed=seed)
        step(half, PLAIN, dtype=torch.float16, seed=seed)
    for name, parameter in half.generator.named_parameters():
        other = exact.generator.get_parameter(name)
        moved = other - fresh(PLAIN).generator.get_parameter(name)
        alike = F.cosine_similarity((parameter - other + moved).flatten(), moved.flatten(), 0)
        assert alike > 0.9, name


def test_a_step_that_overflows_is_left_out_and_the_scale_is_halved() -> None:
    state = fresh(GAN, half=True)
    state.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**120)
    before = [numbers(state.generator), numbers(state.discriminator)]  # type: ignore[arg-type]
    step(state, GAN, dtype=torch.float16)
    after = [numbers(state.generator), numbers(state.discriminator)]  # type: ignore[arg-type]
    for was, now in zip(before, after, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(was, now, strict=True))
    assert state.scaler.get_scale() == 2.0**119
