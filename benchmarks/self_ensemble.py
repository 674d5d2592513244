"""Make a training set whose targets are mostly a model's own self-ensemble.

    python benchmarks/self_ensemble.py DATA MODEL OUT

DATA (HR) comes from training_data.py: each photograph is followed by its half, and one of the two,
in turn, is taken. One patch of 192 × 192 of each is used, the same at each run: OUT/LR gets its
reduction by MATLAB's bicubic; OUT/HR gets one tenth of the patch plus nine tenths of the mean of
MODEL's results over eight flips and turns (Timofte et al. 2016, "Seven ways to improve
example-based single image super resolution"). That mean is nearer to HR than a single result, and a
network can learn it: of the detail that no network can know, and of the noise that it puts into
the gradient, only a tenth is left.

    upscale train --data OUT/HR --lr OUT/LR --init MODEL --hr-patch 192 …
"""

import sys
from pathlib import Path

import numpy as np
import torch

from upscale.bench.gallery import write_picture
from upscale.bench.measure import pair_of
from upscale.bench.sets.picture_sets import read_folder
from upscale.metrics.protocol import Protocol
from upscale.models.loading import load_model
from upscale.models.model import Model

PATCH, SCALE = 192, 4
SHARE = 0.9


def ensembled(model: Model, lr: np.ndarray) -> np.ndarray:
    x = torch.from_numpy(lr.astype(np.float32) / 255).permute(2, 0, 1)[None]
    sr: np.ndarray = 255 * model(x)[0].permute(1, 2, 0).numpy()
    return sr


def main(data: Path, name: str, out: Path) -> None:
    model = load_model(name, device="cpu", precision="fp32", tta=True)
    found = read_folder(data, SCALE, print).pairs
    pairs = [pair for number, pair in enumerate(found) if number % 4 in (0, 3)]
    for number, pair in enumerate(pairs):
        hr, lr = pair_of(pair, Protocol(SCALE))
        random = np.random.default_rng(number)
        side = PATCH // SCALE
        top, left = (int(random.integers(length - side + 1)) for length in lr.shape[:2])
        lr = lr[top : top + side, left : left + side]
        window = (slice(SCALE * place, SCALE * (place + side)) for place in (top, left))
        target = (1 - SHARE) * hr[tuple(window)] + SHARE * ensembled(model, lr)
        write_picture(out / "LR" / f"{pair.name}.png", lr)
        write_picture(out / "HR" / f"{pair.name}.png", target.round().clip(0, 255).astype(np.uint8))
        if (number + 1) % 100 == 0:
            print(f"{number + 1} of {len(pairs)}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
