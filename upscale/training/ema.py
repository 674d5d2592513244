"""An exponential moving average of a generator: what is kept of a GAN's training.

The generator of a GAN wanders around its best place from step to step; the average of the last
thousand or so stands still. BasicSR trains ESRGAN so, with a decay of 0.999.
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

    ``network`` is the average: a copy of the module in evaluation mode, on its device, that no
    gradient reaches. It starts as the module stands. ``updates`` counts what went in.

    ``decay`` is d, from 0 up to but not 1. With ``warm_up`` the first updates have the smaller
    d = (1 + updates)/(10 + updates), as in TensorFlow's ExponentialMovingAverage, so that fresh
    weights are soon forgotten; BasicSR does without.

    Buffers are copied, not averaged. A generator has but the running mean and variance of its
    batch-norms: moving averages already, which a second one would make lag behind. (BasicSR leaves
    them as they started, and its generators have no batch-norm.)

    Always pass the plain module, not its DDP or compiled wrapper: they share its parameters.
    Raises UsageError for a decay out of range.
    """

    def __init__(self, module: nn.Module, decay: float = 0.999, warm_up: bool = False) -> None:
        if not 0 <= decay < 1:
            raise UsageError(f"an average with decay {decay} makes no sense; take 0.999, say")
        self.network = deepcopy(module).float().eval().requires_grad_(False)
        self.decay = decay
        self.warm_up = warm_up
        self.updates = 0

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the parameters of ``module`` as they stand, and its buffers.

        Raises ValueError if they are named otherwise than those of the module at the start.
        """
        decay = self.decay
        if self.warm_up:
            decay = min(decay, (1 + self.updates) / (10 + self.updates))
        average, current = _tensors(self.network.named_parameters(), module.named_parameters())
        # a + (1 − d)(θ − a): unlike d a + (1 − d) θ it leaves what does not change as it is.
        torch._foreach_lerp_(average, [tensor.float() for tensor in current], 1 - decay)
        copies, buffers = _tensors(self.network.named_buffers(), module.named_buffers())
        if copies:
            torch._foreach_copy_(copies, buffers)
        self.updates += 1

    def state_dict(self) -> dict[str, Any]:
        """Return ``{"updates": int, "network": its state dict}``; the tensors are not copies."""
        return {"updates": self.updates, "network": self.network.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy in what `state_dict` returned; what follows is then the same, bit for bit.

        Raises KeyError or RuntimeError if ``state`` is that of another network.
        """
        self.network.load_state_dict(state["network"])
        self.updates = int(state["updates"])


def _tensors(
    ours: Iterable[tuple[str, Tensor]], theirs: Iterable[tuple[str, Tensor]]
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the tensors of both, if they have the same names in the same order."""
    mine, other = dict(ours), dict(theirs)
    if list(mine) != list(other):
        raise ValueError("not the module that is averaged; pass the plain one, without a wrapper")
    return list(mine.values()), list(other.values())
