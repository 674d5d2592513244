"""Systems of a benchmark: what they make, and what they are called."""

import numpy as np
import pytest
import torch

from upscale.bench.contenders import baseline, image_interpolation, network
from upscale.models.model import Model, load_model
from upscale.upscaling.engine import upscale_pixels

LR = np.random.default_rng(0).integers(40, 200, (12, 14, 3), np.uint8)


@pytest.fixture(scope="module")
def gan() -> Model:
    return load_model("srgan", 1.0, device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def psnr_end() -> Model:
    return load_model("srresnet", device="cpu", precision="fp32")


def test_a_baseline_is_called_by_its_name() -> None:
    contender = baseline("nearest", 3)
    (system,) = contender.systems
    (sr,) = contender.enlarge(LR)
    assert (system.label, system.alpha, system.interpolation) == ("nearest", None, None)
    assert np.array_equal(sr, np.kron(LR, np.ones((3, 3, 1), np.uint8)))


def test_a_network_makes_what_the_command_makes(psnr_end: Model) -> None:
    contender = network(psnr_end)
    (sr,) = contender.enlarge(LR)
    assert np.array_equal(sr, upscale_pixels(LR, psnr_end))
    assert contender.systems[0].label == "srresnet"
    assert contender.device == torch.device("cpu")


def test_labels_say_what_differs() -> None:
    model = load_model("srgan", 0.25, device="cpu", precision="fp32", tta=True, back_project=2)
    (system,) = network(model).systems
    assert system.label == "srgan, α 0.25, TTA, back-projected × 2"
    assert (system.alpha, system.interpolation, system.back_project) == (0.25, "network", 2)


def test_mixed_images_are_means_of_the_ends(gan: Model, psnr_end: Model) -> None:
    alphas = (0.0, 0.3, 1.0)
    contender = image_interpolation(psnr_end, gan, alphas)
    made = [sr.astype(int) for sr in contender.enlarge(LR)]
    ends = [upscale_pixels(LR, end).astype(int) for end in (psnr_end, gan)]
    assert np.array_equal(made[0], ends[0])
    assert np.array_equal(made[2], ends[1])
    assert np.abs(made[1] - (0.7 * ends[0] + 0.3 * ends[1])).max() <= 1
    assert [system.interpolation for system in contender.systems] == ["image"] * 3
    assert [system.alpha for system in contender.systems] == list(alphas)
