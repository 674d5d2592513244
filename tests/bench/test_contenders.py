"""Systems of a benchmark: what they make, and what they are called."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from upscale.bench.contenders import Task, baseline, elsewhere, network
from upscale.metrics.psnr_ssim import luma
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.pixels.degrade import degrade
from upscale.upscaling.engine import upscale_pixels

LR = np.random.default_rng(0).integers(40, 200, (12, 14, 3), np.uint8)
TASK = Task("a", LR, np.zeros((48, 56, 3), np.uint8))


@pytest.fixture(scope="module")
def psnr_end() -> Model:
    return load_model("srresnet", device="cpu", precision="fp32")


def test_a_baseline_is_called_by_its_name() -> None:
    contender = baseline("nearest", 3)
    (system,) = contender.systems
    (sr,) = contender.enlarge(TASK)
    assert (system.label, system.alpha, system.interpolation) == ("nearest", None, None)
    assert np.array_equal(sr, np.kron(LR, np.ones((3, 3, 1), np.uint8)))


def test_a_network_makes_what_the_command_makes(psnr_end: Model) -> None:
    contender = network(psnr_end)
    (sr,) = contender.enlarge(TASK)
    assert np.array_equal(sr, upscale_pixels(LR, psnr_end))
    assert contender.systems[0].label == "srresnet"
    assert contender.device == torch.device("cpu")


def test_labels_say_what_differs() -> None:
    model = load_model("srgan", 0.25, device="cpu", precision="fp32", tta=True, back_project=2)
    (system,) = network(model).systems
    assert system.label == "srgan, α 0.25, TTA, back-projected × 2"
    assert (system.alpha, system.interpolation, system.back_project) == (0.25, "network", 2)


def test_pictures_made_elsewhere_compete_under_their_name(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (48, 56, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a_out.png")
    contender = elsewhere("Other", {"a": tmp_path / "a_out.png"})
    (system,) = contender.systems
    (sr,) = contender.enlarge(TASK)
    assert np.array_equal(sr, pixels)
    assert (system.label, system.timed) == ("Other", False)


@pytest.mark.parametrize("name", ["nearest", "bicubic", "lanczos"])
def test_a_baseline_of_luma_alone_knows_no_colour(name: str) -> None:
    """Rounding apart, reducing and enlarging is linear: Y of the result is the result of Y."""
    hr = np.random.default_rng(2).integers(60, 180, (48, 56, 3), np.uint8)
    task = Task("a", degrade(hr, 4, "double"), hr)
    (alone,) = baseline(name, 4, luma_alone=True).enlarge(task)
    (colour,) = baseline(name, 4).enlarge(task)
    assert alone.shape == (48, 56, 1)
    assert np.abs(alone[..., 0] - luma(colour)).max() < 2.5
