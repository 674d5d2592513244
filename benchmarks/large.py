"""Measure time and memory for one large photo, beside the time of the bare network.

    python benchmarks/large.py PHOTO [MODEL [TILE]]

The bare network runs on one block of 256 × 256 of the photo, again and again, before, between and
after the programs; its time is scaled to the photo's pixels. With TILE the program runs a second
time with ``--tile TILE``. Times are seconds of the processors, of all processes, so that what else
the machine does counts less. Peak memory is that of the program's largest process.
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


def bare(model: Model, pixels: np.ndarray, passes: int = 4) -> list[float]:
    """Return the seconds a pixel of some passes of the network."""
    block = torch.from_numpy(pixels[:256, :256, :3].astype(np.float32) / 255)
    lr = block.permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last)
    seconds = []
    for _ in range(passes):
        begin = time.process_time()
        with torch.inference_mode():
            model.network(lr)
        seconds.append((time.process_time() - begin) / lr[0, 0].numel())
    return seconds


def program(photo: Path, *options: str) -> tuple[float, float]:
    """Return the processors' seconds of a run, and its peak in GiB."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "large.png"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "upscale", str(photo), "-o", str(target), *options]
        subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss / 2**20


def main() -> None:
    photo, name = Path(sys.argv[1]), (sys.argv[2:] or ["srgan"])[0]
    pixels = reader.read(photo).pixels
    tune()  # as the program does
    model = load_model(name)
    passes = bare(model, pixels)
    runs = {"stream": ("--model", name)}
    if sys.argv[3:]:
        runs[f"tile {sys.argv[3]}"] = ("--model", name, "--tile", sys.argv[3])
    found = {}
    for label, options in runs.items():
        found[label] = program(photo, *options)
        passes += bare(model, pixels)
    network = statistics.median(passes) * pixels.shape[0] * pixels.shape[1]
    print(f"{name}, {model.precision}: bare network {network:.0f} s")
    for label, (seconds, peak) in found.items():
        print(
            f"{label}: {seconds:.0f} s, {seconds / network:.2f} times; peak {peak:.2f} GiB so far"
        )


if __name__ == "__main__":
    main()
