"""RRDBNet beside the equations of the ESRGAN paper."""

import numpy as np
import pytest
import torch
from paper_networks import (
    NEAR,
    TINY_RRDBNET,
    assert_enlarges,
    dense_block,
    rrdb,
    rrdbnet,
    trainable,
    unshuffle,
)
from random_networks import network_of, random_lr, random_state

from upscale.models.model import Model
from upscale.networks.spec import RRDBNetSpec


def test_rrdbnet_23_has_as_many_parameters_as_the_published_one() -> None:
    growing = sum(9 * (64 + 32 * k) * 32 + 32 for k in range(4))
    dense = growing + 9 * (64 + 4 * 32) * 64 + 64
    count = 9 * 3 * 64 + 64 + 23 * 3 * dense + 4 * (9 * 64 * 64 + 64) + 9 * 64 * 3 + 3
    assert count == 16_697_987
    assert trainable(RRDBNetSpec()) == count


@pytest.mark.parametrize(("scale", "unshuffle"), [(4, 1), (2, 1), (8, 1), (1, 1), (2, 2), (1, 4)])
def test_rrdbnet_enlarges_any_size_by_its_scale(scale: int, unshuffle: int) -> None:
    spec = RRDBNetSpec(scale=scale, unshuffle=unshuffle, features=4, blocks=1, growth=2)
    model = Model("x", spec, random_state(spec), "", torch.device("cpu"), "fp32")
    assert_enlarges(model, scale)


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
    model = Model("x", spec, state, "", torch.device("cpu"), "fp32")
    torch.testing.assert_close(model(lr), expected, rtol=0, atol=NEAR)
