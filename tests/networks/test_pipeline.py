"""What is done to a generator's result."""

import torch
from random_networks import network_of, random_lr, random_state

from upscale.networks.pipeline import LUMA, Pipeline
from upscale.networks.resampling import Resampling
from upscale.networks.spec import SRResNetSpec

SPEC = SRResNetSpec(features=4, blocks=1)


def test_colour_is_enlarged_beside_a_generator_of_gray() -> None:
    network, lr = network_of(SPEC, random_state(SPEC)), random_lr(6, 5)
    weights = torch.tensor(LUMA).view(3, 1, 1)
    with torch.inference_mode():
        made = Pipeline(network, gray=True)(lr)
        luma = (network(lr) * weights).sum(1, keepdim=True)
        gray = Pipeline(network, gray=True)(lr[:, :1].expand(-1, 3, -1, -1))
        colour = Resampling(up=4)(lr - (lr * weights).sum(1, keepdim=True))
    torch.testing.assert_close(made - colour, luma.expand_as(made), rtol=0, atol=1e-6)
    assert (gray - gray[:, :1]).abs().max() < 1e-6


def test_back_projection_comes_last() -> None:
    network, lr = network_of(SPEC, random_state(SPEC)), random_lr(8, 8)
    with torch.inference_mode():
        plain, corrected = Pipeline(network)(lr), Pipeline(network, back_project=5)(lr)
        errors = [(Resampling(down=4)(sr) - lr).abs().mean() for sr in (plain, corrected)]
        assert torch.equal(plain, network(lr))
    assert errors[1] < errors[0] / 2
