"""Measure the pattern that results repeat with each input pixel, and that of HR.

    python benchmarks/grid.py FOLDER MODEL…

FOLDER holds HR of 64 pixels a side or more; LR is its own or made by MATLAB's bicubic. The power at
a frequency is the median over all blocks of 64 × 64 pixels of Y (float32, 8 bits), which are blocks
of little detail. A pattern of 4 × 4 pixels has all of its power at the fifteen multiples of a
quarter cycle; each is divided by the mean of the frequencies beside it. The greatest of the fifteen
and their mean are printed, as a mean over all pictures and for the worst picture. Without a pattern
the mean is about 1 and the greatest a little more, as HR shows.
"""

import itertools
import sys
from pathlib import Path

import numpy as np

import upscale
from upscale.bench.measure import pair_of
from upscale.bench.sets.picture_sets import read_folder
from upscale.metrics.protocol import Protocol
from upscale.metrics.psnr_ssim import luma
from upscale.models.loading import load_model

SCALE, BLOCK = 4, 64
PITCH = BLOCK // SCALE  # between the pattern's frequencies, in cycles a block
BESIDE = [places for places in itertools.product((-6, -5, 0, 5, 6), repeat=2) if any(places)]


def patterns(pixels: np.ndarray) -> list[float]:
    """Return the power of each of the fifteen frequencies over that of those beside it."""
    y = luma(pixels)
    rows, columns = (length // BLOCK for length in y.shape[:2])
    blocks = y[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    blocks = blocks.swapaxes(1, 2) - blocks.mean((1, 3))[..., None, None]
    window = np.outer(np.hanning(BLOCK), np.hanning(BLOCK))
    power = np.median(np.abs(np.fft.fft2(blocks * window)) ** 2, (0, 1))
    found = []
    for row, column in itertools.product(range(0, BLOCK, PITCH), repeat=2):
        beside = np.mean([power[(row + i) % BLOCK, (column + j) % BLOCK] for i, j in BESIDE])
        found.append(float(power[row, column] / beside))
    return found[1:]  # without the mean of the picture


def show(name: str, found: list[list[float]]) -> None:
    greatest, mean = np.max(found, 1), np.mean(found, 1)
    print(
        f"{name:40} {greatest.mean():7.1f} {greatest.max():7.1f} {mean.mean():7.1f}"
        f" {mean.max():7.1f}",
        flush=True,
    )


def main(folder: Path, models: list[str]) -> None:
    pictures = read_folder(folder, SCALE, print)
    protocol = Protocol(SCALE, degradation="folder" if pictures.lr_folder else "uint8")
    pairs = [pair_of(pair, protocol) for pair in pictures.pairs]
    print(f"{'':40} greatest, worst;  mean, worst")
    show("HR", [patterns(hr) for hr, _ in pairs])
    for name in models:
        model = load_model(name, device="cpu", precision="fp32")
        show(name, [patterns(upscale.upscale(lr, model)) for _, lr in pairs])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
