"""SRResNet generators in Keras HDF5 files of the krasserm/super-resolution lineage.

Kernels are stored as (height, width, input, output); batch-norm uses ε = 1e-3; PReLU has a slope
a channel; ``depth_to_space`` orders channels as (dy, dx, c), where pixel-shuffle takes (c, dy, dx).
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from upscale.errors import WeightsError
from upscale.networks.fold import BATCH_NORM_EPS

__all__ = ["read_keras"]

KERAS_EPS = 1e-3

MAX_NUMBERS = 2**26
"""Far more numbers than any layer of these generators has."""


def read_keras(path: Path) -> dict[str, Tensor]:
    """Read a generator's ``.h5`` as an SRResNet state dict, float32. Needs the extra ``keras``.

    Raises WeightsError if h5py is missing, or if the file is damaged or holds another network.
    """
    try:
        import h5py
    except ImportError as error:
        raise WeightsError(
            f"{path}: Keras files need h5py: pip install 'upscale[keras]'"
        ) from error
    try:
        with h5py.File(path, "r") as file:
            layers = _read_layers(file)
        return _to_srresnet(layers, path)
    except (OSError, LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise WeightsError(f"{path}: is damaged, or not a Keras weights file ({error})") from error


def _read_layers(file: Any) -> dict[str, list[dict[str, Tensor]]]:
    """Group the layers' arrays by kind, in network order."""
    layers: dict[str, list[dict[str, Tensor]]] = defaultdict(list)
    for layer in file.attrs["layer_names"]:
        group = file[layer]
        arrays = {
            _text(name).rsplit("/", 1)[-1].split(":")[0]: torch.from_numpy(
                np.asarray(_bounded(group[name]), dtype=np.float32)
            )
            for name in group.attrs["weight_names"]
        }
        for kind, key in (("convolution", "kernel"), ("norm", "gamma"), ("prelu", "alpha")):
            if key in arrays:
                layers[kind].append(arrays)
    return layers


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _bounded(dataset: Any) -> Any:
    if dataset.size > MAX_NUMBERS:
        raise ValueError(f"{dataset.name} claims {dataset.size:,} numbers")
    return dataset


def _to_srresnet(layers: dict[str, list[dict[str, Tensor]]], path: Path) -> dict[str, Tensor]:
    convolutions, norms, prelus = (layers[kind] for kind in ("convolution", "norm", "prelu"))
    # conv_first, two a block, conv_body, one a stage, conv_last; two norms a block and one; one
    # PReLU in front, one a block, one a stage.
    blocks = (len(norms) - 1) // 2
    stages = len(convolutions) - 2 * blocks - 3
    if blocks < 1 or stages < 1 or len(prelus) != 1 + blocks + stages or len(norms) % 2 == 0:
        raise WeightsError(
            f"{path}: is not an SRResNet generator: {len(convolutions)} convolutions, {len(norms)} "
            f"batch-norms, {len(prelus)} PReLUs; expected 2·N + 3 + stages, 2·N + 1, N + 1 + stages"
        )
    body = [f"body.{i}" for i in range(blocks)]
    up = [f"up.{i}" for i in range(stages)]
    conv_names = ["conv_first", *(f"{b}.conv{j}" for b in body for j in (1, 2)), "conv_body"]
    conv_names += [*(f"{u}.conv" for u in up), "conv_last"]
    norm_names = [*(f"{b}.bn{j}" for b in body for j in (1, 2)), "bn_body"]
    act_names = ["act_first", *(f"{block}.act" for block in body + up)]

    state: dict[str, Tensor] = {}
    for name, arrays in zip(conv_names, convolutions, strict=True):
        weight, bias = arrays["kernel"].permute(3, 2, 0, 1), arrays["bias"]
        if name.startswith("up."):
            if weight.shape[0] != 4 * weight.shape[1]:
                raise WeightsError(f"{path}: {name} does not enlarge by 2: not supported")
            weight, bias = _depth_to_space_order(weight), _depth_to_space_order(bias)
        state[f"{name}.weight"], state[f"{name}.bias"] = weight.contiguous(), bias
    for name, arrays in zip(norm_names, norms, strict=True):
        state[f"{name}.weight"], state[f"{name}.bias"] = arrays["gamma"], arrays["beta"]
        state[f"{name}.running_mean"] = arrays["moving_mean"]
        # √(σ² + 1e-3) of Keras, written as √(σ'² + 1e-5) of ours
        shifted = arrays["moving_variance"].double() + KERAS_EPS - BATCH_NORM_EPS
        state[f"{name}.running_var"] = shifted.float()
    for name, arrays in zip(act_names, prelus, strict=True):
        state[f"{name}.weight"] = arrays["alpha"].flatten()
    return state


def _depth_to_space_order(x: Tensor) -> Tensor:
    """Reorder output channels (dy, dx, c) to (c, dy, dx), for a factor of 2."""
    features = x.shape[0] // 4
    return x.reshape(2, 2, features, *x.shape[1:]).movedim(2, 0).reshape(x.shape)
