"""Measure how far the colours of results drift from those of their inputs.

    python benchmarks/drift.py FOLDER MODEL…

Each picture of FOLDER (HR) is reduced to LR by MATLAB's bicubic and enlarged by each model
(float32, 8 bits); the bicubic reduction of SR is compared with LR. Two differences are printed in
levels of 255, the worst over pictures and channels: the mean over the picture, and the mean over a
block of 16 × 16 LR pixels.
"""

import sys
from pathlib import Path

import numpy as np

import upscale
from upscale.bench.measure import pair_of
from upscale.bench.sets.picture_sets import read_folder
from upscale.metrics.protocol import Protocol
from upscale.models.loading import load_model
from upscale.pixels.degrade import degrade

BLOCK = 16


def block_means(pixels: np.ndarray) -> np.ndarray:
    rows, columns = (length // BLOCK for length in pixels.shape[:2])
    cut = pixels[: rows * BLOCK, : columns * BLOCK]
    return cut.reshape(rows, BLOCK, columns, BLOCK, -1).mean((1, 3))


def main(folder: Path, models: list[str]) -> None:
    pictures = read_folder(folder, 4, print)
    print(f"{'model':40} mean  block   (levels of 255)")
    for name in models:
        model = load_model(name, device="cpu", precision="fp32")
        means, blocks = [], []
        for pair in pictures.pairs:
            _, lr = pair_of(pair, Protocol())
            off = degrade(upscale.upscale(lr, model), 4).astype(float) - lr
            means.append(np.abs(off.mean((0, 1))).max())
            blocks.append(np.abs(block_means(off)).max())
        print(f"{name:40} {max(means):4.2f}  {max(blocks):5.2f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
