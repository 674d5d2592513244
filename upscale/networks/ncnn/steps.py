"""Runs segments of a program in ncnn, band by band."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from upscale.networks.ncnn.net import Written, is_quick, weights_of, written
from upscale.networks.ncnn.segments import Segment, segmented
from upscale.networks.streaming.program import Operation, Program

if TYPE_CHECKING:
    import ncnn

__all__ = ["in_ncnn", "sample"]

PIXELS = 2**13
"""Of a band on a CPU, whose cache then holds what Winograd's method makes of it (measured: a half
and the double take up to a tenth longer)."""

LEAST_CONVOLUTIONS = 2
"""Of a part that a CPU runs in ncnn: with one, passing rows in and out takes what it saves."""

SAMPLED = 8
"""Rows of lag of the convolutions that stand for a program's."""

BLOCK = 0.9
"""Least part of a block of memory that a blob may take: by default ncnn gives a few kept rows the
block of a whole band."""

PACKED = 1
"""Type of an extracted blob: as the layers hold it."""


def in_ncnn(
    program: Program,
    can_run: Callable[[Operation], bool] = is_quick,
    gpu: int | None = None,
    *,
    half: bool = False,
) -> Program:
    """Return a program that runs in ncnn what ``can_run``: `is_quick` or `can_write` there.

    ``gpu``: number of a Vulkan device; None: the CPU. ``half``: it stores float16 and computes in
    float32; otherwise all is float32. The program's tensors are on the CPU, and its results differ
    from PyTorch's by rounding. Raises ImportError without ncnn.
    """
    import ncnn  # noqa: F401

    least = LEAST_CONVOLUTIONS if gpu is None else 1
    return segmented(program, can_run, lambda segment: _Part(segment, gpu, half).operation, least)


def sample(program: Program) -> tuple[Program, Program, int] | None:
    """Return some convolutions that a CPU would run in ncnn: in PyTorch, in ncnn, their channels.

    They stand for all of a program. None if there are none. Raises ImportError without ncnn.
    """
    found: list[tuple[Segment, Operation]] = []

    def as_one(segment: Segment) -> Operation:
        found.append((segment, _Part(segment, None, half=False).operation))
        return found[-1][1]

    segmented(program, is_quick, as_one, LEAST_CONVOLUTIONS, most_lag=SAMPLED)
    if not found:
        return None
    segment, in_one = found[0]
    source = Operation(nn.Identity(), ())
    return (
        (source, *segment.operations),
        (source, replace(in_one, inputs=(0,))),
        segment.channels[0],
    )


class _Part:
    """A segment in ncnn; several pictures may be on their way through it."""

    def __init__(self, segment: Segment, gpu: int | None, half: bool) -> None:
        self.segment = segment
        self.gpu = gpu
        self._half = half
        self._nets: dict[tuple[bool, bool], tuple[Any, Written]] = {}
        self._making = threading.Lock()

    @property
    def operation(self) -> Operation:
        """This segment as an operation, without its input."""
        segment = self.segment
        return Operation(
            compute=segment.operations[-1].compute,
            inputs=(),
            reach=-(-segment.lags[-1] // segment.rates[-1]),
            up=segment.rates[-1],
            steps=partial(_Steps, self),
            bytes_inside=4 * segment.numbers_of_a_column,
        )

    @cached_property
    def _weights(self) -> bytes:
        """The weights, which ncnn reads where they are: they stay as long as the nets."""
        return weights_of(self.segment)

    def net(self, is_first: bool, is_last: bool) -> "tuple[ncnn.Net, Written]":
        """Return the network for such a band, and what was written of it."""
        key = is_first, is_last
        with self._making:
            if key not in self._nets:
                layers = written(self.segment, *key)
                self._nets[key] = self._loaded(layers), layers
            return self._nets[key]

    def _loaded(self, layers: Written) -> "ncnn.Net":
        import ncnn

        net = ncnn.Net()
        net.opt.num_threads = torch.get_num_threads()
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = self._half
        net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = net.opt.use_bf16_packed = False
        if self.gpu is not None:
            net.opt.use_vulkan_compute = True
            net.set_vulkan_device(self.gpu)
        if net.load_param_mem(layers.text):
            raise RuntimeError("ncnn cannot read a network that upscale wrote")
        net.load_model_mem(self._weights)
        return net


class _Steps:
    """A picture on its way through a segment."""

    def __init__(self, part: _Part, height: int) -> None:
        self.least = part.segment.least
        self._part = part
        self._height = self._left = height
        self._kept: list[list[ncnn.Mat]] = []

    def next(self, rows: Tensor) -> Tensor:
        """Take the next rows, (N, C, rows, W); return those that they complete.

        Raises MemoryError, and then has taken nothing.
        """
        height, width = rows.shape[-2:]
        most = height if self._part.gpu is not None else max(1, PIXELS // width)
        left, kept = self._left, self._kept
        results = []
        first = 0
        while first < height:
            is_first = left == self._height
            stop = min(height, first + max(self.least if is_first else 1, most))
            left -= stop - first
            net, layers = self._part.net(is_first, is_last=not left)
            before = [[]] * len(rows) if is_first else kept
            made = [
                _run(net, layers, *picture)
                for picture in zip(rows[..., first:stop, :].numpy(), before, strict=True)
            ]
            kept = [after for _, after in made]
            results.append(np.stack([result for result, _ in made]))
            first = stop
        self._left, self._kept = left, kept
        return torch.from_numpy(np.concatenate(results, -2))


def _run(
    net: "ncnn.Net", layers: Written, rows: "np.ndarray[Any, Any]", before: "list[ncnn.Mat]"
) -> "tuple[np.ndarray[Any, Any], list[ncnn.Mat]]":
    """Return the resulting rows, (C, rows, W), and those to keep."""
    import ncnn

    extractor = net.create_extractor()
    memory = ncnn.PoolAllocator()
    memory.set_size_compare_ratio(BLOCK)
    extractor.set_blob_allocator(memory)
    extractor.set_workspace_allocator(memory)
    planes = np.ascontiguousarray(rows)  # ncnn does not hold it
    # A copy: rows that are kept as they come would otherwise be NumPy's memory, which ends sooner.
    extractor.input("new0", ncnn.Mat(planes).clone())
    for name, blob in zip(layers.before, before, strict=True):
        extractor.input(name, blob)

    def extract(name: str, kind: int = 0) -> "ncnn.Mat":
        status, blob = extractor.extract(name, kind)
        if status:
            raise MemoryError(f"ncnn ends with {status}")
        memory.clear()
        return blob

    # Layer by layer, so that rows and the memory of a layer are there no longer than it needs them.
    # What is kept is copied: the memory of the others ends with this function.
    try:
        after = [extract(name, PACKED).clone() for name in layers.after]
        if not after and not net.opt.use_vulkan_compute:
            for name in layers.convolved:
                extract(name, PACKED)
        return np.array(extract(layers.result)), after
    finally:
        extractor.clear()
