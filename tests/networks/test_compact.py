"""Compact networks against another implementation of SRVGGNetCompact."""

import pytest
import torch
from random_networks import random_state

from upscale.models.checkpoints.convert import convert_state
from upscale.networks.spec import Compact, CompactSpec, build

SMALL = CompactSpec(scale=2, features=4, blocks=2)

GOLDEN = [
    *(1.36285, -0.20553, 1.08141, -1.16868, 4.36347, 0.63267),
    *(0.90429, 0.67994, 1.04511, -1.39800, 3.89152, 0.41407),
    *(0.40458, 1.47454, 1.16211, -1.49205, 3.24390, -0.02296),
]
"""Every third row and column of what spandrel 0.4.2 makes of `formula` and `picture`."""


def formula(spec: CompactSpec) -> dict[str, torch.Tensor]:
    """Number n of parameter i is sin(1.7 n + i) / 2."""
    shapes = {key: tensor.shape for key, tensor in build(spec).state_dict().items()}
    state = {}
    for i, (key, shape) in enumerate(shapes.items()):
        n = torch.arange(shape.numel(), dtype=torch.float64).reshape(shape)
        state[key] = (0.5 * torch.sin(1.7 * n + i)).float()
    return state


def picture() -> torch.Tensor:
    n = torch.arange(36, dtype=torch.float64).reshape(1, 3, 3, 4)
    return torch.cos(n).float() * 0.5 + 0.5


def loaded(spec: CompactSpec, state: dict[str, torch.Tensor]) -> Compact:
    network = build(spec)
    assert isinstance(network, Compact)
    network.load_state_dict(state)
    return network.requires_grad_(False)


def test_a_small_network_computes_what_another_implementation_does() -> None:
    sr = loaded(SMALL, formula(SMALL))(picture())
    assert sr.shape == (1, 3, 6, 8)
    torch.testing.assert_close(
        sr[0, :, ::3, ::3].flatten(), torch.tensor(GOLDEN), atol=2e-5, rtol=0
    )


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_a_network_of_zeros_repeats_pixels(scale: int) -> None:
    spec = CompactSpec(scale=scale, features=4, blocks=1)
    zeros = {key: torch.zeros_like(tensor) for key, tensor in build(spec).state_dict().items()}
    lr = picture()
    expected = lr.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    assert torch.equal(loaded(spec, zeros)(lr), expected)


@pytest.mark.parametrize("prefix", ["", "module.", "generator.module."])
@pytest.mark.parametrize(
    "spec", [SMALL, CompactSpec(scale=1, features=6, blocks=1), CompactSpec(scale=3, features=2)]
)
def test_the_spec_is_read_off_keys_and_shapes(spec: CompactSpec, prefix: str) -> None:
    state = {prefix + key: tensor for key, tensor in random_state(spec).items()}
    found = convert_state(state, "a file")
    assert found.spec == spec
    assert torch.equal(found.state["body.0.weight"], state[f"{prefix}body.0.weight"])


def test_nothing_beyond_the_overlap_reaches_a_pixel() -> None:
    network = loaded(SMALL, formula(SMALL))
    lr = torch.full((1, 3, 1, 40), 0.5)
    changed = lr.clone()
    changed[..., : 20 - SMALL.overlap] = 0
    assert torch.equal(network(lr)[..., 40:], network(changed)[..., 40:])
    changed[..., 20 - SMALL.overlap] = 0
    assert not torch.equal(network(lr)[..., 40:], network(changed)[..., 40:])
