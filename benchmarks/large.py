"""Measure time and memory for one large photo, beside the time of the bare network.

    python benchmarks/large.py PHOTO [MODEL [TILE]]

The bare network runs on one block of 256 × 256 of the photo, again and again, after the programs;
its time is scaled to the photo's pixels. With TILE the program runs a second time with ``--tile
TILE``. Times are seconds of the processors, of all processes, so that what else the machine does
counts less. Peak memory is the greatest of a process until then.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

BARE = """
import sys, time
import numpy as np
import torch
from PIL import Image
from upscale.upscaling.tuning import tune
from upscale.models.model import load_model

tune()  # as the program does
photo, model = sys.argv[1:]
with Image.open(photo) as picture:
    block = np.asarray(picture.convert("RGB"), np.float32)[:256, :256] / 255
lr = torch.from_numpy(block).permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last)
network = load_model(model).network
for _ in range(5):
    begin = time.process_time()
    with torch.inference_mode():
        network(lr)
    print((time.process_time() - begin) / lr[0, 0].numel())
"""
"""Prints a pixel's seconds in each of some passes. A process of its own: where memory of programs
is measured, that of their parent counts."""


def bare(photo: Path, model: str) -> list[float]:
    command = [sys.executable, "-c", BARE, str(photo), model]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(line) for line in run.stdout.split()][1:]


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
    photo, model = Path(sys.argv[1]), (sys.argv[2:] or ["srgan"])[0]
    with Image.open(photo) as picture:
        width, height = picture.size
    runs = {"stream": ("--model", model)}
    if sys.argv[3:]:
        runs[f"tile {sys.argv[3]}"] = ("--model", model, "--tile", sys.argv[3])
    found = {label: program(photo, *options) for label, options in runs.items()}
    passes = bare(photo, model)  # last, since its peak would count
    network = statistics.median(passes) * width * height
    print(f"{model}: bare network {network:.0f} s")
    for label, (seconds, peak) in found.items():
        print(f"{label}: {seconds:.0f} s, {seconds / network:.2f} times; peak {peak:.2f} GiB")


if __name__ == "__main__":
    main()
