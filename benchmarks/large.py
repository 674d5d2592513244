"""Measure time and memory for one large photo, beside the time of the bare network.

    python benchmarks/large.py PHOTO [MODEL]

The bare network runs on one tile of 256 × 256 of the photo, again and again, before and after the
program; its time is scaled to the photo's pixels. Peak memory is that of the program's process.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from upscale.cli.terminal.tuning import tune
from upscale.models.model import Model, load_model
from upscale.pictures.reading import reader


def bare(model: Model, pixels: np.ndarray, passes: int = 8) -> float:
    """Return the seconds a pixel of one network pass, the median of ``passes``."""
    tile = torch.from_numpy(pixels[:256, :256, :3].astype(np.float32) / 255)
    lr = tile.permute(2, 0, 1)[None]
    seconds = []
    for _ in range(passes):
        begin = time.perf_counter()
        model(lr)
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds) / 256**2


def main() -> None:
    photo, name = Path(sys.argv[1]), (sys.argv[2:] or ["srgan"])[0]
    pixels = reader.read(photo).pixels
    tune()  # as the program does
    model = load_model(name)
    before = bare(model, pixels)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "large.png"
        command = [sys.executable, "-m", "upscale", str(photo), "-o", str(target), "--model", name]
        begin = time.perf_counter()
        subprocess.run(command, check=True)
        program = time.perf_counter() - begin
        written = target.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    per_pixel = (before + bare(model, pixels)) / 2
    network = per_pixel * pixels.shape[0] * pixels.shape[1]
    print(f"bare network {network:.0f} s, program {program:.0f} s: {program / network:.2f} times")
    print(f"peak memory {peak:.2f} GiB, file {written / 1e6:.0f} MB, {model.precision}")


if __name__ == "__main__":
    main()
