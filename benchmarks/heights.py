"""Measure the peak memory of the program for pictures of one width and several heights.

    python benchmarks/heights.py MODEL WIDTH HEIGHT…

The picture is a photo, repeated; its result is a PNG, four times as large. Memory is the greatest
resident size of the process that has the network, from the system's own account: POSIX only.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pyvips

PHOTO = Path(__file__).parents[1] / "tests" / "data" / "osprey.png"


def main() -> None:
    model, *sizes = sys.argv[1:]
    width, *heights = map(int, sizes)
    photo = pyvips.Image.new_from_file(str(PHOTO))
    for height in sorted(heights):  # the peak is the greatest until then
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "in.png", Path(folder) / "out.png"
            across, down = -(-width // photo.width), -(-height // photo.height)
            photo.replicate(across, down).crop(0, 0, width, height).write_to_file(str(source))
            options = ["--model", model, "--precision", "fp32"]
            command = [sys.executable, "-m", "upscale", str(source), "-o", str(target), *options]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
        print(f"{model}, {width} × {height}: {peak:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
