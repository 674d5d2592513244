"""How many rows go through a network at once: as many as the cache or the memory holds."""

from collections.abc import Iterator

import torch
from torch import Tensor

from upscale.networks.layers import without_tf32
from upscale.networks.streaming.stream import Stream

__all__ = ["BYTES_PER_CHANNEL", "IN_CACHE", "feed_in_memory", "pixels_in_memory", "rows_in_cache"]

IN_CACHE = 2**15
"""LR pixels of a band on the CPU (measured: half takes 2 to 9 % longer, twice are equal)."""

LEAST_ROWS = 8
"""Of a band on the CPU: with fewer, the rows of context cost more than the cache saves (measured on
2000 pixels of width: 4 take 13 % longer, 16 and 32 are equal)."""

BYTES_PER_CHANNEL = 64
"""Bytes per feature channel and LR pixel at the widest layer of a pass (measured: 44 to 50)."""


def rows_in_cache(width: int) -> int:
    """Return the rows of a band whose features stay in the cache of a CPU."""
    return max(LEAST_ROWS, IN_CACHE // width)


def pixels_in_memory(free: int, features: int) -> int:
    """Return the LR pixels that a network with ``features`` takes at once in ``free`` bytes."""
    return free // (BYTES_PER_CHANNEL * features)


def feed_in_memory(stream: Stream, lr: Tensor, align: int) -> Iterator[Tensor]:
    """Feed a stream; yield what follows, made without gradients and TF32.

    Where memory is too small it goes on in bands of half as many rows, at least ``align``. Raises
    what PyTorch raises, for lack of memory where a band cannot be less high.
    """
    results = stream.feed(lr)
    while True:
        try:
            with torch.inference_mode(), without_tf32():
                sr = next(results, None)
        except NotImplementedError:
            raise
        except (RuntimeError, MemoryError):  # the CPU's allocator has no type of its own
            if lr.is_cuda:
                torch.cuda.empty_cache()
            if stream.band <= align:
                raise
            stream.band = max(align, stream.band // 2)
            results = stream.drain()
            continue
        if sr is None:
            return
        yield sr
