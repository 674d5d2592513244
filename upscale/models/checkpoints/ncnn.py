"""RRDBNet in ncnn's two files: ``.param`` lists the layers, ``.bin`` holds their numbers in order.

Per convolution the ``.bin`` holds a 4-byte flag (0x01306B47: half floats; 0: floats), the weights
(output, input, height, width; padded to 4 bytes) and the bias in floats. Layers have no parameter
names, so the network is recognised by its layers' order, kinds and constants.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from upscale.errors import WeightsError

__all__ = ["Layer", "read_ncnn"]

MAGIC = "7767517"
HALF_FLAG, FLOAT_FLAG = 0x01306B47, 0
KNOWN = {
    "BinaryOp",
    "Concat",
    "Convolution",
    "Eltwise",
    "Input",
    "Interp",
    "MemoryData",
    "ReLU",
    "Reorg",
    "Split",
}


@dataclass(frozen=True)
class Layer:
    """One line of a ``.param`` file: its kind, and its numbered parameters as texts."""

    kind: str
    name: str
    values: dict[int, str]

    def integer(self, key: int, default: int = 0) -> int:
        """Return parameter ``key`` as a whole number."""
        return int(self.values.get(key, default))


def read_ncnn(path: Path) -> dict[str, Tensor]:
    """Read ``X.param`` and ``X.bin`` (either may be named) as an RRDBNet state dict, float32.

    Raises WeightsError where a file is missing or damaged, or the network is another one.
    """
    try:
        return _read(path)
    except (ValueError, RuntimeError) as error:  # numbers that are none, or that do not fit
        raise WeightsError(f"{path}: is damaged ({error})") from error


def _read(path: Path) -> dict[str, Tensor]:
    layers = _read_param(path.with_suffix(".param"))
    kinds = {layer.kind for layer in layers}
    if kinds - KNOWN:
        raise WeightsError(
            f"{path}: is no RRDBNet: it has {', '.join(sorted(kinds - KNOWN))} layers; "
            "only ESRGAN-like ncnn models can be read"
        )
    _check_constants(layers, path)
    convolutions = _read_bin(
        path.with_suffix(".bin"), [x for x in layers if x.kind == "Convolution"]
    )
    stages = sum(layer.kind == "Interp" for layer in layers)
    names = _names(len(convolutions), stages, path)
    slopes = sum(layer.kind == "ReLU" or layer.integer(9) == 2 for layer in layers)
    expected = 12 * (len(names) // 15) + stages + 1  # four a dense block, one a stage, one HR
    if slopes != expected:
        raise WeightsError(f"{path}: is no RRDBNet: {slopes} activations, expected {expected}")
    state = {}
    for name, (weight, bias) in zip(names, convolutions, strict=True):
        state[f"{name}.weight"], state[f"{name}.bias"] = weight, bias
    return state


def _read_param(path: Path) -> list[Layer]:
    try:
        lines = path.read_text("ascii").split("\n")
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read; ncnn needs .param beside .bin") from error
    except UnicodeDecodeError as error:
        raise WeightsError(f"{path}: is not a text; binary .param files are not read") from error
    if lines[0].strip() != MAGIC:
        raise WeightsError(f"{path}: does not begin with {MAGIC}, so it is no ncnn .param file")
    layers = []
    try:
        for line in filter(str.strip, lines[2:]):
            kind, name, inputs, outputs, *rest = line.split()
            numbered = (item.split("=", 1) for item in rest[int(inputs) + int(outputs) :])
            layers.append(Layer(kind, name, {int(key): value for key, value in numbered}))
    except ValueError as error:
        raise WeightsError(f"{path}: is damaged at {line[:60]!r}") from error
    return layers


def _check_constants(layers: list[Layer], path: Path) -> None:
    """Refuse a graph with other constants than RRDBNet's slopes and residual factors of 0.2."""

    def refuse(layer: Layer, what: str) -> None:
        raise WeightsError(f"{path}: is no RRDBNet: {layer.kind} {layer.name} has {what}")

    def floats(text: str) -> list[float]:
        return [float(number) for number in text.split(",")[1:]]

    for layer in layers:
        match layer.kind:
            case "Convolution":
                slopes = floats(layer.values.get(-23310, "0"))
                if layer.integer(9) not in (0, 2) or any(abs(s - 0.2) > 1e-6 for s in slopes):
                    refuse(layer, f"activation {layer.integer(9)} {slopes}")
                if (layer.integer(9) == 2) != (-23310 in layer.values):
                    refuse(layer, "an activation without a slope, or the reverse")
                kernel = layer.integer(1)
                geometry = (layer.integer(2, 1), layer.integer(3, 1), layer.integer(4))
                if geometry != (1, 1, kernel // 2):
                    refuse(layer, f"dilation, stride, padding {geometry} with kernel {kernel}")
            case "BinaryOp":
                scaled = layer.integer(0) == 2 and layer.integer(1) == 1
                factor = float(layer.values.get(2, "0"))
                if not (layer.integer(0) == 0 and layer.integer(1) == 0) and not (
                    scaled and abs(factor - 0.2) < 1e-6
                ):
                    refuse(layer, f"operation {layer.integer(0)} with {factor}")
            case "ReLU" if abs(float(layer.values.get(0, "0")) - 0.2) > 1e-6:
                refuse(layer, f"slope {layer.values.get(0, '0')}")
            case "Eltwise":
                factors = floats(layer.values.get(-23301, "0"))
                if layer.integer(0) != 1 or factors not in ([], [1.0, 1.0], [0.2, 1.0], [1.0, 0.2]):
                    refuse(layer, f"factors {factors}")
            case "Interp" if layer.integer(0) != 1 or float(layer.values.get(1, "0")) != 2:
                refuse(layer, "another resize than nearest neighbour by 2")


def _read_bin(path: Path, layers: list[Layer]) -> list[tuple[Tensor, Tensor]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read; ncnn needs .bin beside .param") from error
    position = 0

    def take(dtype: str, count: int) -> Tensor:
        nonlocal position
        size = np.dtype(dtype).itemsize * count
        if position + size > len(data):
            raise WeightsError(f"{path}: ends early, at byte {len(data):,}; download it again")
        values = np.frombuffer(data, dtype, count, position).astype(np.float32)
        position += -(-size // 4) * 4
        return torch.from_numpy(values)

    convolutions = []
    for layer in layers:
        outputs, kernel, count = layer.integer(0), layer.integer(1), layer.integer(6)
        if position + 4 > len(data):
            raise WeightsError(f"{path}: ends early, at byte {len(data):,}; download it again")
        flag = int.from_bytes(data[position : position + 4], "little")
        position += 4
        if flag not in (HALF_FLAG, FLOAT_FLAG) or layer.integer(5) != 1:
            raise WeightsError(f"{path}: {layer.name} is quantised or has no bias: not supported")
        if outputs < 1 or kernel < 1 or count % (outputs * kernel**2):
            raise WeightsError(f"{path}: {layer.name} has {count} weights for {outputs} outputs")
        weight = take("<f2" if flag == HALF_FLAG else "<f4", count)
        weight = weight.reshape(outputs, -1, kernel, kernel)
        convolutions.append((weight, take("<f4", outputs)))
    if position != len(data):
        raise WeightsError(f"{path}: {len(data) - position:,} bytes more than its .param lists")
    return convolutions


def _names(count: int, stages: int, path: Path) -> list[str]:
    """Return the convolutions of an RRDBNet in network order."""
    blocks, rest = divmod(count - 4 - stages, 15)
    if rest or blocks < 1:
        raise WeightsError(
            f"{path}: is no RRDBNet: {count} convolutions and {stages} resizes, where a network "
            f"of N blocks has 15·N + 4 + resizes"
        )
    return [
        "conv_first",
        *(
            f"body.{block}.rdb{rdb}.conv{conv}"
            for block in range(blocks)
            for rdb in (1, 2, 3)
            for conv in (1, 2, 3, 4, 5)
        ),
        "conv_body",
        *(f"conv_up{stage}" for stage in range(1, stages + 1)),
        "conv_hr",
        "conv_last",
    ]
