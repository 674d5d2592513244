"""Forward passes of RRDBNet and SRResNet, written straight from the papers."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from random_networks import random_lr
from torch import Tensor

from upscale.networks.spec import RRDBNetSpec, Spec, SRResNetSpec, build

State = dict[str, Tensor]


TINY_SRRESNET = SRResNetSpec(features=6, blocks=2)


TINY_RRDBNET = RRDBNetSpec(features=6, blocks=1, growth=4)


NEAR = 1e-5
"""What float32 may differ by in another order: a sum of n products below 2 is off by about √n
times 2^-23, and n is below 300 here; six times that.
"""


def convolve(state: State, name: str, x: Tensor) -> Tensor:
    weight = state[f"{name}.weight"]
    return F.conv2d(x, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)


def normalize(state: State, name: str, x: Tensor) -> Tensor:
    gamma, beta, mean, variance = (
        state[f"{name}.{part}"].view(-1, 1, 1)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return gamma * (x - mean) / torch.sqrt(variance + 1e-5) + beta


def prelu(state: State, name: str, x: Tensor) -> Tensor:
    return torch.where(x > 0, x, state[f"{name}.weight"].view(-1, 1, 1) * x)


def leaky(x: Tensor, slope: float) -> Tensor:
    return torch.where(x > 0, x, slope * x)


def shuffle(x: Tensor, r: int) -> Tensor:
    """Interleave channel c·r² + dy·r + dx as pixel (dy, dx) of channel c (Shi et al. 2016)."""
    n, channels, height, width = x.shape
    y = x.new_empty(n, channels // r**2, height * r, width * r)
    for dy in range(r):
        for dx in range(r):
            y[:, :, dy::r, dx::r] = x[:, dy * r + dx :: r**2]
    return y


def unshuffle(x: Tensor, r: int) -> Tensor:
    return torch.stack([x[:, :, i // r :: r, i % r :: r] for i in range(r * r)], 2).flatten(1, 2)


def nearest(x: Tensor, r: int) -> Tensor:
    return x.repeat_interleave(r, -1).repeat_interleave(r, -2)


def dense_block(state: State, name: str, x: Tensor) -> Tensor:
    seen = [x]
    for k in (1, 2, 3, 4):
        seen.append(leaky(convolve(state, f"{name}.conv{k}", torch.cat(seen, 1)), 0.2))
    return x + 0.2 * convolve(state, f"{name}.conv5", torch.cat(seen, 1))


def rrdb(state: State, name: str, x: Tensor) -> Tensor:
    y = x
    for k in (1, 2, 3):
        y = dense_block(state, f"{name}.rdb{k}", y)
    return x + 0.2 * y


def rrdbnet(state: State, lr: Tensor, blocks: int, doublings: int) -> Tensor:
    first = convolve(state, "conv_first", lr)
    x = first
    for i in range(blocks):
        x = rrdb(state, f"body.{i}", x)
    x = first + convolve(state, "conv_body", x)
    for k in range(1, doublings + 1):
        x = leaky(convolve(state, f"conv_up{k}", nearest(x, 2)), 0.2)
    return convolve(state, "conv_last", leaky(convolve(state, "conv_hr", x), 0.2))


def srresnet(
    state: State, lr: Tensor, blocks: int, factors: Sequence[int], skip: bool = True
) -> Tensor:
    first = prelu(state, "act_first", convolve(state, "conv_first", lr))
    x = first
    for i in range(blocks):
        h = normalize(state, f"body.{i}.bn1", convolve(state, f"body.{i}.conv1", x))
        h = convolve(state, f"body.{i}.conv2", prelu(state, f"body.{i}.act", h))
        x = x + normalize(state, f"body.{i}.bn2", h)
    x = normalize(state, "bn_body", convolve(state, "conv_body", x))
    x = first + x if skip else x
    for i, factor in enumerate(factors):
        x = shuffle(convolve(state, f"up.{i}.conv", x), factor)
        x = prelu(state, f"up.{i}.act", x)
    return convolve(state, "conv_last", x)


def trainable(spec: Spec) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(spec).parameters())


def assert_enlarges(network: Callable[[Tensor], Tensor], scale: int) -> None:
    """Check that pictures of any size come out ``scale`` times as large."""
    for height, width in ((1, 1), (5, 3)):
        sr = network(random_lr(height, width))
        assert sr.shape == (1, 3, height * scale, width * scale)
        assert sr.dtype == torch.float32
