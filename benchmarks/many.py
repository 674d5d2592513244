"""Measure memory and speed for a thousand small pictures in one run, beside the bare network.

    python benchmarks/many.py [COUNT] [MODEL]

Half of the pictures are JPEG, half PNG, 96 × 64 pixels each. Resident memory is that of the program
and all its processes, after file 100 and after file COUNT (a few more follow). The rate counts from
the report's first line to its line COUNT, without the start. The bare network runs on one such
picture, again and again, before and after the program. Memory is read from /proc: Linux only.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from upscale.cli.terminal.tuning import tune
from upscale.models.model import Model, load_model

WIDTH, HEIGHT = 96, 64
SAMPLES = 10
"""Files over which a figure of memory is averaged."""


def write_pictures(folder: Path, count: int) -> None:
    noise = np.random.default_rng(0)
    for number in range(count):
        rough = noise.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        picture = Image.fromarray(rough).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:04}.{'jpg' if number % 2 else 'png'}")


def bare(model: Model, passes: int = 100) -> float:
    """Return the seconds of one network pass over one picture, the median of ``passes``."""
    lr = torch.rand(1, 3, HEIGHT, WIDTH)
    seconds = []
    for _ in range(passes):
        begin = time.perf_counter()
        model(lr)
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def resident(pid: int) -> float:
    """Return the MiB that ``pid`` and its descendants hold in memory."""
    parents, pages = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
            pages[int(path.name)] = int((path / "statm").read_text().split()[1])
        except OSError:
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return sum(pages.get(one, 0) for one in found) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    count = int((sys.argv[1:] or ["1000"])[0])
    name = (sys.argv[2:] or ["srgan"])[0]
    tune()  # as the program does
    model = load_model(name)
    before = bare(model)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "in").mkdir()
        write_pictures(folder / "in", count + 2 * SAMPLES)
        command = [sys.executable, "-m", "upscale", "in", "-o", "out", "--json", "--model", name]
        early, late, arrivals = [], [], []
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            for number, _ in enumerate(process.stdout, 1):
                arrivals.append(time.perf_counter())
                if 100 <= number < 100 + SAMPLES:
                    early.append(resident(process.pid))
                if count <= number < count + SAMPLES:
                    late.append(resident(process.pid))
        made = len(list((folder / "out").iterdir()))
    after = bare(model)
    assert (process.returncode, made) == (0, count + 2 * SAMPLES)
    rate = (count - 1) / (arrivals[count - 1] - arrivals[0])
    network = 2 / (before + after)
    print(f"resident: {statistics.mean(early):.0f} MiB at file 100", end=", ")
    print(f"{statistics.mean(late):.0f} MiB at file {count}")
    print(f"bare network: {1 / before:.1f} files/s before, {1 / after:.1f} after")
    print(
        f"program: {rate:.1f} files/s, {rate / network:.2f} of the bare network; {model.precision}"
    )


if __name__ == "__main__":
    main()
