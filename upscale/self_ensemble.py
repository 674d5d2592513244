"""The geometric self-ensemble: a network's mean over the flips and rotations of its input."""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["self_ensemble"]


def self_ensemble(network: Callable[[Tensor], Tensor], lr: Tensor) -> Tensor:
    """Return the mean of what ``network`` makes of ``lr`` in its eight flips and rotations.

    ``lr``: (N, C, H, W), any float type and range; ``network``: called with that and with
    (N, C, W, H). Every result is turned back before the mean, which is float32 (Lim et al. 2017,
    section 3.4).
    """
    total = torch.zeros((), device=lr.device)
    for flips in ((), (-1,)):
        for turns in range(4):
            turned = lr.flip(flips).rot90(turns, (-2, -1))
            sr = network(turned.contiguous(memory_format=torch.channels_last))
            total = total + sr.rot90(-turns, (-2, -1)).flip(flips)
    return total / 8
