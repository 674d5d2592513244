"""Compare the estimate of ``--dry-run`` with the time that the run takes by the clock.

    python benchmarks/estimates.py PHOTO [TURNS]

Each run is estimated and made in turns, TURNS times (3) each; the table has the median and the
extremes of the estimate divided by the time. Other work on the machine spoils both. Pictures are
the photo in other sizes.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
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


def upscale(folder: Path, *options: str) -> tuple[float, float]:
    """Return the seconds of a run by the clock, and those that it estimates (0: it does not)."""
    command = [sys.executable, "-m", "upscale", "in", "-o", "out", "--json", *options]
    begin = time.perf_counter()
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - begin
    return seconds, json.loads(found.stdout.splitlines()[-1]).get("seconds_estimated", 0)


def main() -> None:
    photo, turns = Path(sys.argv[1]), int((sys.argv[2:] or ["3"])[0])
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
