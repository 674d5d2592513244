"""Turns generators with one channel into generators of RGB.

The first convolution gets the luma of RGB, and the last one returns three equal channels: a gray
picture is the generator's own result. `upscale.networks.pipeline.Pipeline` restores the colour of
other pictures.
"""

import math

import torch

from upscale.networks.pipeline import LUMA
from upscale.networks.spec import CompactSpec, Spec, StateDict

__all__ = ["is_gray", "widened"]

UNSHUFFLED = (1, 4, 16)
"""Input channels of a gray generator's first convolution: 1, times a pixel-unshuffle."""


def widened(state: StateDict, architecture: str) -> StateDict:
    """Return ``state``, in our names, for RGB if it is for one channel; otherwise unchanged."""
    first, last = _ends(state, architecture == "compact")
    inputs, outputs = state[f"{first}.weight"].shape[1], state[f"{last}.weight"].shape[0]
    alone = outputs == (math.isqrt(outputs) ** 2 if architecture == "compact" else 1)
    if inputs not in UNSHUFFLED or not alone:
        return state
    weight = state[f"{first}.weight"].float()
    luma = torch.tensor(LUMA).view(1, 3, 1, 1, 1)
    wide = {f"{first}.weight": (weight[:, None] * luma).flatten(1, 2)}
    for key in (f"{last}.weight", f"{last}.bias"):
        if key in state:
            wide[key] = torch.cat([state[key]] * 3)
    return {**state, **wide}


def is_gray(spec: Spec, state: StateDict) -> bool:
    """Return whether a generator of RGB, folded or not, was made from one channel by `widened`."""
    first, last = _ends(state, isinstance(spec, CompactSpec))
    for key in (f"{last}.weight", f"{last}.bias"):
        red, green, blue = state[key].chunk(3)
        if not (torch.equal(red, green) and torch.equal(red, blue)):
            return False
    weight = state[f"{first}.weight"]
    red, green, blue = (c / luma for c, luma in zip(weight.chunk(3, 1), LUMA, strict=True))
    return bool(weight.any()) and torch.allclose(red, green) and torch.allclose(red, blue)


def _ends(state: StateDict, compact: bool) -> tuple[str, str]:
    """Return the names of the first and the last convolution."""
    if not compact:
        return "conv_first", "conv_last"
    return "body.0", f"body.{max(int(key.split('.')[1]) for key in state if 'body.' in key)}"
