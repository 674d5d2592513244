"""The papers' losses beside a direct reading of their equations in double precision."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from upscale.errors import UsageError
from upscale.training.losses.terms import (
    ADVERSARIAL,
    DISTANCES,
    Mean,
    charbonnier,
    content,
    grid,
    l1,
    mse,
    relativistic_discriminator,
    relativistic_generator,
    standard_discriminator,
    standard_generator,
    total_variation,
)

Array = npt.NDArray[np.float64]
Loss = Callable[[Tensor, Tensor, Mean], Tensor]

LOSSES: dict[str, Loss] = {
    "standard_generator": standard_generator,
    "standard_discriminator": standard_discriminator,
    "relativistic_generator": relativistic_generator,
    "relativistic_discriminator": relativistic_discriminator,
}


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.RandomState(seed).randn(*shape)).float()


def doubles(x: Tensor) -> Array:
    return x.detach().numpy().astype(np.float64)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def reading(name: str, hr: Array, sr: Array) -> float:
    """The equations, word for word: C(x) are the arguments, D = σ(C), log and mean."""
    d_hr, d_sr = sigmoid(hr), sigmoid(sr)
    d_ra_hr, d_ra_sr = sigmoid(hr - sr.mean()), sigmoid(sr - hr.mean())
    return float(
        {
            "standard_generator": -np.log(d_sr).mean(),
            "standard_discriminator": -np.log(d_hr).mean() - np.log(1 - d_sr).mean(),
            "relativistic_discriminator": -np.log(d_ra_hr).mean() - np.log(1 - d_ra_sr).mean(),
            "relativistic_generator": -np.log(1 - d_ra_hr).mean() - np.log(d_ra_sr).mean(),
        }[name]
    )


# Pixels and features


def test_l1_and_mse_are_means_over_everything() -> None:
    sr, hr = random(2, 3, 5, 7), random(2, 3, 5, 7, seed=1)
    a, b = doubles(sr), doubles(hr)
    assert l1(sr, hr).item() == pytest.approx(np.abs(a - b).mean(), rel=1e-6)
    assert mse(sr, hr).item() == pytest.approx(((a - b) ** 2).mean(), rel=1e-6)


def test_mse_is_four_times_as_large_on_twice_the_range() -> None:
    sr, hr = random(1, 3, 4, 4), random(1, 3, 4, 4, seed=1)
    assert mse(2 * sr - 1, 2 * hr - 1).item() == pytest.approx(4 * mse(sr, hr).item(), rel=1e-5)


@pytest.mark.parametrize("gap", [0.0, 1e-4, 1e-3, 0.5, -0.5])
def test_charbonnier_is_a_hyperbola_of_width_a_thousandth(gap: float) -> None:
    """√(d² + ε²), whose slope is d / √(d² + ε²): 0 at equal pictures, nearly 1 far away."""
    hr = torch.full((2, 3, 4, 5), 0.5)
    sr = (hr + gap).requires_grad_()
    value = charbonnier(sr, hr)
    (gradient,) = torch.autograd.grad(value, sr)
    size = math.hypot(gap, 1e-3)
    assert value.item() == pytest.approx(size, rel=1e-4)
    assert gradient.numpy() == pytest.approx(np.full(hr.shape, gap / size / hr.numel()), rel=1e-3)


def test_content_rescales_the_features_as_the_srgan_paper_does() -> None:
    sr, hr = random(2, 8, 3, 3), random(2, 8, 3, 3, seed=1)
    a, b = doubles(sr) / 12.75, doubles(hr) / 12.75
    loss = content(sr, hr, "mse", 1 / 12.75).item()
    assert loss == pytest.approx(((a - b) ** 2).mean(), rel=1e-6)
    assert loss / mse(sr, hr).item() == pytest.approx(0.006, abs=2e-4)  # the paper's ≈ 0.006


def test_content_of_the_esrgan_paper_is_the_l1_distance() -> None:
    sr, hr = random(2, 8, 3, 3), random(2, 8, 3, 3, seed=1)
    expected = np.abs(doubles(sr) - doubles(hr)).mean()
    assert content(sr, hr, "l1").item() == pytest.approx(expected, rel=1e-6)


def test_a_distance_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'cosine' .* l1, mse, charbonnier$"):
        content(random(1, 1, 2, 2), random(1, 1, 2, 2), "cosine")


@pytest.mark.parametrize("name", DISTANCES)
def test_shapes_that_would_broadcast_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r" \(1, 3, 4, 4\) and \(2, 3, 4, 4\)$"):
        DISTANCES[name](random(1, 3, 4, 4), random(2, 3, 4, 4))


# Total variation


def test_total_variation_of_a_slope_is_its_steepness_times_its_area() -> None:
    height, width = 6, 9
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    slope = (0.3 * rows + 0.4 * columns).expand(2, 3, height, width)
    # √(0.3² + 0.4²) = 0.5 but in the last row, which has 0.4 alone, and the last column, 0.3.
    inside = 0.5 * (height - 1) * (width - 1)
    expected = 3 * (inside + 0.4 * (width - 1) + 0.3 * (height - 1))
    assert total_variation(slope).item() == pytest.approx(expected, rel=1e-6)


def test_total_variation_is_a_sum_over_pixels_and_a_mean_over_pictures() -> None:
    sr = random(3, 2, 5, 4)
    x = doubles(sr)
    expected = 0.0
    for picture in x:
        for channel in picture:
            for i in range(5):
                for j in range(4):
                    down = channel[i + 1, j] - channel[i, j] if i < 4 else 0
                    right = channel[i, j + 1] - channel[i, j] if j < 3 else 0
                    expected += np.hypot(down, right) / len(x)
    assert total_variation(sr).item() == pytest.approx(expected, rel=1e-6)


def test_a_flat_picture_has_no_variation_and_a_gradient_of_zero() -> None:
    sr = torch.full((1, 3, 4, 4), 0.7, requires_grad=True)
    loss = total_variation(sr)
    loss.backward()
    assert loss.item() == 0
    assert sr.grad is not None
    assert (sr.grad == 0).all()


def test_a_step_down_the_gradient_of_total_variation_smooths() -> None:
    sr = random(1, 1, 6, 6).requires_grad_()
    before = total_variation(sr)
    before.backward()
    assert sr.grad is not None
    assert total_variation(sr.detach() - 1e-3 * sr.grad) < before


# Adversarial


@pytest.mark.parametrize("shape", [(16, 1), (2, 1, 6, 5)], ids=["patches", "maps"])
@pytest.mark.parametrize("name", LOSSES)
def test_adversarial_losses_are_the_equations(name: str, shape: tuple[int, ...]) -> None:
    hr, sr = 2 * random(*shape) + 1, 2 * random(*shape, seed=1) - 1
    expected = reading(name, doubles(hr), doubles(sr))
    assert LOSSES[name](hr, sr, torch.mean).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_their_gradients_are_those_of_the_equations(name: str) -> None:
    hr, sr = random(6, 1).requires_grad_(), random(6, 1, seed=1).requires_grad_()
    LOSSES[name](hr, sr, torch.mean).backward()
    x = np.concatenate([doubles(hr), doubles(sr)])
    for i in range(len(x)):
        higher, lower = x.copy(), x.copy()
        higher[i] += 1e-5
        lower[i] -= 1e-5
        slope = (reading(name, *np.split(higher, 2)) - reading(name, *np.split(lower, 2))) / 2e-5
        grad = (hr if i < 6 else sr).grad
        found = 0.0 if grad is None else grad[i % 6].item()
        assert found == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_a_discriminator_that_knows_nothing_loses_twice_ln_2() -> None:
    nothing, offset = torch.zeros(4, 1), torch.full((4, 1), 3.0)  # which relativism does not see
    assert standard_generator(nothing, nothing).item() == pytest.approx(np.log(2))
    assert standard_discriminator(nothing, nothing).item() == pytest.approx(2 * np.log(2))
    assert relativistic_generator(offset, offset).item() == pytest.approx(2 * np.log(2))
    assert relativistic_discriminator(offset, offset).item() == pytest.approx(2 * np.log(2))


@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_each_side_pulls_its_own_way(kind: str) -> None:
    losses = ADVERSARIAL[kind]
    for side, direction in ((losses.generator, 1), (losses.discriminator, -1)):
        hr, sr = random(8, 1), random(8, 1, seed=1).requires_grad_()
        before = side(hr, sr, torch.mean)
        before.backward()
        assert sr.grad is not None
        assert (-sr.grad * direction > 0).all()  # the generator raises D(sr), the other lowers it
        assert side(hr, sr.detach() - 0.1 * sr.grad, torch.mean) < before


@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_whether_the_generator_sees_the_truth_is_stated(kind: str) -> None:
    hr, sr = random(4, 1).requires_grad_(), random(4, 1, seed=1).requires_grad_()
    ADVERSARIAL[kind].generator(hr, sr, torch.mean).backward()
    assert (hr.grad is not None) == ADVERSARIAL[kind].generator_sees_hr


@pytest.mark.parametrize("size", [1e2, 1e4, 1e30])
@pytest.mark.parametrize("name", LOSSES)
def test_extreme_logits_stay_finite(name: str, size: float) -> None:
    for sign in (1, -1):
        hr = torch.full((4, 1), sign * size, requires_grad=True)
        sr = torch.full((4, 1), -sign * size, requires_grad=True)
        loss = LOSSES[name](hr, sr, torch.mean)
        loss.backward()
        assert loss.isfinite()
        assert sr.grad is not None
        assert sr.grad.isfinite().all()


@pytest.mark.parametrize("size", [1e2, 1e4, 1e30])
def test_certainty_costs_nothing_where_right_and_the_logit_where_wrong(size: float) -> None:
    right, wrong = torch.full((4, 1), size), torch.full((4, 1), -size)
    assert standard_discriminator(right, wrong).item() == pytest.approx(0, abs=1e-40)
    assert standard_discriminator(wrong, right).item() == pytest.approx(2 * size)
    assert standard_generator(right, wrong).item() == pytest.approx(size)
    assert relativistic_discriminator(wrong, right).item() == pytest.approx(4 * size)


@pytest.mark.parametrize("name", ["relativistic_generator", "relativistic_discriminator"])
def test_two_processes_with_one_mean_are_one(name: str) -> None:
    hr, sr = random(8, 1).requires_grad_(), random(8, 1, seed=1).requires_grad_()
    LOSSES[name](hr, sr, torch.mean).backward()
    hr_alone, sr_alone = (x.detach().clone().requires_grad_() for x in (hr, sr))
    total = torch.zeros(())
    for part in (slice(0, 4), slice(4, 8)):
        hr_part, sr_part = hr_alone[part], sr_alone[part]
        means = {id(hr_part): hr_alone, id(sr_part): sr_alone}
        total = total + LOSSES[name](hr_part, sr_part, lambda x, m=means: m[id(x)].mean()) / 2
    total.backward()
    assert total.item() == pytest.approx(LOSSES[name](hr, sr, torch.mean).item(), rel=1e-6)
    for whole, parts in ((hr, hr_alone), (sr, sr_alone)):
        assert whole.grad is not None
        assert parts.grad is not None
        torch.testing.assert_close(whole.grad, parts.grad)


# The pattern of the LR pixels


@pytest.mark.parametrize("scale", [2, 4])
def test_a_pattern_of_one_level_on_a_flat_picture_has_a_power_of_one(scale: int) -> None:
    hr = torch.full((2, 3, 6 * scale, 5 * scale), 0.4)
    pattern = torch.ones(scale, scale)
    pattern[:, 1::2] = -1  # its mean square is 1, its mean 0
    sr = hr + pattern.tile(6, 5) / 255
    assert grid(sr, hr, scale).item() == pytest.approx(1, rel=1e-4)
    assert grid(hr - 3 * (sr - hr), hr, scale).item() == pytest.approx(9, rel=1e-4)


def test_what_no_place_has_more_than_others_is_no_pattern() -> None:
    """A shift of colours, an LR picture's worth of error, and a pattern that takes turns."""
    hr = random(2, 3, 16, 24)
    of_lr = random(2, 3, 4, 6, seed=1).repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert grid(hr + 0.1, hr, 4).item() < 1e-9
    flat = torch.full_like(hr, 0.5)
    assert grid(flat + of_lr, flat, 4).item() < 1e-6
    turns = torch.tensor([1.0, -1.0]).repeat_interleave(4).tile(3)
    noise = random(4, 4, seed=2).tile(4, 6) * turns
    assert grid(flat + noise, flat, 4).item() < 1e-6


def test_grid_is_the_variance_of_what_places_have_in_the_mean() -> None:
    sr, hr = random(2, 3, 8, 12), random(2, 3, 8, 12, seed=1)
    power = []
    for a, b in zip(doubles(sr).reshape(6, 8, 12), doubles(hr).reshape(6, 8, 12), strict=True):
        cells = [(slice(y, y + 4), slice(x, x + 4)) for y in (0, 4) for x in (0, 4, 8)]
        relative = [(a[cell] - b[cell]) / (b[cell].std() + 1 / 255) for cell in cells]
        power.append(np.mean(relative, axis=0).var())
    assert grid(sr, hr, 4).item() == pytest.approx(np.mean(power), rel=1e-5)


def test_grid_refuses_pictures_of_two_shapes() -> None:
    with pytest.raises(UsageError, match=r" \(1, 3, 8, 8\) and \(2, 3, 8, 8\)$"):
        grid(random(1, 3, 8, 8), random(2, 3, 8, 8), 4)


def test_a_pattern_counts_less_where_the_picture_has_detail() -> None:
    pattern = random(4, 4).tile(4, 4) / 100
    flat, detailed = torch.full((1, 1, 16, 16), 0.5), random(1, 1, 16, 16, seed=1)
    assert grid(detailed + pattern, detailed, 4) < 0.01 * grid(flat + pattern, flat, 4)


# Precision


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_comes_out_in_float32(dtype: torch.dtype) -> None:
    hr, sr = (2 * random(2, 3, 8, 8, seed=seed) for seed in (0, 1))
    low_hr, low_sr = hr.to(dtype), sr.to(dtype)
    everything: list[Callable[[Tensor, Tensor], Tensor]] = [
        l1,
        mse,
        lambda hr, sr: content(sr, hr, "mse", 1 / 12.75),
        lambda hr, sr: total_variation(sr),
        lambda hr, sr: grid(sr, hr, 4),
        *(lambda hr, sr, f=loss: f(hr, sr, torch.mean) for loss in LOSSES.values()),
    ]
    for loss in everything:
        with torch.autocast("cpu", torch.bfloat16):
            low = loss(low_hr, low_sr)
        assert low.dtype == torch.float32
        assert low.shape == ()
        # The same as of the same numbers in float32: nothing is rounded on the way.
        torch.testing.assert_close(low, loss(low_hr.float(), low_sr.float()), rtol=1e-6, atol=0)
