"""Antialiased cubic resampling of a picture that comes, and leaves, in bands of rows.

Along one axis, resampling is a matrix with a row per new sample and a band of factors along its
diagonal. It is cut into dense blocks, which overlap in what they read::

    new  ┌─────┐
     │   └───┌─────┐          a block makes samples [start, stop)
     ▼       └───┌─────┐      from samples [source_start, source_stop)
                 └─────┘
         old ──▶

So resampling becomes a few small matrix products. Blocks of rows come first, so that most of a
reduced picture is gone before the blocks of columns. A block of columns is the same for each
channel: its Kronecker product with the identity applies it to interleaved samples where they lie.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Edges", "contributions", "matrix", "resize_bands"]

Samples = npt.NDArray[np.float32]

Edges = Literal["clip", "reflect"]
"""What stands for samples beyond an end.

``clip``: nothing; the factors of the other samples are scaled to a sum of 1 (Pillow, PyTorch).
``reflect``: the mirror image, in which the last sample comes twice (MATLAB).
"""

BLOCK_ROWS = 16
"""New rows of a block, at most."""
BLOCK_COLUMNS = 8
"""New columns of a block, at most."""
BLOCK_SOURCE_ROWS = 64
"""Rows that a block reads at most, apart from its taps, so that great reductions fit in memory."""


def contributions(
    length: int, new_length: int, edges: Edges = "clip", margin: int = 0
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return which samples of an axis make each new one, and with which factors.

    ``margin``: samples beyond either end that can be read, but are not part of the axis. Returns
    ``indices`` in [0, length + 2 · margin) and ``factors``, both (new_length, taps), so that
    ``new[i] = sum(factors[i] * old[indices[i]])``. The factors of a new sample sum to 1. A row may
    hold an index more than once. Raises ValueError for lengths below 1.

    The kernel is that of Keys 1981, equation 15, a = -1/2. It is 4 new samples wide if the axis is
    reduced, and 4 old samples wide if it is enlarged.
    """
    if length < 1 or new_length < 1:
        raise ValueError(
            f"an axis of {length} samples cannot become one of {new_length}; both need at least 1"
        )
    step = length / new_length
    stretch = max(step, 1.0)
    # Pixel i covers [i, i + 1), so that the centre of new pixel i lies at (i + 1/2) · step of the
    # old axis, which is sample (i + 1/2) · step - 1/2.
    centres = (np.arange(new_length) + 0.5) * step - 0.5 + margin
    length += 2 * margin
    first = np.ceil(centres - 2 * stretch).astype(np.int64)
    indices = first[:, None] + np.arange(int(4 * stretch) + 1)
    factors = _keys((indices - centres[:, None]) / stretch)
    if edges == "clip":
        factors[(indices < 0) | (indices >= length)] = 0
        indices = indices.clip(0, length - 1)
    else:
        indices %= 2 * length
        indices = np.minimum(indices, 2 * length - 1 - indices)
    factors /= factors.sum(1, keepdims=True)
    used = factors.any(0)
    return indices[:, used], factors[:, used]


def matrix(length: int, new_length: int) -> npt.NDArray[np.float64]:
    """Return the (new_length, length) matrix, float64, that resamples an axis with ``reflect``."""
    indices, factors = contributions(length, new_length, edges="reflect")
    dense = np.zeros((new_length, length))
    np.add.at(dense, (np.arange(new_length)[:, None], indices), factors)
    return dense


def resize_bands(
    bands: Iterator[Samples],
    width: int,
    height: int,
    new_width: int,
    new_height: int,
    crop: tuple[int, int, int, int] | None = None,
    margin: int = 0,
) -> Iterator[Samples]:
    """Yield a picture of ``width`` × ``height`` resampled to ``new_width`` × ``new_height``.

    ``bands``: (rows, width + 2 · margin, C) each, height + 2 · margin rows in all, from top to
    bottom, float32, any finite values. A band may be overwritten once the next is asked for.
    ``crop``: left, top, width and height of a window of the new picture; nothing else is made, and
    bands below it are not asked for. ``margin``: pixels on each side of the picture that can be
    read, but are not resampled.

    Yields (rows, crop width, C), float32, not clamped, as soon as the rows that they need have
    come. Memory holds one band, a few rows on either side of it, and the rows that leave. If
    nothing changes, the bands themselves are passed on, unchecked.

    Raises ValueError if the crop leaves the new picture, if a band is not as wide as the picture,
    or if there are too few or too many rows.
    """
    whole = (0, 0, new_width, new_height)
    left, top, crop_width, crop_height = window = crop or whole
    inside = 0 <= left < left + crop_width <= new_width
    if not (inside and 0 <= top < top + crop_height <= new_height):
        raise ValueError(
            f"the window {window} (left, top, width, height) does not lie within the new picture "
            f"of {new_width} × {new_height} pixels"
        )
    if window == (0, 0, width, height) and whole == window and not margin:
        yield from bands
        return
    per_block = max(1, min(BLOCK_ROWS, BLOCK_SOURCE_ROWS * new_height // height))
    rows = _blocks(height, new_height, top, crop_height, per_block, margin)
    columns = list(_blocks(width, new_width, left, crop_width, BLOCK_COLUMNS, margin))
    width, height = width + 2 * margin, height + 2 * margin
    source_left, source_right = columns[0].source_start, columns[-1].source_stop
    products: list[tuple[slice, slice, Samples]] = []
    channels = 0
    for block, source in _sources(bands, rows, width, height):
        if not products:
            channels = source.shape[1] // width
            products = [_interleaved(column, channels, left, source_left) for column in columns]
        reduced = block.factors @ source[:, source_left * channels : source_right * channels]
        del source
        new = np.empty((len(reduced), crop_width * channels), np.float32)
        for here, there, factors in products:
            np.matmul(reduced[:, there], factors, out=new[:, here])
        yield new.reshape(len(new), crop_width, channels)


@dataclass(frozen=True)
class _Block:
    """New samples [start, stop) are ``factors`` @ old samples [source_start, source_stop)."""

    start: int
    stop: int
    source_start: int
    source_stop: int
    factors: Samples


def _keys(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _blocks(
    length: int, new_length: int, first: int, count: int, per_block: int, margin: int
) -> Iterator[_Block]:
    """Yield the blocks of the matrix that makes ``count`` new samples from ``first`` on."""
    indices, factors = contributions(length, new_length, margin=margin)
    for start in range(first, first + count, per_block):
        stop = min(first + count, start + per_block)
        reads = indices[start:stop]
        low, high = int(reads.min()), int(reads.max()) + 1
        dense = np.zeros((stop - start, high - low))
        np.add.at(dense, (np.arange(stop - start)[:, None], reads - low), factors[start:stop])
        yield _Block(start, stop, low, high, dense.astype(np.float32))


def _interleaved(
    column: _Block, channels: int, left: int, source_left: int
) -> tuple[slice, slice, Samples]:
    """Return the slice of a new row that a block makes, that of the old row, and the factors."""
    return (
        slice((column.start - left) * channels, (column.stop - left) * channels),
        slice(
            (column.source_start - source_left) * channels,
            (column.source_stop - source_left) * channels,
        ),
        np.kron(column.factors.T, np.eye(channels, dtype=np.float32)),
    )


def _sources(
    bands: Iterator[Samples], blocks: Iterator[_Block], width: int, height: int
) -> Iterator[tuple[_Block, Samples]]:
    """Pair each block of rows with the rows that it reads: (rows, width · C).

    Of a band, only the rows that later blocks read are kept, as a copy. Rows are joined only if a
    block reads from two bands. No name here holds a band while the next is asked for.
    """
    parts: list[Samples] = []
    top = bottom = 0  # rows [top, bottom) of the picture are in the parts
    for block in blocks:
        while bottom < block.source_stop:
            if parts:
                unread = min(len(parts[-1]), max(0, bottom - block.source_start))
                parts[-1] = parts[-1][len(parts[-1]) - unread :].copy()
            parts.append(_next_rows(bands, width, height, bottom))
            bottom += len(parts[-1])
            top = bottom - sum(map(len, parts))
        while top + len(parts[0]) <= block.source_start:
            top += len(parts.pop(0))
        yield block, _between(parts, block.source_start - top, block.source_stop - top)


def _next_rows(bands: Iterator[Samples], width: int, height: int, bottom: int) -> Samples:
    band = next(bands, None)
    if band is None:
        raise ValueError(f"a picture of {height} rows ends after {bottom}")
    if band.ndim != 3 or band.shape[1] != width or bottom + len(band) > height:
        raise ValueError(
            f"a band of shape {band.shape} does not fit below row {bottom} of a picture of "
            f"{height} rows and {width} columns"
        )
    return band.reshape(len(band), width * band.shape[2])


def _between(parts: list[Samples], start: int, stop: int) -> Samples:
    """Return rows [start, stop) of the parts as one array; a view if they are in one part."""
    read = []
    for part in parts:
        if start < len(part) and stop > 0:
            read.append(part[max(0, start) : stop])
        start, stop = start - len(part), stop - len(part)
    return read[0] if len(read) == 1 else np.concatenate(read)
