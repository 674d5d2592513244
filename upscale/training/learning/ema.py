"""An exponential moving average of a generator, which is what a run keeps.

The generator of a GAN wanders from step to step; its average over the last thousand or so stands
still. BasicSR trains ESRGAN this way, with a decay of 0.999.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from upscale.errors import UsageError

__all__ = ["Average"]


class Average:
    """The moving average θ' ← d θ' + (1 − d) θ of a module's parameters, kept in float32.

    ``network`` is the average: a copy of the module in evaluation mode, on its device, without
    gradients. ``updates`` counts the updates so far.

    ``decay`` is d, in [0, 1). The first updates use the smaller d = (1 + updates)/(10 + updates),
    as TensorFlow's ExponentialMovingAverage does, so that the start is soon forgotten: otherwise
    0.999^500 = 61 % of the average would be the start after 500 updates. BasicSR has no such
    warm-up.

    Buffers are copied. A generator's are the running statistics of its batch-norms, which are
    moving averages already. (BasicSR never updates them; its generators have no batch-norm.)

    Pass the plain module, never its DDP or compiled wrapper, which shares its parameters. Raises
    UsageError for a decay out of range.
    """

    def __init__(self, module: nn.Module, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise UsageError(f"a decay of {decay} is out of range; give 0 or more, below 1")
        self.network = deepcopy(module).float().eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the parameters and buffers of ``module`` as they are now.

        Raises ValueError if their names are not those of the averaged module.
        """
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        average, current = _tensors(self.network.named_parameters(), module.named_parameters())
        # a + (1 − d)(θ − a), unlike d a + (1 − d) θ, leaves a parameter that is constant exact.
        torch._foreach_lerp_(average, [tensor.float() for tensor in current], 1 - decay)
        copies, buffers = _tensors(self.network.named_buffers(), module.named_buffers())
        if copies:
            torch._foreach_copy_(copies, buffers)
        self.updates += 1

    def state_dict(self) -> dict[str, Any]:
        """Return ``{"updates": int, "network": its state dict}``; the tensors are not copies."""
        return {"updates": self.updates, "network": self.network.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned; later updates are then the same, bit for bit.

        Raises KeyError or RuntimeError for the state of another network.
        """
        self.network.load_state_dict(state["network"])
        self.updates = int(state["updates"])


def _tensors(
    ours: Iterable[tuple[str, Tensor]], theirs: Iterable[tuple[str, Tensor]]
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the tensors of both, which must have the same names in the same order."""
    mine, other = dict(ours), dict(theirs)
    if list(mine) != list(other):
        raise ValueError("this is not the averaged module; pass the plain one, without a wrapper")
    return list(mine.values()), list(other.values())
