"""Compare the estimate of ``--dry-run`` with what the run takes, on one core.

    python benchmarks/estimates.py PHOTO [TURNS]

Both are in CPU seconds of all processes, so that other work on the machine counts less: on one
core, a run takes as many by the clock. For the estimate, the clock of its module is replaced. Each
run is estimated and made in turns, TURNS times (3); printed are the median and the extremes of the
estimate divided by what the run took. Pictures are the photo in other sizes. Linux only.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

Size = tuple[int, int]

ASSORTED = [(100, 150), (188, 106), (160, 120), (96, 128), (140, 140), (300, 200)]
ASSORTED += [(64, 80), (250, 166), (120, 180), (200, 150), (90, 60), (170, 227)]

RUNS: list[tuple[str, list[Size], str, str]] = [
    ("realesr-general", [(1024, 1024)], "png", "png"),
    ("realesr-general", [(1024, 1024)], "png", "tif"),
    ("realesr-general", [(1024, 1024)], "png", "webp"),
    ("realesr-general", [(512, 512)], "png", "avif"),
    ("realesr-general", [(64, 64)] * 60, "png", "png"),
    ("realesr-general", ASSORTED, "jpg", "jpg"),
    ("srgan", [(512, 512)], "png", "png"),
]
"""Models, sizes, and formats of inputs and outputs."""


PROGRAM = """
import sys, time, types
from upscale.upscaling.tuning import tune
tune()
from upscale.cli.reports import duration
duration.time = types.SimpleNamespace(monotonic=time.process_time, process_time=time.process_time)
from upscale.cli import main
main()
"""


def upscale(folder: Path, *options: str) -> tuple[float, float]:
    """Return the CPU seconds of a run, and those that it estimates (0: it does not)."""
    command = [sys.executable, "-c", PROGRAM, "in", "-o", "out", "--json", *options]
    with (folder / "report").open("w+") as report:
        with subprocess.Popen(
            command,
            cwd=folder,
            stdout=report,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        ) as running:
            _, status, used = os.wait4(running.pid, 0)
            running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            sys.exit(running.returncode)
        report.seek(0)
        summary = json.loads(report.readlines()[-1])
    return used.ru_utime + used.ru_stime, summary.get("seconds_estimated", 0)


def main() -> None:
    photo, turns = Path(sys.argv[1]), int((sys.argv[2:] or ["3"])[0])
    os.sched_setaffinity(0, {0})  # and the programs with it
    for model, sizes, source, target in RUNS:
        ratios = []
        for _ in range(turns):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                (folder / "in").mkdir()
                with Image.open(photo) as picture:
                    for number, size in enumerate(sizes):
                        small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
                        small.save(folder / "in" / f"{number}.{source}")
                options = ("--model", model, "--format", target)
                _, estimated = upscale(folder, *options, "--dry-run")
                taken, _ = upscale(folder, *options)
                ratios.append(estimated / taken)
        print(
            f"{model}, {len(sizes)} of {sizes[0][0]} × {sizes[0][1]}, {target}: "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
