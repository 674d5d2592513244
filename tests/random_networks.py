"""Networks with random numbers, the same each time: what the tests of weights are made of."""

import math

import torch
from torch import Tensor

from upscale.networks.spec import Network, Spec, SRResNetSpec, build

MSRRESNET = SRResNetSpec(
    features=8,
    blocks=2,
    end_kernel=3,
    normalization="none",
    first_activation="leaky_relu",
    block_activation="relu",
    up_activation="leaky_relu",
    hr_activation="leaky_relu",
    negative_slope=0.1,
    long_skip=False,
    hr_convolution=True,
    output="linear",
    base="bilinear",
)


def random_state(spec: Spec, seed: int = 0) -> dict[str, Tensor]:
    """Make a state dict for ``spec``: every number is random, batch-norm statistics included."""
    random = torch.Generator().manual_seed(seed)

    def uniform(shape: torch.Size, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=random)

    with torch.device("meta"):
        shapes = {key: tensor.shape for key, tensor in build(spec).state_dict().items()}
    state = {}
    for key, shape in shapes.items():
        if len(shape) == 4:
            reach = math.sqrt(1 / shape[1:].numel())
            state[key] = uniform(shape, -reach, reach)
        elif key.endswith(".running_var"):
            state[key] = uniform(shape, 0.3, 3)
        elif "bn" in key and key.endswith(".weight"):
            state[key] = uniform(shape, 0.5, 1.5)
        else:
            state[key] = uniform(shape, -0.5, 0.5)
    return state


def network_of(spec: Spec, state: dict[str, Tensor]) -> Network:
    """Build the network that ``state`` belongs to, ready for inference."""
    network = build(spec).eval().requires_grad_(False)
    own = network.state_dict()
    assert own.keys() == state.keys()
    for key, tensor in own.items():
        tensor.copy_(state[key])
    return network


def random_lr(height: int, width: int, seed: int = 0) -> Tensor:
    """Make a picture of noise: (1, 3, height, width), float32, [0, 1]."""
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
