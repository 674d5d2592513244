"""Reads generators from ncnn's two files: ``.param`` lists the layers, ``.bin`` their numbers.

A convolution in the ``.bin`` is a 4-byte flag (0x01306B47: half floats; 0: floats), the weights
(output, input, height, width; padded to 4 bytes) and the bias in floats; a PReLU is its slopes in
floats. Parameters have no names, so a network is recognised by the order, kinds and constants of
its layers.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from upscale.errors import WeightsError
from upscale.networks.ncnn.net import ARRAYS, FLOAT32, MAGIC

__all__ = ["ParamLine", "read_ncnn"]

HALF_FLAG = 0x01306B47
"""How half floats are marked; `FLOAT32` marks the others."""

RRDBNET = {
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
COMPACT = {"BinaryOp", "Convolution", "Input", "Interp", "PReLU", "PixelShuffle", "Split"}
"""The kinds of layers of each network."""


ELTWISE_FACTORS: list[list[float]] = [[], [1.0, 1.0], [0.2, 1.0], [1.0, 0.2]]


@dataclass(frozen=True)
class ParamLine:
    """One layer, as a line of a ``.param`` file states it."""

    kind: str
    name: str
    values: dict[int, str]
    """Its numbered parameters as texts."""

    def integer(self, key: int, default: int = 0) -> int:
        """Return parameter ``key`` as a whole number."""
        return int(self.values.get(key, default))

    def number(self, key: int) -> float:
        """Return parameter ``key``, 0 where it is absent."""
        return float(self.values.get(key, 0))

    def numbers(self, key: int) -> list[float]:
        """Return the array with number ``key``, empty where it is absent."""
        return [float(text) for text in self.values.get(ARRAYS - key, "0").split(",")[1:]]


class _OtherNetworkError(Exception):
    """The file does not fit the network that it seems to hold."""


def read_ncnn(path: Path) -> dict[str, Tensor]:
    """Read ``X.param`` and ``X.bin`` (either may be named) as a state dict in our names, float32.

    It reads RRDBNet and compact networks. Raises WeightsError if a file is missing or damaged, or
    holds another network.
    """
    try:
        lines = _read_param(path.with_suffix(".param"))
        compact = any(line.kind == "PReLU" for line in lines)
        names = _compact_names(lines) if compact else _rrdbnet_names(lines)
        state = _read_bin(path.with_suffix(".bin"), lines, names)
    except _OtherNetworkError as error:
        raise WeightsError(
            f"{path}: is neither an RRDBNet nor a compact network: {error}"
        ) from error
    except (ValueError, RuntimeError) as error:  # texts that are not numbers or do not fit
        raise WeightsError(f"{path}: is damaged ({error})") from error
    return state


def _read_param(path: Path) -> list[ParamLine]:
    try:
        first, _, *texts = [*path.read_text("ascii").split("\n"), ""]
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read; ncnn needs .param beside .bin") from error
    except UnicodeDecodeError as error:
        raise WeightsError(f"{path}: is a binary .param file; convert the textual one") from error
    if first.strip() != MAGIC:
        raise WeightsError(f"{path}: is not an ncnn .param file, which begins with {MAGIC}")
    lines = []
    try:
        for text in filter(str.strip, texts):
            kind, name, inputs, outputs, *rest = text.split()
            numbered = (item.split("=", 1) for item in rest[int(inputs) + int(outputs) :])
            lines.append(ParamLine(kind, name, {int(key): value for key, value in numbered}))
    except ValueError as error:
        raise WeightsError(f"{path}: is damaged at {text[:60]!r}") from error
    return lines


def _check_kinds(lines: list[ParamLine], known: set[str]) -> None:
    if others := {line.kind for line in lines} - known:
        raise _OtherNetworkError(f"it has {', '.join(sorted(others))} layers")


def _compact_names(lines: list[ParamLine]) -> list[str]:
    """Return the names of the layers with numbers, in network order; refuse another graph."""
    _check_kinds(lines, COMPACT)
    body = [line for line in lines if line.kind in ("Convolution", "PReLU")]
    expected = ["Convolution", "PReLU"] * (len(body) // 2) + ["Convolution"]
    if [line.kind for line in body] != expected:
        raise _OtherNetworkError("its convolutions and PReLUs do not alternate")
    tail = {
        line.kind: line for line in lines if line.kind in ("BinaryOp", "Interp", "PixelShuffle")
    }
    if len(tail) != 3 or len(lines) != len(body) + 5:
        raise _OtherNetworkError("it does not end with one pixel-shuffle, resize and addition")
    scale = tail["PixelShuffle"].integer(0)
    for line in lines:
        match line.kind:
            case "Convolution":
                _check_geometry(line)
                fits = line.integer(9) == 0
            case "Interp":
                fits = (line.integer(0), line.number(1), line.number(2)) == (1, scale, scale)
            case "PixelShuffle":
                fits = line.integer(1) == 0
            case "BinaryOp":
                fits = line.integer(0) == line.integer(1) == 0
            case _:
                fits = True
        _check(fits, line)
    return [f"body.{index}" for index in range(len(body))]


def _rrdbnet_names(lines: list[ParamLine]) -> list[str]:
    """Return the names of the convolutions, in network order; refuse another graph.

    The slopes must be 0.2, and so must the residual factors.
    """
    _check_kinds(lines, RRDBNET)
    for line in lines:
        match line.kind:
            case "Convolution":
                _check_geometry(line)
                slopes = line.numbers(10)
                fits = line.integer(9) in (0, 2) and (line.integer(9) == 2) == bool(slopes)
                fits = fits and all(_is_a_fifth(slope) for slope in slopes)
            case "BinaryOp":
                added = line.integer(0) == line.integer(1) == 0
                scaled = line.integer(0) == 2 and line.integer(1) == 1
                fits = added or (scaled and _is_a_fifth(line.number(2)))
            case "ReLU":
                fits = _is_a_fifth(line.number(0))
            case "Eltwise":
                fits = line.integer(0) == 1 and line.numbers(1) in ELTWISE_FACTORS
            case "Interp":
                fits = line.integer(0) == 1 and line.number(1) == 2
            case _:
                fits = True
        _check(fits, line)
    count = sum(line.kind == "Convolution" for line in lines)
    stages = sum(line.kind == "Interp" for line in lines)
    blocks, rest = divmod(count - 4 - stages, 15)
    if rest or blocks < 1:
        raise _OtherNetworkError(
            f"it has {count} convolutions and {stages} resizes, where an RRDBNet of N blocks has "
            "15·N + 4 + resizes convolutions"
        )
    activations = sum(line.kind == "ReLU" or line.integer(9) == 2 for line in lines)
    expected = 12 * blocks + stages + 1  # four a dense block, one a stage, one HR
    if activations != expected:
        raise _OtherNetworkError(f"it has {activations} activations, expected {expected}")
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


def _is_a_fifth(number: float) -> bool:
    return abs(number - 0.2) < 1e-6


def _check_geometry(line: ParamLine) -> None:
    """Refuse a convolution that changes the size."""
    dilation, stride, padding = line.integer(2, 1), line.integer(3, 1), line.integer(4)
    _check((dilation, stride, padding) == (1, 1, line.integer(1) // 2), line)


def _check(fits: bool, line: ParamLine) -> None:
    if not fits:
        values = " ".join(f"{key}={value}" for key, value in line.values.items())
        raise _OtherNetworkError(f"{line.kind} {line.name} has {values}")


def _read_bin(path: Path, lines: list[ParamLine], names: list[str]) -> dict[str, Tensor]:
    """Read the numbers of the convolutions and PReLUs among ``lines``, one of ``names`` each."""
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
        values = np.frombuffer(data, dtype, count, position)
        position += -(-size // 4) * 4
        return torch.from_numpy(values.astype(np.float32 if dtype != "<u4" else np.int64))

    state = {}
    with_numbers = [line for line in lines if line.kind in ("Convolution", "PReLU")]
    for name, line in zip(names, with_numbers, strict=True):
        if line.kind == "PReLU":
            state[f"{name}.weight"] = take("<f4", line.integer(0))
            continue
        outputs, kernel, count = line.integer(0), line.integer(1), line.integer(6)
        flag = int(take("<u4", 1))
        if flag not in (HALF_FLAG, FLOAT32) or line.integer(5) != 1:
            raise WeightsError(f"{path}: {line.name} is quantised or has no bias: not supported")
        if outputs < 1 or kernel < 1 or count % (outputs * kernel**2):
            raise WeightsError(f"{path}: {line.name} has {count} weights for {outputs} outputs")
        weight = take("<f2" if flag == HALF_FLAG else "<f4", count)
        state[f"{name}.weight"] = weight.reshape(outputs, -1, kernel, kernel)
        state[f"{name}.bias"] = take("<f4", outputs)
    if position != len(data):
        raise WeightsError(f"{path}: {len(data) - position:,} bytes more than its .param lists")
    return state
