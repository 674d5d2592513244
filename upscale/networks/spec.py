"""The literal table of networks, and `build` from a spec.

A spec is a frozen dataclass of literals; it says everything about a network but its numbers.
All networks take ``lr``: (N, 3, H, W), float, RGB in [0, 1], and return (N, 3, H·scale, W·scale),
float32, RGB, nominally in [0, 1] and not clamped.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, get_args, get_type_hints

import torch
from torch import Tensor, nn

from upscale.networks.compact import Compact, CompactSpec
from upscale.networks.layers import Convolution
from upscale.networks.rrdbnet import RRDBNet, RRDBNetSpec
from upscale.networks.srresnet import SRResNet, SRResNetSpec

__all__ = [
    "NETWORKS",
    "Compact",
    "CompactSpec",
    "Network",
    "RRDBNet",
    "RRDBNetSpec",
    "SRResNet",
    "SRResNetSpec",
    "Spec",
    "StateDict",
    "build",
    "laid_out",
    "place",
    "set_precision",
    "spec_from_dict",
    "spec_to_dict",
    "unprojected",
]

LARGEST_NUMBER = 2**12
"""Of features, blocks and the like; a greater one is a mistake."""

Spec = SRResNetSpec | RRDBNetSpec | CompactSpec
Network = SRResNet | RRDBNet | Compact
StateDict = dict[str, Tensor]
"""A network's numbers by the names of its parameters."""

NETWORKS: dict[str, tuple[type[Spec], Any]] = {
    "srresnet": (SRResNetSpec, SRResNet),
    "rrdbnet": (RRDBNetSpec, RRDBNet),
    "compact": (CompactSpec, Compact),
}


def spec_from_dict(values: Mapping[str, Any]) -> Spec:
    """Make a spec of ``{"architecture": "rrdbnet", "blocks": 6}`` and the defaults.

    Raises ValueError for an unknown architecture or field, and for a value that does not fit.
    """
    numbers = dict(values)
    architecture = numbers.pop("architecture", None)
    if not isinstance(architecture, str) or architecture not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise ValueError(f"architecture {architecture!r} is not known; known: {known}")
    spec_type = NETWORKS[architecture][0]
    hints = get_type_hints(spec_type)
    for field in fields(spec_type):
        if field.name not in numbers:
            continue
        value = numbers[field.name]
        allowed = get_args(hints[field.name])  # of a Literal
        fits = value in allowed if allowed else type(value) is type(field.default)
        if not fits or (type(value) is int and not 0 < value < LARGEST_NUMBER):
            raise ValueError(f"{architecture} has no {field.name} = {value!r}")
    if unknown := numbers.keys() - {field.name for field in fields(spec_type)}:
        raise ValueError(f"{architecture} has no {', '.join(sorted(unknown))}")
    return spec_type(**numbers)


def spec_to_dict(spec: Spec) -> dict[str, Any]:
    """Return the inverse of `spec_from_dict`: plain values, ready for JSON or TOML."""
    return {"architecture": spec.architecture, **asdict(spec)}


def unprojected(spec: Spec) -> Spec:
    """Return ``spec`` without a step of back-projection: the same parameters."""
    if isinstance(spec, CompactSpec):
        return spec
    return replace(spec, projected=False, smooth_projection=False)


def build(spec: Spec | Mapping[str, Any]) -> Network:
    """Build a network with fresh parameters from a spec or its literal dict."""
    if isinstance(spec, Mapping):
        spec = spec_from_dict(spec)
    network: Network = NETWORKS[spec.architecture][1](spec)
    return network


def place(network: nn.Module, device: torch.device) -> None:
    """Move ``network`` to ``device``, its kernels in the layout of channels-last pictures."""
    network.to(device)
    for parameter in network.parameters():
        parameter.data = laid_out(parameter.data)


def laid_out(parameter: Tensor) -> Tensor:
    """Return a parameter, a kernel in the layout of channels-last pictures."""
    if parameter.ndim != 4:
        return parameter
    return parameter.contiguous(memory_format=torch.channels_last)


def set_precision(network: Network, dtype: torch.dtype) -> None:
    """Put the convolutions between the two ends into ``dtype``, in place.

    The first and the last convolution and the residual stream stay in float32, as rounding adds up
    along the residual additions. Under bfloat16 the biases stay in float32 too: rounded to 8 bits
    they shift whole channels, which costs up to 0.014 dB on Set5.
    """
    ends = (network.conv_first, network.conv_last)
    for module in network.modules():
        if isinstance(module, Convolution) and module not in ends:
            module.weight.data = module.weight.data.to(dtype)
            if dtype != torch.bfloat16:
                module.bias.data = module.bias.data.to(dtype)
