"""A picture on its way through a stream, as the tests of networks send it."""

import torch

from upscale.networks.streaming.program import Program
from upscale.networks.streaming.stream import Stream

__all__ = ["streamed"]


def streamed(program: Program, lr: torch.Tensor, band: int, rows: int) -> torch.Tensor:
    """Return the stream's result for ``lr``, in bands, fed so many rows at a time."""
    stream = Stream(program, lr.shape[-2], band)
    with torch.inference_mode():
        return torch.cat([sr for part in lr.split(rows, -2) for sr in stream.feed(part)], -2)
