"""Reads the spec of a network off the keys and shapes of its state dict in our names."""

import math
from typing import Any

from upscale.models.checkpoints.dialects import consecutive
from upscale.networks.spec import StateDict

__all__ = ["read_spec"]


def read_spec(state: StateDict, architecture: str) -> dict[str, Any]:
    """Return the fields of the spec that keys and shapes show.

    Raises ValueError, KeyError or IndexError for another network.
    """
    return READERS[architecture](state)


def _read_rrdbnet(state: StateDict) -> dict[str, Any]:
    features, inputs = state["conv_first.weight"].shape[:2]
    unshuffle = {3: 1, 12: 2, 48: 4}.get(inputs)
    if unshuffle is None:
        raise ValueError(f"the first convolution takes {inputs} channels; expected 3, 12 or 48")
    stages = 0
    while f"conv_up{stages + 1}.weight" in state:
        stages += 1
    return {
        "architecture": "rrdbnet",
        "scale": 2**stages // unshuffle,
        "features": features,
        "blocks": consecutive(state, "body.{}.rdb1.conv1.weight"),
        "growth": state["body.0.rdb1.conv1.weight"].shape[0],
        "unshuffle": unshuffle,
    }


def _read_srresnet(state: StateDict) -> dict[str, Any]:
    features, _, end_kernel, _ = state["conv_first.weight"].shape
    stages = consecutive(state, "up.{}.conv.weight")
    outputs = [state[f"up.{stage}.conv.weight"].shape[0] for stage in range(stages)]
    nearest = outputs[0] == features
    scale = 1
    for channels in outputs:
        scale *= 2 if nearest else round((channels / features) ** 0.5)
    read: dict[str, Any] = {
        "architecture": "srresnet",
        "scale": scale,
        "features": features,
        "blocks": consecutive(state, "body.{}.conv1.weight"),
        "end_kernel": end_kernel,
        "normalization": "batch" if "body.0.bn1.weight" in state else "none",
        "long_skip": "conv_body.weight" in state,
        "hr_convolution": "conv_hr.weight" in state,
        "upsampler": "nearest" if nearest else "subpixel",
    }
    return read


def _read_compact(state: StateDict) -> dict[str, Any]:
    last = 0
    while f"body.{last + 2}.weight" in state:  # with a PReLU between
        last += 2
    outputs = state[f"body.{last}.weight"].shape[0]
    scale = math.isqrt(outputs // 3)
    if outputs != 3 * scale**2:
        raise ValueError(f"the last convolution makes {outputs} channels; expected 3 · scale²")
    features = state["body.0.weight"].shape[0]
    return {
        "architecture": "compact",
        "scale": scale,
        "features": features,
        "blocks": last // 2 - 1,
    }


READERS = {"rrdbnet": _read_rrdbnet, "srresnet": _read_srresnet, "compact": _read_compact}
"""Readers of the spec by architecture."""
