"""Hand-made weights of an RRDBNet that enlarges by four and changes nothing else.

Every kernel has a single 1 in its centre, so that a feature is a colour from end to end; the dense
blocks add 0. What is left of the network is its nearest-neighbour upsampling, and the leaky ReLUs
pass whatever is not negative.
"""

from pathlib import Path

import torch

from upscale.networks.spec import RRDBNetSpec, build, spec_to_dict

__all__ = ["SPEC", "nearest_weights"]

SPEC = RRDBNetSpec(features=4, blocks=1, growth=4)

CARRIERS = ("conv_first", "conv_up1", "conv_up2", "conv_hr", "conv_last")
"""The convolutions that every colour passes through."""


def nearest_weights(path: Path) -> None:
    """Write a checkpoint to ``path`` whose output is the 4x nearest-neighbour enlargement.

    Exact for inputs in [0, 1]: each output is one input times 1, plus zeros.
    """
    state = {
        key: torch.zeros_like(tensor)
        for key, tensor in build(spec_to_dict(SPEC)).state_dict().items()
    }
    for name in CARRIERS:
        for colour in range(3):
            state[f"{name}.weight"][colour, colour, 1, 1] = 1
    torch.save(state, path)
