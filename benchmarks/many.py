"""Measure memory and speed for many small pictures in one run, beside the bare network.

    python benchmarks/many.py [COUNT [MODEL [SIDE [ENGINE]]]]

COUNT pictures (1000) of SIDE² pixels (64), half of them JPEG, half PNG; ``--engine ENGINE``
(auto). Resident memory is that of the program and all its processes, after file 100 and towards the
end. A picture's time is that of the run less that of a run with three pictures, one for each
process that decodes and encodes, so it is without the start: by the clock, and in processors'
seconds of all processes, in which other work on the machine does not count. The bare network runs
in PyTorch on one such picture, again and again, before and after the program. Memory is read from
/proc: Linux only.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from upscale.upscaling.tuning import tune

if TYPE_CHECKING:
    from upscale.models.model import Model

FIRST = 3
"""Pictures of the short run: as many as ``--jobs`` has by default."""

SAMPLES = 10
"""Files over which a figure of memory is averaged."""


def write_pictures(folder: Path, count: int, side: int) -> None:
    noise = np.random.default_rng(0)
    for number in range(count):
        rough = noise.integers(0, 256, (side // 8, side // 8, 3), np.uint8)
        picture = Image.fromarray(rough).resize((side, side), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:04}.{'jpg' if number % 2 else 'png'}")


@dataclass(frozen=True)
class Seconds:
    """Of one picture, on the average or the median."""

    clock: float
    processors: float
    """Summed over the processors."""


def bare(model: "Model", side: int, passes: int = 50) -> Seconds:
    """Return what one pass of the network alone over one picture takes."""
    import torch

    lr = torch.rand(1, 3, side, side).contiguous(memory_format=torch.channels_last)
    clock, processors = [], []
    with torch.inference_mode():
        for _ in range(passes):
            begin, busy = time.perf_counter(), time.process_time()
            model.network(lr)
            clock.append(time.perf_counter() - begin)
            processors.append(time.process_time() - busy)
    return Seconds(statistics.median(clock), statistics.median(processors))


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


def program(count: int, model: str, side: int, engine: str) -> tuple[Seconds, dict[int, float]]:
    """Return the seconds of a run over so many pictures, and its memory in MiB by file."""
    memory: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "in").mkdir()
        write_pictures(folder / "in", count, side)
        command = [sys.executable, "-m", "upscale", "in", "-o", "out", "--json", "--model", model]
        command += ["--engine", engine]
        begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            for number, _ in enumerate(process.stdout, 1):
                if 100 <= number < 100 + SAMPLES or count - SAMPLES <= number < count:
                    memory[number] = resident(process.pid)
        clock, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert (process.returncode, len(list((folder / "out").iterdir()))) == (0, count)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Seconds(clock, busy), memory


def main() -> None:
    words = (*sys.argv[1:5], *("1000", "srgan", "64", "auto")[len(sys.argv[1:5]) :])
    count, name, side, engine = int(words[0]), words[1], int(words[2]), words[3]
    tune()  # as the program does, before PyTorch is imported
    from upscale.models.loading import load_model

    model = load_model(name, engine=engine)
    before = bare(model, side)
    start, _ = program(FIRST, name, side, engine)
    whole, memory = program(count, name, side, engine)
    after = bare(model, side)
    for first in (100, count - SAMPLES):
        seen = [memory[number] for number in range(first, first + SAMPLES) if number in memory]
        if seen:
            print(f"resident: {statistics.mean(seen):.0f} MiB at file {first}")
    clock = (whole.clock - start.clock) / (count - FIRST)
    busy = (whole.processors - start.processors) / (count - FIRST)
    print(f"bare network: {1 / before.clock:.1f} files/s before, {1 / after.clock:.1f} after")
    alone = (before.clock + after.clock) / 2
    print(f"program: {1 / clock:.1f} files/s, {alone / clock:.2f} of the bare network's")
    alone = (before.processors + after.processors) / 2
    print(
        f"processors' milliseconds a file: {1e3 * busy:.1f}, {1e3 * alone:.1f} the bare network, "
        f"{alone / busy:.2f} of its rate; {model.engine}, {model.precision}"
    )


if __name__ == "__main__":
    main()
