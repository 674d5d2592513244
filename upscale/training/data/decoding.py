"""Decodes picture files to HR and LR samples, several at once."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from upscale.errors import InputError
from upscale.models.fetching.sources import Notify, Progress
from upscale.pictures.reading import reader
from upscale.pixels.baselines import Levels
from upscale.pixels.degrade import crop_to_multiple
from upscale.training.data.pairs import PathPair

__all__ = ["Reduce", "decoded"]

Reduce = Callable[[Levels, int], Levels]
"""Makes LR of HR, (H, W, 3), and a scale."""


def decoded(
    pairs: Sequence[PathPair], scale: int, reduce: Reduce, progress: Progress, notify: Notify
) -> Iterator[tuple[Path, Levels, Levels]]:
    """Yield path, HR and LR of the readable pictures in order; several threads decode."""

    def decode(pair: PathPair) -> tuple[Levels, Levels] | InputError:
        try:
            hr = crop_to_multiple(_rgb(pair[0]), scale)
            lr = reduce(hr, scale) if pair[1] is None else _rgb(pair[1])
        except InputError as error:
            return error
        if (lr.shape[0] * scale, lr.shape[1] * scale) != hr.shape[:2]:
            return InputError(f"{pair[1]}: is not {pair[0].name} reduced by {scale}")
        return hr, lr

    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers, "decoder") as pool:
        for first in range(0, len(pairs), 2 * workers):  # few decoded pictures wait
            some = pairs[first : first + 2 * workers]
            results = zip(some, pool.map(decode, some), strict=True)
            for done, ((path, _), result) in enumerate(results, first + 1):
                progress(done, len(pairs))
                if isinstance(result, InputError):
                    notify(f"{result}; left out")
                else:
                    yield path, *result


def _rgb(path: Path) -> Levels:
    image = reader.read(path)
    height = image.pixels.shape[0] // image.frames
    pixels = np.asarray(image.pixels[0:height])
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    colour = pixels[..., :1] if pixels.shape[2] < 3 else pixels[..., :3]
    return np.ascontiguousarray(np.broadcast_to(colour, (*colour.shape[:2], 3)))
