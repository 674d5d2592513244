"""Measure time and memory for one large photo, beside the time of the bare network.

    python benchmarks/large.py PHOTO [MODEL [ENGINE [TILE]]]

The bare network runs in PyTorch on one block of 256 × 256 of the photo, again and again, before and
after the programs; its time is scaled to the photo's pixels. The program has ``--engine ENGINE``
(auto); with TILE it runs a second time with ``--tile TILE``. Times are by the clock, and CPU
seconds of all processes, in which other work on the machine counts less. Peak memory is that of the
largest process. POSIX only.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

BLOCK = 256

BARE = f"""
import sys, time
from upscale.upscaling.tuning import tune
tune()  # as the program does, before PyTorch is imported
import numpy as np
import torch
from PIL import Image
from upscale.models.loading import load_model

photo, model = sys.argv[1:]
with Image.open(photo) as picture:
    block = np.asarray(picture.convert("RGB"), np.float32)[:{BLOCK}, :{BLOCK}] / 255
lr = torch.from_numpy(block).permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last)
network = load_model(model).network
for _ in range(5):
    begin, busy = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        network(lr)
    print(time.perf_counter() - begin, time.process_time() - busy)
"""
"""Prints the seconds of some passes, by the clock and of the CPU."""


def bare(photo: Path, model: str) -> np.ndarray:
    """Return the seconds of passes over a block: (passes, clock and CPU)."""
    command = [sys.executable, "-c", BARE, str(photo), model]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return np.loadtxt(run.stdout.splitlines()[1:])


def program(photo: Path, *options: str) -> tuple[np.ndarray, float]:
    """Return the seconds of a run, clock and CPU, and its peak in GiB."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "large.png"
        begin = time.perf_counter()
        command = [sys.executable, "-m", "upscale", str(photo), "-o", str(target), *options]
        with subprocess.Popen(command) as running:
            _, status, used = os.wait4(running.pid, 0)
            running.returncode = os.waitstatus_to_exitcode(status)
        clock = time.perf_counter() - begin
    if running.returncode:
        sys.exit(running.returncode)
    return np.array([clock, used.ru_utime + used.ru_stime]), used.ru_maxrss / 2**20


def main() -> None:
    photo, words = Path(sys.argv[1]), sys.argv[2:]
    model, engine = *words[:2], *("srgan", "auto")[len(words[:2]) :]
    with Image.open(photo) as picture:
        width, height = picture.size
    runs = {"stream": ("--model", model, "--engine", engine)}
    for tile in words[2:]:
        runs[f"tile {tile}"] = (*runs["stream"], "--tile", tile)
    before = bare(photo, model)
    found = {label: program(photo, *options) for label, options in runs.items()}
    after = bare(photo, model)
    blocks = width * height / BLOCK**2
    for label, passes in (("before", before), ("after", after)):
        clock, busy = blocks * np.median(passes, 0)
        print(f"{model}, bare network {label}: {clock:.1f} s, {busy:.1f} CPU seconds")
    network = blocks * np.median(np.concatenate((before, after)), 0)
    for label, (seconds, peak) in found.items():
        clock, busy = seconds / network
        print(
            f"{label}: {seconds[0]:.1f} s, {clock:.2f} times the bare network; {seconds[1]:.1f} "
            f"CPU seconds, {busy:.2f} times; peak {peak:.2f} GiB"
        )


if __name__ == "__main__":
    main()
