"""Layers in networks of every scale, and in half precision."""

import pytest
import torch
from paper_networks import NEAR, TINY_RRDBNET, rrdbnet, srresnet
from random_networks import MSRRESNET, network_of, random_lr, random_state

from upscale.networks.layers import Convolution
from upscale.networks.spec import RRDBNetSpec, Spec, SRResNetSpec, set_precision


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


@pytest.mark.parametrize(("scale", "doublings"), [(1, 0), (2, 1), (4, 2), (8, 3)])
def test_rrdbnet_of_any_scale_is_the_network_of_the_paper(scale: int, doublings: int) -> None:
    spec = RRDBNetSpec(scale=scale, features=4, blocks=1, growth=2)
    state = random_state(spec)
    for size in [(7, 13), (1, 6)]:
        lr = random_lr(*size)
        expected = rrdbnet(state, lr, 1, doublings)
        torch.testing.assert_close(network_of(spec, state)(lr), expected, rtol=0, atol=NEAR)


@pytest.mark.parametrize("end_kernel", [1, 3, 5, 7, 9])
@pytest.mark.parametrize(("scale", "factors"), [(2, (2,)), (3, (3,)), (4, (2, 2)), (8, (2, 2, 2))])
def test_srresnet_of_any_scale_is_the_network_of_the_paper(
    scale: int, factors: tuple[int, ...], end_kernel: int
) -> None:
    spec = SRResNetSpec(scale=scale, features=4, blocks=1, end_kernel=end_kernel, output="linear")
    state, lr = random_state(spec), random_lr(2, 6)
    expected = srresnet(state, lr, 1, factors)
    torch.testing.assert_close(network_of(spec, state)(lr), expected, rtol=0, atol=NEAR)
