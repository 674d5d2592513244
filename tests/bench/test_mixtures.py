"""Mixtures of the results of two systems."""

import numpy as np
import pytest
import torch

from upscale.bench.contenders import Contender, System, Task, baseline
from upscale.bench.mixtures import end_of, end_of_model, image_interpolation, mixture
from upscale.models.loading import load_model
from upscale.upscaling.engine import upscale_pixels

LR = np.random.default_rng(0).integers(40, 200, (12, 14, 3), np.uint8)
TASK = Task("a", LR, np.zeros((48, 56, 3), np.uint8))
ALPHAS = (0.0, 0.3, 1.0)


def flat(name: str, level: int) -> Contender:
    def enlarge(task: Task):  # type: ignore[no-untyped-def]
        yield np.full(task.hr.shape, level, np.uint8)

    return Contender((System(name, name),), enlarge, torch.device("cpu"))


def test_mixed_images_are_means_of_the_ends() -> None:
    ends = [load_model("srgan", alpha, device="cpu", precision="fp32") for alpha in (0.0, 1.0)]
    contender = image_interpolation(*map(end_of_model, ends), ALPHAS)
    made = [sr.astype(int) for sr in contender.enlarge(TASK)]
    apart = [upscale_pixels(LR, end).astype(int) for end in ends]
    assert np.array_equal(made[0], apart[0])
    assert np.array_equal(made[2], apart[1])
    assert np.abs(made[1] - (0.7 * apart[0] + 0.3 * apart[1])).max() <= 1
    assert [system.interpolation for system in contender.systems] == ["image"] * 3
    assert [system.alpha for system in contender.systems] == list(ALPHAS)
    assert {system.model for system in contender.systems} == {"srgan"}


def test_two_systems_that_are_no_kin_are_mixed() -> None:
    contender = mixture(end_of(flat("dark", 10)), end_of(flat("bright", 110)), ALPHAS)
    assert [int(sr[0, 0, 0]) for sr in contender.enlarge(TASK)] == [10, 40, 110]
    assert [system.label for system in contender.systems] == [
        f"dark + bright, images mixed, α {alpha:g}" for alpha in ALPHAS
    ]
    assert {system.model for system in contender.systems} == {"dark + bright"}


def test_a_baseline_is_mixed_with_a_network() -> None:
    model = load_model("srresnet", device="cpu", precision="fp32")
    contender = mixture(end_of(baseline("nearest", 4)), end_of_model(model), (0.0, 0.5))
    nearest, half = (sr.astype(int) for sr in contender.enlarge(TASK))
    assert np.array_equal(nearest, np.kron(LR, np.ones((4, 4, 1), int)))
    assert np.abs(half - (nearest + upscale_pixels(LR, model)) / 2).max() <= 1


def test_only_one_system_can_be_an_end() -> None:
    with pytest.raises(ValueError, match="unpack"):
        end_of(mixture(end_of(flat("a", 1)), end_of(flat("b", 2)), (0.0, 1.0)))
