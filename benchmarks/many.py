"""Measure memory and speed for many small pictures in one run, beside the bare network.

    python benchmarks/many.py [COUNT [MODEL [SIDE]]]

COUNT pictures (1000) of SIDE² pixels (64), half of them JPEG, half PNG. Resident memory is that of
the program and all its processes, after file 100 and after file COUNT (a few more follow). Rates
count from the report's first line to its line COUNT, without the start: by the clock, and by the
processors' seconds, in which other work on the machine does not count. The bare network runs on one
such picture, again and again, before and after the program. Memory and processors' seconds are read
from /proc: Linux only.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from upscale.cli.terminal.tuning import tune
from upscale.models.model import Model, load_model

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


def bare(model: Model, side: int, passes: int = 50) -> Seconds:
    """Return what one pass of the network alone over one picture takes."""
    lr = torch.rand(1, 3, side, side).contiguous(memory_format=torch.channels_last)
    clock, processors = [], []
    with torch.inference_mode():
        for _ in range(passes):
            begin, busy = time.perf_counter(), time.process_time()
            model.network(lr)
            clock.append(time.perf_counter() - begin)
            processors.append(time.process_time() - busy)
    return Seconds(statistics.median(clock), statistics.median(processors))


@dataclass(frozen=True)
class Usage:
    """What a program and its processes have taken so far."""

    when: float
    memory: float
    """MiB that all of them hold now; what they share counts as often."""
    own: float
    """Processors' seconds of the program itself."""
    beside: float
    """Of the processes that it started and that still run."""


def usage(pid: int) -> Usage:
    """Look at ``pid`` and its descendants."""
    parents, pages, ticks = {}, {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            pages[int(path.name)] = int((path / "statm").read_text().split()[1])
        except OSError:
            continue
        parents[int(path.name)] = int(fields[1])
        ticks[int(path.name)] = int(fields[11]) + int(fields[12])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    memory = sum(pages.get(one, 0) for one in found) * os.sysconf("SC_PAGE_SIZE") / 2**20
    tick = os.sysconf("SC_CLK_TCK")
    beside = sum(ticks.get(one, 0) for one in found[1:])
    return Usage(time.perf_counter(), memory, ticks.get(pid, 0) / tick, beside / tick)


def main() -> None:
    count, name, side = (*sys.argv[1:4], *("1000", "srgan", "64")[len(sys.argv[1:4]) :])
    last = int(count)
    tune()  # as the program does
    model = load_model(name)
    before = bare(model, int(side))
    seen: dict[int, Usage] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "in").mkdir()
        write_pictures(folder / "in", last + SAMPLES, int(side))
        command = [sys.executable, "-m", "upscale", "in", "-o", "out", "--json", "--model", name]
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            for number, _ in enumerate(process.stdout, 1):
                if number == 1 or 100 <= number < 100 + SAMPLES or number >= last:
                    seen[number] = usage(process.pid)
        made = len(list((folder / "out").iterdir()))
    after = bare(model, int(side))
    assert (process.returncode, made) == (0, last + SAMPLES)
    for first in (100, last):
        memory = [seen[number].memory for number in range(first, first + SAMPLES) if number in seen]
        if memory:
            print(f"resident: {statistics.mean(memory):.0f} MiB at file {first}")
    begin, end = seen[1], seen[last]
    clock = (end.when - begin.when) / (last - 1)
    own, beside = (end.own - begin.own) / (last - 1), (end.beside - begin.beside) / (last - 1)
    print(f"bare network: {1 / before.clock:.1f} files/s before, {1 / after.clock:.1f} after")
    alone = (before.clock + after.clock) / 2
    print(f"program: {1 / clock:.1f} files/s, {alone / clock:.2f} of the bare network's")
    alone = (before.processors + after.processors) / 2
    print(
        f"processors' milliseconds a file: {1e3 * own:.1f} the program and {1e3 * beside:.1f} the "
        f"codecs, {1e3 * alone:.1f} the bare network, {alone / own:.2f} of the program's "
        f"({alone / (own + beside):.2f} with codecs); {model.precision}"
    )


if __name__ == "__main__":
    main()
