"""SRResNet beside the equations of the SRGAN paper, and its relatives beside their programs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from paper_networks import (
    NEAR,
    TINY_SRRESNET,
    assert_enlarges,
    convolve,
    leaky,
    nearest,
    normalize,
    prelu,
    shuffle,
    srresnet,
    trainable,
)
from random_networks import MSRRESNET, network_of, random_lr, random_state

from upscale.networks.spec import SRResNetSpec, spec_from_dict, spec_to_dict


def test_srresnet_16_has_as_many_parameters_as_krassers() -> None:
    # k9n64 PReLU, 16 x (k3n64 BN PReLU k3n64 BN), k3n64 BN, 2 x (k3n256, PReLU), k9n3
    conv3 = 9 * 64 * 64 + 64
    count = 81 * 3 * 64 + 64 + 64 + 16 * (2 * (conv3 + 2 * 64) + 64) + conv3 + 2 * 64
    count += 2 * (9 * 64 * 256 + 256 + 64) + 81 * 64 * 3 + 3
    assert count == 1_550_659
    assert trainable(SRResNetSpec()) == count


@pytest.mark.parametrize("upsampler", ["subpixel", "nearest"])
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_srresnet_enlarges_any_size_by_its_scale(scale: int, upsampler: str) -> None:
    values = {"architecture": "srresnet", "scale": scale, "upsampler": upsampler}
    spec = spec_from_dict({**values, "features": 4, "blocks": 1})
    network = network_of(spec, random_state(spec))
    assert_enlarges(network, scale)


def test_residual_block_is_that_of_srgan() -> None:
    state = random_state(TINY_SRRESNET)
    block = network_of(TINY_SRRESNET, state).get_submodule("body.1")
    x = torch.randn(2, 6, 5, 7, generator=torch.Generator().manual_seed(0))
    h = normalize(state, "body.1.bn1", convolve(state, "body.1.conv1", x))
    h = convolve(state, "body.1.conv2", prelu(state, "body.1.act", h))
    expected = x + normalize(state, "body.1.bn2", h)
    torch.testing.assert_close(block(x), expected, rtol=0, atol=NEAR)


@pytest.mark.parametrize(("scale", "factors"), [(2, (2,)), (3, (3,)), (4, (2, 2)), (8, (2, 2, 2))])
def test_srresnet_is_the_network_of_the_paper(scale: int, factors: tuple[int, ...]) -> None:
    spec = SRResNetSpec(scale=scale, features=6, blocks=2, output="linear")
    state, lr = random_state(spec), random_lr(5, 6)
    expected = srresnet(state, lr, 2, factors)
    torch.testing.assert_close(network_of(spec, state)(lr), expected, rtol=0, atol=NEAR)


def test_tanh_output_is_read_as_minus_one_to_one() -> None:
    state, lr = random_state(TINY_SRRESNET), random_lr(5, 6)
    expected = (np.tanh(srresnet(state, lr, 2, (2, 2)).numpy()) + 1) / 2
    sr = network_of(TINY_SRRESNET, state)(lr)
    np.testing.assert_allclose(sr.numpy(), expected, atol=NEAR)


def test_imagenet_input_is_normalised_by_mean_and_deviation() -> None:
    spec = SRResNetSpec(features=6, blocks=2, input="imagenet", output="linear")
    state, lr = random_state(spec), random_lr(5, 6)
    normalized = lr.clone()
    for channel, (mean, deviation) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]):
        normalized[:, channel] = (lr[:, channel] - mean) / deviation
    expected = srresnet(state, normalized, 2, (2, 2))
    torch.testing.assert_close(network_of(spec, state)(lr), expected, rtol=0, atol=NEAR)


@pytest.mark.parametrize(("scale", "factors"), [(2, (2,)), (3, (3,)), (4, (2, 2))])
def test_msrresnet_is_that_of_basicsr(scale: int, factors: tuple[int, ...]) -> None:
    spec = spec_from_dict({**spec_to_dict(MSRRESNET), "scale": scale})
    state, lr = random_state(spec), random_lr(3, 66)
    x = leaky(convolve(state, "conv_first", lr), 0.1)
    for i in range(2):
        h = torch.relu(convolve(state, f"body.{i}.conv1", x))
        x = x + convolve(state, f"body.{i}.conv2", h)
    for i, factor in enumerate(factors):
        x = leaky(shuffle(convolve(state, f"up.{i}.conv", x), factor), 0.1)
    x = convolve(state, "conv_last", leaky(convolve(state, "conv_hr", x), 0.1))
    base = F.interpolate(lr, scale_factor=scale, mode="bilinear", align_corners=False)
    torch.testing.assert_close(network_of(spec, state)(lr), x + base, rtol=0, atol=NEAR)


def test_srresnet_without_the_skip_keeps_its_convolutions() -> None:
    spec = replace(TINY_SRRESNET, output="linear")
    state, lr = random_state(spec), random_lr(5, 6)
    without = network_of(replace(spec, skip_added=False), state)  # the same parameters
    expected = srresnet(state, lr, spec.blocks, (2, 2), skip=False)
    torch.testing.assert_close(without(lr), expected, rtol=0, atol=NEAR)
    assert not torch.allclose(without(lr), network_of(spec, state)(lr), atol=NEAR)


def test_msrresnet0_is_that_of_kair() -> None:
    spec = SRResNetSpec(
        features=6,
        blocks=2,
        end_kernel=3,
        normalization="none",
        first_activation="none",
        block_activation="relu",
        up_activation="relu",
        hr_activation="relu",
        hr_convolution=True,
        upsampler="nearest",
        output="linear",
    )
    state, lr = random_state(spec), random_lr(5, 6)
    first = convolve(state, "conv_first", lr)
    x = first
    for i in range(2):
        h = torch.relu(convolve(state, f"body.{i}.conv1", x))
        x = x + convolve(state, f"body.{i}.conv2", h)
    x = first + convolve(state, "conv_body", x)
    for i in range(2):
        x = torch.relu(convolve(state, f"up.{i}.conv", nearest(x, 2)))
    expected = convolve(state, "conv_last", torch.relu(convolve(state, "conv_hr", x)))
    torch.testing.assert_close(network_of(spec, state)(lr), expected, rtol=0, atol=NEAR)


def test_bilinear_base_is_added_to_the_output() -> None:
    spec = spec_from_dict({**spec_to_dict(MSRRESNET), "scale": 2})
    network = network_of(spec, {key: torch.zeros_like(x) for key, x in random_state(spec).items()})
    lr = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    row = torch.tensor([0, 0.25, 0.75, 1])  # samples at -1/4, 1/4, 3/4, 5/4 pixels
    torch.testing.assert_close(network(lr), row.expand(1, 3, 2, 4))
