import json
from collections.abc import Sequence

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from random_networks import MSRRESNET, network_of, random_lr, random_state
from torch import Tensor

from upscale.networks.layers import Convolution
from upscale.networks.spec import (
    RRDBNetSpec,
    Spec,
    SRResNetSpec,
    build,
    set_precision,
    spec_from_dict,
    spec_to_dict,
)

State = dict[str, Tensor]

TINY_SRRESNET = SRResNetSpec(features=6, blocks=2)
TINY_RRDBNET = RRDBNetSpec(features=6, blocks=1, growth=4)

NEAR = 1e-5
"""What float32 may differ by in another order: a sum of n products below 2 is off by about √n
times 2^-23, and n is below 300 here; six times that.
"""

# --- sizes


def trainable(spec: Spec) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(spec).parameters())


def test_srresnet_16_has_as_many_parameters_as_krassers() -> None:
    # k9n64 PReLU, 16 x (k3n64 BN PReLU k3n64 BN), k3n64 BN, 2 x (k3n256, PReLU), k9n3
    conv3 = 9 * 64 * 64 + 64
    count = 81 * 3 * 64 + 64 + 64 + 16 * (2 * (conv3 + 2 * 64) + 64) + conv3 + 2 * 64
    count += 2 * (9 * 64 * 256 + 256 + 64) + 81 * 64 * 3 + 3
    assert count == 1_550_659
    assert trainable(SRResNetSpec()) == count


def test_rrdbnet_23_has_as_many_parameters_as_the_published_one() -> None:
    growing = sum(9 * (64 + 32 * k) * 32 + 32 for k in range(4))
    dense = growing + 9 * (64 + 4 * 32) * 64 + 64
    count = 9 * 3 * 64 + 64 + 23 * 3 * dense + 4 * (9 * 64 * 64 + 64) + 9 * 64 * 3 + 3
    assert count == 16_697_987
    assert trainable(RRDBNetSpec()) == count


SIZES = [(1, 1), (5, 3)]


@pytest.mark.parametrize("upsampler", ["subpixel", "nearest"])
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_srresnet_enlarges_any_size_by_its_scale(scale: int, upsampler: str) -> None:
    values = {"architecture": "srresnet", "scale": scale, "upsampler": upsampler}
    spec = spec_from_dict({**values, "features": 4, "blocks": 1})
    network = network_of(spec, random_state(spec))
    for height, width in SIZES:
        sr = network(random_lr(height, width))
        assert sr.shape == (1, 3, height * scale, width * scale)
        assert sr.dtype == torch.float32


@pytest.mark.parametrize(("scale", "unshuffle"), [(4, 1), (2, 1), (8, 1), (1, 1), (2, 2), (1, 4)])
def test_rrdbnet_enlarges_any_size_by_its_scale(scale: int, unshuffle: int) -> None:
    spec = RRDBNetSpec(scale=scale, unshuffle=unshuffle, features=4, blocks=1, growth=2)
    network = network_of(spec, random_state(spec))
    for height, width in SIZES:
        sr = network(random_lr(height, width))
        assert sr.shape == (1, 3, height * scale, width * scale)
        assert sr.dtype == torch.float32


@pytest.mark.parametrize("spec", [TINY_SRRESNET, TINY_RRDBNET, MSRRESNET])
def test_pictures_of_a_batch_do_not_touch_each_other(spec: Spec) -> None:
    network = network_of(spec, random_state(spec))
    one, two = random_lr(5, 6, seed=1), random_lr(5, 6, seed=2)
    both = network(torch.cat((one, two)))
    torch.testing.assert_close(both, torch.cat((network(one), network(two))), rtol=0, atol=NEAR)


# --- specs


@pytest.mark.parametrize(
    "spec",
    [
        SRResNetSpec(),
        MSRRESNET,
        SRResNetSpec(upsampler="nearest", input="imagenet", last_shuffle_folded=True),
        RRDBNetSpec(),
        RRDBNetSpec(scale=2, features=32, blocks=6, growth=16, unshuffle=2),
    ],
)
def test_spec_survives_a_round_trip_through_json(spec: Spec) -> None:
    assert spec_from_dict(json.loads(json.dumps(spec_to_dict(spec)))) == spec


def test_fields_left_out_are_those_of_the_paper() -> None:
    assert spec_from_dict({"architecture": "rrdbnet", "blocks": 6}) == RRDBNetSpec(
        scale=4, features=64, blocks=6, growth=32, unshuffle=1
    )


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, "architecture None"),
        ({"architecture": "edsr"}, "architecture 'edsr'"),
        ({"architecture": "rrdbnet", "depth": 23}, "no depth"),
        ({"architecture": "rrdbnet", "end_kernel": 9}, "no end_kernel"),
        ({"architecture": "rrdbnet", "blocks": "23"}, "no blocks = '23'"),
        ({"architecture": "rrdbnet", "blocks": True}, "no blocks = True"),
        ({"architecture": "srresnet", "long_skip": 1}, "no long_skip = 1"),
    ],
)
def test_spec_with_an_unknown_field_or_type_is_refused(
    values: dict[str, object], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        spec_from_dict(values)


@pytest.mark.parametrize(
    "field",
    [
        "normalization",
        "first_activation",
        "block_activation",
        "up_activation",
        "hr_activation",
        "upsampler",
        "input",
        "output",
        "base",
    ],
)
def test_spec_with_a_word_that_no_network_knows_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        spec_from_dict({"architecture": "srresnet", field: "tahn"})


def test_scale_that_no_network_has_is_refused() -> None:
    with pytest.raises(ValueError, match="no upsampling by 5"):
        build({"architecture": "rrdbnet", "scale": 5})


@pytest.mark.parametrize("spec", [TINY_SRRESNET, TINY_RRDBNET, MSRRESNET])
def test_network_takes_a_plain_dictionary_of_its_own_parameters(spec: Spec) -> None:
    state = random_state(spec)
    network = build(spec)
    network.load_state_dict(state)
    assert all(torch.equal(tensor, state[key]) for key, tensor in network.state_dict().items())


# --- precision


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("spec", [TINY_RRDBNET, MSRRESNET])
def test_half_precision_leaves_the_two_ends_in_float32(spec: Spec, dtype: torch.dtype) -> None:
    network = network_of(spec, random_state(spec))
    set_precision(network, dtype)
    found = {
        name: module.weight.dtype
        for name, module in network.named_modules()
        if isinstance(module, Convolution)
    }
    assert found.pop("conv_first") == torch.float32
    assert found.pop("conv_last") == torch.float32
    assert set(found.values()) == {dtype}


@pytest.mark.parametrize("spec", [TINY_RRDBNET, MSRRESNET])
def test_output_in_bfloat16_is_float32_and_near(spec: Spec) -> None:
    network = network_of(spec, random_state(spec))
    lr = random_lr(6, 5)
    exact = network(lr)
    set_precision(network, torch.bfloat16)
    rough = network(lr)
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, exact)
    torch.testing.assert_close(rough, exact, rtol=0, atol=0.02)


def test_half_precision_changes_no_number_of_the_two_ends() -> None:
    state = random_state(TINY_RRDBNET)
    network = network_of(TINY_RRDBNET, state)
    set_precision(network, torch.bfloat16)
    own = network.state_dict()
    for end in ("conv_first.weight", "conv_first.bias", "conv_last.weight", "conv_last.bias"):
        assert torch.equal(own[end], state[end])


@pytest.mark.parametrize(
    ("spec", "block", "factor"),
    [(TINY_RRDBNET, "body.0.rdb1", 1.0), (TINY_RRDBNET, "body.0", 1.2), (MSRRESNET, "body.0", 1.0)],
)
def test_residual_stream_in_bfloat16_is_not_rounded(spec: Spec, block: str, factor: float) -> None:
    # With convolutions that give 0 the dense and residual blocks are x, and RRDB is x + 0.2 x, each
    # rounded to the 24 bits of float32 up to four times; bfloat16 would keep 8.
    network = network_of(spec, {key: torch.zeros_like(x) for key, x in random_state(spec).items()})
    set_precision(network, torch.bfloat16)
    n = spec.features
    x = 1 + torch.arange(n * 9).view(1, n, 3, 3) * 2.0**-20
    y = network.get_submodule(block)(x)
    assert y.dtype == torch.float32
    torch.testing.assert_close(y, factor * x, rtol=4 * 2.0**-24, atol=0)


# --- forward passes, written straight from the papers


def convolve(state: State, name: str, x: Tensor) -> Tensor:
    weight = state[f"{name}.weight"]
    return F.conv2d(x, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)


def normalize(state: State, name: str, x: Tensor) -> Tensor:
    gamma, beta, mean, variance = (
        state[f"{name}.{part}"].view(-1, 1, 1)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return gamma * (x - mean) / torch.sqrt(variance + 1e-5) + beta


def prelu(state: State, name: str, x: Tensor) -> Tensor:
    return torch.where(x > 0, x, state[f"{name}.weight"].view(-1, 1, 1) * x)


def leaky(x: Tensor, slope: float) -> Tensor:
    return torch.where(x > 0, x, slope * x)


def shuffle(x: Tensor, r: int) -> Tensor:
    """Interleave channel c·r² + dy·r + dx as pixel (dy, dx) of channel c (Shi et al. 2016)."""
    n, channels, height, width = x.shape
    y = x.new_empty(n, channels // r**2, height * r, width * r)
    for dy in range(r):
        for dx in range(r):
            y[:, :, dy::r, dx::r] = x[:, dy * r + dx :: r**2]
    return y


def unshuffle(x: Tensor, r: int) -> Tensor:
    return torch.stack([x[:, :, i // r :: r, i % r :: r] for i in range(r * r)], 2).flatten(1, 2)


def nearest(x: Tensor, r: int) -> Tensor:
    return x.repeat_interleave(r, -1).repeat_interleave(r, -2)


def dense_block(state: State, name: str, x: Tensor) -> Tensor:
    seen = [x]
    for k in (1, 2, 3, 4):
        seen.append(leaky(convolve(state, f"{name}.conv{k}", torch.cat(seen, 1)), 0.2))
    return x + 0.2 * convolve(state, f"{name}.conv5", torch.cat(seen, 1))


def rrdb(state: State, name: str, x: Tensor) -> Tensor:
    y = x
    for k in (1, 2, 3):
        y = dense_block(state, f"{name}.rdb{k}", y)
    return x + 0.2 * y


def rrdbnet(state: State, lr: Tensor, blocks: int, doublings: int) -> Tensor:
    first = convolve(state, "conv_first", lr)
    x = first
    for i in range(blocks):
        x = rrdb(state, f"body.{i}", x)
    x = first + convolve(state, "conv_body", x)
    for k in range(1, doublings + 1):
        x = leaky(convolve(state, f"conv_up{k}", nearest(x, 2)), 0.2)
    return convolve(state, "conv_last", leaky(convolve(state, "conv_hr", x), 0.2))


def srresnet(state: State, lr: Tensor, blocks: int, factors: Sequence[int]) -> Tensor:
    first = prelu(state, "act_first", convolve(state, "conv_first", lr))
    x = first
    for i in range(blocks):
        h = normalize(state, f"body.{i}.bn1", convolve(state, f"body.{i}.conv1", x))
        h = convolve(state, f"body.{i}.conv2", prelu(state, f"body.{i}.act", h))
        x = x + normalize(state, f"body.{i}.bn2", h)
    x = first + normalize(state, "bn_body", convolve(state, "conv_body", x))
    for i, factor in enumerate(factors):
        x = shuffle(convolve(state, f"up.{i}.conv", x), factor)
        x = prelu(state, f"up.{i}.act", x)
    return convolve(state, "conv_last", x)


def test_dense_block_is_the_equation_of_esrgan() -> None:
    state = random_state(TINY_RRDBNET)
    block = network_of(TINY_RRDBNET, state).get_submodule("body.0.rdb2")
    x = torch.randn(2, 6, 5, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block(x), dense_block(state, "body.0.rdb2", x), rtol=0, atol=NEAR)


def test_rrdb_is_the_equation_of_esrgan() -> None:
    state = random_state(TINY_RRDBNET)
    block = network_of(TINY_RRDBNET, state).get_submodule("body.0")
    x = torch.randn(2, 6, 5, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block(x), rrdb(state, "body.0", x), rtol=0, atol=NEAR)


@pytest.mark.parametrize(
    ("scale", "doublings", "blocks"), [(1, 0, 1), (2, 1, 1), (4, 2, 2), (8, 3, 1)]
)
def test_rrdbnet_is_the_network_of_the_paper(scale: int, doublings: int, blocks: int) -> None:
    spec = RRDBNetSpec(scale=scale, features=6, blocks=blocks, growth=4)
    state, lr = random_state(spec), random_lr(5, 6)
    expected = rrdbnet(state, lr, blocks, doublings)
    torch.testing.assert_close(network_of(spec, state)(lr), expected, rtol=0, atol=NEAR)


@pytest.mark.parametrize(("scale", "factor", "below"), [(2, 2, 1), (1, 4, 3)])
def test_rrdbnet_unshuffles_in_front_and_continues_odd_sizes(
    scale: int, factor: int, below: int
) -> None:
    spec = RRDBNetSpec(scale=scale, unshuffle=factor, features=6, blocks=1, growth=4)
    state, lr = random_state(spec), random_lr(5, 7)
    whole = np.pad(lr.numpy(), ((0, 0), (0, 0), (0, below), (0, 1)), mode="edge")
    expected = rrdbnet(state, unshuffle(torch.from_numpy(whole), factor), 1, 2)
    expected = expected[..., : 5 * scale, : 7 * scale]
    torch.testing.assert_close(network_of(spec, state)(lr), expected, rtol=0, atol=NEAR)


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


# Behind the body, pictures with a side above 64 (`layers.PIECE`) are cut in pieces.


@pytest.mark.parametrize(("scale", "doublings"), [(1, 0), (2, 1), (4, 2), (8, 3)])
def test_rrdbnet_cut_in_pieces_is_the_network_of_the_paper(scale: int, doublings: int) -> None:
    spec = RRDBNetSpec(scale=scale, features=4, blocks=1, growth=2)
    state = random_state(spec)
    for size in [(70, 131), (1, 66)]:
        lr = random_lr(*size)
        expected = rrdbnet(state, lr, 1, doublings)
        torch.testing.assert_close(network_of(spec, state)(lr), expected, rtol=0, atol=NEAR)


@pytest.mark.parametrize("end_kernel", [1, 3, 5, 7, 9])
@pytest.mark.parametrize(("scale", "factors"), [(2, (2,)), (3, (3,)), (4, (2, 2)), (8, (2, 2, 2))])
def test_srresnet_cut_in_pieces_is_the_network_of_the_paper(
    scale: int, factors: tuple[int, ...], end_kernel: int
) -> None:
    spec = SRResNetSpec(scale=scale, features=4, blocks=1, end_kernel=end_kernel, output="linear")
    state, lr = random_state(spec), random_lr(2, 66)
    expected = srresnet(state, lr, 1, factors)
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
