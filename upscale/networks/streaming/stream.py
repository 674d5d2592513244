"""Runs a network over rows from top to bottom and computes each row of each layer once.

A first layer of few channels that a skip connection reads again is the exception: keeping its rows
until the end of the trunk takes more memory than its input does, so they are computed when due.
Every layer keeps the last rows of its input that the next ones need, other skip connections keep
their features, and zeros stand beyond the picture's true edges only::

    lr      ────────────────▶
    conv 1  ──────────────▶     one row behind what it reads
    conv 2  ────────────▶
    add     ────────────▶       ``lr`` waits for ``conv 2``

Memory grows with the width of the picture, not with its height.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, groupby
from operator import attrgetter

import torch
from torch import Tensor

from upscale.networks.layers import Convolution
from upscale.networks.streaming.program import Operation, Program, Steps

__all__ = ["Stream"]


@dataclass(eq=False)
class _Node:
    """The existing rows of one layer's result that are still needed."""

    operation: Operation
    sources: list["_Node"]
    height: int
    """Rows in all."""
    rate: Fraction
    """Rows for each LR row."""
    due: "_Node | None" = None
    """Rows that these go with: they are computed no sooner."""
    consumers: list["_Node"] = field(default_factory=list)
    end: int = 0
    """The row after the last existing one."""
    inner: Steps | None = None
    """Of an operation that keeps rows of its own."""
    taken: int = 0
    """Rows that it has."""
    pieces: deque[tuple[int, Tensor]] = field(default_factory=deque)
    """First row and (N, C, rows, W) of each piece, from top to bottom."""
    bytes_of_a_pixel: int = 0

    @property
    def steps(self) -> int:
        """Computed steps of ``operation.up`` rows each."""
        return self.end // self.operation.up

    @property
    def needed(self) -> int:
        """The first row of its sources that this needs again."""
        own = self.operation
        return self.taken if own.steps is not None else self.steps * own.down - own.reach

    def take(self, rows: Tensor) -> None:
        """Append rows."""
        self.pieces.append((self.end, rows))
        self.bytes_of_a_pixel = rows.shape[1] * rows.element_size()
        self.end += rows.shape[-2]

    def advance(self, rows: int) -> bool:
        """Compute at most ``rows`` more rows; return whether there were any."""
        own = self.operation
        if own.steps is not None:
            return self._advance_inside(rows, own.steps)
        stop = self.height // own.up
        for source in self.sources:
            if source.end < source.height:
                stop = min(stop, (source.end - own.reach) // own.down)
        if self.due is not None:
            stop = min(stop, self.due.end // own.up)
        stop = min(stop, self.steps + max(1, rows // own.up))
        if stop <= self.steps:
            return False
        first, last = self.steps * own.down - own.reach, stop * own.down + own.reach
        if own.convolution is not None:
            result = _convolved(own.convolution, self.sources, first, last)
        else:
            top = max(0, first)
            inputs = [source.rows(top, min(last, source.height)) for source in self.sources]
            result = own.compute(*inputs)
            if own.reach:
                above = (self.steps * own.down - top) // own.down * own.up
                result = result.narrow(-2, above, (stop - self.steps) * own.up)
        self._made(result)
        return True

    def _advance_inside(self, rows: int, begin: Callable[[int], Steps]) -> bool:
        """Let an operation that keeps rows of its own take at most ``rows`` or what it needs."""
        (source,) = self.sources
        if self.inner is None:
            self.inner = begin(source.height)
        least = 1 if self.taken else self.inner.least
        count = min(source.end - self.taken, max(least, rows // self.operation.up))
        stop = self.taken + count
        if not count or (count < least and stop < source.height):
            return False
        result = self.inner.next(source.rows(self.taken, stop))
        self.taken = stop
        self._made(result)
        return True

    def _made(self, result: Tensor) -> None:
        """Append rows that are computed, and drop what they were made of."""
        self.take(result)
        for source in self.sources:
            if source.consumers[-1] is self:
                source.forget()

    def rows(self, first: int, last: int) -> Tensor:
        """Return rows that exist."""
        parts = [
            piece.narrow(-2, max(first - top, 0), min(last, bottom) - max(first, top))
            for top, piece in self.pieces
            for bottom in (top + piece.shape[-2],)
            if top < last and bottom > first
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, -2)

    def forget(self) -> None:
        """Drop rows that no consumer needs again."""
        needed = min(
            node.needed if node.end < node.height else self.height for node in self.consumers
        )
        while self.pieces:
            top, piece = self.pieces[0]
            bottom = top + piece.shape[-2]
            if top >= needed:
                return
            if bottom > needed:
                self.pieces[0] = (needed, piece.narrow(-2, needed - top, bottom - needed).clone())
                return
            self.pieces.popleft()


def _convolved(layer: Convolution, sources: list[_Node], first: int, last: int) -> Tensor:
    """Convolve rows of the sources, with their channels joined."""
    height = sources[0].height
    whole = first == -layer.reach and last == height + layer.reach
    if whole and len(sources) == 1 and len(sources[0].pieces) == 1:
        result: Tensor = layer(sources[0].pieces[0][1])
        return result
    samples = [source.pieces[0][1] for source in sources]
    count, _, _, width = samples[0].shape
    channels = sum(sample.shape[1] for sample in samples)
    window = torch.empty(
        (count, channels, last - first, width),
        dtype=layer.weight.dtype,
        device=samples[0].device,
        memory_format=torch.channels_last,
    )
    window[..., : max(0, -first), :].zero_()
    window[..., min(last, height) - first :, :].zero_()
    channel = 0
    for source, sample in zip(sources, samples, strict=True):
        part = window.narrow(1, channel, sample.shape[1])
        channel += sample.shape[1]
        for top, piece in source.pieces:
            start, stop = max(top, first), min(top + piece.shape[-2], last)
            if start < stop:
                part[..., start - first : stop - first, :].copy_(
                    piece[..., start - top : stop - top, :]
                )
    return layer.inside(window)


class Stream:
    """One picture on its way through a network; each picture needs a new one."""

    def __init__(self, program: Program, height: int, band: int) -> None:
        """Prepare for ``height`` LR rows, a multiple of the network's ``spec.align``.

        ``band``: LR rows per step; it may change on the way.
        """
        self.band = band
        self._source = _Node(program[0], [], height, Fraction(1))
        nodes = [self._source]
        for operation in program[1:]:
            sources = [nodes[place] for place in operation.inputs]
            rows = sources[0].height // operation.down * operation.up
            rate = sources[0].rate * operation.up / operation.down
            due = None if operation.due is None else nodes[operation.due]
            nodes.append(_Node(operation, sources, rows, rate, due))
            for source in sources:
                source.consumers.append(nodes[-1])
        self._result = nodes[-1]
        self._segments = [list(group) for _, group in groupby(nodes[1:], attrgetter("rate"))]

    def feed(self, lr: Tensor) -> Iterator[Tensor]:
        """Take the next rows, (N, 3, rows, W); yield the resulting rows: (N, C, rows, W·scale).

        Raises the errors of PyTorch, also for lack of memory; `drain` then continues.
        """
        self._source.take(lr)
        yield from self.drain()

    def drain(self) -> Iterator[Tensor]:
        """Yield the results of the rows taken so far; after the last row, all results."""
        yield from self._run(0)

    @property
    def nbytes(self) -> int:
        """Bytes of the kept rows."""
        nodes = [self._source, *chain.from_iterable(self._segments)]
        return sum(rows.nbytes for node in nodes for _, rows in node.pieces)

    def bytes_of_a_column(self) -> float:
        """Return the bytes kept between two bands for each LR pixel of the width.

        It is known once a picture of any size is through. The memory of a band itself comes on top.
        """
        behind: dict[_Node, Fraction] = {self._source: Fraction(0)}  # in LR rows
        nodes = list(chain.from_iterable(self._segments))
        for node in nodes:
            reach = node.operation.reach
            behind[node] = max(behind[x] + reach / x.rate for x in node.sources)
            if node.due is not None:
                behind[node] = behind[node.due]
        kept = Fraction(0)
        for node in (self._source, *nodes):
            rows = [
                (behind[x] - behind[node]) * node.rate + x.operation.reach
                for x in node.consumers
                if x.operation.steps is None
            ]
            kept += max(rows, default=0) * node.rate * node.bytes_of_a_pixel
            kept += node.rate / node.operation.up * node.operation.bytes_inside
        return float(kept)

    def _run(self, index: int) -> Iterator[Tensor]:
        """Compute a segment band by band, and after each band the layers that follow."""
        if index == len(self._segments):
            while self._result.pieces:
                yield self._result.pieces.popleft()[1]
            return
        segment = self._segments[index]
        moved = True
        while moved:
            rows = max(1, int(self.band / segment[0].rate))
            moved = sum(node.advance(rows) for node in segment) > 0
            yield from self._run(index + 1)
