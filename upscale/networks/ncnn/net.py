"""Writes a segment as a network of ncnn: its layers as text, its weights as bytes.

The format is that of ncnn's ``param`` and ``bin`` files (github.com/Tencent/ncnn/wiki).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upscale.networks.layers import Convolution, PReLU
from upscale.networks.ncnn.segments import Segment
from upscale.networks.streaming.program import SUMS, Operation

__all__ = [
    "ARRAYS",
    "FLOAT32",
    "MAGIC",
    "Written",
    "can_write",
    "is_quick",
    "weights_of",
    "written",
]

MAGIC = "7767517"
"""First line of a ``param`` file."""

ARRAYS = -23300
"""An array with number n is written with this less n."""

CHANNELS, ROWS = 0, 1
"""Axes of a blob: (C, H, W)."""

TO_THE_END = -233
"""In place of a number."""

FLOAT32 = 0
"""How the weights of a convolution are stored."""

ADD, MULTIPLY = 0, 2

NEAREST = 1

LEAST_CHANNELS = 48
"""Of a convolution that gains on a CPU. Measured: 64 → 64 takes 0.5 to 0.9 of PyTorch's time, and
64 → 32, as in RRDBNet's dense blocks, no less."""


@dataclass(frozen=True)
class Written:
    """The layers of a network of ncnn that takes a band of rows, and those kept before it."""

    text: str
    before: tuple[str, ...]
    """Blobs of the kept rows that go in."""
    after: tuple[str, ...]
    """Blobs of the rows to keep, from the first layer on, in the order of ``before``."""
    convolved: tuple[str, ...]
    """Blobs of what convolutions make, from the first one on."""
    result: str
    """Blob of the resulting rows; the new rows are ``new0``."""


def can_write(own: Operation) -> bool:
    """Return whether this module can write an operation: not one that reads rows twice."""
    if len(set(own.inputs)) < len(own.inputs):
        return False  # a blob has one reader, and ncnn crashes if that reads it twice
    match own.target:
        case Convolution() | PReLU() | nn.ReLU() | nn.LeakyReLU() | nn.Identity():
            return True
        case F.interpolate:
            return bool(own.arguments["mode"] == "nearest")
    of_rows_only = own.target in SUMS and len(own.inputs) > 1
    return of_rows_only or own.target in (F.leaky_relu, F.pixel_shuffle)


def is_quick(own: Operation) -> bool:
    """Return whether ncnn can be faster than PyTorch on a CPU, by Winograd's method.

    That is for kernels of 3 × 3, and wants many channels.
    """
    layer = own.convolution
    if layer is None:
        return can_write(own) and own.up == 1
    least = min(layer.in_channels, layer.out_channels)
    return layer.kernel_size == (3, 3) and least >= LEAST_CHANNELS


def weights_of(segment: Segment) -> bytes:
    """Return the weights of a segment's layers, one after another."""
    parts: list[bytes] = []
    for own in segment.operations:
        match own.target:
            case Convolution() as layer:
                head = struct.pack("<I", FLOAT32)
                parts += [head, _bytes_of(layer.weight), _bytes_of(layer.bias)]
            case PReLU() as layer:
                parts.append(_bytes_of(layer.weight))
    return b"".join(parts)


def _bytes_of(tensor: Tensor) -> bytes:
    """Return numbers in the order of their shape: of kernels (outputs, inputs, rows, columns)."""
    numbers: bytes = tensor.detach().to("cpu", torch.float32).contiguous().numpy().tobytes()
    return numbers


def written(segment: Segment, is_first: bool, is_last: bool) -> Written:
    """Write ``segment`` for one band of a picture.

    ``is_first``: zeros stand above it, otherwise the rows kept before; ``is_last``: zeros stand
    below it, otherwise it gives rows to keep.
    """
    writer = _Writer(segment, is_first, is_last)
    writer.publish(0)
    for place, own in enumerate(segment.operations, 1):
        writer.operation(place, own)
        writer.publish(place)
    return writer.end()


@dataclass
class _Writer:
    segment: Segment
    is_first: bool
    is_last: bool
    lines: list[str] = field(default_factory=list)
    blobs: int = 0
    read: dict[tuple[int, int], str] = field(default_factory=dict)
    """The blob that an operation reads of a place, by place and reader."""
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.layer("Input", [], ["new0"])

    def layer(
        self,
        kind: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        settings: dict[int, object] | None = None,
    ) -> None:
        """Add a layer; ``settings`` by their numbers. ncnn tells 2.0 from 2: it reads the bits."""
        words = [kind, outputs[0], len(inputs), len(outputs), *inputs, *outputs]
        for number, value in (settings or {}).items():
            if isinstance(value, list):
                words.append(f"{ARRAYS - number}={','.join(map(str, (len(value), *value)))}")
            else:
                words.append(f"{number}={value}")
        self.lines.append(" ".join(map(str, words)))
        self.blobs += len(outputs)

    def publish(self, place: int) -> None:
        """Give the rows of a place to all who read them."""
        kept, uses = self.segment.kept[place], self.segment.uses[place]
        blob = f"new{place}"
        if kept and not self.is_first:
            self.before.append(f"before{place}")
            self.layer("Input", [], [f"before{place}"])
            self.layer("Concat", [f"before{place}", blob], [f"rows{place}"], {0: ROWS})
            blob = f"rows{place}"
        keeps = kept > 0 and not self.is_last
        copies = [blob]
        if len(uses) + keeps > 1:
            copies = [f"{blob}to{number}" for number in range(len(uses) + keeps)]
            self.layer("Split", [blob], copies)
        for use, copy in zip(uses, copies, strict=False):
            above = 0 if self.is_first else use.above
            below = 0 if self.is_last else use.below
            part = copy
            if above or below:
                part = f"{blob}of{use.place}"
                self._cut(copy, part, above, -below or TO_THE_END)
            self.read[place, use.place] = part
        if keeps:
            self.after.append(f"after{place}")
            self._cut(copies[-1], f"after{place}", -kept, TO_THE_END)

    def _cut(self, blob: str, part: str, first: int, stop: int) -> None:
        self.layer("Crop", [blob], [part], {9: [first], 10: [stop], 11: [ROWS]})

    def operation(self, place: int, own: Operation) -> None:
        """Add an operation that `can_write` knows."""
        inputs = [self.read[source, place] for source in own.inputs]
        result = [f"new{place}"]
        match own.target:
            case Convolution() as layer:
                self._convolution(layer, inputs, result)
            case PReLU() as layer:
                self.layer("PReLU", inputs, result, {0: layer.num_parameters})
            case nn.ReLU():
                self.layer("ReLU", inputs, result)
            case nn.LeakyReLU() as layer:
                self.layer("ReLU", inputs, result, {0: float(layer.negative_slope)})
            case nn.Identity():
                self.layer("Noop", inputs, result)
            case F.leaky_relu:
                self.layer("ReLU", inputs, result, {0: float(own.arguments["negative_slope"])})
            case F.pixel_shuffle:
                self.layer("PixelShuffle", inputs, result, {0: own.up})
            case F.interpolate:
                factor = float(own.up)
                self.layer("Interp", inputs, result, {0: NEAREST, 1: factor, 2: factor})
            case _:
                self._sum(inputs, result, own.arguments.get("alpha", 1))

    def _convolution(self, layer: Convolution, inputs: list[str], result: list[str]) -> None:
        if len(inputs) > 1:
            joined = [f"{result[0]}from"]
            self.layer("Concat", inputs, joined, {0: CHANNELS})
            inputs = joined
        reach = layer.reach
        above, below = reach * self.is_first, reach * self.is_last
        settings: dict[int, object] = {0: layer.out_channels, 1: layer.kernel_size[0]}
        settings |= {4: reach, 15: reach, 14: above, 16: below}  # zeros: left, right
        settings |= {5: 1, 6: layer.weight.numel()}  # with a bias
        self.layer("Convolution", inputs, result, settings)

    def _sum(self, inputs: list[str], result: list[str], factor: float) -> None:
        if factor != 1:
            scaled = f"{result[0]}scaled"
            self.layer("BinaryOp", inputs[1:], [scaled], {0: MULTIPLY, 1: 1, 2: float(factor)})
            inputs = [inputs[0], scaled]
        self.layer("BinaryOp", inputs, result, {0: ADD})

    def end(self) -> Written:
        """Return all that was added."""
        head = [MAGIC, f"{len(self.lines)} {self.blobs}"]
        text = "\n".join([*head, *self.lines, ""])
        made = enumerate(self.segment.operations, 1)
        convolved = tuple(f"new{place}" for place, own in made if own.convolution is not None)
        result = f"new{len(self.segment.operations)}"
        return Written(text, tuple(self.before), tuple(self.after), convolved, result)
