"""Generators of one channel: what they make of gray is their own, written out here in PyTorch."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from random_networks import random_state
from torch import Tensor

from upscale.models.checkpoints.convert import read_checkpoint
from upscale.models.checkpoints.gray import is_gray
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.networks.spec import CompactSpec, RRDBNetSpec, Spec, SRResNetSpec

RRDBNET = RRDBNetSpec(features=8, blocks=1, growth=4)
COMPACT = CompactSpec(features=8, blocks=1, scale=2)


def of_one_channel(spec: Spec) -> dict[str, Tensor]:
    state = random_state(spec)
    first, last = (
        ("body.0", "body.4") if isinstance(spec, CompactSpec) else ("conv_first", "conv_last")
    )
    outputs = state[f"{last}.weight"].shape[0] // 3
    state[f"{first}.weight"] = state[f"{first}.weight"][:, :1].clone()
    for key in (f"{last}.weight", f"{last}.bias"):
        state[key] = state[key][:outputs].clone()
    return state


def loaded(state: dict[str, Tensor], tmp_path: Path) -> Model:
    torch.save(state, tmp_path / "gray.pth")
    return load_model(tmp_path / "gray.pth", device="cpu", precision="fp32")


def picture(channels: int) -> Tensor:
    return torch.rand(1, channels, 9, 11, generator=torch.Generator().manual_seed(0))


def test_gray_is_enlarged_as_one_channel(tmp_path: Path) -> None:
    state = of_one_channel(COMPACT)
    gray = picture(1)
    x = F.prelu(
        F.conv2d(gray, state["body.0.weight"], state["body.0.bias"], padding=1),
        state["body.1.weight"],
    )
    x = F.prelu(
        F.conv2d(x, state["body.2.weight"], state["body.2.bias"], padding=1), state["body.3.weight"]
    )
    x = F.conv2d(x, state["body.4.weight"], state["body.4.bias"], padding=1)
    expected = F.pixel_shuffle(x, 2) + F.interpolate(gray, scale_factor=2, mode="nearest")
    sr = loaded(state, tmp_path)(gray.expand(-1, 3, -1, -1))
    torch.testing.assert_close(sr, expected.expand(-1, 3, -1, -1), atol=1e-5, rtol=0)


def test_colour_keeps_its_differences(tmp_path: Path) -> None:
    """Red and blue that differ by .25 everywhere do so after any enlargement, too."""
    lr = picture(1).expand(-1, 3, -1, -1) + torch.tensor([0.25, 0, 0]).view(3, 1, 1)
    sr = loaded(of_one_channel(RRDBNET), tmp_path)(lr)
    torch.testing.assert_close(
        sr[:, 0] - sr[:, 2], torch.full_like(sr[:, 0], 0.25), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("spec", [RRDBNET, SRResNetSpec(features=8, blocks=1), COMPACT])
def test_generators_of_gray_and_of_colour_are_told_apart(spec: Spec, tmp_path: Path) -> None:
    assert loaded(of_one_channel(spec), tmp_path).gray
    assert not loaded(random_state(spec), tmp_path).gray


def test_first_convolution_behind_an_unshuffle_is_widened(tmp_path: Path) -> None:
    spec = RRDBNetSpec(features=8, blocks=1, growth=4, scale=2, unshuffle=2)
    state = random_state(spec)
    state["conv_first.weight"] = state["conv_first.weight"][:, :4].clone()
    for key in ("conv_last.weight", "conv_last.bias"):
        state[key] = state[key][:1].clone()
    torch.save(state, tmp_path / "gray.pth")
    found = read_checkpoint(tmp_path / "gray.pth")
    assert found.spec == spec
    assert is_gray(found.spec, found.state)
    gray = picture(4)
    wide = F.conv2d(gray.repeat(1, 3, 1, 1), found.state["conv_first.weight"])
    torch.testing.assert_close(wide, F.conv2d(gray, state["conv_first.weight"]), atol=1e-5, rtol=0)
