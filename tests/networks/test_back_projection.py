"""Back-projection: what it converges to, how far it looks, and that tiles do not show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from random_networks import network_of, random_state

from upscale.errors import UsageError
from upscale.models.loading import load_model
from upscale.networks.back_projection import REACH, BackProjection, Projection
from upscale.networks.spec import RRDBNetSpec, SRResNetSpec
from upscale.pictures.reading import reader
from upscale.pixels.degrade import degrade
from upscale.upscaling.engine import upscale_pixels
from upscale.upscaling.tiling import Tiling

SPEC = SRResNetSpec(features=8, blocks=1, normalization="none")
PHOTO = Path(__file__).parents[1] / "data" / "osprey.png"


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 255


def reduced(sr: torch.Tensor) -> torch.Tensor:
    """The bicubic reduction of another library: Pillow's, in 32-bit floats, one channel each."""
    planes = [
        np.asarray(
            Image.fromarray(plane.numpy()).resize(
                (plane.shape[1] // 4, plane.shape[0] // 4), Image.Resampling.BICUBIC
            )
        )
        for plane in sr[0]
    ]
    return torch.from_numpy(np.stack(planes))[None]


def test_the_reduction_of_the_result_meets_the_input() -> None:
    lr = tensor(reader.read(PHOTO).pixels[:64, :64])
    start = torch.nn.functional.interpolate(lr, scale_factor=4, mode="nearest")
    inner = (..., slice(4, -4), slice(4, -4))  # Pillow does not mirror at the edges
    errors = [
        (reduced(BackProjection(4, n)(start, lr)) - lr)[inner].square().mean().sqrt().item()
        for n in (0, 1, 4, 16)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 10
    assert errors[-1] * 255 < 0.2


def test_what_meets_the_input_already_stays() -> None:
    flat = torch.full((2, 3, 8, 8), 0.25)
    sr = torch.full((2, 3, 32, 32), 0.25)
    assert torch.allclose(BackProjection(4, 5)(sr, flat), sr, atol=1e-6)


def test_no_iteration_changes_nothing() -> None:
    sr = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 3 - 1
    assert torch.equal(BackProjection(4, 0)(sr, torch.zeros(1, 3, 4, 4)), sr)


def test_one_iteration_looks_no_further_than_its_reach() -> None:
    lr = torch.full((1, 3, 24, 24), 0.5)
    sr = torch.full((1, 3, 96, 96), 0.5)
    touched = sr.clone()
    touched[..., 48, 48] = 0.9
    changed = (BackProjection(4, 1)(touched, lr) - BackProjection(4, 1)(sr, lr)).abs().amax(
        (0, 1)
    ) > 1e-6
    rows = changed.any(1).nonzero()
    assert rows.min() >= 48 - 4 * REACH
    assert rows.max() <= 48 + 4 * REACH


def test_it_brings_a_models_result_nearer_to_the_truth() -> None:
    hr = reader.read(PHOTO).pixels
    lr = degrade(hr, 4)
    model = load_model("srgan", device="cpu", precision="fp32")
    errors = [
        np.square(upscale_pixels(lr, replace(model, back_project=n)).astype(float) - hr).mean()
        for n in (0, 4)
    ]
    assert errors[1] < errors[0]


@pytest.mark.slow
def test_tiled_equals_whole_within_one_level() -> None:
    lr = reader.read(PHOTO).pixels[:48, :40]
    model = load_model("srgan", device="cpu", precision="fp32", back_project=3)
    whole = upscale_pixels(lr, model, Tiling(0, 0)).astype(int)
    assert np.abs(upscale_pixels(lr, model, Tiling(25, model.overlap)) - whole).max() <= 1


def shifted(lr: torch.Tensor) -> torch.Tensor:
    """An enlargement whose colours have drifted, by as much as today's GANs let them."""
    sr = torch.nn.functional.interpolate(lr, scale_factor=4, mode="bicubic")
    return sr + torch.tensor([10.0, -6.0, 4.0]).view(3, 1, 1) / 255


def test_one_step_takes_a_shift_of_colours_away() -> None:
    lr = tensor(reader.read(PHOTO).pixels)
    before, after = (
        (reduced(sr) - lr).mean((0, 2, 3)) * 255
        for sr in (shifted(lr), Projection(4)(shifted(lr), lr))
    )
    assert before.abs().min() > 3
    assert after.abs().max() < 0.1


def test_a_step_is_an_iteration_that_does_not_clamp() -> None:
    lr = tensor(reader.read(PHOTO).pixels[:32, :32])
    sr = shifted(lr) + torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0)) - 0.5
    step = Projection(4)(sr, lr)
    assert step.min() < 0
    assert torch.equal(step.clamp(0, 1), BackProjection(4, 1)(sr, lr))


@pytest.mark.parametrize("spec", [SPEC, RRDBNetSpec(features=4, blocks=1, growth=2)])
def test_a_network_can_end_with_a_step(spec: SRResNetSpec | RRDBNetSpec) -> None:
    state, lr = random_state(spec), tensor(reader.read(PHOTO).pixels[:24, :32])
    plain, ended = (network_of(each, state) for each in (spec, replace(spec, projected=True)))
    with torch.no_grad():
        assert torch.equal(ended(lr), Projection(4)(plain(lr), lr))
        assert not torch.allclose(ended(lr), plain(lr), atol=0.01)


def test_a_smooth_step_takes_the_shift_and_leaves_the_rest() -> None:
    """The rest: a chequerboard of blocks of 8 pixels, which the input has not."""
    lr = torch.full((1, 3, 64, 64), 0.5)
    signs = torch.tensor([1.0, -1.0]).repeat_interleave(32).repeat(4)
    blocks = (signs[:, None] * signs[None, :]).expand(1, 3, 256, 256) * 8 / 255
    shift = torch.tensor([10.0, -6.0, 4.0]).view(3, 1, 1) / 255
    made = Projection(4, smooth=True)(0.5 + shift + blocks, lr)
    inner = (..., slice(64, -64), slice(64, -64))
    assert (reduced(made) - lr).mean((2, 3)).abs().max() * 255 < 0.1
    assert (made - 0.5 - blocks)[inner].abs().max() * 255 < 1
    assert (Projection(4)(0.5 + shift + blocks, lr) - 0.5 - blocks)[inner].abs().max() * 255 > 4


@pytest.mark.parametrize(("smooth", "reach"), [(False, REACH), (True, REACH + 7)])
def test_a_step_looks_no_further_than_is_said(smooth: bool, reach: int) -> None:
    lr, sr = torch.full((1, 3, 40, 40), 0.5), torch.full((1, 3, 160, 160), 0.5)
    touched = sr.clone()
    touched[..., 80, 80] = 0.9
    changed = (Projection(4, smooth)(touched, lr) - Projection(4, smooth)(sr, lr)).abs() > 1e-7
    rows = changed.amax((0, 1)).any(1).nonzero()
    assert rows.min() >= 80 - 4 * reach
    assert rows.max() <= 80 + 4 * reach
    spec = replace(SPEC, projected=True, smooth_projection=smooth)
    assert spec.overlap == SPEC.overlap + reach


def test_gradients_go_through_a_step() -> None:
    """Of the sum of squares, by a central difference along one direction."""
    random = torch.Generator().manual_seed(0)
    lr = torch.rand(1, 3, 6, 6, generator=random)
    sr, direction = torch.rand(2, 1, 3, 24, 24, generator=random)
    sr.requires_grad_()
    (gradient,) = torch.autograd.grad(Projection(4)(sr, lr).square().sum(), sr)
    with torch.no_grad():
        ends = [
            Projection(4)(sr + t * direction, lr).double().square().sum() for t in (0.01, -0.01)
        ]
    slope = (ends[0] - ends[1]).item() / 0.02
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-3)


@pytest.mark.parametrize("times", [-1, 101])
def test_a_number_of_iterations_that_makes_no_sense_is_refused(times: int) -> None:
    with pytest.raises(UsageError, match="0 to 100"):
        load_model("srgan", back_project=times)
